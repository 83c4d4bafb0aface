"""From a DICOM folder to an anonymised BIDS study: proposed, corrected by the user, written."""
