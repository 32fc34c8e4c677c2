"""What the pages of the web UI ask."""
