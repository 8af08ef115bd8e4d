"""Many variants due in the same second, and what the local platform itself says became of them."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.company import Company
from chalicelib.accounts.model import Account
from infra.local.api import fetch, fetch_json
from infra.local.stack import Stack

SIGNERS = 3  # posts that are set up side by side


@dataclass(frozen=True)
class Wave:
    """What was asked for: by handle the words that each of its posts carries once, all due at one instant."""

    due_at: datetime
    words: dict[str, list[str]]
    post_ids: frozenset[str]
    before: Counter[str]  # posts that the platform had counted, by handle

    @property
    def size(self) -> int:
        return sum(map(len, self.words.values()))


@dataclass(frozen=True)
class Outcome:
    """What the platform shows: `created` is every post ever made, `late_for` each one's seconds after due."""

    published: int
    doubled: int
    lost: int
    created: int
    late_for: list[float]

    @property
    def drained_for(self) -> float:
        return max(self.late_for, default=0.0)


def schedule(
    company: Company, mark: str, due_at: datetime, targets: Sequence[list[Account]], tag: str = ""
) -> Wave:
    """Sign off one post for each list of accounts, all due at `due_at`.

    Raises RuntimeError if they were not all on the timetable by then.
    """
    before = created(company.stack)
    words: dict[str, list[str]] = {}

    def sign(n: int) -> str:
        tags = (tag,) if tag else ()
        return company.signed(targets[n], f"Zapalamy światła! {mark}n{n:04d}", due_at, tags).post_id

    for n, accounts in enumerate(targets):
        for account in accounts:
            words.setdefault(account.handle, []).append(f"{mark}n{n:04d}")
    with ThreadPoolExecutor(max_workers=SIGNERS) as pool:
        post_ids = frozenset(pool.map(sign, range(len(targets))))
    wave = Wave(due_at, words, post_ids, before)
    _wait_until_placed(company, wave)
    return wave


def _wait_until_placed(company: Company, wave: Wave) -> None:
    """Posts for many accounts are put on the timetable by a chore, in steps."""
    services = company.services
    waiting = set(wave.post_ids)
    while waiting:
        for post_id in list(waiting):
            if len(services.post_store.variants(post_id)) == len(services.posts.get(post_id).targets):
                waiting.remove(post_id)
        if services.clock.now() > wave.due_at:
            raise RuntimeError(f"{len(waiting)} posts were not on the timetable when they were due")
        time.sleep(0.2)


def wait_for(stack: Stack, wave: Wave, count: int, wait: float) -> None:
    """Until the platform has made so many posts since the set-up, or `wait` seconds after the due time."""
    until = wave.due_at.timestamp() + wait
    start = wave.before.total()
    while created(stack).total() - start < count and time.time() < until:
        time.sleep(0.2)


def created(stack: Stack) -> Counter[str]:
    """Posts ever made on the platform, by handle; deleted ones too."""
    return Counter(fetch_json(f"{stack.platform_url}/_local/stats")["statuses_created_by_account"])


def outcome(stack: Stack, wave: Wave) -> Outcome:
    """Count on the platform's pages, as a visitor would, and in its statistics; whichever is worse."""
    made = created(stack) - wave.before
    by_handle = {handle: made[handle] for handle in wave.words}
    published = doubled = lost = 0
    late_for: list[float] = []
    for handle, words in wave.words.items():
        status, page = fetch(f"{stack.platform_url}/@{handle}")
        seen = Counter(re.findall(r"\b[a-z]+n\d{4}\b", page.decode() if status == 200 else ""))
        times = [seen[word] for word in words]
        published += sum(1 for n in times if n)
        doubled += max(sum(n - 1 for n in times if n > 1), by_handle[handle] - len(words), 0)
        lost += max(times.count(0), len(words) - by_handle[handle])
        late_for += [(at - wave.due_at).total_seconds() for at in _times(stack, handle, set(words))]
    return Outcome(published, doubled, lost, sum(by_handle.values()), sorted(late_for))


def _times(stack: Stack, handle: str, words: set[str]) -> list[datetime]:
    """When the platform made each of these posts, by its own clock, which is this machine's."""
    account: dict[str, Any] = fetch_json(f"{stack.platform_url}/api/v1/accounts/lookup?acct={handle}")
    statuses = fetch_json(f"{stack.platform_url}/api/v1/accounts/{account['id']}/statuses?limit=40")
    return [
        datetime.fromisoformat(status["created_at"])
        for status in statuses
        if words & set(re.findall(r"\b[a-z]+n\d{4}\b", status["content"]))
    ]


def percentile(ordered: Sequence[float], part: float) -> float:
    """The smallest of the values that `part` of them do not exceed. Raises ValueError if there are none."""
    if not ordered:
        raise ValueError("nothing was published")
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(part * 100) // 100) - 1))]
