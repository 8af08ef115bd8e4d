"""The deployed functions at work: 50 variants in one second when warm, then 1,000 on 320 accounts.

Everything from the due second on runs as deployed: the tick, the queue, five publish_posts at a time (what
MiniStack starts for one queue), the local platform. Only the posts are set up past the API and the mails.
"""

import time
from datetime import timedelta

from bench.company import Company
from bench.report import Line, Section
from bench.wave import Outcome, Wave, outcome, percentile, schedule, wait_for
from chalicelib.accounts.model import Account
from chalicelib.publishing.model import VariantState

ACCOUNTS, MANY, FEW = 320, 1_000, 50
P50_FOR, P99_FOR, DRAIN_FOR = 1.0, 3.0, 60.0
GIVE_UP_FOR = 150.0  # seconds after the due second
FEW_AHEAD = timedelta(seconds=25)


def measure_few(company: Company) -> Section:
    """Twice 50; the first warms the functions up and is told for comparison."""
    section = Section(
        f"{FEW} variants due in the same second",
        "Seconds from the due second to the post on the platform, by the platform's own clock. The deployed "
        "functions are warm: another 50 went out just before.",
    )
    for mark in ("cold", "warm"):
        targets = [[account] for account in company.accounts[:FEW]]
        due_at = company.services.clock.now().replace(microsecond=0) + FEW_AHEAD
        wave = schedule(company, mark, due_at, targets)
        wait_for(company.stack, wave, FEW, GIVE_UP_FOR)
        found = outcome(company.stack, wave)
        half, most = percentile(found.late_for, 0.5), percentile(found.late_for, 0.99)
        section.data[mark] = {"p50": half, "p99": most, "late_for": found.late_for, **_counts(found)}
        if mark == "warm":
            section.lines += [
                Line("lateness p50", f"{half:.2f} s", f"under {P50_FOR:g} s", half < P50_FOR),
                Line("lateness p99", f"{most:.2f} s", f"under {P99_FOR:g} s", most < P99_FOR),
                _line_of_counts(found, FEW),
            ]
        else:
            section.lines.append(Line("the 50 before, cold: p50 and p99", f"{half:.2f} s and {most:.2f} s"))
    return section


def set_up(company: Company, mark: str, tag: str = "") -> Wave:
    """1,000 variants on the timetable, due as soon as that can be done here."""
    plan = targets(company.accounts)
    ahead = timedelta(seconds=15 + 1.5 * len(plan) * _seconds_to_sign(company))
    due_at = company.services.clock.now().replace(microsecond=0) + ahead
    return schedule(company, mark, due_at, plan, tag)


def targets(accounts: list[Account]) -> list[list[Account]]:
    """1,000 variants as a company writes them: one post for all, 30 for 20 accounts each, 80 for one each."""
    parts = [accounts[start : start + 20] for start in range(0, ACCOUNTS, 20)]
    return [accounts, *(parts * 2)[:30], *([account] for account in accounts[:80])]


def _seconds_to_sign(company: Company) -> float:
    """How long one post takes here, from some that are due when all is over."""
    started = time.monotonic()
    far = company.services.clock.now() + timedelta(days=1)
    schedule(company, "far", far, [company.accounts[:9]] * 6)
    return (time.monotonic() - started) / 6


def measure_many(company: Company) -> Section:
    section = Section(
        f"{MANY:,} variants on {ACCOUNTS} accounts due in the same second",
        "One post for all accounts, 30 for 20 accounts each, 80 for one each. Counted on the platform's own "
        "pages and in its own statistics (every post ever made), whichever is worse; drained is from the due "
        "second to the last post, by the platform's clock. Five functions at a time, MiniStack (which is one "
        "process) and the platform share this machine's cores.",
    )
    wave = set_up(company, "many")
    wait_for(company.stack, wave, MANY, GIVE_UP_FOR)
    settled_at = _settled_at(company, wave)
    found = outcome(company.stack, wave)
    half, most = percentile(found.late_for, 0.5), percentile(found.late_for, 0.99)
    section.lines += [
        _line_of_counts(found, MANY),
        Line(
            "drained", f"{found.drained_for:.1f} s", f"under {DRAIN_FOR:g} s", found.drained_for < DRAIN_FOR
        ),
        Line("posts a minute", f"{60 * found.published / max(found.drained_for, 0.001):,.0f}"),
        Line("lateness p50 and p99", f"{half:.1f} s and {most:.1f} s"),
        Line("all recorded as published after", f"{settled_at:.1f} s"),
    ]
    section.data |= {"p50": half, "p99": most, "settled_for": settled_at, **_counts(found)}
    return section


def _settled_at(company: Company, wave: Wave) -> float:
    """Seconds after the due second when our own rows had the last variant as published; `inf` if never."""
    store = company.services.post_store
    waiting, latest = set(wave.post_ids), wave.due_at
    while waiting and time.time() < wave.due_at.timestamp() + GIVE_UP_FOR:
        for post_id in list(waiting):
            variants = store.variants(post_id)
            if all(v.state == VariantState.PUBLISHED and v.published_at for v in variants):
                latest = max(latest, *(v.published_at for v in variants if v.published_at))
                waiting.remove(post_id)
    return (latest - wave.due_at).total_seconds() if not waiting else float("inf")


def _line_of_counts(found: Outcome, wanted: int) -> Line:
    right = (found.published, found.doubled, found.lost) == (wanted, 0, 0)
    counts = f"{found.published:,}, {found.doubled:,}, {found.lost:,}"
    return Line("published, doubled, lost", counts, f"{wanted:,}, 0, 0", right)


def _counts(found: Outcome) -> dict[str, float]:
    return {
        "published": found.published, "doubled": found.doubled, "lost": found.lost, "created": found.created,
        "drained_for": found.drained_for,
    }  # fmt: skip
