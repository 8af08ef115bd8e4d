"""The admin command on a stage of its own: what it prints, what it changes, and how it fails."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.accounts.model import AccountStatus
from chalicelib.core.history import BY_JOB, Way
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.wiring import Services
from infra.admin import FAILED, MISUSED, NO_AWS, ROOT, Place, main
from tests.fakes.box import Box
from tests.fakes.networks import MASTODON, Networks
from tests.fakes.stage import Stage
from tests.fakes.transport import FakeTransport, client

ARN = "arn:aws:iam::123456789012:user/ops"
LEAD = ["--company", "Żółta Łódź", "--name", "Zofia Wiśniewska", "--email", "zofia@example.org"]
ZONE = ["--zone", "Europe/Warsaw", "--language", "pl"]


@dataclass
class Desk:
    """Runs commands against one stage and keeps what they printed."""

    stage: Stage
    capture: pytest.CaptureFixture[str]
    networks: Networks = field(init=False)
    services: Services = field(init=False)
    typed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.networks = Networks(self.stage.clock)
        http = client(self.stage.clock, FakeTransport(self.networks))
        self.services = Services(self.cloud, self.stage.clock, http, self.stage.settings.stage)

    @property
    def cloud(self) -> SimpleNamespace:
        stage = self.stage
        return SimpleNamespace(
            dynamodb=stage.dynamodb, sqs=stage.sqs, ssm=stage.ssm, s3=stage.s3, sesv2=stage.ses
        )

    def reach(self, stage: str) -> Place:
        name = self.stage.settings.stage
        return Place(name, self.services, self.stage.ssm, ARN, lambda prompt: self.typed.pop(0))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self.capture.readouterr()
        code = main(["--stage", self.stage.settings.stage, *arguments], self.reach)
        printed = self.capture.readouterr()
        return code, printed.out, printed.err

    def first_lead(self) -> str:
        code, out, _ = self.run("first-lead", *LEAD, *ZONE)
        assert code == 0
        return out.split()[0]

    def add_account(self, lead_id: str, *more: str) -> tuple[int, str, str]:
        (unit,) = self.services.org.units()
        names = ["--platform", "mastodon", "--server", MASTODON, "--handle", "zorza"]
        return self.run("add-account", *names, "--unit-id", unit.unit_id, "--owner-id", lead_id, *more)

    def in_history(self, subject: str, what: str) -> dict[str, Any]:
        """The row that says so, which must be the operator's."""
        (row,) = [r for r in self.stage.history.of(subject) if r.what == what]
        assert (row.person_id, row.way) == (ARN, Way.ADMIN)
        return dict(row.details)


