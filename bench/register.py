"""The register at work: accounts with a planted truth on the deployed stack, and what a day of it costs."""

import io
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from bench.capacity import listed
from bench.company import Company
from bench.recorder import Recorder, Request
from bench.report import Line, Section
from chalicelib.accounts.model import Account
from chalicelib.core.clock import FixedClock
from chalicelib.core.history import BY_JOB
from chalicelib.dormancy.reads import PROFILE_EVERY, SPREAD_FOR
from infra.local import truth
from infra.local.api import Api, fetch_json
from infra.local.hurry import invoke, rest, settle
from infra.local.large import grow
from infra.local.lookalikes import others
from infra.local.planted import MASTODON, ours
from infra.local.truth import Outcome

DORMANT_WANT = 1.0
PRECISION_WANT, RECALL_WANT = 0.9, 0.95
FEW, MANY = 100, 320
ROWS_MORE = 10  # of history, for each account
LOOKED_EVERY = timedelta(days=2)  # so that the reads of a look are all over before the next
IMPORTED = 1_000
API_ENDS_AFTER = 29.0  # seconds: API Gateway waits no longer
ENQUEUE, READ = "put the day's reads on the timetable", "read the accounts"


# What is found


def measure_found(company: Company) -> list[Section]:
    """`company` is where the functions are deployed, with no account connected yet."""
    stack = replace(company.stack, tokens={"lead": company.token(company.lead)})
    api = Api(stack.api_url, stack.tokens["lead"])
    started = time.monotonic()
    grow(stack)
    grown_for = time.monotonic() - started
    daily = _daily(stack, api)
    daily.lines.append(Line(f"to list {len(ours())} accounts in 21 districts took", f"{grown_for:.0f} s"))
    weekly = _weekly(stack, api)
    rest(stack)
    return [daily, weekly]


def _daily(stack: Any, api: Api) -> Section:
    section = Section(
        "Dormant accounts, found by the daily check",
        f"{len(ours())} listed accounts on the local platform's two networks, with a planted truth "
        "(`infra/local/planted.py`): in use, quiet, dormant (two of them by a day), excused by a pause or an "
        "off-season, never used, suspended, deactivated, and answered with errors. The deployed "
        "`check_dormant_accounts` puts their reads on the timetable, over 20 hours; the entries' times are "
        "brought forward (`infra/local/hurry.py`), and the deployed workers read.",
    )
    started = time.monotonic()
    invoke(stack, "check_dormant_accounts")
    reads = settle(stack, "read_account#")
    read_for = time.monotonic() - started
    rest(stack)
    for sign in ("dormant", "quiet", "unreadable"):
        found = truth.with_sign(api, sign)
        _compare(section, sign, found, *((DORMANT_WANT,) * 2 if sign == "dormant" else (None, None)))
    section.lines.append(Line(f"{reads} reads, all at once, took", f"{read_for:.0f} s"))
    section.data["seconds"] = read_for
    return section


def _weekly(stack: Any, api: Api) -> Section:
    copies = [profile for profile in others() if profile.is_wanted]
    there = sum(1 for account in ours() if account.network == MASTODON)
    section = Section(
        "Look-alikes, found by the weekly scan",
        f"On the local Mastodon {len(copies)} profiles pretend to be ours or were forgotten by us, beside "
        f"{there} of our own, and on both networks {len(others()) - len(copies)} are fans, namesakes, other "
        "trades and passers-by (`infra/local/lookalikes.py`). None of the 21 brands occurs in what the "
        "weights were chosen with. Two of the copies have our name neither in theirs nor in their handle as "
        "a search compares them. The deployed `scan_for_lookalikes` plans a search for each of our names on "
        "each network; the searches are brought forward.",
    )
    started = time.monotonic()
    invoke(stack, "scan_for_lookalikes")
    settle(stack, "plan_scan#")
    looks = settle(stack, "scan_source#", within=900)
    looked_for = time.monotonic() - started
    _compare(section, "look-alikes", truth.lookalikes(api), PRECISION_WANT, RECALL_WANT)
    _compare(section, "duplicates among our own", truth.pairs(api), None, None)
    section.lines.append(Line(f"{looks} looks, all at once, took", f"{looked_for:.0f} s"))
    section.data["seconds"] = looked_for
    return section


