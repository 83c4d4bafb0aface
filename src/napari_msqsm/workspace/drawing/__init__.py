"""What was drawn of one patient, without Qt: label images, one undo for all of them, and a journal of every change."""
