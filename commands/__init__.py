"""The subcommands of `./spandrel`, one module each.

A module has `add_arguments(parser)` and `run(arguments) -> int` (the exit code); its docstring is its help. Modules are
imported only when they are asked for, so that `--help` is instant and a command pays for its own imports alone.
"""
