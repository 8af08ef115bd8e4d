"""A worker that dies, or whose answer is lost, at any call on its way: never two answers, and none lost."""

import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.core.clock import from_text
from chalicelib.inbox.model import State
from chalicelib.inbox.reply_model import Reply, ReplyState
from tests.fakes.networks import Killed
from tests.inbox.letters import Letterbox, said
from tests.publishing.crashes import Outside, Turns

SCHEDULES = 40


def run_with_crashes(letterbox: Letterbox, reply: Reply, hours: float = 4) -> None:
    """The answer's two entries run whenever they are due; a killed one leaves its lease, and time goes on."""
    box = letterbox.box
    entries, until = (reply.entry_id, f"reconcile_reply#{reply.reply_id}"), box.now + timedelta(hours=hours)
    while True:
        due = {entry_id: at for entry_id in entries if (at := _due_at(letterbox, entry_id)) and at <= until}
        if not due:
            return
        box.stage.clock.set(max(min(due.values()), box.now + timedelta(milliseconds=1)))
        for entry_id, at in due.items():
            if at <= box.now:
                with suppress(Killed, ReadTimeoutError):
                    box.services.chores_worker.run(entry_id)


def _due_at(letterbox: Letterbox, entry_id: str) -> datetime | None:
    item = letterbox.box.stage.database.get("timetable", {"entry_id": entry_id})
    if item is None or "due_shard" not in item or item["due_shard"].startswith("parked"):
        return None
    return from_text(item["due_at"])


def ends_well(
    letterbox: Letterbox,
    outside: Outside,
    faults: dict[int, str],
    name: str,
    seed: int,
    turns: Turns | None = None,
) -> str:
    """One answer under these faults, and what must hold of it; how it ended."""
    box = letterbox.box
    letterbox.take(said(box.now, f"q-{name}", thread=f"t-{name}"))
    c = letterbox.conversation(f"t-{name}")
    reply = box.services.replies.submit(
        letterbox.responders[0], c.conversation_id, f"answer {name}.", c.version, language="en"
    )
    with outside.armed(faults, seed, turns), suppress(Killed, ReadTimeoutError):  # the look itself may be hit
        run_with_crashes(letterbox, reply)
    run_with_crashes(letterbox, reply)
    kept, found = box.services.reply_store.get(reply.ref), len(box.networks.posts(f"answer {name}."))
    assert found <= 1, f"{name}: sent {found} times"
    assert (kept.state == ReplyState.SENT) == (found == 1) or kept.state == ReplyState.UNKNOWN, name
    if kept.state == ReplyState.SENT:
        after = letterbox.conversation(f"t-{name}")
        assert (after.state, after.messages) == (State.ANSWERED, 2), name
    if kept.state in (ReplyState.QUEUED, ReplyState.SENDING):
        parked = {e.ref for e in box.services.kernel.timetable.parked()}
        assert reply.ref in parked, f"{name} was lost: {kept.state}"
    box.stage.clock.advance(minutes=1)
    return str(kept.state)


@pytest.mark.parametrize("remembers", [True, False], ids=["keys are kept", "keys mean nothing"])
def test_no_crash_at_any_call_answers_twice_or_loses_an_answer(letterbox: Letterbox, remembers: bool) -> None:
    letterbox.box.networks.remembers = remembers
    outside, endings = Outside(letterbox.box), dict[str, int]()
    for n in range(SCHEDULES):
        chance = random.Random(n)
        faults = {chance.randint(1, 50): "" for _ in range(chance.choice((1, 1, 2, 3)))}
        state = ends_well(letterbox, outside, faults, f"schedule{n}", n)
        endings[state] = endings.get(state, 0) + 1
    assert endings["sent"] > SCHEDULES * 0.85, endings


@pytest.mark.parametrize("seed", range(2))
def test_a_crash_at_each_single_call_ends_as_one_answer(letterbox: Letterbox, seed: int) -> None:
    letterbox.box.networks.remembers = False
    outside = Outside(letterbox.box)
    for number in range(1, 30):
        assert ends_well(letterbox, outside, {number: ""}, f"call{number}", seed) == "sent"
