"""The HTTPS address: routes, CORS, throttling, and the domain name of one's own."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as certificates
from aws_cdk.aws_apigatewayv2_authorizers import HttpLambdaAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra import cors
from infra.acknowledged import acknowledge
from infra.function import Function
from infra.log_group import log_group
from infra.settings import CustomDomain, LogDays, Settings
from spandrel.model import routes

ACCESS_LOG_FORMAT = {
    "id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.integrationErrorMessage",
}


class Api(Construct):
    """`http_api` with the routes of `spandrel.model.routes`; `url` is where SDKs and UIs point."""

    def __init__(
        self,
        scope: Construct,
        settings: Settings,
        functions: dict[routes.Function, Function],
        authorizer: HttpLambdaAuthorizer,
    ) -> None:
        super().__init__(scope, "Api")
        self.http_api = apigateway.HttpApi(
            self,
            "HttpApi",
            api_name=settings.stack_name,
            create_default_stage=False,
            cors_preflight=_cors(settings.cors_origins),
        )
        self._add_routes(functions, authorizer)
        self.domain = self._domain(settings.custom_domain) if settings.custom_domain else None
        self.stage = self._stage(settings)
        self.url = f"https://{settings.custom_domain.name}" if settings.custom_domain else self.http_api.api_endpoint

    def _add_routes(self, functions: dict[routes.Function, Function], authorizer: HttpLambdaAuthorizer) -> None:
        integrations = {
            # One permission for the whole API instead of one for each of its routes.
            name: HttpLambdaIntegration(name.capitalize(), function.live, scope_permission_to_route=False)
            for name, function in functions.items()
        }
        for route in routes.ROUTES:
            (added,) = self.http_api.add_routes(
                path=route.path,
                methods=[apigateway.HttpMethod[route.method]],
                integration=integrations[route.function],
                authorizer=authorizer if route.scope else None,
            )
            if not route.scope:
                acknowledge(added, "AwsSolutions-APIG4", f"{route.path} is open to everybody and shows no data.")

    def _stage(self, settings: Settings) -> apigateway.HttpStage:
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(
                rate_limit=settings.throttle_rate, burst_limit=settings.throttle_burst
            ),
            domain_mapping=apigateway.DomainMappingOptions(domain_name=self.domain) if self.domain else None,
        )
        if settings.access_log:
            self._log_accesses(stage, settings.log_retention_days)
        else:
            acknowledge(
                stage,
                "AwsSolutions-APIG1",
                "Each line is billed; the functions log what they refuse for a fault, and `access_log` logs the rest.",
            )
        return stage

    def _log_accesses(self, stage: apigateway.HttpStage, days: LogDays) -> None:
        group = log_group(self, "AccessLogs", days)
        resource = stage.node.default_child
        assert isinstance(resource, apigateway.CfnStage)
        resource.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=group.log_group_arn, format=json.dumps(ACCESS_LOG_FORMAT)
        )

    def _domain(self, custom: CustomDomain) -> apigateway.DomainName:
        certificate = certificates.Certificate.from_certificate_arn(self, "Certificate", custom.certificate_arn)
        return apigateway.DomainName(self, "Domain", domain_name=custom.name, certificate=certificate)


def _cors(origins: list[str]) -> apigateway.CorsPreflightOptions | None:
    """At the API, so that preflights, the functions' errors and the gateway's own all carry it."""
    if not origins:
        return None
    return apigateway.CorsPreflightOptions(
        allow_origins=origins,
        allow_methods=[apigateway.CorsHttpMethod[method] for method in routes.METHODS],
        allow_headers=cors.HEADERS,
        expose_headers=cors.EXPOSED_HEADERS,
        max_age=cdk.Duration.seconds(cors.MAX_AGE_S),
    )
