"""Signs of changes in our own traffic: counted, and recorded once."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from chalicelib.core.clock import to_text
from chalicelib.core.expressions import where
from chalicelib.core.http import Request
from chalicelib.platform_changes.model import Kind
from chalicelib.platform_changes.signals import KEPT_FOR, NOTE, TABLE, Signals
from chalicelib.platforms import registry
from chalicelib.platforms.hearing import Hearing
from chalicelib.platforms.signals import Signal, SignalKind
from tests.fakes.transport import FakeTransport, client, reply
from tests.platform_changes.conftest import Office

USER = "GET /2/users/{id}"
FIELD = Signal("x", SignalKind.UNKNOWN_FIELD, USER, "warnings")


@dataclass(frozen=True)
class Counted:
    name: str
    n: int
    first_at: str
    last_at: str


@dataclass
class Ear:
    office: Office

    def __post_init__(self) -> None:
        self.events: list[Counted] = []
        self.signals = Signals(self.office.kernel, self.office.changes.record, lambda: self.events)
        self.office.handlers[NOTE] = self.signals.note_signal

    def happens(self, name: str, n: int = 1) -> None:
        at = to_text(self.office.now)
        self.events = [*(e for e in self.events if e.name != name), Counted(name, n, at, at)]


@pytest.fixture
def ear(office: Office) -> Ear:
    return Ear(office)


def test_a_signal_is_counted_each_time_and_becomes_one_change(ear: Ear) -> None:
    began_at = ear.office.now
    for _ in range(3):
        ear.signals.heard(FIELD)
        ear.office.work()
        ear.office.stage.clock.advance(hours=1)
    (heard,) = ear.signals.all("x")
    assert heard.signal == FIELD
    assert (heard.n, heard.first_at, heard.last_at) == (3, began_at, began_at + timedelta(hours=2))
    (change,) = ear.office.everything()
    assert (change.platform, change.kind, change.operations) == ("x", Kind.NEW, (USER,))
    assert change.fields == ("warnings",)
    assert [sighting.source for sighting in change.sightings] == ["signal"]


def test_a_signal_that_was_heard_before_is_one_write_and_no_chore(ear: Ear) -> None:
    ear.signals.heard(FIELD)
    ear.office.work()
    before = ear.office.entries()
    ear.signals.heard(FIELD)
    assert ear.office.entries() == before


def test_a_chore_that_runs_twice_makes_one_change(ear: Ear) -> None:
    ear.signals.heard(FIELD)
    entry_id = next(iter(ear.office.entries()))
    ear.office.work()
    change = ear.office.kernel.change(ear.office.operator.by)
    change.chore(NOTE, "x", sk=ear.office.kernel.timetable.get(entry_id).args["sk"])
    change.record("signals#x", "asked for again")
    ear.office.kernel.commit(change)
    ear.office.work()
    assert len(ear.office.everything()) == 1


def test_two_processes_that_hear_it_at_once_make_one_change(ear: Ear) -> None:
    class Late(Signals):
        """Another process adds it between our first look and our write."""

        def _count(self, signal: Signal) -> bool:
            if counted := super()._count(signal):
                return counted
            ear.signals.heard(signal)
            return False

    Late(ear.office.kernel, ear.office.changes.record, list).heard(FIELD)
    ear.office.work()
    (heard,) = ear.signals.all("x")
    assert heard.n == 2
    assert len(ear.office.everything()) == 1


@pytest.mark.parametrize(
    ("signal", "kind", "effective_on", "title"),
    [
        (
            Signal("x", SignalKind.DEPRECATED, USER, "2027-01-01", date(2027, 1, 1)),
            Kind.DEPRECATION, None, f"{USER} answers that it is deprecated",
        ),
        (
            Signal("x", SignalKind.SUNSET, USER, "2027-01-01", date(2027, 1, 1)),
            Kind.BREAKING, date(2027, 1, 1), f"{USER} answers that it will be switched off",
        ),
        (
            Signal("x", SignalKind.SUNSET, USER, "2026-11-01", date(2026, 11, 1)),
            Kind.BREAKING, date(2026, 11, 1), f"{USER} answers that it will be switched off",
        ),
        (
            Signal("linkedin", SignalKind.VERSION_GONE, "POST /rest/posts", "426 GONE"),
            Kind.BREAKING, None, "POST /rest/posts answers that its version has ended (426 GONE)",
        ),
        (
            Signal("x", SignalKind.UNKNOWN_ERROR, USER, "403 moon-phase"),
            Kind.NEW, None, f"{USER} answered with a code that is in no table of ours: 403 moon-phase",
        ),
        (
            Signal("x", SignalKind.SMALLER_LIMIT, USER, "75 of 300"),
            Kind.LIMIT, None, f"{USER} has a smaller rate limit: 75 of 300 calls",
        ),
        (
            Signal("x", SignalKind.UNKNOWN_EVENT, "grok.reply"),
            Kind.NEW, None, "An event came that we cannot read: grok.reply",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_signal_becomes_its_kind_of_change(
    ear: Ear, signal: Signal, kind: Kind, effective_on: date | None, title: str
) -> None:
    ear.signals.heard(signal)
    ear.office.work()
    (change,) = ear.office.everything()
    assert (change.kind, change.effective_on, change.title) == (kind, effective_on, title)


def test_what_ends_for_accounts_of_ours_is_told_at_once(ear: Ear) -> None:
    ear.office.account("linkedin")
    ear.signals.heard(Signal("linkedin", SignalKind.VERSION_GONE, "POST /rest/posts", "426"))
    ear.office.work()
    (change,) = ear.office.everything()
    assert change.touching.accounts == 1
    assert ear.office.postbox.to(ear.office.ops)


def test_events_that_nothing_knew_become_changes_once(ear: Ear) -> None:
    ear.happens("x#grok.reply")
    ear.happens("x#poll.create", 7)
    assert ear.signals.look_at_events() == {"unknown_events": 2, "new": 2}
    ear.happens("x#grok.reply", 9)
    ear.happens("linkedin#", 1)
    assert ear.signals.look_at_events() == {"unknown_events": 3, "new": 1}
    ear.office.work()
    assert sorted(change.title for change in ear.office.everything()) == [
        "An event came that we cannot read:",
        "An event came that we cannot read: grok.reply",
        "An event came that we cannot read: poll.create",
    ]


def test_what_a_client_hears_arrives_in_the_register(ear: Ear) -> None:
    clock = ear.office.stage.clock
    http = client(clock, FakeTransport([reply(426, {"status": 426, "code": "NONEXISTENT_VERSION"})]))
    hearing = Hearing(http, clock, "linkedin", registry.signs("linkedin"), ear.signals.heard)
    assert hearing.send(Request("GET", "https://api.linkedin.com/rest/posts?q=author")).status == 426
    ear.office.work()
    (change,) = ear.office.everything()
    assert (change.kind, change.operations) == (Kind.BREAKING, ("GET /rest/posts",))


def test_a_counter_is_swept_long_after_it_was_heard_last(ear: Ear) -> None:
    ear.signals.heard(FIELD)
    ear.office.stage.clock.advance(hours=48)
    ear.signals.heard(FIELD)
    (row,) = ear.office.kernel.database.query_all(TABLE, where("pk = :p", p="signal#x"))
    assert row["swept_at"] == int((ear.office.now + KEPT_FOR).timestamp())