def _compare(
    section: Section, what: str, found: Outcome, precision: float | None, recall: float | None
) -> None:
    for name, value, want in (("precision", found.precision, precision), ("recall", found.recall, recall)):
        met = None if want is None else value >= want
        wanted = "" if want is None else f"at least {want:g}" if want < 1 else "1"
        section.lines.append(Line(f"{what}: {name}", f"{value:.3f}", wanted, met))
    counted = (
        f"{len(found.right)} of {len(found.wanted)} found, {len(found.found - found.wanted)} for nothing"
    )
    shown = found.wrong[:12]
    wrong = f" ({'; '.join(shown)}{'; ...' if len(found.wrong) > len(shown) else ''})" if shown else ""
    section.details.append(f"{what.capitalize()}: {counted}{wrong}.")
    section.data[what] = {
        "precision": found.precision, "recall": found.recall, "found": len(found.found),
        "wanted": len(found.wanted), "wrong": found.wrong,
    }  # fmt: skip


# What it costs


@dataclass(frozen=True)
class Day:
    """What one day asked for: of `accounts` put on the timetable, and of `read` among them."""

    accounts: int
    read: int
    calls: int  # of the networks
    requests: list[Request]

    def each(self, phase: str) -> tuple[float, float, float]:
        """Read units, write units and AWS calls of a phase, for each account in it."""
        made = [r for r in self.requests if r.phase == phase]
        among = self.read if phase == READ else self.accounts
        sums = sum(r.read_units for r in made), sum(r.write_units for r in made), len(made)
        return sums[0] / among, sums[1] / among, sums[2] / among


def measure_costs(company: Company) -> Section:
    """`company` is where nothing but the bench runs."""
    section = Section(
        "Capacity of a day of the register",
        f"The daily check over {FEW} and then {MANY} listed accounts, each with a post of yesterday, half of "
        f"them on each network, and again with {ROWS_MORE} more rows of history for each account: every "
        "request counted by AWS's published rules as above, and every call that reached the local platform. "
        f"An ordinary day: every {PROFILE_EVERY}th read is of the whole profile. Not in it: the tick, and "
        "what Lambda asks of SQS.",
    )
    days: dict[str, Day] = {}
    accounts: list[Account] = []
    with redirect_stdout(io.StringIO()):  # the app's own log
        looks = count(1)
        for wanted in (FEW, MANY):
            accounts += _list(company, len(accounts), wanted)
            # The first look learns the network's id, the second the very moment of the last post.
            *_, days[f"{wanted} accounts"] = (_day(company, accounts, next(looks)) for _ in range(3))
        _remember(company, accounts)
        last = f"{MANY} accounts, {ROWS_MORE} rows of history more each"
        days[last] = _day(company, accounts, next(looks))
    first = next(iter(days.values()))
    for name, day in days.items():
        calls = day.calls / day.read
        section.lines.append(
            Line(f"{name}: calls of the network an account", f"{calls:.2f}", "1", calls == 1)
        )
        reads, writes, asked = day.each(READ)
        same = (reads, writes, asked) == first.each(READ)
        want = "" if day is first else "the same"
        found = f"{reads:.2f}, {writes:.2f} and {asked:.2f}"
        what = f"{name}: a read's read units, write units, AWS calls"
        section.lines.append(Line(what, found, want, None if day is first else same))
        section.data[name] = {"calls": calls, "read": day.each(READ), "enqueue": day.each(ENQUEUE)}
    day = days[last]
    for number, what in enumerate(("read units", "write units", "AWS calls")):
        total = 1_000 * (day.each(READ)[number] + day.each(ENQUEUE)[number])
        share = 1_000 * day.each(ENQUEUE)[number]
        found = f"{total:,.0f} ({share:,.0f} of them to put the reads on the timetable)"
        section.lines.append(Line(f"1,000 accounts, a day: {what}", found))
    section.details.append(
        listed(f"{MANY} accounts, of which {day.read} are read", day.requests, (ENQUEUE, READ))
    )
    section.lines += _imported(company, section)
    return section


