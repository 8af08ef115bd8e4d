"""Which version of each platform's API we call, when it ends, and who is told of it before.

pk version#<platform>   sk <version>   the marks that people were told of, for the day on which it ends

A version is asked for by its date and not by an error: some platforms serve the next one under its name and
say nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.org.service import Org
from chalicelib.platform_changes.changes import is_told_at_once
from chalicelib.platform_changes.keepers import keepers
from chalicelib.platform_changes.model import WARNED_BEFORE, Finding, Kind
from chalicelib.platform_changes.same import versions_of
from chalicelib.platform_changes.signals import Record
from chalicelib.platform_changes.sources.versions import VersionRow
from chalicelib.platforms.port import ReadTraits, Traits

TABLE = "platform_changes"
CHECK = "check_versions"
TELL = "tell_version"
SOURCE = "versions"
CHECKED_AT = time(5, 30, tzinfo=UTC)  # the mail is there when Europe begins to work
ENDED = 0
"""The mark of the day on which a version ends, and of all days after it."""
_MARKS = (*(before_for.days for before_for in WARNED_BEFORE), ENDED)
_NAMED_MOST = 20  # accounts of a line that a mail names


class State(StrEnum):
    CURRENT = "current"
    ENDING = "ending"  # within the first mark
    ENDED = "ended"
    UNLISTED = "unlisted"  # the platform's own table has newer versions, and not this one


@dataclass(frozen=True)
class VersionLine:
    """One version that we call.

    `ends_on` is the first day without it: the earlier of what our code says (`ends_on_here`) and what the
    platform's table says (`ends_on_there`). `accounts` call it, of `units`; `named` are the first of them, by
    id and handle. `is_own`: the accounts ask for it themselves, in their credentials. `set_in` is the setting
    that names it.
    """

    platform: str
    version: str
    is_own: bool
    ends_on: date | None
    ends_on_here: date | None
    ends_on_there: date | None
    newest: str | None
    days_left: int | None
    state: State
    accounts: int
    units: int
    named: tuple[tuple[str, str], ...]
    set_in: str | None

    @property
    def disagree(self) -> bool:
        """Whether our code and the platform's table name different days."""
        return None not in (self.ends_on_here, self.ends_on_there) and self.ends_on_here != self.ends_on_there


@dataclass(frozen=True)
class Told:
    """The marks that people were told of; another `ends_on` begins anew."""

    ends_on: date
    marks: tuple[int, ...]
    version: int


