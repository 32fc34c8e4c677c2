"""The template of the small stack, written by hand, and the cloud assembly around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).parent / "functions"
NAME = "Small"
BATCH_SIZE = 25
Resources = dict[str, Any]


def small() -> Resources:
    """The template."""
    return {"Resources": {**_functions(), **_queue(), **_schedule(), **_api()}, "Outputs": _outputs()}


def write_assembly(folder: Path, template: Resources | None = None) -> Path:
    """The folder, with a cloud assembly of the template (default: that of the small stack) in it."""
    template_file, assets_file = f"{NAME}.template.json", f"{NAME}.assets.json"
    manifest = {
        f"{NAME}.assets": {"type": "cdk:asset-manifest", "properties": {"file": assets_file}},
        NAME: {"type": "aws:cloudformation:stack", "properties": {"templateFile": template_file}},
    }
    (folder / template_file).write_text(json.dumps(template or small()))
    (folder / assets_file).write_text(json.dumps({"files": {}}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": manifest}))
    return folder


def _functions() -> Resources:
    bucket = {"BUCKET": {"Ref": "Bucket"}}
    put = _allow("s3:PutObject", {"Fn::Sub": "${Bucket.Arn}/*"})
    remind = _allow("lambda:InvokeFunction", {"Ref": "RemindLive"})
    take = _allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], _arn("Queue"))
    return {
        **_function("Echo", memory_mb=128, timeout_s=20, variables={"COLOUR": "blue"}),
        **_function("Brief", memory_mb=128, timeout_s=1, handler="echo"),
        **_function("Authorize", memory_mb=128, timeout_s=5),
        **_function("Work", memory_mb=256, timeout_s=20, variables=bucket, may=[put, take, remind]),
        **_function("Remind", memory_mb=256, timeout_s=20, variables=bucket, may=[put]),
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [_tls_only("Bucket")]}},
        },
    }


def _function(
    name: str,
    memory_mb: int,
    timeout_s: int,
    variables: Resources | None = None,
    may: list[Resources] | None = None,
    handler: str = "",
) -> Resources:
    """A function, its role, a version and the alias `live`, through which it is called."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    policies = [{"PolicyName": "may", "PolicyDocument": {"Statement": may}}] if may else []
    properties = {
        "Code": {"ZipFile": "the functions run from the folder that the test names"},
        "Handler": f"{handler or name.lower()}.handler.handle",
        "Runtime": "python3.13",
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
        "Environment": {"Variables": variables or {}},
        "Role": _arn(f"{name}Role"),
    }
    alias = {"FunctionName": {"Ref": name}, "FunctionVersion": _arn(f"{name}Version", "Version"), "Name": "live"}
    return {
        f"{name}Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Statement": [trust]}, "Policies": policies},
        },
        name: {"Type": "AWS::Lambda::Function", "Properties": properties},
        f"{name}Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": name}}},
        f"{name}Live": {"Type": "AWS::Lambda::Alias", "Properties": alias},
    }


def _queue() -> Resources:
    redrive = {"deadLetterTargetArn": _arn("DeadLetters"), "maxReceiveCount": 2}
    mapping = {
        "FunctionName": {"Ref": "WorkLive"},
        "EventSourceArn": _arn("Queue"),
        "BatchSize": BATCH_SIZE,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    return {
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 120, "RedrivePolicy": redrive}},
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }


def _schedule() -> Resources:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.amazonaws.com"}}
    call = _allow("lambda:InvokeFunction", {"Ref": "RemindLive"})
    retries = {"FunctionName": {"Ref": "Remind"}, "Qualifier": "live", "MaximumRetryAttempts": 1}
    schedule = {
        "ScheduleExpression": "rate(5 minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": {"Ref": "RemindLive"}, "RoleArn": _arn("ScheduleRole")},
    }
    return {
        "ScheduleRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Statement": [trust]},
                "Policies": [{"PolicyName": "call", "PolicyDocument": {"Statement": [call]}}],
            },
        },
        "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
        "Retries": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": retries},
    }


def _api() -> Resources:
    cors = {"AllowOrigins": ["https://app.example"], "AllowMethods": ["*"], "AllowHeaders": ["x-decide"], "MaxAge": 60}
    uri = {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizeLive}/invocations"}
    authorizer = {
        "ApiId": {"Ref": "Api"},
        "AuthorizerType": "REQUEST",
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "IdentitySource": [],
        "AuthorizerUri": uri,
        "Name": "who",
    }
    return {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "small", "ProtocolType": "HTTP", "CorsConfiguration": cors},
        },
        "Authorizer": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": authorizer},
        **_integration("Echoed", "EchoLive"),
        **_integration("Hasty", "EchoLive", TimeoutInMillis=500),
        **_integration("Brevity", "BriefLive"),
        **_route("Post", "POST /echo", "Echoed"),
        **_route("Get", "GET /echo/{name}", "Echoed"),
        **_route("Head", "HEAD /echo/{name}", "Echoed"),
        **_route("Hastily", "POST /hasty", "Hasty"),
        **_route("Briefly", "POST /brief", "Brevity"),
        **_route("Locked", "POST /locked", "Echoed", authorized=True),
        **_route("Forgotten", "POST /forgotten", "Echoed"),
        **_permission("EchoLive", "/*/*/echo*", "Echoing"),
        **_permission("EchoLive", "/*/*/hasty", "Hasting"),
        **_permission("EchoLive", "/*/*/locked", "Unlocking"),
        **_permission("BriefLive", "/*/*/brief", "BeingBrief"),
        **_permission("AuthorizeLive", "/authorizers/${Authorizer}", "Asking"),
    }


def _integration(name: str, function: str, **more: Any) -> Resources:
    properties = {
        "ApiId": {"Ref": "Api"},
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": {"Ref": function},
        "PayloadFormatVersion": "2.0",
        **more,
    }
    return {name: {"Type": "AWS::ApiGatewayV2::Integration", "Properties": properties}}


def _route(name: str, key: str, integration: str, *, authorized: bool = False) -> Resources:
    target = {"Fn::Sub": f"integrations/${{{integration}}}"}
    properties: Resources = {"ApiId": {"Ref": "Api"}, "RouteKey": key, "Target": target}
    if authorized:
        properties |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Authorizer"}}
    return {f"{name}Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": properties}}


def _permission(function: str, path: str, name: str) -> Resources:
    properties = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": function},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": f"arn:aws:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}{path}"},
    }
    return {f"{name}Permission": {"Type": "AWS::Lambda::Permission", "Properties": properties}}


def _outputs() -> Resources:
    values = {"Bucket": {"Ref": "Bucket"}, "Queue": {"Ref": "Queue"}, "Remind": {"Ref": "RemindLive"}}
    return {name: {"Value": value} for name, value in values.items()}


def _tls_only(bucket: str) -> Resources:
    resource = [_arn(bucket), {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resource, "Condition": insecure}


def _allow(action: str | list[str], resource: Any) -> Resources:
    return {"Effect": "Allow", "Action": action if isinstance(action, list) else [action], "Resource": resource}


def _arn(name: str, attribute: str = "Arn") -> Resources:
    return {"Fn::GetAtt": [name, attribute]}