@pytest.fixture
def desk(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(stage, capsys)


def test_the_first_lead_gets_a_token_and_is_signed_in_with_it(desk: Desk) -> None:
    lead_id = desk.first_lead()
    code, out, err = desk.run("issue-token", lead_id, "--label", "laptop", "--days", "7")
    assert (code, out[:3], len(out.strip())) == (0, "sb_", 46)
    assert "2026-11-30 12:00 UTC" in err
    assert desk.services.org.identify(out.strip()).person_id == lead_id
    details = desk.in_history(f"person#{lead_id}", "token issued")
    assert out.strip() not in str(details)


def test_there_is_one_first_lead(desk: Desk) -> None:
    desk.first_lead()
    code, out, err = desk.run("first-lead", *LEAD, *ZONE)
    assert (code, out) == (FAILED, "")
    assert err == "there is a company with a lead already; its leads add further people\n"


def test_every_wrong_argument_is_named_at_once(desk: Desk) -> None:
    code, _, err = desk.run("first-lead", *LEAD[:-1], "zofia", "--zone", "Warszawa", "--language", "de")
    assert code == MISUSED
    assert [line.split(":")[0] for line in err.splitlines()] == ["email", "zone", "language"]
    code, _, err = desk.run("issue-token", "person_x", "--label", "a", "--days", "400")
    assert (code, err.split(":")[0]) == (MISUSED, "lives_for_days")


def test_a_token_for_nobody_is_refused_in_one_sentence(desk: Desk) -> None:
    assert desk.run("issue-token", "person_x", "--label", "a") == (
        FAILED,
        "",
        "there is no person person_x\n",
    )


def from_file(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    file = tmp_path / "credentials.json"
    file.write_text('{"access_token": "token-zorza"}')
    return ["--credentials-file", str(file)]


def from_stdin(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"access_token": "token-zorza"}'))
    return ["--credentials-file", "-"]


def from_keyboard(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO("access_token\n\n"))
    desk.typed = ["token-zorza"]
    return []


@pytest.mark.parametrize("credentials", [from_file, from_stdin, from_keyboard])
def test_an_account_is_added_with_credentials_that_are_never_arguments(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    credentials: Callable[[Desk, Path, pytest.MonkeyPatch], list[str]],
) -> None:
    lead_id = desk.first_lead()
    code, out, err = desk.add_account(lead_id, "--purpose", "خبر", *credentials(desk, tmp_path, monkeypatch))
    assert (code, err) == (0, "")
    assert out.endswith(" is zorza on https://social.test (mastodon).\n")
    account = desk.services.accounts.get(out.split()[-6])
    assert account.purpose == "خبر"
    assert desk.services.accounts.ref(account).credentials == {"access_token": "token-zorza"}
    desk.in_history(f"account#{account.account_id}", "added")
    assert "token-zorza" not in out


def test_credentials_that_cannot_be_read_are_not_quoted(desk: Desk, tmp_path: Path) -> None:
    lead_id, file = desk.first_lead(), tmp_path / "credentials.json"
    for text in (
        "token-zorza",
        '["token-zorza"]',
        '{"access_token": {"token-zorza": 1}}',
        '{"a b": "token-zorza"}',
    ):
        file.write_text(text)
        code, out, err = desk.add_account(lead_id, "--credentials-file", str(file))
        assert (code in (FAILED, MISUSED), out) == (True, "")
        assert err.count("\n") == 1
        assert "token-zorza" not in err
    code, _, err = desk.add_account(lead_id, "--credentials-file", str(tmp_path / "none.json"))
    assert (code, "none.json" in err, "nothing was changed" in err) == (FAILED, True, True)


def test_refused_credentials_name_the_channel_and_replaced_ones_make_it_active(
    desk: Desk, tmp_path: Path
) -> None:
    lead_id, file = desk.first_lead(), tmp_path / "credentials.json"
    file.write_text('{"access_token": "token-zorza"}')
    _, out, _ = desk.add_account(lead_id, "--credentials-file", str(file))
    account_id = out.split()[0]
    desk.services.accounts.credentials_refused(BY_JOB, account_id, "revoked")
    file.write_text('{"access_token": "token-obcy"}')
    code, _, err = desk.run("replace-credentials", account_id, "--credentials-file", str(file))
    assert code == MISUSED
    assert err.startswith("credentials: these credentials belong to another profile, obcy")
    file.write_text('{"access_token": "token-zorza"}')
    code, out, _ = desk.run("replace-credentials", account_id, "--credentials-file", str(file))
    assert (code, out) == (0, f"{account_id} (zorza on https://social.test) is active.\n")
    assert desk.services.accounts.get(account_id).status == AccountStatus.ACTIVE
    desk.in_history(f"account#{account_id}", "credentials replaced")


def test_a_parked_entry_is_shown_and_runs_again(desk: Desk) -> None:
    kernel, now = desk.services.kernel, desk.stage.clock.now()
    entry = Entry("tell_outcome#x", Lane.CHORES, "tell_outcome", "post_x", now)
    assert desk.run("parked")[1] == "Nothing is parked.\n"
    kernel.database.transact([kernel.timetable.add(entry)])
    code, _, err = desk.run("requeue", entry.entry_id)
    assert (code, err) == (FAILED, "tell_outcome#x is not parked\n")
    claim = kernel.timetable.claim(entry.entry_id, now, timedelta(minutes=2))
    assert isinstance(claim, Claim)
    kernel.timetable.park(claim, "skrzynka odmówiła", now)
    _, out, _ = desk.run("parked")
    assert "tell_outcome#x  tell_outcome of post_x, parked 2026-11-23 12:00 UTC: skrzynka odmówiła" in out
    code, out, _ = desk.run("requeue", entry.entry_id)
    assert (code, out) == (0, "tell_outcome#x runs again now.\n")
    assert [e for e, _ in kernel.timetable.due(Lane.CHORES, now)] == [entry.entry_id]
    assert [json.loads(w) for w in desk.stage.wakes("chores")] == [{"entry": entry.entry_id}]
    desk.in_history("entry#tell_outcome#x", "requeued")
    assert desk.run("requeue", "nobody")[2] == "there is no entry nobody\n"


def test_a_post_is_shown_with_its_variants_and_history(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    box = Box.open(stage)
    post = box.signed([box.account("zorza"), box.account("saba")], "سلام، świecie!")
    desk = Desk(stage, capsys)
    code, out, err = desk.run("show-post", post.post_id)
    assert (code, err) == (0, "")
    assert post.post_id in out
    assert out.count("(mastodon)") == 2
    for word in ("zorza", "saba", "variants", "approvals", "history", "submitted"):
        assert word in out
    assert desk.run("show-post", "post_x")[0] == FAILED


def test_a_setting_is_changed_with_its_history_and_checked_first(desk: Desk) -> None:
    code, out, _ = desk.run("set-setting", "company", "Zorza Łódź")
    assert (code, "Zorza Łódź (it was Signalbox)" in out) == (0, True)
    assert desk.in_history("setting#company", "changed") == {"before": "Signalbox", "after": "Zorza Łódź"}
    desk.services.__dict__.pop("settings")
    assert desk.services.settings.company == "Zorza Łódź"
    for name, value in (
        ("company", "a\nb"), ("mail_from", "nobody"), ("public_url", "https://a.example/x"),
        ("allowed_hosts", "10.0.0.1:80"), ("media_bucket", "other"),
    ):  # fmt: skip
        code, out, err = desk.run("set-setting", name, value)
        assert (code, out, err.count("\n")) == (FAILED, "", 1)
        assert err.startswith(name)


def test_a_stage_that_is_not_deployed_is_named(desk: Desk) -> None:
    desk.services = Services(desk.cloud, desk.stage.clock, None, "nowhere")
    code, _, err = desk.run("parked")
    assert (code, err.count("\n")) == (FAILED, 1)
    assert "/signalbox/nowhere/settings/public_url is missing; deploy" in err


def test_what_aws_refuses_is_told_without_a_traceback(desk: Desk) -> None:
    desk.stage.dynamodb.delete_table(TableName=desk.stage.settings.table("timetable"))
    code, out, err = desk.run("parked")
    assert (code, out, err.count("\n")) == (NO_AWS, "", 1)
    assert err.startswith("AWS: ")


def in_a_shell(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SIGNALBOX_LOCAL_DIR": str(folder),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environment |= {"HOME": str(folder), "AWS_DEFAULT_REGION": "eu-central-1"}
    command = [sys.executable, str(ROOT / "infra" / "admin.py"), *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_from_any_folder_it_says_what_is_missing(tmp_path: Path) -> None:
    no_stack = in_a_shell("--stage", "local", "parked", folder=tmp_path)
    assert (no_stack.returncode, no_stack.stdout) == (FAILED, "")
    assert (
        no_stack.stderr
        == f"there is no stack in {tmp_path}; start it with `make up`, or name another --stage\n"
    )
    no_keys = in_a_shell("--stage", "prod", "parked", folder=tmp_path)
    assert (no_keys.returncode, no_keys.stderr[:5]) == (NO_AWS, "AWS: ")
    assert "Traceback" not in no_keys.stderr
    assert in_a_shell("parked", folder=tmp_path).returncode == MISUSED
