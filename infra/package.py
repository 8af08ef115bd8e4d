"""Builds what is deployed: one zip of the app with its locked packages, and the template that runs it.

`make package STAGE=prod` runs it; the one-machine stack deploys the same package.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".local" / "packages"
BUILD = ROOT / "build"
LOCK = ROOT / "requirements.lock"
SHIPPED = ("app.py", "chalicelib", ".chalice/config.json", ".chalice/policies")

# Lambda refuses a larger zip: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_ZIP = 50 * 1024 * 1024

# botocore carries a description of each of 430 services, 9 MB zipped; these are those the app calls.
AWS_SERVICES = ("dynamodb", "s3", "sesv2", "sqs", "ssm")

# Of pillow: AVIF, fonts, colour profiles and Tk, 4 MB zipped. We use none.
UNUSED = (
    *(f"PIL/_{name}.*.so" for name in ("avif", "imagingcms", "imagingft", "imagingtk")),
    *(f"pillow.libs/lib{name}-*" for name in ("avif", "brotlicommon", "brotlidec", "freetype", "harfbuzz")),
    *(f"pillow.libs/lib{name}-*" for name in ("lcms2", "png16")),
)

# glibc is 2.26 for Python 3.11 and 2.34 later: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
LAMBDA_WHEELS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_26_x86_64")

ZIP_TIME = (2020, 1, 1, 0, 0, 0)
ARN = "arn:${AWS::Partition}:"


class PackagingError(Exception):
    """The package cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """A finished package; `digest` names the zip's content."""

    stage: str
    template_file: Path
    zip_file: Path
    digest: str
    functions: tuple[str, ...]

    @property
    def zip_bytes(self) -> int:
        return self.zip_file.stat().st_size


def build(stage: str, folder: Path = BUILD) -> Package:
    """The package of `stage` in `folder`/<stage>, made anew only if something that goes into it has changed.

    Raises PackagingError.
    """
    configured = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]
    if stage not in configured:
        raise PackagingError(
            f"there is no stage {stage!r} in .chalice/config.json, only {', '.join(configured)}"
        )
    with exclusive(folder / f"{stage}.lock", "waiting for another build to finish"):
        return _build(stage, folder / stage)


@contextmanager
def exclusive(lock_file: Path, waiting: str) -> Iterator[None]:
    """One process at a time; says `waiting` when it has to wait."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"  {waiting}", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(stage: str, folder: Path) -> Package:
    receipt = folder / "package.json"
    inputs = _inputs_digest(stage)
    if receipt.exists():
        made = json.loads(receipt.read_text())
        if made["inputs"] == inputs:
            return _package(stage, folder, made["digest"], made["functions"])
    shutil.rmtree(folder, ignore_errors=True)
    project = folder / "project"
    _stage_project(project, _packages(stage))
    _run_chalice(stage, project, folder)
    digest = _rewrite_zip(folder)
    functions = _finish_template(stage, folder)
    package = _package(stage, folder, digest, functions)
    if package.zip_bytes > LARGEST_ZIP:
        raise PackagingError(
            f"the package is {package.zip_bytes / 1024 / 1024:.1f} MB zipped and Lambda takes at most 50 MB: "
            f"look for what grew with `unzip -lv {package.zip_file}`"
        )
    receipt.write_text(json.dumps({"inputs": inputs, "digest": digest, "functions": functions}))
    shutil.rmtree(project)
    return package


def _package(stage: str, folder: Path, digest: str, functions: list[str]) -> Package:
    return Package(stage, folder / "template.json", folder / "deployment.zip", digest, tuple(functions))


def _inputs_digest(stage: str) -> str:
    digest = hashlib.sha256(f"{stage} {sys.version_info[:3]} {_wheel_tags(stage)}".encode())
    for path in (*_shipped_files(), LOCK, Path(__file__)):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _shipped_files() -> list[Path]:
    found: list[Path] = []
    for name in SHIPPED:
        path = ROOT / name
        found += [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return [file for file in found if "__pycache__" not in file.parts]


def _wheel_tags(stage: str) -> tuple[str, ...]:
    """Lambda's wheels, or for `local` on a machine that cannot load them, that machine's own."""
    runs_lambda_wheels = sys.platform == "linux" and platform.machine() == "x86_64"
    return LAMBDA_WHEELS if runs_lambda_wheels or stage != "local" else ()


def _packages(stage: str) -> Path:
    """The locked packages, installed once per lock, Python and kind of wheel, pruned and compiled."""
    tags = _wheel_tags(stage)
    python = ".".join(str(part) for part in sys.version_info[:3])
    made_for = f"{python} {tags} {AWS_SERVICES} {UNUSED}".encode() + LOCK.read_bytes()
    key = hashlib.sha256(made_for).hexdigest()[:16]
    with exclusive(CACHE / "lock", "waiting for another build to install packages"):
        ready = CACHE / key
        if not ready.exists():
            unfinished = CACHE / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _install(unfinished, tags)
            _prune(unfinished)
            _compile(unfinished, ["."])
            unfinished.rename(ready)
        return ready


def _install(folder: Path, tags: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--only-binary=:all:", "--target", str(folder), "-r", str(LOCK)]
    for tag in tags:
        command += ["--platform", tag]
    _run(command, ROOT, "the locked packages could not be installed as Lambda wheels")


def _prune(packages: Path) -> None:
    """Leaves out what no function loads and what differs from one installation to the next."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    shutil.rmtree(packages / "boto3" / "examples", ignore_errors=True)
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    for pattern in UNUSED:
        for path in packages.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for info in packages.glob("*.dist-info"):
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (info / name).unlink(missing_ok=True)


