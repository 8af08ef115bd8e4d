"""Puts a package into an account: the stateful stack, then the zip, then the code stack that runs it.

`make deploy STAGE=prod` runs it with the caller's credentials; the one-machine stack calls it too.
"""

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.package import Package, PackagingError, build

DATA_TEMPLATE = Path(__file__).resolve().parent / "template.yaml"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
DIGEST_TAG = "signalbox-digest"
STACK_FOR = 1800.0


class DeployError(Exception):
    """A stack could not be made or changed; the message names the resource and AWS's reason."""


@dataclass(frozen=True)
class Target:
    """Where a stage lives. Without an endpoint it is AWS, with the caller's own credentials."""

    stage: str
    region: str | None = None
    endpoint: str | None = None
    credentials: tuple[str, str] | None = None

    def client(self, service: str) -> Any:
        import boto3

        key, secret = self.credentials or (None, None)
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )


@dataclass(frozen=True)
class Deployed:
    """What a deployment did: `created`, `updated` or `unchanged` for each stack."""

    data: str
    code: str
    outputs: dict[str, str]


def deploy(
    target: Target, package: Package, parameters: dict[str, str], api_id: str | None = None
) -> Deployed:
    """Creates or updates both stacks of the package's stage; what has not changed is left alone.

    `api_id` chooses the API's id, which only MiniStack can do; it cannot change such an API in place, so a
    changed code stack is replaced there. Raises DeployError.
    """
    bucket = _code_bucket(target)
    data_template = DATA_TEMPLATE.read_text()
    parameters = {"Stage": target.stage, **parameters}
    data = _put_stack(
        target, f"signalbox-{target.stage}-data", _upload(target, bucket, data_template), parameters, {}
    )
    code_template = json.loads(package.template_file.read_text())
    key = f"{package.digest}.zip"
    for resource in code_template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{key}"
    template = _upload(target, bucket, json.dumps(code_template, sort_keys=True))
    if not _has(target, bucket, key):
        target.client("s3").put_object(Bucket=bucket, Key=key, Body=package.zip_file.read_bytes())
    tags = {"ms-custom-id": api_id} if api_id else {}
    name = f"signalbox-{target.stage}"
    code = _put_stack(target, name, template, {}, tags, replace=api_id is not None)
    found = _stack(target.client("cloudformation"), name) or {}
    return Deployed(data, code, {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])})


def exists(target: Target) -> bool:
    """Whether the stage's stateful stack is there."""
    return _stack(target.client("cloudformation"), f"signalbox-{target.stage}-data") is not None


def _code_bucket(target: Target) -> str:
    from botocore.exceptions import ClientError

    s3 = target.client("s3")
    bucket = f"signalbox-{target.stage}-code-{target.client('sts').get_caller_identity()['Account']}"
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise DeployError(f"the bucket {bucket} is not ours to use: {error}") from error
        region = s3.meta.region_name
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
        closed = dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    return bucket


def _has(target: Target, bucket: str, key: str) -> bool:
    return bool(target.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"))


def _upload(target: Target, bucket: str, template: str) -> str:
    """The template's address; CloudFormation takes no more than 51,200 bytes by any other way."""
    s3 = target.client("s3")
    key = f"{hashlib.sha256(template.encode()).hexdigest()}.template"
    s3.put_object(Bucket=bucket, Key=key, Body=template.encode())
    base = target.endpoint or f"https://s3.{s3.meta.region_name}.amazonaws.com"
    return f"{base}/{bucket}/{key}"


def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _put_stack(
    target: Target,
    name: str,
    template_url: str,
    parameters: dict[str, str],
    tags: dict[str, str],
    replace: bool = False,
) -> str:
    cloudformation = target.client("cloudformation")
    present = _stack(cloudformation, name)
    digest = hashlib.sha256(json.dumps([template_url, parameters, tags], sort_keys=True).encode()).hexdigest()
    if present and {t["Key"]: t["Value"] for t in present.get("Tags", [])}.get(DIGEST_TAG) == digest:
        return "unchanged"
    if present and (replace or present["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED")):
        cloudformation.delete_stack(StackName=name)
        _wait(cloudformation, name, present["StackId"])
        present = None
    kept = [
        p["ParameterKey"]
        for p in (present or {}).get("Parameters", [])
        if p["ParameterKey"] not in parameters
    ]
    given: list[dict[str, Any]] = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    request = {
        "StackName": name,
        "TemplateURL": template_url,
        "Parameters": given + [{"ParameterKey": k, "UsePreviousValue": True} for k in kept],
        "Capabilities": CAPABILITIES,
        "Tags": [{"Key": k, "Value": v} for k, v in {**tags, DIGEST_TAG: digest}.items()],
    }
    if present is None:
        stack_id = cloudformation.create_stack(**request)["StackId"]
    else:
        stack_id = cloudformation.update_stack(**request)["StackId"]
    _wait(cloudformation, name, stack_id)
    return "updated" if present else "created"


def _wait(cloudformation: Any, name: str, stack_id: str) -> None:
    pause, end_at = 0.1, time.monotonic() + STACK_FOR
    while time.monotonic() < end_at:
        status = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
            return
        if not status.endswith("IN_PROGRESS"):
            events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
            reasons = [
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
                for event in events
                if event["ResourceStatus"].endswith("FAILED")
            ]
            raise DeployError(
                f"stack {name} ended as {status}: " + "; ".join(reasons[:5] or ["no reason given"])
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)
    raise DeployError(f"stack {name} was not done after {STACK_FOR / 60:.0f} minutes")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Deploy a stage to AWS, with the caller's credentials and region."
    )
    parser.add_argument("--stage", required=True)
    parser.add_argument(
        "parameters", nargs="*", metavar="Name=value", help="parameters of infra/template.yaml"
    )
    arguments = parser.parse_args()
    parameters = dict(parameter.split("=", 1) for parameter in arguments.parameters)
    try:
        deployed = deploy(Target(arguments.stage), build(arguments.stage), parameters)
    except (PackagingError, DeployError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    print(f"data stack {deployed.data}, code stack {deployed.code}: {deployed.outputs['EndpointURL']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
