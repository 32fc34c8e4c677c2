"""X-Ray's groups: filters with names, kept for each tenant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from query.answering import Answering
from spandrel.api.xray.groups import GROUPS_MAX, NAMED_MAX
from spandrel.model.xray import groups_key
from tests.archive import Archive, MemoryObjects, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS
from tests.xray_asking import XRay, boto3_of, xray_of
from tests.xray_sources import found, put_sources

KEY = groups_key("shop")
NO_INSIGHTS = {"InsightsEnabled": False, "NotificationsEnabled": False}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def xray(archive: Archive) -> XRay:
    return xray_of(archive, RECEIVED_NS)


def create(xray: XRay, name: str, expression: str | None = None, **members: Any) -> dict[str, Any]:
    filtered = {} if expression is None else {"FilterExpression": expression}
    return dict(xray.ask("CreateGroup", GroupName=name, **filtered, **members)["Group"])


def names(xray: XRay, tenant: str = "shop") -> list[str]:
    return [one["GroupName"] for one in xray.ask("GetGroups", tenant=tenant)["Groups"]]


def refusal(xray: XRay, operation: str, **members: Any) -> str:
    status, code, message = xray.refusal(operation, **members)
    assert (status, code) == (400, "InvalidRequestException")
    return message


def test_a_group_is_made_told_changed_and_deleted(xray: XRay) -> None:
    slow = create(xray, "slow", "responsetime > 5")
    arn = slow["GroupARN"]
    assert arn.startswith("arn:aws:xray::shop:group/slow/")
    assert slow == {
        "GroupName": "slow",
        "GroupARN": arn,
        "FilterExpression": "responsetime > 5",
        "InsightsConfiguration": NO_INSIGHTS,
    }
    assert xray.ask("GetGroup", GroupName="slow")["Group"] == slow
    assert xray.ask("GetGroup", GroupARN=arn)["Group"] == slow
    changed = xray.ask("UpdateGroup", GroupARN=arn, FilterExpression="responsetime > 9")["Group"]
    assert changed == {**slow, "FilterExpression": "responsetime > 9"}
    assert xray.ask("UpdateGroup", GroupName="slow")["Group"] == changed
    create(xray, "all")
    everything = xray.ask("GetGroup", GroupName="all")["Group"]
    assert "FilterExpression" not in everything
    assert xray.ask("GetGroups")["Groups"] == [changed, everything]
    assert xray.ask("DeleteGroup", GroupName="slow") == {}
    assert names(xray) == ["all"]
    assert create(xray, "slow")["GroupARN"].startswith("arn:aws:xray::shop:group/slow/")


def test_another_tenant_has_its_own(xray: XRay) -> None:
    create(xray, "slow")
    assert names(xray, tenant="other") == []


def test_a_filter_names_a_group_in_the_place_of_its_filter(archive: Archive, xray: XRay) -> None:
    put_sources(archive)
    create(xray, "failed", "fault OR error")
    arn = create(xray, "shop failed", 'group.name = "failed" AND service("shop")')["GroupARN"]
    create(xray, "all")
    assert found(xray, 'group.name = "failed"') == [3, 1]
    assert found(xray, '!group.name = "failed"') == [2]
    assert found(xray, f'group.arn = "{arn}"') == [1]
    assert found(xray, 'group.name = "failed" AND user = "carol"') == [3]
    assert found(xray, 'ok OR group.name = "failed"') == [3, 2, 1]
    assert found(xray, 'group.name = "all" ok') == [2]
    xray.ask("UpdateGroup", GroupName="failed", FilterExpression="ok")
    assert found(xray, 'group.name = "failed"') == [2]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('group.name = "nobody"', "There is no group 'nobody'"),
        ('group.name != "slow"', "a group is named by ="),
        ("group.arn", "a group is named by ="),
        ('service("a") { group.name = "slow" }', "cannot be asked inside of service"),
    ],
)
def test_a_group_that_a_filter_cannot_have_is_refused(xray: XRay, expression: str, said: str) -> None:
    create(xray, "slow", "responsetime > 5")
    asked = {"StartTime": 1, "EndTime": 2, "FilterExpression": expression}
    assert said in refusal(xray, "GetTraceSummaries", **asked)


def test_groups_that_name_each_other_are_refused_when_they_are_asked_for(xray: XRay) -> None:
    create(xray, "a", "ok")
    create(xray, "b", 'group.name = "a"')
    xray.ask("UpdateGroup", GroupName="a", FilterExpression='group.name = "b"')
    asked = {"StartTime": 1, "EndTime": 2, "FilterExpression": 'group.name = "a"'}
    assert f"{NAMED_MAX} groups at most" in refusal(xray, "GetTraceSummaries", **asked)


@pytest.mark.parametrize(
    ("operation", "members", "said"),
    [
        ("CreateGroup", {"GroupName": "taken"}, "already exists"),
        ("CreateGroup", {}, "'groupName'"),
        ("CreateGroup", {"GroupName": ""}, "'groupName'"),
        ("CreateGroup", {"GroupName": "x" * 33}, "'groupName'"),
        ("CreateGroup", {"GroupName": "x", "FilterExpression": "colour"}, "no such keyword"),
        ("CreateGroup", {"GroupName": "x", "Tags": [{"Key": "a", "Value": "b"}]}, "Tags"),
        ("CreateGroup", {"GroupName": "x", "InsightsConfiguration": {"InsightsEnabled": True}}, "no insights"),
        ("GetGroup", {}, "'groupName'"),
        ("GetGroup", {"GroupName": "nobody"}, "There is no group 'nobody'"),
        ("GetGroup", {"GroupARN": "arn"}, "There is no group 'arn'"),
        ("UpdateGroup", {"GroupName": "nobody"}, "There is no group"),
        ("UpdateGroup", {"GroupName": "taken", "FilterExpression": "(ok"}, "`)` is expected"),
        ("DeleteGroup", {"GroupName": "nobody"}, "There is no group"),
    ],
)
def test_what_makes_no_sense_is_refused(xray: XRay, operation: str, members: dict[str, Any], said: str) -> None:
    create(xray, "taken")
    assert said in refusal(xray, operation, **members)
    assert names(xray) == ["taken"]


def test_there_are_so_many_groups_and_no_more(xray: XRay) -> None:
    for number in range(GROUPS_MAX):
        create(xray, f"group {number}")
    assert str(GROUPS_MAX) in refusal(xray, "CreateGroup", GroupName="one more")
    assert len(names(xray)) == GROUPS_MAX


@dataclass
class Busy(MemoryObjects):
    """Objects that somebody else writes between each read and the write after it, so many times."""

    times: int = 0

    def put_over(self, key: str, body: bytes, version: str | None) -> None:
        if self.times:
            self.times -= 1
            groups = json.loads(self.kept.get(key, b'{"groups": []}'))["groups"]
            groups.append({"name": f"other {self.times}", "arn": f"arn {self.times}", "filter": ""})
            self.kept[key] = json.dumps({"groups": groups}).encode()
        super().put_over(key, body, version)


def test_of_changes_at_the_same_time_all_count(tmp_path: Path) -> None:
    with archive_in(tmp_path, objects=Busy(times=2)) as archive:
        xray = xray_of(archive, RECEIVED_NS)
        create(xray, "mine")
        assert names(xray) == ["other 1", "other 0", "mine"]


def test_who_never_gets_a_turn_may_ask_again(tmp_path: Path) -> None:
    with archive_in(tmp_path, objects=Busy(times=100)) as archive:
        status, code, _ = xray_of(archive, RECEIVED_NS).refusal("CreateGroup", GroupName="mine")
    assert (status, code) == (503, "ServiceUnavailableException")


def test_groups_that_do_not_read_back_are_a_fault(archive: Archive, xray: XRay) -> None:
    archive.objects.kept[KEY] = b"{}"
    reply = xray.reply("GetGroups", {})
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (500, "InternalFailure")


def test_boto3_reads_back_what_it_made(archive: Archive) -> None:
    with boto3_of(archive) as client:
        client.create_group(GroupName="slow", FilterExpression="responsetime > 5")
        client.update_group(GroupName="slow", FilterExpression="responsetime > 6")
        assert client.get_group(GroupName="slow")["Group"]["FilterExpression"] == "responsetime > 6"
        assert [one["GroupName"] for one in client.get_groups()["Groups"]] == ["slow"]
        client.delete_group(GroupName="slow")
        with pytest.raises(client.exceptions.InvalidRequestException, match="There is no group"):
            client.get_group(GroupName="slow")


def test_a_key_that_only_sends_makes_no_groups(archive: Archive) -> None:
    asking = Asking(Answering(archive.store, archive.objects, lambda: RECEIVED_NS).answer)
    context = {"scopes": "ingest", "key": "agent"}
    reply = asking.post("/CreateGroup", b'{"GroupName": "x"}', route_key="POST /CreateGroup", context=context)
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert KEY not in archive.objects.kept
