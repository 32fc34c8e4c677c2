"""What of OpenTelemetry's attributes has a place in X-Ray's documents, beside those that X-Ray's own spans have.

Sources: OpenTelemetry's semantic conventions and their former names; OpenTelemetry Collector's awsxrayexporter, which
tells spans as segments too.
"""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.values import Attributes, text_of
from spandrel.blocks.ends import PEER_KEYS

# Attribute -> path in a document. They count where the attribute of today's name is not there.
FORMER_PATHS: Mapping[str, str] = {
    "http.method": "http.request.method",
    "http.url": "http.request.url",
    "http.user_agent": "http.request.user_agent",
    "http.client_ip": "http.request.client_ip",
    "http.status_code": "http.response.status",
    "http.response_content_length": "http.response.content_length",
    "db.statement": "sql.sanitized_query",
    "db.system": "sql.database_type",
}
# `sql` is about SQL; the databases that have another language are told by the attributes themselves.
NOT_SQL = frozenset(
    {"cassandra", "couchbase", "couchdb", "dynamodb", "aws.dynamodb", "elasticsearch", "geode", "hbase", "memcached"}
    | {"milvus", "mongodb", "neo4j", "opensearch", "redis", "aws.redshift.data", "valkey"}
)
AWS_RPC = "aws-api"  # of `rpc.system`


def peer_of(attributes: Attributes) -> str:
    """The name of what a span calls, as in docs/dependencies.md; empty where it says none."""
    return next((name for key in PEER_KEYS if isinstance(name := attributes.get(key), str) and name), "")


def calls_aws(attributes: Attributes) -> bool:
    """Whether a span is a call by an SDK of AWS."""
    return AWS_RPC in (attributes.get("rpc.system"), attributes.get("rpc.system.name"))


def url_of(attributes: Attributes) -> str:
    """The URL of a request whose parts alone are told; empty where there are too few of them."""
    path = attributes.get("http.target") or attributes.get("url.path")
    host = attributes.get("http.host") or attributes.get("server.address") or attributes.get("net.host.name")
    if not (isinstance(path, str) and isinstance(host, str)):
        return ""
    scheme = attributes.get("url.scheme") or attributes.get("http.scheme") or "http"
    port = attributes.get("server.port") or attributes.get("net.host.port")
    query = attributes.get("url.query") if "http.target" not in attributes else None
    beside = f":{port}" if isinstance(port, int) and ":" not in host else ""
    return f"{text_of(scheme)}://{host}{beside}{path}" + (f"?{query}" if isinstance(query, str) and query else "")
