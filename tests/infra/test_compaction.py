"""Who plans, who merges, and how little that is while there is nothing to merge."""

from __future__ import annotations

from tests.infra.reading import Template


def test_schedules_call_plan_through_its_alias_and_may_do_nothing_else(template: Template) -> None:
    schedules = template.all("AWS::Scheduler::Schedule").values()
    fired = {(one["ScheduleExpression"], one["Target"].get("Input")) for one in schedules}
    assert fired == {("rate(1 minute)", None), ("rate(5 minutes)", '{"round": "keeping"}')}
    assert {template.text(one["Target"]["Arn"]) for one in schedules} == {"${CompactionPlanLive}"}
    policies = [p for p in template.all("AWS::IAM::Policy").values() if "ScheduleRole" in template.text(p["Roles"][0])]
    (statement,) = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert template.text(statement["Resource"]) == "${CompactionPlanLive}"


def test_a_round_of_planning_is_over_before_the_next_begins(template: Template) -> None:
    assert template.function("plan")["Timeout"] < 60
    for schedule in template.all("AWS::Scheduler::Schedule").values():
        assert schedule["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def test_merges_leave_a_new_accounts_quota_to_those_who_answer(template: Template, full_template: Template) -> None:
    assert template.function("plan")["Environment"]["Variables"]["SPANDREL_MERGES_A_MINUTE"] == "4"
    assert full_template.function("plan")["Environment"]["Variables"]["SPANDREL_MERGES_A_MINUTE"] == "100"


def test_a_merge_is_tried_three_times_as_its_alias(template: Template) -> None:
    tries = template.only("AWS::Lambda::EventInvokeConfig")
    assert (tries["MaximumRetryAttempts"], tries["Qualifier"]) == (2, "live")
