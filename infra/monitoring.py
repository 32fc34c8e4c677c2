"""Who notices: alarms on what costs spans or answers, told by mail if the settings name an address.

CloudWatch bills each alarm's metric, about 0.10 USD a month, also while nothing happens; so five metrics have to show
every fault: the API's errors cover `receive`, `query` and `authorize`, and one metric covers the throttling of all.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api import Api
from infra.ingestion import Ingestion
from infra.settings import Settings

FIVE_MINUTES = cdk.Duration.minutes(5)
TRIES_TOLERATED = 3  # a batch that failed comes back after the queue's visibility timeout


class Monitoring(Construct):
    """The alarms, and the topic that tells of them."""

    def __init__(self, scope: Construct, settings: Settings, ingestion: Ingestion, api: Api) -> None:
        super().__init__(scope, "Monitoring")
        self._topic = self._mail(settings.alarm_email) if settings.alarm_email else None
        self._alarm(
            "DeadLetters",
            ingestion.dead_letters.metric_approximate_number_of_messages_visible(
                period=FIVE_MINUTES, statistic=cloudwatch.Stats.MAXIMUM
            ),
            at_least=1,
            description="Messages were given up: their spans are in no block. Each says why in its attribute `reason`; "
            "after mending the cause, redrive them from the dead-letter queue.",
        )
        self._alarm(
            "OldestMessage",
            ingestion.queue.metric_approximate_age_of_oldest_message(
                period=FIVE_MINUTES, statistic=cloudwatch.Stats.MAXIMUM
            ),
            at_least=TRIES_TOLERATED * ingestion.visibility_s,
            description="Spans wait to be stored for longer than three tries take: `store` fails or cannot keep up.",
        )
        self._alarm(
            "StoreErrors",
            ingestion.store.unpublished.metric_errors(period=FIVE_MINUTES),
            at_least=1,
            of_three=2,
            description="`store` keeps failing: its log group says why. Nothing is lost as long as the queue keeps it.",
        )
        self._alarm(
            "ServerErrors",
            api.http_api.metric_server_error(period=FIVE_MINUTES, statistic=cloudwatch.Stats.SUM),
            at_least=1,
            of_three=2,
            description="Requests keep ending with 5xx: `receive`, `query` or `authorize` fails, or SQS refuses.",
        )
        self._alarm(
            "Throttles",
            # Without a dimension: of all functions of the account, because they share the quota that throttles them.
            cloudwatch.Metric(
                namespace="AWS/Lambda", metric_name="Throttles", period=FIVE_MINUTES, statistic=cloudwatch.Stats.SUM
            ),
            at_least=1,
            of_three=2,
            description="Lambda refuses to start functions of this account: its quota of concurrent executions is used "
            "up. Ask AWS for a higher one, or lower the setting `store_concurrency`.",
        )

    def _alarm(
        self, name: str, metric: cloudwatch.Metric, *, at_least: int, description: str, of_three: int = 1
    ) -> None:
        """`of_three`: in how many of three periods it has to be so; 1 alarms at once."""
        alarm = metric.create_alarm(
            self,
            name,
            alarm_description=description,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            threshold=at_least,
            evaluation_periods=3 if of_three > 1 else 1,
            datapoints_to_alarm=of_three,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            alarm.add_ok_action(actions.SnsAction(self._topic))

    def _mail(self, address: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        # A topic with a policy of its own no longer has the default one, by which alarms of the account may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            )
        )
        return topic