def _day(company: Company, accounts: list[Account], look: int) -> Day:
    """A daily check in the days to come, of which the reads of an ordinary day are counted.

    A day is not ordinary for an account whose whole profile is read then, or was read at the look before.
    """
    clock = FixedClock(company.services.clock.now() + look * LOOKED_EVERY)
    there = company.at(clock)
    day = clock.now().date()
    there.services.org.units()
    recorder = Recorder(there.cloud, company.stack.client("dynamodb"))
    with recorder.during(ENQUEUE):
        enqueued = there.services.dormancy_reads.enqueue()["enqueued"]
    clock.advance(seconds=SPREAD_FOR.total_seconds() + 1)
    special = {a.account_id for a in accounts if _is_profile_day(a, clock.now())}
    special |= {a.account_id for a in accounts if _is_profile_day(a, clock.now() - LOOKED_EVERY)}
    ordinary = {a.account_id for a in accounts} - special
    _read(there, special, day)
    before = _calls(company)
    with recorder.during(READ):
        _read(there, ordinary, day)
    return Day(enqueued, len(ordinary), _calls(company) - before, recorder.of(ENQUEUE, READ))


def _read(there: Company, account_ids: Iterable[str], day: date) -> None:
    for account_id in account_ids:
        outcome = there.services.chores_worker.run(f"read_account#{account_id}#{day}")
        if outcome != "done":
            raise RuntimeError(f"an account was not read: {outcome}")


def _is_profile_day(account: Account, now: datetime) -> bool:
    phase = zlib.crc32(account.account_id.encode()) % PROFILE_EVERY
    return now.toordinal() % PROFILE_EVERY == phase


def _calls(company: Company) -> int:
    """How many calls of the two networks' reads there were."""
    asked = fetch_json(f"{company.stack.platform_url}/_local/stats")["requests"]
    return sum(n for route, n in asked.items() if "/_local/" not in route and "otifications" not in route)


def _list(company: Company, first: int, until: int) -> list[Account]:
    """List accounts by import, each with a profile and a post of yesterday."""
    rows = list(_rows(company, "costs", first, until))
    at = company.services.clock.now() - timedelta(days=1)
    profiles = [
        {"network": row["platform"], "username": row["handle"], "last_post_at": at.isoformat()}
        for row in rows
    ]
    fetch_json(f"{company.stack.platform_url}/_local/profiles", {"profiles": profiles})
    company.services.exchange.take(company.lead, rows, dry_run=False)
    handles = {row["handle"] for row in rows}
    return [account for account in company.services.accounts.everyone() if account.handle in handles]


def _rows(company: Company, name: str, first: int, until: int) -> Iterator[dict[str, Any]]:
    for n in range(first, until):
        platform, handle = (MASTODON, f"{name}_{n}") if n % 2 else ("bluesky", f"{name}-{n}.test")
        yield {
            "platform": platform,
            "server": company.stack.platform_url,
            "handle": handle,
            "display_name": f"{name} {n}",
            "unit_id": company.unit_id,
            "owner_id": company.lead.person_id,
        }


def _remember(company: Company, accounts: list[Account]) -> None:
    """Write more rows of history about each account."""
    for account in accounts:
        change = company.services.kernel.change(BY_JOB)
        for n in range(ROWS_MORE):
            change.record(f"account#{account.account_id}", "looked at", n=n)
        company.services.kernel.commit(change)


def _imported(company: Company, section: Section) -> list[Line]:
    rows = list(_rows(company, "imported", 0, IMPORTED))
    counted = list(_rows(company, "counted", 0, FEW))
    there = company.at(FixedClock(company.services.clock.now()))
    there.services.exchange.take(there.lead, rows[:1], dry_run=True)  # a warm worker
    started = time.monotonic()
    report = there.services.exchange.take(there.lead, rows, dry_run=False)
    took = time.monotonic() - started
    recorder = Recorder(there.cloud, company.stack.client("dynamodb"))
    with recorder.during("import"):
        there.services.exchange.take(there.lead, counted, dry_run=False)
    made = recorder.of("import")
    reads, writes = sum(r.read_units for r in made), sum(r.write_units for r in made)
    section.data["import"] = {
        "seconds": took,
        "read": reads / FEW,
        "write": writes / FEW,
        "calls": len(made) / FEW,
    }
    in_time = took < API_ENDS_AFTER and report.added == IMPORTED
    return [
        Line(f"an import of {IMPORTED:,} rows", f"{took:.1f} s", f"under {API_ENDS_AFTER:.0f} s", in_time),
        Line(
            "a new row of an import: read units, write units, AWS calls",
            f"{reads / FEW:.2f}, {writes / FEW:.2f} and {len(made) / FEW:.2f}",
        ),
    ]  # fmt: skip
