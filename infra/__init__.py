"""One CDK construct a concern, and how the functions are packaged."""
