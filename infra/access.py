"""Who asks: `authorize` finds the tenant of an API key. It never refuses by itself (docs/architecture.md)."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk.aws_apigatewayv2_authorizers import HttpLambdaAuthorizer, HttpLambdaResponseType
from constructs import Construct

from infra.function import Function
from infra.packaging import Packages
from infra.settings import Settings
from infra.storage import Storage

AUTHORIZE_TIMEOUT = cdk.Duration.seconds(9)  # API Gateway gives up after 10


class Access(Construct):
    """`authorize`, and `authorizer`, which makes API Gateway ask it before each request that needs a key."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages, storage: Storage) -> None:
        super().__init__(scope, "Access")
        self.authorize = Function(
            self,
            "authorize",
            description="Finds the tenant and the scopes of an API key",
            settings=settings,
            package=packages["authorize"],
            timeout=AUTHORIZE_TIMEOUT,
            environment={"SPANDREL_KEY_TABLE": storage.keys.table_name},
            answers_requests=True,
        )
        self.authorize.may("dynamodb:GetItem", on=storage.keys.table_arn)
        self.authorizer = HttpLambdaAuthorizer(
            "Keys",
            self.authorize.live,
            response_types=[HttpLambdaResponseType.SIMPLE],
            # A key may come in any of three headers, and a request without one must reach the function that refuses
            # it in its own format. Without an identity source there is nothing to cache by either.
            identity_source=[],
            results_cache_ttl=cdk.Duration.seconds(0),
        )
