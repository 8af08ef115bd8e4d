"""What our own traffic says of changes: counted, and recorded as a change when it is first heard.

pk signal#<platform>   sk <what>#<digest>   what was heard, how often, since when and until when

`heard` runs behind somebody else's call, so it does as little as it can; the change is made by a chore.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from chalicelib.core.clock import from_text, to_text
from chalicelib.core.database import ConditionFailed, Item
from chalicelib.core.errors import Conflict
from chalicelib.core.expressions import where
from chalicelib.core.history import BY_JOB, By
from chalicelib.core.kernel import Kernel
from chalicelib.core.records import from_item, to_item
from chalicelib.core.timetable import Claim
from chalicelib.platform_changes.model import Finding, Kind, PlatformChange
from chalicelib.platforms.signals import Signal, SignalKind

TABLE = "platform_changes"
NOTE = "note_signal"
SOURCE = "signal"
KEPT_FOR = timedelta(days=400)  # after it was heard last; then it is new again

_SAYS: Mapping[SignalKind, tuple[Kind, str, str]] = {
    SignalKind.DEPRECATED: (
        Kind.DEPRECATION,
        "{about} answers that it is deprecated",
        "An answer to our own call has the header Deprecation.",
    ),
    SignalKind.SUNSET: (
        Kind.BREAKING,
        "{about} answers that it will be switched off",
        "An answer to our own call has the header Sunset.",
    ),
    SignalKind.VERSION_GONE: (
        Kind.BREAKING,
        "{about} answers that its version has ended ({detail})",
        "Our own call was refused: the version, or the call itself, is no longer served.",
    ),
    SignalKind.UNKNOWN_ERROR: (
        Kind.NEW,
        "{about} answered with a code that is in no table of ours: {detail}",
        "Our own call was refused in a way that we do not sort. It may be a new rule there.",
    ),
    SignalKind.UNKNOWN_FIELD: (
        Kind.NEW,
        "{about} answers with a field that is not documented: {detail}",
        "An answer to our own call has a field more than the documentation that we know.",
    ),
    SignalKind.SMALLER_LIMIT: (
        Kind.LIMIT,
        "{about} has a smaller rate limit: {detail} calls",
        "An answer to our own call names a smaller rate limit than the documentation that we know.",
    ),
    SignalKind.UNKNOWN_EVENT: (
        Kind.NEW,
        "An event came that we cannot read: {about}",
        "It was sent to our door, is genuine, and is kept raw for 30 days.",
    ),
}

Record = Callable[[str, Finding, str, str, By], PlatformChange | None]


class Event(Protocol):
    """A type of event that nothing knew, as `<platform>#<type>`, and how often it came; times as stored."""

    @property
    def name(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def first_at(self) -> str: ...
    @property
    def last_at(self) -> str: ...


@dataclass(frozen=True)
class Heard:
    """A signal and its counter."""

    platform: str
    what: SignalKind
    about: str
    detail: str
    on: date | None
    first_at: datetime
    last_at: datetime
    n: int

    @property
    def signal(self) -> Signal:
        return Signal(self.platform, self.what, self.about, self.detail, self.on)


class Signals:
    """`record` is `Changes.record`; `events` gives what Unknown of webhooks/ has counted."""

    def __init__(self, kernel: Kernel, record: Record, events: Callable[[], Iterable[Event]]) -> None:
        self._kernel = kernel
        self._record = record
        self._events = events

    def heard(self, signal: Signal) -> None:
        """Count a signal: one write; the first time its change is put on the timetable too."""
        if not self._count(signal):
            now = self._kernel.clock.now()
            try:
                self._add(Heard(**vars(signal), first_at=now, last_at=now, n=1))
            except Conflict:
                self._count(signal)  # another process heard it at the same moment

    def look_at_events(self) -> dict[str, int]:
        """Hear the types of events that nothing knew; a type that was heard is not written again."""
        found = [_of_event(event) for event in self._events()]
        there = {(item["pk"], item["sk"]) for item in self._kernel.database.get_many(TABLE, map(_key, found))}
        fresh = [one for one in found if tuple(_key(one).values()) not in there]
        for one in fresh:
            try:
                self._add(one)
            except Conflict:  # another look came between
                continue
        return {"unknown_events": len(found), "new": len(fresh)}

    def all(self, platform: str) -> list[Heard]:
        """Everything that was heard of a platform."""
        key = where("pk = :p", p=f"signal#{platform}")
        return [from_item(Heard, item) for item in self._kernel.database.query_all(TABLE, key)]

    def note_signal(self, claim: Claim) -> None:
        """Record what was heard as a change; again, it changes nothing."""
        item = self._kernel.database.get(
            TABLE, {"pk": f"signal#{claim.entry.ref}", "sk": claim.entry.args["sk"]}
        )
        if item is not None:
            heard = from_item(Heard, item)
            self._record(heard.platform, finding_of(heard), SOURCE, "", BY_JOB)

    def _count(self, signal: Signal) -> bool:
        """Whether it was heard before; then it is counted."""
        now = self._kernel.clock.now()
        update = where(
            "SET last_at = :now, swept_at = :swept ADD n :one",
            now=to_text(now), swept=_swept(now), one=1,
        )  # fmt: skip
        try:
            self._kernel.database.update(TABLE, _key(signal), update, where("attribute_exists(pk)"))
        except ConditionFailed:
            return False
        return True

    def _add(self, heard: Heard) -> None:
        """Raises Conflict if it is there."""
        key, change = _key(heard), self._kernel.change(BY_JOB)
        item = {**to_item(heard), **key, "swept_at": _swept(change.now)}
        change.put(TABLE, item, where("attribute_not_exists(pk)"))
        change.chore(NOTE, heard.platform, sk=key["sk"])
        change.record(f"signals#{heard.platform}", "heard", signal=str(heard.what), about=heard.about)
        self._kernel.commit(change)


def finding_of(heard: Heard) -> Finding:
    """What a signal is as a finding, the same however often it was heard."""
    kind, title, text = _SAYS[heard.what]
    dated = f" It names the day {heard.on.isoformat()}." if heard.on else ""
    return Finding(
        key="#".join((heard.what, heard.about, heard.detail)),
        title=title.format(about=heard.about, detail=heard.detail),
        text=text + dated,
        at=heard.first_at,
        effective_on=heard.on if heard.what == SignalKind.SUNSET else None,
        hint=kind,
        operations=() if heard.what == SignalKind.UNKNOWN_EVENT else (heard.about,),
        fields=(heard.detail,) if heard.what == SignalKind.UNKNOWN_FIELD else (),
        is_exact=True,
    )


def _of_event(event: Event) -> Heard:
    platform, _, of_type = event.name.partition("#")
    times = from_text(event.first_at), from_text(event.last_at)
    return Heard(platform, SignalKind.UNKNOWN_EVENT, of_type, "", None, *times, event.n)


def _key(heard: Signal | Heard) -> Item:
    digest = sha256(f"{heard.about}\n{heard.detail}".encode("utf-8", "replace")).hexdigest()[:32]
    return {"pk": f"signal#{heard.platform}", "sk": f"{heard.what}#{digest}"}


def _swept(now: datetime) -> int:
    return int((now + KEPT_FOR).timestamp())
