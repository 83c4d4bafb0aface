"""Work on the lesions of a patient: from onset to the regions of every time point, each step one edit of a drawing."""
