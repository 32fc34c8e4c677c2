"""What `./spandrel bench` runs, one module a benchmark."""
