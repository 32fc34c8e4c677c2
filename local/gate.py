"""The gate before moto: each request is read, checked against IAM, may meet a planned fault, and only then passes.

moto's own IAM check is left off: it knows no resources but S3's, checks batches and transactions under names that IAM
does not have, and skips conditions.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from .answers import Answer, error
from .calls import AwsCall, Request, read_call
from .faults import Faults
from .iam import Caller, NotEvaluated, Permission, allows
from .principals import Principals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A request over loopback counts as one over TLS, so that a policy that denies plain HTTP lets the local stack work.
CONTEXT = {"aws:securetransport": "true", "s3:tlsversion": "1.3"}
# Without permission to list, AWS does not tell that there is no such object: GetObject answers 403 instead of 404.
TOLD_IF_LISTING = frozenset({"GetObject", "HeadObject"})


class Gate:
    """A WSGI application around moto's.

    `instead_of_moto` has who answers what moto cannot, by (service, operation). `listeners` hear of each call that moto
    has carried out.
    """

    def __init__(self, moto: WSGIApplication, account_id: str) -> None:
        self._moto = moto
        self._account_id = account_id
        self._dynamodb = threading.Lock()
        self.principals = Principals(account_id)
        self.faults = Faults()
        self.instead_of_moto: dict[tuple[str, str], Callable[[AwsCall], Answer]] = {}
        self.listeners: list[Callable[[AwsCall], None]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = read_call(_request(environ), self._account_id)
        answer = self._refusal(call) or self.faults.answer(call) or self._own_answer(call)
        response = _response(answer) if answer else self._passed_on(environ, call)
        return response(environ, start_response)

    def _own_answer(self, call: AwsCall) -> Answer | None:
        answer = self.instead_of_moto.get((call.service, call.operation))
        return answer(call) if answer else None

    def _refusal(self, call: AwsCall) -> Answer | None:
        caller = self.principals.caller(call)
        if caller is None:
            code = "InvalidAccessKeyId" if call.service == "s3" else "UnrecognizedClientException"
            return error(call, code, "The access key, or its session token, is not known", 403)
        if _link_has_expired(call.request):
            return error(call, "AccessDenied", "Request has expired", 403)
        if call.operation == "GetCallerIdentity":
            return None
        denied = "AccessDenied" if call.service == "s3" else "AccessDeniedException"
        try:
            missing = self._missing(call, caller)
        except NotEvaluated as unknown:
            return error(call, denied, f"local/iam.py cannot evaluate {unknown}", 403)
        if missing is None:
            return None
        text = (
            f"User: {caller.names[-1]} is not authorized to perform: {missing.action} on resource: {missing.resource}"
        )
        return error(call, denied, text, 403)

    def _missing(self, call: AwsCall, caller: Caller) -> Permission | None:
        """The first permission that the call needs and the caller does not have."""
        policies = self.principals.resource_policies(call)
        return next((needed for needed in call.permissions if not allows(caller, needed, policies, CONTEXT)), None)

    def _passed_on(self, environ: WSGIEnvironment, call: AwsCall) -> Response:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account_id
        with self._order(call):
            response = Response.from_app(self._moto, environ, buffered=True)
        if response.status_code == 404 and call.operation in TOLD_IF_LISTING and not self._may_list(call):
            return _response(error(call, "AccessDenied", "Access Denied", 403))
        if response.status_code < 300:
            for listener in self.listeners:
                listener(call)
        return response

    def _order(self, call: AwsCall) -> AbstractContextManager[Any]:
        """moto's DynamoDB loses concurrent writes when a transaction is rolled back: one call at a time there."""
        return self._dynamodb if call.service == "dynamodb" else nullcontext()

    def _may_list(self, call: AwsCall) -> bool:
        caller = self.principals.caller(call)
        listing = Permission("s3:ListBucket", f"arn:aws:s3:::{call.resource_name}")
        return caller is not None and allows(caller, listing, self.principals.resource_policies(call), CONTEXT)


def _request(environ: WSGIEnvironment) -> Request:
    """Reads the request, and leaves the body in place for moto."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    path = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")[0]
    return Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)


def _link_has_expired(request: Request) -> bool:
    expires_s = request.parameters.get("X-Amz-Expires")
    if not expires_s:
        return False
    signed = datetime.strptime(request.parameters["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.now(UTC) > signed + timedelta(seconds=int(expires_s[0]))


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)
