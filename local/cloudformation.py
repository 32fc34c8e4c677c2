"""moto's CloudFormation, made to take the template of `cdk deploy` whole.

moto finds a resource type among the subclasses of its CloudFormationModel, and the last definition of a name wins; so
each type of `cloudformation_types` becomes such a class here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation import parsing, responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import cloudformation_backends
from moto.core.common_models import CloudFormationModel

from .cloudformation_types import COMPLETED, CREATED, Complete, Create

if TYPE_CHECKING:
    from .aws import LocalAws
    from .calls import AwsCall

T = TypeVar("T")
_accounts: dict[str, LocalAws] = {}


def connect(aws: LocalAws) -> None:
    """From now on, stacks of this account are created with all types of `cloudformation_types`."""
    _install()
    _accounts[aws.account_id] = aws
    aws.gate.listeners.append(partial(_keep_outputs, aws))


@cache
def _install() -> tuple[type[CloudFormationModel], ...]:
    """Once for the process, as moto is. The cache holds the classes, because moto finds them by weak references."""
    types = (
        *(_define(name, *how) for name, how in CREATED.items()),
        *(_extend(moto_type, complete) for moto_type, complete in COMPLETED.items()),
    )
    for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        known.cache_clear()
    responses.get_stack_from_s3_url = partial(_template_at, responses.get_stack_from_s3_url)
    return types


def unknown_types(template: Mapping[str, Any]) -> set[str]:
    """Types of resources that moto would leave out in silence. None may be in a template that is tried here."""
    types = {resource["Type"] for resource in template["Resources"].values()}
    return {name for name in types if name not in parsing.get_model_map() and name not in parsing.NULL_MODELS}


def _define(name: str, create: Create, name_property: str = "") -> type[CloudFormationModel]:
    """Adds a type that moto lacks. `name_property`: the one that CloudFormation fills when the template does not."""

    class Resource(CloudFormationModel):
        physical_resource_id: str
        attributes: Mapping[str, str]

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_property

        @staticmethod
        def cloudformation_type() -> str:
            return name

        @classmethod
        def has_cfn_attr(cls, _attr: str) -> bool:
            return True

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, _region: str, **_: Any
        ) -> Resource:
            properties = cloudformation_json["Properties"]
            if name_property:
                properties.setdefault(name_property, resource_name)
            with_id = cls()
            created = _naming(name, lambda: create(_accounts[account_id], properties))
            with_id.physical_resource_id, with_id.attributes = created.ref, created.attributes
            return with_id

        @classmethod
        def update_from_cloudformation_json(cls, **_: Any) -> Resource:
            raise ValidationError(message=f"{name} cannot be updated on this machine; start the stack anew")

        @classmethod
        def delete_from_cloudformation_json(cls, *_: Any) -> None:
            """The stack goes with the process."""

        def is_created(self) -> bool:
            return True

        def get_cfn_attribute(self, attribute_name: str) -> str:
            return self.attributes[attribute_name]

    return Resource


def _extend(moto_type: type[CloudFormationModel], complete: Complete) -> type[CloudFormationModel]:
    """Lets `complete` add to each resource of a type that moto creates, in the accounts that are connected."""

    class Extended(CloudFormationModel):
        cloudformation_name_type = staticmethod(moto_type.cloudformation_name_type)
        cloudformation_type = staticmethod(moto_type.cloudformation_type)
        has_cfn_attr = moto_type.has_cfn_attr
        update_from_cloudformation_json = moto_type.update_from_cloudformation_json
        delete_from_cloudformation_json = moto_type.delete_from_cloudformation_json

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **more: Any
        ) -> CloudFormationModel:
            properties = cloudformation_json["Properties"]
            resource = moto_type.create_from_cloudformation_json(
                resource_name, cloudformation_json, account_id, region_name, **more
            )
            what = moto_type.cloudformation_type()
            if account_id in _accounts:
                _naming(what, lambda: complete(_accounts[account_id], resource_name, properties))
            return resource

    return Extended


def _naming(what: str, work: Callable[[], T]) -> T:
    """What `work` gives; AWS's refusal of it becomes CloudFormation's answer, which names the type."""
    try:
        return work()
    except (ClientError, BotoCoreError) as error:
        raise ValidationError(message=f"{what}: {error}") from error


def _template_at(otherwise: Callable[..., str], url: str, account_id: str, partition: str) -> str:
    """A template that was put into a bucket of this AWS, whose address moto does not know for one of S3."""
    if account_id not in _accounts:
        return otherwise(url, account_id, partition)
    bucket, _, key = urlsplit(url).path.lstrip("/").partition("/")
    body: bytes = _accounts[account_id].client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def _keep_outputs(aws: LocalAws, call: AwsCall) -> None:
    """moto forgets the outputs of a stack that a change set creates, as `cdk deploy` has it done."""
    if (call.service, call.operation) == ("cloudformation", "ExecuteChangeSet"):
        for stack in cloudformation_backends[aws.account_id][aws.region].stacks.values():
            stack._parse_template()
            stack.output_map = stack._create_output_map()
