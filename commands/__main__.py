"""`python -m commands`: what the `spandrel` script starts once the environment stands."""

from __future__ import annotations

import argparse
import importlib
import sys

from .failure import CommandFailed

# In the order in which a newcomer meets them; the line is what `./spandrel --help` shows.
COMMANDS = {
    "up": "run the whole stack on this machine and serve it on http://127.0.0.1:4318",
    "demo": "send the traces of a small shop through the OpenTelemetry SDK",
    "test": "run the test suite",
    "check": "run the linters, the type checker and the template's checks",
    "bench": "measure speed, size and cost, and print them as a table",
    "key": "create, list and revoke API keys",
    "export": "write the spans of a time range to files, as OTLP or Parquet",
    "delete-trace": "delete all spans of a trace",
    "delete-spans": "delete all spans with an attribute of some value, a person's data for example",
    "deletions": "list deletions that are not done with, and how far they are",
    "rebuild-catalogue": "make the catalogue again from the bucket alone",
    "deploy": "deploy to the AWS account that your credentials name",
    "destroy": "remove the deployed stack",
    "lock": "write requirements.lock anew from requirements.txt",
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="spandrel", description="Distributed tracing in your own AWS account.")
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of those below")
    parser.epilog = "commands:\n" + "\n".join(f"  {name:<19}{line}" for name, line in COMMANDS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    command = parser.parse_args(argv[:1]).command
    module = importlib.import_module(f"commands.{command.replace('-', '_')}")
    own = argparse.ArgumentParser(prog=f"spandrel {command}", description=module.__doc__)
    own.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_arguments(own)
    try:
        return int(module.run(parsed(own, argv[1:], takes_unknown=hasattr(module, "TAKES_UNKNOWN_ARGUMENTS"))))
    except CommandFailed as failure:
        print(f"spandrel {command}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"spandrel {command}: stopped", file=sys.stderr)
        return 130  # as shells say of a program that Ctrl-C ended


def parsed(parser: argparse.ArgumentParser, argv: list[str], *, takes_unknown: bool) -> argparse.Namespace:
    if not takes_unknown:
        return parser.parse_args(argv)
    arguments, unknown = parser.parse_known_args(argv)
    arguments.unknown = unknown
    return arguments


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