def _compile(folder: Path, names: list[str]) -> None:
    """Puts byte code beside the sources: Lambda cannot write it and would compile at each cold start."""
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    _run([*command, "-s", ".", "-p", "/var/task", *names], folder, "a shipped file does not compile")


def _stage_project(project: Path, packages: Path) -> None:
    for file in _shipped_files():
        target = project / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    # Chalice would download requirements.txt again on each build; vendor/ is packed as it is.
    (project / "requirements.txt").write_text("")
    (project / "vendor").symlink_to(packages)


def _run_chalice(stage: str, project: Path, out: Path) -> None:
    # Chalice wants a region although the template it writes holds for every region.
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import chalice.cli, sys; sys.exit(chalice.cli.main())"]
    command += ["package", "--stage", stage, str(out)]
    _run(command, project, "chalice package failed", environment)
    (out / "sam.json").rename(out / "template.json")


def _rewrite_zip(folder: Path) -> str:
    """The same content always gives the same bytes, so an unchanged app is never deployed again."""
    archive, code = folder / "deployment.zip", folder / "code"
    with zipfile.ZipFile(archive) as chalices:
        chalices.extractall(code)
    _compile(code, ["app.py", "chalice", "chalicelib"])
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as ours:
        for file in sorted(code.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(code).as_posix(), ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if file.suffix == ".so" else 0o644) << 16
                ours.writestr(entry, file.read_bytes())
    shutil.rmtree(code)
    return hashlib.sha256(archive.read_bytes()).hexdigest()


def _finish_template(stage: str, folder: Path) -> list[str]:
    """Names each function and its log, adds an alarm on its errors, narrows its role; returns the names."""
    path = folder / "template.json"
    template = json.loads(path.read_text())
    template["Description"] = f"Signalbox {stage}, the code half - functions, roles, alarms and the API."
    resources: dict[str, Any] = template["Resources"]
    names: list[str] = []
    for logical_id, resource in list(resources.items()):
        if resource["Type"] == "AWS::Serverless::Function":
            names.append(_function_name(logical_id))
            resource["Properties"]["FunctionName"] = f"signalbox-{stage}-{names[-1]}"
            resources[f"{logical_id}ErrorsAlarm"] = _errors_alarm(stage, logical_id, names[-1])
        elif resource["Type"] == "AWS::Logs::LogGroup":
            # Chalice 1.34 refers to the API's function by a name that the template does not have.
            name = _function_name(logical_id.removesuffix("LogGroup"))
            resource["Properties"]["LogGroupName"] = f"/aws/lambda/signalbox-{stage}-{name}"
        elif resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"]["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    statement["Resource"] = narrowed(stage, statement["Resource"])
    path.write_text(json.dumps(template, indent=1, sort_keys=True) + "\n")
    return names


def _function_name(logical_id: str) -> str:
    """Chalice's own name of a function, from the CamelCase it makes of it: `DispatchDue` is dispatch_due."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", logical_id).lower()


def _errors_alarm(stage: str, logical_id: str, name: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": f"signalbox-{stage}-{name}-errors",
            "AlarmDescription": f"{name} failed. Runbook - docs/runbooks/errors.md",
            "AlarmActions": [
                {"Fn::Sub": f"{ARN}sns:${{AWS::Region}}:${{AWS::AccountId}}:signalbox-{stage}-ops"}
            ],
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
    }


def narrowed(stage: str, resource: Any) -> Any:
    """A policy's resource for one stage, and for the region and account it is deployed to.

    Policy files say `arn:aws:dynamodb:*:*:table/signalbox-*-posts`: they are the same for every stage.
    Raises PackagingError if a resource of ours could not be narrowed to the stage.
    """
    if isinstance(resource, list):
        return [narrowed(stage, one) for one in resource]
    if not isinstance(resource, str) or not resource.startswith("arn:aws:"):
        return resource
    _, _, service, region, account, rest = resource.split(":", 5)
    region = "${AWS::Region}" if region == "*" else region
    account = "${AWS::AccountId}" if account == "*" else account
    rest = rest.replace("signalbox-*", f"signalbox-{stage}").replace("/signalbox/*", f"/signalbox/{stage}")
    rest = re.sub(r"^(signalbox-[^/]+-media-)\*", r"\1${AWS::AccountId}", rest)
    if "signalbox" in rest and f"signalbox-{stage}" not in rest and f"/signalbox/{stage}" not in rest:
        raise PackagingError(f"the policy resource {resource} names no stage: write it with `signalbox-*-`")
    return {"Fn::Sub": f"{ARN}{service}:{region}:{account}:{rest}"}


def _run(command: list[str], folder: Path, failure: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise PackagingError(f"{failure}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the deployment package of a stage.")
    parser.add_argument("--stage", required=True)
    try:
        package = build(parser.parse_args().stage)
    except PackagingError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    megabytes = package.zip_bytes / 1024 / 1024
    print(f"{package.zip_file.relative_to(ROOT)}: {megabytes:.1f} MB, sha256 {package.digest[:12]}")
    functions = f"{len(package.functions)} functions: {', '.join(package.functions)}"
    print(f"{package.template_file.relative_to(ROOT)}: {functions}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
