"""DICOM folders: what series they hold, and their conversion by dcm2niix."""
