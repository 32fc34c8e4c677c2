"""The stack as a CDK app: one construct a concern, and how the functions are packaged and the template synthesised."""
