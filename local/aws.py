"""AWS on this machine: moto behind the gate, served on a port of loopback, with one account of its own.

Its state lives and dies with the process. Each `LocalAws` has an account number of its own, so that several in one
process (tests) do not see each other's resources.
"""

from __future__ import annotations

import itertools
import threading
from functools import cached_property
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from . import cloudformation
from .failures import CannotAssume
from .gate import Gate
from .iam import Caller, Permission, allows
from .principals import ADMINISTRATOR_KEY, ADMINISTRATOR_SECRET

REGION = "us-east-1"
HOST = "127.0.0.1"
POLL_S = 0.1  # how soon the server notices that it is to stop
_account_numbers = itertools.count(111111111111)


class _Handler(MotoRequestHandler):
    """Quick on loopback: answers leave in one piece and at once. Says nothing; the gate's listeners hear of calls."""

    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":  # S3 clients wait for this before they send
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
            del self.headers["Expect"]
        super().run_wsgi()

    def log_request(self, *_: object) -> None:
        pass


class LocalAws:
    """`endpoint` serves from construction until `stop`."""

    def __init__(self) -> None:
        self.account_id = str(next(_account_numbers))
        self.region = REGION
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._making = threading.Lock()  # boto3's session, which makes clients, is not safe for threads
        self.gate = Gate(DomainDispatcherApplication(create_backend_app), self.account_id)
        self._server = make_server(HOST, 0, self.gate, threaded=True, request_handler=_Handler)
        self.endpoint = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), name="local-aws", daemon=True
        )
        self._thread.start()
        cloudformation.connect(self)

    @cached_property
    def administrator(self) -> dict[str, str]:
        """The environment variables that make any AWS SDK talk to this account, with every right."""
        return self.environment({"AccessKeyId": ADMINISTRATOR_KEY, "SecretAccessKey": ADMINISTRATOR_SECRET})

    def environment(self, credentials: dict[str, Any]) -> dict[str, str]:
        """The same for `credentials` as STS gives them."""
        token = {"AWS_SESSION_TOKEN": credentials["SessionToken"]} if "SessionToken" in credentials else {}
        return token | {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(self, service: str, environment: dict[str, str] | None = None) -> BaseClient:
        """A client of boto3 with the credentials of `environment` (default: the administrator's); closed at stop.

        It does not repeat calls: what fails here is to be seen.
        """
        as_who = environment or self.administrator
        wanted = (service, as_who["AWS_ACCESS_KEY_ID"])
        with self._making:
            if wanted not in self._clients:
                self._clients[wanted] = self._new_client(service, as_who)
            return self._clients[wanted]

    def _new_client(self, service: str, as_who: dict[str, str]) -> BaseClient:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=as_who["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=as_who["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=as_who.get("AWS_SESSION_TOKEN"),
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def role_session(self, role_arn: str, name: str, service: str = "lambda.amazonaws.com") -> dict[str, str]:
        """The environment variables of a session of the role. CannotAssume unless the role trusts the service."""
        becoming = Permission("sts:AssumeRole", role_arn)
        if not allows(Caller((service,)), becoming, self.gate.principals.trust_policies(role_arn)):
            raise CannotAssume(f"{role_arn} does not trust {service}, or there is no such role")
        session = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=name)
        return self.environment(session["Credentials"])

    def stop(self) -> None:
        """Answers no further call."""
        for client in self._clients.values():
            client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
