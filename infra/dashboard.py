"""What one wants to see at a glance, from metrics that AWS keeps free of charge."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.api import Api
from infra.function import Function
from infra.ingestion import Ingestion

WIDTH = 12  # of the 24 columns of a dashboard
MINUTE = cdk.Duration.minutes(1)


class Dashboard(Construct):
    """Requests, what waits to be stored, and how each function does."""

    def __init__(self, scope: Construct, api: Api, ingestion: Ingestion, functions: Mapping[str, Function]) -> None:
        super().__init__(scope, "Dashboard")
        board = cloudwatch.Dashboard(self, "Board", default_interval=cdk.Duration.hours(3))
        board.add_widgets(_requests(api), _answer_times(api))
        board.add_widgets(_waiting(ingestion), _oldest(ingestion))
        board.add_widgets(
            _graph("Invocations", {n: f.unpublished.metric_invocations(period=MINUTE) for n, f in functions.items()}),
            _graph("Failed invocations", {n: f.unpublished.metric_errors(period=MINUTE) for n, f in functions.items()}),
        )
        board.add_widgets(
            _graph(
                "Duration (99th percentile)",
                {n: f.unpublished.metric_duration(period=MINUTE, statistic="p99") for n, f in functions.items()},
            ),
            _graph("Throttles", {n: f.unpublished.metric_throttles(period=MINUTE) for n, f in functions.items()}),
        )


def _requests(api: Api) -> cloudwatch.GraphWidget:
    return _graph(
        "Requests",
        {
            "all": api.http_api.metric_count(period=MINUTE, statistic=cloudwatch.Stats.SUM),
            "refused (4xx)": api.http_api.metric_client_error(period=MINUTE, statistic=cloudwatch.Stats.SUM),
            "failed (5xx)": api.http_api.metric_server_error(period=MINUTE, statistic=cloudwatch.Stats.SUM),
        },
    )


def _answer_times(api: Api) -> cloudwatch.GraphWidget:
    return _graph(
        "Time to answer",
        {
            "median": api.http_api.metric_latency(period=MINUTE, statistic="p50"),
            "99th percentile": api.http_api.metric_latency(period=MINUTE, statistic="p99"),
        },
    )


def _waiting(ingestion: Ingestion) -> cloudwatch.GraphWidget:
    return _graph(
        "Messages",
        {
            "waiting": ingestion.queue.metric_approximate_number_of_messages_visible(period=MINUTE),
            "being stored": ingestion.queue.metric_approximate_number_of_messages_not_visible(period=MINUTE),
            "given up": ingestion.dead_letters.metric_approximate_number_of_messages_visible(period=MINUTE),
        },
    )


def _oldest(ingestion: Ingestion) -> cloudwatch.GraphWidget:
    return _graph("Age of the oldest message", {"queue": ingestion.queue.metric_approximate_age_of_oldest_message()})


def _graph(title: str, metrics: Mapping[str, cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        width=WIDTH,
        left=[metric.with_(label=label) for label, metric in metrics.items()],
        left_y_axis=cloudwatch.YAxisProps(min=0),
    )
