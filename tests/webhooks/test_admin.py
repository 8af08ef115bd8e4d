"""What ops do about webhooks by hand: secrets, dead letters, and what nobody knew."""

from datetime import timedelta

import pytest

from chalicelib.core.clock import to_text
from infra.admin import FAILED, Place, main
from tests.webhooks.conftest import OLD_SECRET, SECRET, Porch, comment, delivery


class Ops:
    """Runs commands on the porch's stage; what is typed is taken from `typed`."""

    def __init__(self, porch: Porch, capture: pytest.CaptureFixture[str]) -> None:
        self.typed: list[str] = []
        self._porch = porch
        self._capture = capture

    def run(self, *arguments: str) -> tuple[int, str]:
        stage = self._porch.stage
        place = Place(
            stage.settings.stage, self._porch.box.services, stage.ssm, "ops", lambda p: self.typed.pop(0)
        )
        self._capture.readouterr()
        code = main(["--stage", stage.settings.stage, *arguments], lambda name: place)
        printed = self._capture.readouterr()
        return code, printed.out + printed.err


@pytest.fixture
def ops(porch: Porch, capsys: pytest.CaptureFixture[str]) -> Ops:
    return Ops(porch, capsys)


def test_a_secret_is_set_and_the_one_before_counts_until_its_time(porch: Porch, ops: Ops) -> None:
    ops.typed = [OLD_SECRET, "słowo"]
    assert ops.run("webhook-secret", "facebook", "--verify-token")[0] == 0
    assert porch.page(delivery(comment()), OLD_SECRET).status_code == 200
    ops.typed = [SECRET]
    code, said = ops.run("webhook-secret", "facebook", "--retire-in-hours", "2")
    assert code == 0
    assert to_text(porch.stage.clock.now() + timedelta(hours=2)) in said
    assert SECRET not in said
    assert OLD_SECRET not in said
    for key in (OLD_SECRET, SECRET):
        assert porch.page(delivery(comment()), key).status_code == 200
    porch.stage.clock.advance(hours=2)
    assert porch.page(delivery(comment()), OLD_SECRET).status_code == 401
    path = porch.stage.settings.secret_path("webhooks", "facebook", "default")
    assert porch.stage.secrets.get(path)["verify_token"] == "słowo"
    rows = porch.stage.history.of("webhook#facebook#default")
    assert [r.what for r in rows] == ["secret set", "secret set"]
    assert SECRET not in str(rows)


def test_a_secret_for_nobody_or_of_nothing_is_not_set(porch: Porch, ops: Ops) -> None:
    assert ops.run("webhook-secret", "myspace")[0] == FAILED
    ops.typed = [" "]
    code, said = ops.run("webhook-secret", "facebook")
    assert (code, "no delivery is accepted" in said) == (FAILED, True)


def test_dead_letters_go_back_on_their_queue_and_unknown_events_are_listed(porch: Porch, ops: Ops) -> None:
    porch.secret("facebook")
    porch.account()
    porch.page(delivery(comment(), {"field": "telepathy", "value": {}}))
    porch.box.services.kernel.queues.send("inbound-dlq", porch.queued())
    assert ops.run("unknown-events") == (0, "Nothing unknown has come in.\n")
    assert ops.run("redrive", "inbound") == (0, "2 messages are back on inbound.\n")
    assert ops.run("redrive", "inbound") == (0, "0 messages are back on inbound.\n")
    assert sorted(porch.ingest()) == ["done", "unknown"]
    code, said = ops.run("unknown-events")
    assert code == 0
    assert "1  facebook telepathy, first" in said
