"""What is deployed: the zip, its template and the roles in it, as `make package` builds them."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.package import AWS_SERVICES, ROOT, Package, PackagingError, build, narrowed


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build("prod", tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def template(package: Package) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(package.template_file.read_text())
    return found


@pytest.fixture(scope="module")
def code(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    with zipfile.ZipFile(package.zip_file) as archive:
        archive.extractall(folder)
    return folder


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def test_every_handler_loads_from_the_zip_alone(template: dict[str, Any], code: Path) -> None:
    handlers = [function["Handler"] for function in of_type(template, "AWS::Serverless::Function")]
    script = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1])\n"
        "for handler in sys.argv[2:]:\n"
        "    module, name = handler.rsplit('.', 1)\n"
        "    assert callable(getattr(importlib.import_module(module), name)), handler\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(code), *handlers]
    done = subprocess.run(command, env={"SIGNALBOX_STAGE": "prod"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(handlers) == len(set(handlers)) > 0


def test_pictures_are_read_with_the_zip_alone(code: Path) -> None:
    """What infra/package.py leaves out of pillow is nothing that we use."""
    script = (
        "import io, sys; sys.path.insert(0, sys.argv[1])\n"
        "from PIL import Image\n"
        "from chalicelib.discovery.pictures import _FORMATS, fingerprints\n"
        "for kind in _FORMATS:\n"
        "    file = io.BytesIO()\n"
        "    Image.linear_gradient('L').save(file, kind)\n"
        "    assert fingerprints(file.getvalue()), kind\n"
    )
    command = [sys.executable, "-I", "-S", "-c", script, str(code)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_shipped_packages_are_those_of_the_lock(code: Path) -> None:
    shipped = {
        tuple(info.name.removesuffix(".dist-info").lower().replace("_", "-").rsplit("-", 1))
        for info in code.glob("*.dist-info")
    }
    locked = {tuple(line.split("==")) for line in (ROOT / "requirements.lock").read_text().splitlines()[1:]}
    assert shipped == locked


def test_the_aws_services_described_in_the_zip_are_those_the_app_calls(code: Path) -> None:
    called = set()
    for file in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") in ("client", "_client")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                called.add(node.args[0].value)
    described = {folder.name for folder in (code / "botocore" / "data").iterdir() if folder.is_dir()}
    assert called == described == set(AWS_SERVICES)


def test_the_zip_holds_no_tests_and_no_development_package(code: Path) -> None:
    names = {path.name for path in code.iterdir()}
    assert not names & {"tests", "infra", "moto", "pytest", "ministack", "requirements.txt", ".local"}


def test_byte_code_is_shipped_for_every_module_of_ours(code: Path) -> None:
    for source in [code / "app.py", *(code / "chalicelib").rglob("*.py")]:
        compiled = list((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"))
        assert len(compiled) == 1, source
        assert str(ROOT).encode() not in compiled[0].read_bytes()


def test_the_zip_is_under_half_of_what_lambda_takes(package: Package) -> None:
    assert package.zip_bytes < 25 * 1024 * 1024


def test_the_same_sources_give_the_same_bytes(package: Package, tmp_path: Path) -> None:
    again = build("prod", tmp_path)
    assert again.zip_file.read_bytes() == package.zip_file.read_bytes()
    assert again.template_file.read_bytes() == package.template_file.read_bytes()


def test_what_has_not_changed_is_not_built_again(package: Package) -> None:
    made_at = package.zip_file.stat().st_mtime_ns
    assert build("prod", package.zip_file.parents[1]) == package
    assert package.zip_file.stat().st_mtime_ns == made_at


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PackagingError, match=r"no stage 'nowhere'.*prod"):
        build("nowhere")


def test_no_role_reaches_beyond_its_stage(template: dict[str, Any]) -> None:
    for role in of_type(template, "AWS::IAM::Role"):
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                resources = statement["Resource"]
                for resource in resources if isinstance(resources, list) else [resources]:
                    text = json.dumps(resource)
                    assert "signalbox-*" not in text
                    assert "/signalbox/*" not in text
                    assert ":*:*:" not in text, f"{text} is any region and account"


def test_every_function_has_a_name_and_an_alarm_on_its_errors(
    package: Package, template: dict[str, Any]
) -> None:
    names = {function["FunctionName"] for function in of_type(template, "AWS::Serverless::Function")}
    watched = {
        template["Resources"][alarm["Dimensions"][0]["Value"]["Ref"]]["Properties"]["FunctionName"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm")
    }
    assert names == watched == {f"signalbox-prod-{name}" for name in package.functions}
    assert all(len(name) <= 64 for name in names)


def test_every_log_is_named_after_its_function_and_kept_for_a_time(template: dict[str, Any]) -> None:
    names = {function["FunctionName"] for function in of_type(template, "AWS::Serverless::Function")}
    logs = of_type(template, "AWS::Logs::LogGroup")
    assert {log["LogGroupName"] for log in logs} == {f"/aws/lambda/{name}" for name in names}
    assert all(log["RetentionInDays"] for log in logs)


def test_the_packaged_names_are_the_names_in_the_configuration(package: Package) -> None:
    configured = json.loads((ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
    assert set(package.functions) == set(configured)


@pytest.mark.parametrize(
    ("written", "narrow"),
    [
        (
            "arn:aws:dynamodb:*:*:table/signalbox-*-posts/index/*",
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/signalbox-prod-posts/index/*",
        ),
        (
            "arn:aws:ssm:*:*:parameter/signalbox/*/settings",
            "ssm:${AWS::Region}:${AWS::AccountId}:parameter/signalbox/prod/settings",
        ),
        (
            "arn:aws:s3:::signalbox-*-media-*/uploads/*",
            "s3:::signalbox-prod-media-${AWS::AccountId}/uploads/*",
        ),
        ("arn:aws:ses:*:*:identity/*", "ses:${AWS::Region}:${AWS::AccountId}:identity/*"),
    ],
)
def test_a_resource_is_narrowed_to_stage_region_and_account(written: str, narrow: str) -> None:
    assert narrowed("prod", written) == {"Fn::Sub": f"arn:${{AWS::Partition}}:{narrow}"}
    assert narrowed("prod", [written]) == [narrowed("prod", written)]


def test_a_resource_of_another_stage_cannot_be_packaged() -> None:
    with pytest.raises(PackagingError, match="names no stage"):
        narrowed("prod", "arn:aws:sqs:*:*:signalbox-local-publish")
