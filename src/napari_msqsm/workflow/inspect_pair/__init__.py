"""Looking at two images that were registered: pictures that compare them, and moving one of them by hand."""
