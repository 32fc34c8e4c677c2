"""Services, their types and the calls between them in a filter expression -> sets of spans."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spandrel.blocks.ends import PEER_KEYS
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import xray
from spandrel.traceql.composing import every, some
from spandrel.traceql.expressions import FALSE, TRUE, Expression
from spandrel.traceql.spansets import Filter, Relation, Side, Spansets, Structure

from .conditions import equal, kind_of, negated, on_resource, on_span, says, text_test
from .filter_tree import Edge, Keyword, Node, Operator, Service, Test
from .keywords import OF_SERVICES, Keywords, condition, flag, mentions, plain
from .positions import CALLING, ENTRY, SERVING, any_of, entries, highest_of, lowest_of, placed

CLIENT_TYPE, REMOTE_TYPE = "client", "remote"
ORIGIN = xray.PREFIX + "origin"
NAMESPACE = xray.PREFIX + "namespace"

# cloud.platform of OpenTelemetry -> X-Ray's origin (AWS X-Ray Developer Guide, "origin" of segment documents).
ORIGINS = {
    "aws_ec2": "AWS::EC2::Instance",
    "aws_ecs": "AWS::ECS::Container",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_lambda": "AWS::Lambda::Function",
    "aws_app_runner": "AWS::AppRunner::Service",
}
# Names of AWS's services as X-Ray's SDKs and OpenTelemetry's have them -> the type of what is called.
CALLED_TYPES = {
    "DynamoDB": "AWS::DynamoDB::Table",
    "S3": "AWS::S3::Bucket",
    "SNS": "AWS::SNS",
    "SQS": "AWS::SQS::Queue",
    "Lambda": "AWS::Lambda",
    "Kinesis": "AWS::Kinesis",
    "SecretsManager": "AWS::SecretsManager",
    "StepFunctions": "AWS::StepFunctions",
}
_AWS = "AWS::"
_INSIDE = "inside of service() or edge()"
UNANSWERED = lowest_of(SERVING)
"""Of a call: nobody sent a segment for it, so the service that it called is inferred."""


def service(term: Service) -> Spansets:
    """Segments of the services of which the condition is true, and calls of such as are inferred."""
    asked = None if term.condition is None else plain(term.condition)
    node = own(term.node)
    positions = {"root": ENTRY} if mentions(asked, "root") else {}

    def segment(serving: Expression) -> Callable[[Mapping[str, bool]], Expression]:
        def asked_of(truths: Mapping[str, bool]) -> Expression:
            return condition(asked, _keywords(inferred=False, root=truths.get("root", False)), _INSIDE)

        return lambda truths: every([node, serving, asked_of(truths)])

    called = every([CALLING, peer(term.node), condition(asked, _keywords(inferred=True), _INSIDE)])
    return any_of(
        [
            placed(positions, segment(TRUE), highest_of(node).chosen),
            placed(positions, segment(SERVING)),
            UNANSWERED.chosen(Filter(called)),
        ]
    )


def edge(term: Edge) -> Spansets:
    """What was called, of the calls from one service to another."""
    asked = None if term.condition is None else plain(term.condition)
    source, destination = own(term.source), own(term.destination)
    seen = condition(asked, _keywords(inferred=False), _INSIDE)
    if term.source.type == CLIENT_TYPE:
        return entries(every([destination, seen]))
    names = term.source.name, term.destination.name
    apart = None not in names and names[0] != names[1]
    served = every([destination, TRUE if apart else SERVING, seen])
    unseen = condition(asked, _keywords(inferred=True), _INSIDE)
    called = every([CALLING, source, peer(term.destination), unseen])
    return any_of(
        [
            Structure(Relation.CHILD, Side.RIGHT, Filter(source), Filter(served)),
            UNANSWERED.chosen(Filter(called)),
        ]
    )


def own(node: Node) -> Expression:
    """The span is of such a service."""
    return every(
        [
            *([own_name(_equals("name", node.name))] if node.name is not None else []),
            *([own_type(_equals("type", node.type))] if node.type is not None else []),
            *([equal(on_resource("cloud.account.id"), node.account)] if node.account is not None else []),
        ]
    )


def peer(node: Node) -> Expression:
    """The span calls such a service, which sent nothing itself. Whose account that is, no call says."""
    return every(
        [
            *([peer_name(_equals("name", node.name))] if node.name is not None else []),
            *([peer_type(_equals("type", node.type))] if node.type is not None else []),
            *([FALSE] if node.account is not None else []),
        ]
    )


def own_name(test: Test) -> Expression:
    return text_test([on_resource(SERVICE_NAME)], test)


def own_type(test: Test) -> Expression:
    platforms = [name for name, origin in ORIGINS.items() if says(test, origin)]
    return some(
        [
            text_test([on_resource(ORIGIN)], test),
            *(equal(on_resource("cloud.platform"), name) for name in platforms),
        ]
    )


def peer_name(test: Test) -> Expression:
    """Any of the names that a call has for the other side."""
    return text_test([on_span(key) for key in PEER_KEYS], test)


def peer_type(test: Test) -> Expression:
    """The type of what a call is for: that of AWS's service, or `remote` where it is no call of such."""
    of_aws = some([equal(on_span(NAMESPACE), "aws"), equal(on_span("rpc.system"), "aws-api")])
    keys = [on_span(xray.PEER), on_span("rpc.service")]
    known = some(equal(key, name) for key in keys for name in _names_of_type(test))
    remote = every([kind_of("client"), negated(of_aws)]) if says(test, REMOTE_TYPE) else FALSE
    return some([every([of_aws, known]), remote])


def _names_of_type(test: Test) -> list[str]:
    """AWS's services of such a type, also where it is said without what is called there: `AWS::DynamoDB`."""
    names = [name for name, called in CALLED_TYPES.items() if says(test, called)]
    if test.operator is Operator.EQUAL and isinstance(test.value, str) and test.value.startswith(_AWS):
        names.append(test.value[len(_AWS) :].partition("::")[0])
    return names


def _keywords(*, inferred: bool, root: bool = False) -> Keywords:
    return {
        **OF_SERVICES,
        "root": flag(TRUE if root else FALSE),
        "inferred": flag(TRUE if inferred else FALSE),
        "name": peer_name if inferred else own_name,
        "type": peer_type if inferred else own_type,
    }


def _equals(name: str, value: str) -> Test:
    return Test(Keyword(name), Operator.EQUAL, value)


def inferred_services() -> Spansets:
    """Calls of services that sent nothing themselves."""
    return UNANSWERED.chosen(Filter(CALLING))
