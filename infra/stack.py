"""The stack: its concerns and how they meet."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.access import Access
from infra.api import Api
from infra.compaction import Compaction
from infra.dashboard import Dashboard
from infra.function import Function
from infra.ingestion import Ingestion
from infra.monitoring import Monitoring
from infra.open_format import OpenFormat
from infra.packaging import Packages
from infra.pages import Pages
from infra.reading import Reading
from infra.settings import Settings
from infra.storage import Storage
from spandrel.model import routes


class Spandrel(cdk.Stack):
    """API Gateway -> receive -> SQS -> store -> S3 and DynamoDB; query; authorize; show."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages) -> None:
        super().__init__(scope, settings.stack_name, description="Spandrel: distributed tracing")
        storage = Storage(self, settings)
        ingestion = Ingestion(self, settings, packages, storage)
        reading = Reading(self, settings, packages, storage)
        compaction = Compaction(self, settings, packages, storage)
        access = Access(self, settings, packages, storage)
        pages = Pages(self, settings, packages, storage)
        answering: dict[routes.Function, Function] = {
            "receive": ingestion.receive,
            "query": reading.query,
            "show": pages.show,
        }
        api = Api(self, settings, answering, access.authorizer)
        Monitoring(self, settings, ingestion, api)
        open_format = OpenFormat(self, settings, storage)
        if settings.dashboard:
            functions = (
                ingestion.receive,
                ingestion.store,
                compaction.plan,
                compaction.compact,
                reading.query,
                access.authorize,
                pages.show,
            )
            Dashboard(self, api, ingestion, {function.verb: function for function in functions})
        self._output("Url", api.url, "where SDKs send spans and UIs ask for traces")
        if api.domain:
            self._output("DomainTarget", api.domain.regional_domain_name, "what the domain's CNAME record names")
        self._output("KeyTable", storage.keys.table_name, "API keys, by hash")
        self._output("CatalogueTable", storage.catalogue.table_name, "which blocks there are")
        self._output("Bucket", storage.bucket.bucket_name, "the blocks")
        self._output("DeadLetterQueueUrl", ingestion.dead_letters.queue_url, "messages that could not be stored")
        self._output("Database", open_format.database_name, "the blocks as a table, for Athena")

    def _output(self, name: str, value: str, description: str) -> None:
        cdk.CfnOutput(self, name, value=value, description=description)
