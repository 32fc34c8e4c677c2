"""The HTTPS address: its routes, who is asked before them, CORS and throttling."""

from __future__ import annotations

import json

from spandrel.model.routes import METHODS, ROUTES
from tests.infra.conftest import CERTIFICATE
from tests.infra.reading import Template

LIVE = {"receive": "${IngestionReceiveLive}", "query": "${ReadingQueryLive}", "show": "${PagesShowLive}"}


def test_the_routes_are_those_of_the_model(template: Template) -> None:
    integrations = template.all("AWS::ApiGatewayV2::Integration")
    made = {}
    for route in template.all("AWS::ApiGatewayV2::Route").values():
        target = template.text(route["Target"]).removeprefix("integrations/").strip("${}")
        made[route["RouteKey"]] = template.text(integrations[target]["IntegrationUri"])
    assert made == {route.key: LIVE[route.function] for route in ROUTES}


def test_every_route_that_needs_a_scope_asks_the_authorizer(template: Template) -> None:
    routes = {route["RouteKey"]: route for route in template.all("AWS::ApiGatewayV2::Route").values()}
    for route in ROUTES:
        asked = (routes[route.key]["AuthorizationType"], template.text(routes[route.key].get("AuthorizerId")))
        assert asked == (("CUSTOM", "${ApiHttpApiKeys}") if route.scope else ("NONE", "None"))


def test_functions_get_events_of_version_2(template: Template) -> None:
    for integration in template.all("AWS::ApiGatewayV2::Integration").values():
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert integration["PayloadFormatVersion"] == "2.0"


def test_the_authorizer_sees_requests_without_a_key_and_nothing_is_cached(template: Template) -> None:
    """A key may come in any of three headers; with an identity source the gateway would refuse by itself (ADR 0002)."""
    authorizer = template.only("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["EnableSimpleResponses"] is True
    assert authorizer["IdentitySource"] == []
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert "${AccessAuthorizeLive}" in template.text(authorizer["AuthorizerUri"])


def test_only_this_api_may_call_the_functions(template: Template) -> None:
    permissions = template.all("AWS::Lambda::Permission").values()
    called = {template.text(permission["FunctionName"]) for permission in permissions}
    assert called == {*LIVE.values(), "${AccessAuthorizeLive}"}
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert ":${ApiHttpApi}/" in template.text(permission["SourceArn"])


def test_no_route_takes_a_preflight_so_the_gateway_answers_it(template: Template) -> None:
    methods = {route["RouteKey"].split()[0] for route in template.all("AWS::ApiGatewayV2::Route").values()}
    assert methods == set(METHODS)
    assert not {"OPTIONS", "ANY", "$default"} & methods


def test_cors_stands_at_the_api_so_that_errors_carry_it(template: Template, full_template: Template) -> None:
    cors = template.only("AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["*"]
    assert "AllowCredentials" not in cors
    assert set(cors["AllowMethods"]) == set(METHODS)
    assert {"authorization", "content-type", "content-encoding", "x-api-key"} <= set(cors["AllowHeaders"])
    assert full_template.only("AWS::ApiGatewayV2::Api")["CorsConfiguration"]["AllowOrigins"] == [
        "https://shop.example.com"
    ]


def test_cors_can_be_left_out(bare_template: Template) -> None:
    assert "CorsConfiguration" not in bare_template.only("AWS::ApiGatewayV2::Api")


def test_throttling_is_a_setting(template: Template, full_template: Template) -> None:
    assert throttling(template) == {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000}
    assert throttling(full_template) == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 75}


def test_requests_are_logged_only_if_asked_for(template: Template, full_template: Template) -> None:
    assert "AccessLogSettings" not in template.only("AWS::ApiGatewayV2::Stage")
    settings = full_template.only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]
    assert full_template.text(settings["DestinationArn"]) == "${ApiAccessLogs.Arn}"
    assert json.loads(settings["Format"])["id"] == "$context.requestId"


def test_without_a_domain_the_url_is_api_gateways(template: Template) -> None:
    assert not template.all("AWS::ApiGatewayV2::DomainName")
    assert template.text(template.body["Outputs"]["Url"]["Value"]) == "${ApiHttpApi.ApiEndpoint}"


def test_with_a_domain_the_url_is_ones_own(full_template: Template) -> None:
    domain = full_template.only("AWS::ApiGatewayV2::DomainName")
    (configuration,) = domain["DomainNameConfigurations"]
    assert domain["DomainName"] == "traces.example.com"
    assert configuration["CertificateArn"] == CERTIFICATE
    mapping = full_template.only("AWS::ApiGatewayV2::ApiMapping")
    assert full_template.text(mapping["Stage"]) in {"$default", "${ApiStage}"}
    assert full_template.body["Outputs"]["Url"]["Value"] == "https://traces.example.com"
    assert "DomainTarget" in full_template.body["Outputs"]


def test_the_outputs_name_what_the_commands_need(template: Template) -> None:
    named = {"Url", "KeyTable", "CatalogueTable", "Bucket", "DeadLetterQueueUrl", "Database"}
    assert set(template.body["Outputs"]) == named


def throttling(stack: Template) -> dict[str, int]:
    settings: dict[str, int] = stack.only("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    return settings
