"""Creates, lists and revokes API keys: of the stack that runs on this machine, or with --deployed of the one in AWS.

    ./spandrel key create --tenant shop --scope ingest --name collector
    ./spandrel key create --tenant shop --xray --name daemon
    ./spandrel key list
    ./spandrel key revoke collector

A key is shown once, when it is made; only its hash is kept. A revoked key stops working within half a minute. With
--xray it is an id and a secret: the clients of AWS X-Ray (boto3, other SDKs, the daemon) can do nothing but sign.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from spandrel.aws.keys import REMEMBERED_S, KeyTable
from spandrel.model.errors import SpandrelError
from spandrel.model.keys import ApiKey, digest_of, named, new_key, new_pair, secret_of
from spandrel.model.routes import SCOPES, Scope
from spandrel.model.tenant import DEFAULT_TENANT, tenant_name

from .account import account, said_plainly
from .failure import CommandFailed
from .running import running
from .table import printed

NAME_CHARACTERS = 64
PAIR_SCOPES: tuple[Scope, ...] = ("ingest", "query")  # X-Ray's clients do both
HEADINGS = ("ID", "NAME", "TENANT", "SCOPES", "CREATED", "REVOKED")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one stack, and the address at which they open it."""

    table: KeyTable
    url: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="create | list | revoke", required=True)
    create = _action(actions, "create", create_key, "make a key and show it, once")
    create.add_argument("--tenant", default=DEFAULT_TENANT, help="whose spans it sends and sees (default: %(default)s)")
    create.add_argument(
        "--scope",
        action="append",
        choices=SCOPES,
        help="what it may do; give it more than once for more. No scope includes another. With --xray, without "
        f"--scope: {' and '.join(PAIR_SCOPES)}",
    )
    create.add_argument("--xray", action="store_true", help="an id and a secret, for clients of AWS X-Ray")
    create.add_argument("--name", help="what it is called in lists and logs (default: its id)")
    _action(actions, "list", list_keys, "show all keys, revoked ones too")
    revoke = _action(actions, "revoke", revoke_key, "make a key useless for good")
    revoke.add_argument("name_or_id", help="as `list` shows it")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    act: Callable[[argparse.Namespace, Keys], None],
    line: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=line, description=line)
    parser.add_argument("--deployed", action="store_true", help="of the stack in AWS, by the credentials you have set")
    parser.set_defaults(act=act, parser=parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    if arguments.act is create_key and not (arguments.scope or arguments.xray):
        arguments.parser.error("one of the arguments --scope --xray is required")
    with said_plainly(), _refused_plainly():
        arguments.act(arguments, _deployed_keys() if arguments.deployed else _local_keys())
    return 0


def create_key(arguments: argparse.Namespace, keys: Keys) -> None:
    shown, seed = new_pair() if arguments.xray else (new_key(), "")
    scopes = tuple(scope for scope in SCOPES if scope in (arguments.scope or PAIR_SCOPES))
    nameless = ApiKey(digest_of(shown), tenant_name(arguments.tenant), scopes, name="", created=_now(), seed=seed)
    key = replace(nameless, name=_name(arguments.name or nameless.key_id))
    if named(keys.table.all(), key.name):
        raise CommandFailed(f"there is a key named {key.name} already; revoke it first, or choose another name")
    keys.table.add(key)
    print(_shown_pair(shown, key, keys.url) if seed else _shown(shown, key, keys.url))


def list_keys(_arguments: argparse.Namespace, keys: Keys) -> None:
    printed([HEADINGS, *map(_row, keys.table.all())])


def revoke_key(arguments: argparse.Namespace, keys: Keys) -> None:
    found = named(keys.table.all(), arguments.name_or_id)
    if not found:
        raise CommandFailed(f"no key in use has the name or id {arguments.name_or_id} (./spandrel key list)")
    if len(found) > 1:
        ids = ", ".join(key.key_id for key in found)
        raise CommandFailed(f"{arguments.name_or_id} names several keys: revoke one of {ids}")
    keys.table.revoke(found[0].digest, _now())
    print(f"{found[0].name} of {found[0].tenant} is revoked; it stops working within {REMEMBERED_S} seconds")


def _local_keys() -> Keys:
    stack = running()
    return Keys(KeyTable(stack.client("dynamodb"), stack.outputs["KeyTable"]), stack.api)


def _deployed_keys() -> Keys:
    from infra.synth import settings_of_project

    where, stack = account(), settings_of_project().stack_name
    outputs = where.outputs(stack)
    if outputs is None:
        raise CommandFailed(f"{where} has no stack {stack}: deploy one with ./spandrel deploy")
    return Keys(KeyTable(where.session.client("dynamodb"), outputs["KeyTable"]), outputs["Url"])


@contextmanager
def _refused_plainly() -> Iterator[None]:
    """What Spandrel's own code refuses, in one line for the person at the terminal."""
    try:
        yield
    except SpandrelError as error:
        raise CommandFailed(str(error)) from error


def _name(text: str) -> str:
    if not (text.isprintable() and text.strip() == text and 0 < len(text) <= NAME_CHARACTERS):
        raise CommandFailed(f"a key's name is 1 to {NAME_CHARACTERS} printable characters, not {text!r}")
    return text


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _row(key: ApiKey) -> Sequence[str]:
    return (key.key_id, key.name, key.tenant, " ".join(key.scopes), key.created, key.revoked)


def _shown(secret: str, key: ApiKey, url: str) -> str:
    lines = [
        secret,
        "",
        f"This is the key {key.name} of the tenant {key.tenant}, for {' and '.join(key.scopes)}.",
        "It is shown this once: only its hash is kept.",
    ]
    return "\n".join([*lines, *_use(secret, key.scopes, url)])


def _shown_pair(pair_id: str, key: ApiKey, url: str) -> str:
    pair = [f"AWS_ACCESS_KEY_ID={pair_id}", f"AWS_SECRET_ACCESS_KEY={secret_of(pair_id, key.seed)}"]
    lines = [
        *pair,
        "",
        f"This is the key pair {key.name} of the tenant {key.tenant}, for {' and '.join(key.scopes)}.",
        "It is shown this once: neither id nor secret is kept. Any region will do.",
        "",
        "Point boto3 or the AWS CLI at it, in a terminal where nothing else needs AWS:",
        *(f"    export {line}" for line in [*pair, f"AWS_ENDPOINT_URL_XRAY={url}"]),
        "",
        "Point the X-Ray daemon at it, with the same id and secret, in its cfg.yaml:",
        f'    Endpoint: "{url}"',
    ]
    return "\n".join(lines)


def _use(secret: str, scopes: tuple[Scope, ...], url: str) -> list[str]:
    """The lines to copy into a terminal."""
    sending = [
        "",
        "Point an OpenTelemetry SDK at it:",
        f"    export OTEL_EXPORTER_OTLP_ENDPOINT={url}",
        "    export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        f"    export OTEL_EXPORTER_OTLP_HEADERS=x-api-key={secret}",
    ]
    asking = ["", "Ask for traces:", f"    curl -H 'x-api-key: {secret}' {url}/api/v3/services"]
    return [*(sending if "ingest" in scopes else []), *(asking if "query" in scopes else [])]
