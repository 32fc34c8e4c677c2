"""The stack on this machine, made from the synthesised template."""
