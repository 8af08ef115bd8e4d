"""Secrets: read ten to a call, kept for minutes, and named by their path in whatever goes wrong."""

from typing import Any

import pytest

from chalicelib.core.errors import Misconfigured
from chalicelib.core.secrets import Secrets
from tests.fakes.stage import Stage

VALUE = {"token": "hunter2-very-secret"}


class Counted:
    """SSM, counting how often it is asked."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.reads = 0

    def get_parameters(self, **request: Any) -> Any:
        self.reads += 1
        return self.client.get_parameters(**request)

    def put_parameter(self, **request: Any) -> Any:
        return self.client.put_parameter(**request)

    def delete_parameter(self, **request: Any) -> Any:
        return self.client.delete_parameter(**request)

    @property
    def exceptions(self) -> Any:
        return self.client.exceptions


@pytest.fixture
def path(stage: Stage) -> str:
    return stage.settings.secret_path("accounts", "a")


@pytest.fixture
def ssm(stage: Stage) -> Counted:
    return Counted(stage.ssm)


@pytest.fixture
def secrets(stage: Stage, ssm: Counted) -> Secrets:
    return Secrets(ssm, stage.settings, stage.clock)


def test_a_secret_is_stored_encrypted_and_read_once_in_five_minutes(
    stage: Stage, ssm: Counted, secrets: Secrets, path: str
) -> None:
    secrets.put(path, VALUE)
    other = Secrets(ssm, stage.settings, stage.clock)

    assert [other.get(path) for _ in range(3)] == [VALUE] * 3
    assert ssm.reads == 1
    stage.clock.advance(minutes=5)
    assert other.get(path) == VALUE
    assert ssm.reads == 2
    assert stage.ssm.get_parameter(Name=path)["Parameter"]["Type"] == "SecureString"


def test_a_rotated_secret_is_read_anew_once_the_old_one_is_forgotten(
    stage: Stage, ssm: Counted, secrets: Secrets, path: str
) -> None:
    secrets.put(path, VALUE)
    Secrets(ssm, stage.settings, stage.clock).put(path, {"token": "newer"})

    assert secrets.get(path) == VALUE
    secrets.forget(path)
    assert secrets.get(path) == {"token": "newer"}


def test_a_secret_that_was_deleted_is_gone_when_it_is_read_again(
    stage: Stage, secrets: Secrets, path: str
) -> None:
    secrets.put(path, VALUE)
    stage.ssm.delete_parameter(Name=path)
    stage.clock.advance(minutes=6)

    assert secrets.find(path) is None


def test_a_deleted_secret_is_gone_at_once_and_deleting_it_again_is_harmless(
    stage: Stage, secrets: Secrets, path: str
) -> None:
    secrets.put(path, VALUE)
    for _ in range(2):
        secrets.delete(path)
        assert secrets.find(path) is None
    assert stage.ssm.get_parameters(Names=[path])["Parameters"] == []


def test_a_batch_costs_one_call_for_ten(stage: Stage, ssm: Counted, secrets: Secrets, path: str) -> None:
    paths = [f"{path}{n}" for n in range(23)]
    for each in paths[:20]:
        stage.ssm.put_parameter(Name=each, Value='{"a": "b"}', Type="SecureString")

    secrets.prefetch([*paths, *paths])

    assert ssm.reads == 3
    assert [p for p in paths if secrets.find(p)] == paths[:20]


def test_a_missing_secret_is_told_by_its_path_and_what_to_do(secrets: Secrets, path: str) -> None:
    with pytest.raises(
        Misconfigured, match=rf"{path} is not there or not readable; set it with infra/admin.py"
    ):
        secrets.get(path)


@pytest.mark.parametrize("value", ["hunter2-very-secret", '["hunter2-very-secret"]', '{"a": 1}', "{"])
def test_a_broken_secret_does_not_take_its_neighbours_down_and_is_never_quoted(
    stage: Stage, secrets: Secrets, value: str, path: str
) -> None:
    stage.ssm.put_parameter(Name=path, Value=value, Type="SecureString")
    stage.ssm.put_parameter(Name=path + "b", Value='{"a": "b"}', Type="SecureString")

    secrets.prefetch([path, path + "b"])

    assert secrets.get(path + "b") == {"a": "b"}
    with pytest.raises(Misconfigured) as caught:
        secrets.get(path)
    assert "hunter2" not in f"{caught.value!r} {caught.value.as_dict()} {caught.value.__cause__!r}"


def test_a_cached_secret_is_not_older_than_promised(
    stage: Stage, ssm: Counted, secrets: Secrets, path: str
) -> None:
    secrets.put(path, VALUE)
    stage.clock.advance(minutes=5, milliseconds=-1)
    secrets.get(path)
    assert ssm.reads == 0
