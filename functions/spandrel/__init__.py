"""What Spandrel's functions share. See docs/architecture.md for the folders and who may import whom."""
