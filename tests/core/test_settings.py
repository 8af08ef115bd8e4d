from datetime import timedelta

import pytest

from chalicelib.core.errors import Misconfigured
from chalicelib.core.settings import Settings
from tests.fakes.stage import Stage

VALUES = {"public_url": "https://x.example/", "mail_from": "a@b.example", "media_bucket": "m"}


def test_settings_come_from_what_the_template_creates(stage: Stage) -> None:
    settings = stage.settings

    assert settings.public_url == "https://signalbox.test"
    assert settings.table("posts") == f"signalbox-{settings.stage}-posts"
    assert settings.queue("publish") == f"signalbox-{settings.stage}-publish"
    assert settings.secret_path("accounts", "a") == f"/signalbox/{settings.stage}/accounts/a"
    assert settings.allowed_hosts == frozenset()
    assert stage.s3.list_objects_v2(Bucket=settings.media_bucket)["KeyCount"] == 0


def test_an_address_is_kept_without_its_final_slash() -> None:
    assert Settings.from_parameters("dev", VALUES).public_url == "https://x.example"


@pytest.mark.parametrize(("text", "hosts"), [("-", set()), ("", set()), (" a:1 ,b:2,", {"a:1", "b:2"})])
def test_allowed_hosts_are_a_list_with_commas(text: str, hosts: set[str]) -> None:
    assert Settings.from_parameters("dev", {**VALUES, "allowed_hosts": text}).allowed_hosts == hosts


@pytest.mark.parametrize(("text", "every"), [("-", None), ("15", timedelta(seconds=15))])
def test_accounts_are_polled_more_often_only_where_the_stage_says_so(
    text: str, every: timedelta | None
) -> None:
    assert Settings.from_parameters("dev", {**VALUES, "poll_seconds": text}).poll_every == every


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    values = {k: v for k, v in VALUES.items() if k != name}
    with pytest.raises(Misconfigured, match=f"/signalbox/dev/settings/{name} is missing"):
        Settings.from_parameters("dev", values)
