"""Tests that start the stack: the local one on small functions made for it, and Spandrel itself on its own template."""