class VersionRegister:
    """`traits` gives a platform's traits where it has versions, `rows` its own table of them; `record` is
    `Changes.record`.
    """

    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        platforms: Iterable[str],
        traits: Callable[[str], Traits | ReadTraits | None],
        rows: Callable[[str], Sequence[VersionRow]],
        record: Record,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._platforms = tuple(platforms)
        self._traits = traits
        self._rows = rows
        self._record = record

    def lines(self) -> list[VersionLine]:
        """Every version that our code calls, or that accounts ask for themselves, the first to end first."""
        today = self._kernel.clock.now().date()
        by_platform: dict[str, list[Account]] = {}
        for account in self._accounts.everyone():
            by_platform.setdefault(account.platform, []).append(account)
        found = [
            line
            for name in self._platforms
            for line in self._lines_of(name, by_platform.get(name, []), today)
        ]
        return sorted(found, key=lambda line: (line.ends_on or date.max, line.platform, line.version))

    def line(self, platform: str, version: str) -> VersionLine | None:
        """The line of one version; None if nothing calls it any more."""
        found = (line for line in self.lines() if (line.platform, line.version) == (platform, version))
        return next(found, None)

    def counts_down(self, platform: str, versions: Sequence[str], ends_on: date) -> bool:
        """Whether people are told here, at each mark, that all of these versions end on this day, or on the
        next or the one before, as in another zone.
        """
        lines = [line for line in self.lines() if line.platform == platform and line.ends_on is not None]
        ends = {_plain(line.version): line.ends_on for line in lines if line.ends_on is not None}
        found = [ends.get(_plain(version)) for version in versions]
        return bool(found) and all(on is not None and abs((on - ends_on).days) <= 1 for on in found)

    # On the timetable

    def ensure(self) -> dict[str, int]:
        """Put the daily check on the timetable if it is not there."""
        item = self._kernel.database.get("timetable", {"entry_id": f"{CHECK}#{SOURCE}"})
        is_there = item is not None and ("due_shard" in item or "parked_at" in item)
        if not is_there:
            self._plan(self._kernel.clock.now())
        return {"version_checks_put_back": int(not is_there)}

    def check_versions(self, claim: Claim) -> bool:
        """Tell of the mark that has come for each version, once, and record what has ended; again tomorrow.

        After days without a check only the most urgent mark is told.
        """
        for line in self.lines():
            self._check(line)
        at = _next_check(self._kernel.clock.now())
        if claim.entry.failures + claim.entry.crashes == 0:
            raise Later(at)
        self._plan(at)  # with a clean slate: failures of long ago would park what lives for years
        return True

    def _plan(self, at: datetime) -> None:
        entry = Entry(f"{CHECK}#{SOURCE}", Lane.CHORES, CHECK, SOURCE, at)
        self._kernel.database.transact([self._kernel.timetable.add(entry)])

    def _check(self, line: VersionLine) -> None:
        if line.ends_on is None or line.days_left is None:
            return
        is_told = False
        if line.state == State.ENDED:
            made = self._record(line.platform, _ended(line), SOURCE, "", BY_JOB)
            is_told = made is not None and is_told_at_once(made)  # by the mail of the record
        key = {"pk": f"version#{line.platform}", "sk": line.version}
        item = self._kernel.database.get(TABLE, key)
        told = from_item(Told, item) if item else None
        known = told.marks if told and told.ends_on == line.ends_on else ()
        passed = [mark for mark in _MARKS if line.days_left <= mark]
        if not passed or min(passed) in known:
            return
        change = self._kernel.change(BY_JOB)
        seen = told.version if told else 0
        after = Told(line.ends_on, tuple(sorted({*known, *passed})), seen + 1)
        when = where("version = :seen", seen=seen) if seen else where("attribute_not_exists(pk)")
        change.put(TABLE, {**to_item(after), **key}, when)
        for person in [] if is_told else keepers(self._org, change.now):
            mark, person_id = str(min(passed)), person.person_id
            change.chore(TELL, line.platform, version=line.version, mark=mark, person=person_id)
        change.record(f"version#{line.platform}", "people told", version=line.version, mark=min(passed))
        try:
            self._kernel.commit(change)
        except Conflict:
            return  # another check was first

    # Lines

    def _lines_of(self, platform: str, accounts: Sequence[Account], today: date) -> Iterable[VersionLine]:
        traits = self._traits(platform)
        if traits is None or traits.version is None:
            return
        rows = {_plain(row.version): row for row in self._rows(platform)}
        newest = max([*(row.version for row in rows.values()), traits.version], key=_order) if rows else None
        calling: dict[str, list[Account]] = {_plain(traits.version): []}
        names = {_plain(traits.version): traits.version}
        for account in accounts:
            version = account.api_version or traits.version
            calling.setdefault(_plain(version), []).append(account)
            names.setdefault(_plain(version), version)
        for plain, callers in calling.items():
            is_own = plain != _plain(traits.version)
            here = None if is_own else traits.version_ends_on
            there = rows[plain].ends_on if plain in rows else None
            ends_on = min(filter(None, (here, there)), default=None)
            days_left = (ends_on - today).days if ends_on else None
            yield VersionLine(
                platform=platform,
                version=names[plain],
                is_own=is_own,
                ends_on=ends_on,
                ends_on_here=here,
                ends_on_there=there,
                newest=newest,
                days_left=days_left,
                state=_state(days_left, is_listed=newest in (None, names[plain]) or plain in rows),
                accounts=len(callers),
                units=len({account.unit_id for account in callers}),
                named=tuple((a.account_id, a.handle) for a in callers[:_NAMED_MOST]),
                set_in=_OWN if is_own else traits.version_set_in,
            )


_OWN = "PUT /v1/accounts/{account_id}/credentials: api_version"


def _ended(line: VersionLine) -> Finding:
    assert line.ends_on is not None
    more = [f"and {line.accounts - len(line.named)} more"] if line.accounts > len(line.named) else []
    named = ", ".join([*(handle for _, handle in line.named), *more])
    return Finding(
        key=f"ended#{line.version}#{line.ends_on.isoformat()}",
        title=f"{line.version} has ended, and we still call it",
        text=" ".join(
            (
                f"Its last day was before {line.ends_on.isoformat()}.",
                f"Setting to change: {line.set_in}.",
                f"Accounts on it: {named}." if named else "",
            )
        ).strip(),
        effective_on=line.ends_on,
        hint=Kind.BREAKING,
        versions=(line.version,),
    )


def _state(days_left: int | None, is_listed: bool) -> State:
    if days_left is not None and days_left <= ENDED:
        return State.ENDED
    if days_left is not None and days_left <= max(_MARKS):
        return State.ENDING
    return State.CURRENT if is_listed else State.UNLISTED


def _plain(version: str) -> str:
    """As it can be compared: "v25.0" and "25.0" are one."""
    return next(iter(versions_of((version,))), version)


def _next_check(now: datetime) -> datetime:
    today = datetime.combine(now.astimezone(UTC).date(), CHECKED_AT)
    return today if today > now else today + timedelta(days=1)


def merged(tables: Iterable[Sequence[VersionRow]]) -> list[VersionRow]:
    """One table from several, the newest first; of different days the earlier counts."""
    found: dict[str, VersionRow] = {}
    for row in (row for table in tables for row in table):
        had = found.get(_plain(row.version), row)
        ends_on = min(filter(None, (had.ends_on, row.ends_on)), default=None)
        found[_plain(row.version)] = VersionRow(had.version, had.released_on or row.released_on, ends_on)
    return sorted(found.values(), key=lambda row: _order(row.version), reverse=True)


def _order(version: str) -> list[int]:
    return [int(part) for part in _plain(version).split(".") if part.isdecimal()]
