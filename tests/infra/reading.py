"""Reads a synthesised template, so that the tests can say what they mean in a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Properties = dict[str, Any]


class Template:
    """A template by resource types and by the verbs of the functions. `text` renders intrinsic functions readably."""

    def __init__(self, assembly: Path) -> None:
        (path,) = assembly.glob("*.template.json")
        self.name = path.name.removesuffix(".template.json")
        self.body: dict[str, Any] = json.loads(path.read_text())
        self.resources: dict[str, dict[str, Any]] = self.body["Resources"]

    def all(self, kind: str) -> dict[str, Properties]:
        """Properties of the resources of a type, by short name: `AWS::SQS::Queue` -> `IngestionQueue` and so on."""
        return {short(i): r.get("Properties", {}) for i, r in self.resources.items() if r["Type"] == kind}

    def only(self, kind: str) -> Properties:
        (properties,) = self.all(kind).values()
        return properties

    def function(self, verb: str) -> Properties:
        return next(p for p in self.all("AWS::Lambda::Function").values() if p["Handler"] == f"{verb}.handler.handle")

    def verbs(self) -> set[str]:
        return {properties["Handler"].split(".")[0] for properties in self.all("AWS::Lambda::Function").values()}

    def allowed(self, verb: str) -> set[tuple[str, str]]:
        """(action, resource) for all that the function's role may do."""
        role = self.text(self.function(verb)["Role"]).removesuffix(".Arn}") + "}"
        policies = [p for p in self.all("AWS::IAM::Policy").values() if role in map(self.text, p["Roles"])]
        return {pair for policy in policies for pair in self._pairs(policy["PolicyDocument"])}

    def text(self, value: Any) -> str:
        """`{"Fn::GetAtt": ["Queue1234ABCD", "Arn"]}` -> `${Queue.Arn}`."""
        match value:
            case {"Ref": name}:
                return f"${{{short(name)}}}"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"${{{short(name)}.{attribute}}}"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.text(part) for part in parts)
            case {"Fn::Select": [_, {"Fn::Split": [_, whole]}]}:
                return f"part of {self.text(whole)}"
            case _:
                return str(value)

    def _pairs(self, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    yield action, self.text(resource)


def short(logical_id: str) -> str:
    """Without CDK's hash of the construct's path."""
    return re.sub(r"(CurrentVersion)?[0-9A-F]{8}([0-9a-f]{32})?$", r"\1", logical_id)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
