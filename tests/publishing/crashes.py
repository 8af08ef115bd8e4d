"""A worker that dies, or whose answer is lost, at any call that leaves the process, and what must hold after.

Whatever happens: at most one post per variant, a variant never says published without a post, and none is
lost in silence. The tests are in test_crashes_on_bluesky.py and test_crashes_on_mastodon.py, apart so that
two cores share them.
"""

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ReadTimeoutError

from chalicelib.accounts.model import Account
from chalicelib.core.clock import from_text
from chalicelib.core.http import Request
from chalicelib.publishing.model import Post
from tests.fakes.box import Box
from tests.fakes.networks import Killed

# For each network: .ci/run plays them all, `make test` a fair part of them.
SCHEDULES = int(os.environ.get("CRASH_SCHEDULES", "240"))
AWS_FAULTS = ("kill", "kill_after", "lose_answer")
Turns = Mapping[int, Callable[[], None]]
"""What happens in the world just before the call of a number."""
HTTP_FAULTS = ("kill", "kill_after", "drop", "drop_after", "500", "500_after", "refuse", "429", "502_html")


class Outside:
    """Counts every call to AWS and to a network, and makes the chosen ones fail."""

    def __init__(self, box: Box) -> None:
        self.calls = 0
        self.faults: dict[int, str] = {}
        self.random = random.Random(0)
        self.turns: Turns = {}
        self._is_turning = False
        self._pending: str | None = None
        self._box = box

    @contextmanager
    def armed(self, faults: dict[int, str], seed: int, turns: Turns | None = None) -> Iterator[None]:
        """Faults by the number of the call; the kind is drawn for AWS or HTTP when that call comes."""
        self.calls, self.faults, self.random = 0, faults, random.Random(seed)
        self.turns = turns or {}
        events = self._box.stage.dynamodb.meta.events
        events.register_first("before-send.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)
        self._box.networks.fault = self._http
        try:
            yield
        finally:
            events.unregister("before-send.dynamodb", self._before)
            events.unregister("after-call.dynamodb", self._after)
            self._box.networks.fault = lambda request: None

    def _drawn(self, kinds: tuple[str, ...]) -> str | None:
        self.calls += 1
        if self.calls in self.turns:
            self._is_turning = True
            self.turns[self.calls]()
            self._is_turning = False
        return self.random.choice(kinds) if self.calls in self.faults else None

    def _before(self, **_: Any) -> None:
        if self._is_turning:
            return
        self._pending = self._drawn(AWS_FAULTS)
        if self._pending == "kill":
            raise Killed

    def _after(self, **_: Any) -> None:
        if self._is_turning:
            return
        pending, self._pending = self._pending, None
        if pending == "kill_after":
            raise Killed
        if pending == "lose_answer":
            raise ReadTimeoutError(endpoint_url="dynamodb")

    def _http(self, request: Request) -> str | None:
        return self._drawn(HTTP_FAULTS)


def run_with_crashes(box: Box, post: Post, hours: float = 3) -> None:
    """The variant's two entries run whenever they are due; a killed one leaves its lease, and time goes on.

    Reads the entries themselves instead of ticking, which keeps 2,000 schedules affordable.
    """
    services, until = box.services, box.now + timedelta(hours=hours)
    variant_id = f"{post.post_id}~{post.targets[0]}"
    workers = {
        f"publish#{variant_id}": services.publish_worker,
        f"reconcile#{variant_id}": services.chores_worker,
    }
    while True:
        due = {entry_id: at for entry_id in workers if (at := _due_at(box, entry_id)) and at <= until}
        if not due:
            return
        box.stage.clock.set(max(min(due.values()), box.now + timedelta(milliseconds=1)))
        for entry_id, at in due.items():
            if at <= box.now:
                with suppress(Killed, ReadTimeoutError):
                    workers[entry_id].run(entry_id)


def _due_at(box: Box, entry_id: str) -> datetime | None:
    """When the entry is due; None once it is done, parked, or was never made."""
    item = box.stage.database.get("timetable", {"entry_id": entry_id})
    if item is None or "due_shard" not in item or item["due_shard"].startswith("parked"):
        return None
    return from_text(item["due_at"])


def no_schedule_doubles_or_loses(
    box: Box,
    account: Account,
    part: int,
    parts: int,
    turns: Callable[[random.Random], Turns] = lambda chance: {},
) -> None:
    """A part of the random schedules, with up to three calls hit in each, and turns of the world's own."""
    platform, outside = account.platform, Outside(box)
    endings: dict[str, int] = {}
    for n in range(part * SCHEDULES // parts, (part + 1) * SCHEDULES // parts):
        chance = random.Random(n)
        post = box.signed([account], f"story {n} of {platform}.", in_=1)
        box.stage.clock.advance(seconds=1)
        faults = {chance.randint(1, 30): "" for _ in range(chance.choice((1, 1, 2, 3)))}
        with (
            outside.armed(faults, n, turns(chance)),
            suppress(Killed, ReadTimeoutError),
        ):  # the look itself may be hit
            run_with_crashes(box, post)
        run_with_crashes(box, post)
        found = len(box.networks.posts(f"story {n} of {platform}."))
        (state,) = box.states(post)
        endings[state] = endings.get(state, 0) + 1
        assert found <= 1, f"schedule {n}: {found} posts"
        assert (state == "published") == (found == 1) or state == "unknown", f"schedule {n}: {state}, {found}"
        if state in ("scheduled", "publishing"):
            parked = {e.ref for e in box.services.kernel.timetable.parked()}
            assert box.variant(post).variant_id in parked, f"schedule {n} was lost: {state}"
        box.stage.clock.advance(minutes=1)
    assert endings["published"] > SCHEDULES // parts * 0.9, endings
