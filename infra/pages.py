"""The web UI: `show` serves its pages from the API's own address. It holds no data and reaches none."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function
from infra.packaging import Packages
from infra.settings import Settings
from infra.storage import Storage

SHOW_TIMEOUT = cdk.Duration.seconds(10)


class Pages(Construct):
    """`show`."""

    def __init__(self, scope: Construct, settings: Settings, packages: Packages, storage: Storage) -> None:
        super().__init__(scope, "Pages")
        self.show = Function(
            self,
            "show",
            description="Serves the pages of the web UI",
            settings=settings,
            package=packages["show"],
            timeout=SHOW_TIMEOUT,
            # Only so that pages can allow themselves to follow the redirect to a large answer.
            environment={"SPANDREL_BUCKET_DOMAIN": storage.bucket.bucket_regional_domain_name},
            answers_requests=True,
        )
