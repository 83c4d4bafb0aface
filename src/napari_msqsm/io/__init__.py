"""Files in and out; foreign conventions end here."""
