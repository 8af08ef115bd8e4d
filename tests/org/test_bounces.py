"""What SES says of our mails: who is marked unreachable, what is merely counted, and what is no event."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import to_text
from chalicelib.core.errors import InvalidInput
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Lane
from chalicelib.org.bounces import Bounces, MailEvent, heard, read_event
from chalicelib.org.model import Person, Reach
from tests.fakes.mail_events import bounce, complaint, delay, event
from tests.fakes.stage import Stage
from tests.org.company import Company, hasty_kernel

SENT = datetime(2026, 11, 23, 9, 0, 0, 645000, tzinfo=UTC)


@pytest.fixture
def company(stage: Stage) -> Company:
    return Company.create(stage)


@pytest.fixture
def zofia(company: Company) -> Person:
    company.stage.clock.advance(hours=1)
    return company.lead


def take(company: Company, body: str, kernel: Kernel | None = None) -> str:
    return Bounces(kernel or company.stage.kernel).take(body)


def reach(company: Company) -> Reach:
    return company.org.person(company.lead.person_id).reach


def due(company: Company) -> list[str]:
    timetable = company.stage.kernel.timetable
    return [timetable.get(e).kind for e, _ in timetable.due(Lane.CHORES, company.stage.clock.now())]


# What an event says


@pytest.mark.parametrize(
    ("body", "why", "is_lasting"),
    [
        (bounce("a@b.pl", SENT), "bounced", True),
        (bounce("a@b.pl", SENT, subtype="NoEmail"), "bounced", True),
        (bounce("a@b.pl", SENT, subtype="Suppressed"), "suppressed", True),
        (bounce("a@b.pl", SENT, subtype="OnAccountSuppressionList"), "suppressed", True),
        (bounce("a@b.pl", SENT, "Transient", "MailboxFull"), "delayed", False),
        (bounce("a@b.pl", SENT, "Undetermined", "Undetermined"), "delayed", False),
        (complaint("a@b.pl", SENT), "complained", True),
        (delay("a@b.pl", SENT), "delayed", False),
    ],
)
def test_an_event_says_whether_the_next_mail_would_arrive(body: str, why: str, is_lasting: bool) -> None:
    assert read_event(body) == MailEvent("a@b.pl", SENT, why, is_lasting)


def test_a_bounce_is_about_the_address_that_we_wrote_to_not_the_one_it_was_forwarded_to() -> None:
    read = read_event(bounce("zofia@firma.pl", SENT, final="zosia@dom.pl"))
    assert read is not None
    assert read.to == "zofia@firma.pl"


@pytest.mark.parametrize(
    "body",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        complaint("a@b.pl", SENT, "not-spam"),
        event("Delivery", "a@b.pl", SENT, delivery={"recipients": ["a@b.pl"]}),
        event("Send", "a@b.pl", SENT, send={}),
        event("Rendering Failure", "a@b.pl", SENT, failure={}),
    ],
)
def test_what_says_nothing_against_an_address_is_left_alone(body: str) -> None:
    assert read_event(body) is None


def changed(body: str, *path: str, value: Any) -> str:
    found = json.loads(body)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return json.dumps(found)


BOUNCE = bounce("a@b.pl", SENT)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "[" * 100_000,
        '{"Type": "Notification", "Message": "{}"}',
        changed(BOUNCE, "eventType", value="Exploded"),
        changed(BOUNCE, "eventType", value=["Bounce"]),
        changed(BOUNCE, "mail", value="mail"),
        changed(BOUNCE, "mail", "destination", value=[]),
        changed(BOUNCE, "mail", "destination", value=["a@b.pl", "c@d.pl"]),
        changed(BOUNCE, "mail", "destination", value=[7]),
        changed(BOUNCE, "mail", "timestamp", value="yesterday"),
        changed(BOUNCE, "mail", "timestamp", value="2026-11-23T09:00:00"),
        changed(BOUNCE, "bounce", value=None),
        changed(BOUNCE, "bounce", "bounceType", value="Eternal"),
        changed(BOUNCE, "bounce", "bounceSubType", value=None),
    ],
)
def test_what_ses_does_not_document_is_refused(body: str) -> None:
    with pytest.raises(InvalidInput):
        read_event(body)


NAMES = st.sampled_from(["eventType", "mail", "destination", "timestamp", "bounce", "bounceType", "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(ANYTHING)
def test_any_json_is_refused_or_read(value: Any) -> None:
    with pytest.raises(InvalidInput):
        read_event(json.dumps(value))


# What is remembered


def test_an_address_that_bounces_is_marked_and_whoever_waits_is_told(company: Company, zofia: Person) -> None:
    assert take(company, bounce(zofia.email.upper(), SENT)) == "noted"
    now = company.stage.clock.now()
    assert reach(company) == Reach(unreachable_at=now, why="bounced", failed_at=SENT)
    assert company.row(f"person#{zofia.person_id}", "address found unreachable").why == "bounced"
    assert sorted(due(company)) == ["check_inventory_reach", "check_reach"]


def test_the_same_event_again_changes_nothing(company: Company, zofia: Person) -> None:
    for body in (delay(zofia.email, SENT), bounce(zofia.email, SENT)):
        take(company, body)
        before = company.everything_stored()
        company.stage.clock.advance(hours=5)
        assert take(company, body) == "known"
        assert company.everything_stored() == before


def test_a_second_mail_that_bounces_keeps_the_mark_and_is_told_too(company: Company, zofia: Person) -> None:
    """Another request may wait for them: the mail about it was on its way when the first one bounced."""
    take(company, bounce(zofia.email, SENT))
    marked_at = company.stage.clock.now()
    company.stage.clock.advance(minutes=1)
    assert take(company, complaint(zofia.email, SENT + timedelta(seconds=9))) == "noted"
    assert (reach(company).unreachable_at, reach(company).why) == (marked_at, "bounced")
    assert sorted(due(company)) == ["check_inventory_reach"] * 2 + ["check_reach"] * 2


def test_delays_are_counted_by_mail_and_do_not_mark(company: Company, zofia: Person) -> None:
    first, second = SENT, SENT + timedelta(minutes=1)
    for sent_at in (first, first, second, first):
        take(company, delay(zofia.email, sent_at))
    take(company, bounce(zofia.email, second, "Transient"))
    assert reach(company) == Reach(delayed=2, failed_at=second)
    assert company.history(f"person#{zofia.person_id}").count("mail delayed") == 2


def test_a_delayed_mail_that_then_bounces_marks(company: Company, zofia: Person) -> None:
    take(company, delay(zofia.email, SENT))
    assert take(company, bounce(zofia.email, SENT)) == "noted"
    assert reach(company).why == "bounced"


def test_a_new_address_is_not_blamed_for_the_old_one(company: Company, zofia: Person) -> None:
    take(company, bounce(zofia.email, SENT))
    company.org.change_person(company.operator, zofia.person_id, email="zofia@nowa.example.org")
    assert reach(company) == Reach(since=company.stage.clock.now())
    assert take(company, bounce(zofia.email, SENT)) == "stranger"
    assert take(company, bounce("zofia@nowa.example.org", company.stage.clock.now())) == "noted"


def test_naming_the_same_address_again_says_that_it_works(company: Company, zofia: Person) -> None:
    take(company, bounce(zofia.email, SENT))
    company.org.change_person(company.operator, zofia.person_id, email=zofia.email)
    company.row(f"person#{zofia.person_id}", "address confirmed")
    cleared = reach(company)
    assert cleared == Reach(since=company.stage.clock.now())
    assert take(company, bounce(zofia.email, SENT)) == "known", "it is about the time before"
    assert reach(company) == cleared
    version = company.org.person(zofia.person_id).version
    company.org.change_person(company.operator, zofia.person_id, email=zofia.email)
    assert company.org.person(zofia.person_id).version == version


def test_other_changes_leave_the_mark(company: Company, zofia: Person) -> None:
    take(company, bounce(zofia.email, SENT))
    company.org.change_person(company.operator, zofia.person_id, name="Zofia Wiśniewska-Lis")
    assert reach(company).why == "bounced"


def test_somebody_unknown_or_gone_is_no_concern(company: Company) -> None:
    gone = company.person("Rościsława")
    company.org.mark_left(company.operator, gone.person_id)
    before = company.everything_stored()
    for email in ("nikt@example.org", gone.email):
        assert take(company, bounce(email, SENT)) == "stranger"
    assert company.everything_stored() == before


def test_a_change_that_comes_between_is_not_lost(company: Company, zofia: Person) -> None:
    def rename() -> None:
        company.org.change_person(company.operator, zofia.person_id, name="Zofia Lis")

    assert take(company, bounce(zofia.email, SENT), hasty_kernel(company.stage, rename)) == "noted"
    person = company.org.person(zofia.person_id)
    assert (person.name, person.reach.why) == ("Zofia Lis", "bounced")


EVENTS = st.builds(
    lambda minutes, lasting: MailEvent(
        "a@b.pl", SENT + timedelta(minutes=minutes), "bounced" if lasting else "delayed", lasting
    ),
    st.integers(0, 5),
    st.booleans(),
)


@given(st.lists(EVENTS, max_size=12), st.randoms())
def test_whatever_comes_late_or_twice_the_mark_is_the_same(events: list[MailEvent], random: Any) -> None:
    def told(events: list[MailEvent]) -> Reach:
        known = Reach()
        for one in events:
            known = heard(known, one, SENT)
        return known

    shuffled = [*events, *random.sample(events, len(events) // 2)]
    random.shuffle(shuffled)
    known, other = told(events), told(shuffled)
    assert (known.unreachable_at, known.failed_at) == (other.unreachable_at, other.failed_at)
    assert told([*events, *events]) == known
    assert known.delayed <= len({e.sent_at for e in events if not e.is_lasting})


def test_times_are_read_as_ses_writes_them() -> None:
    assert to_text(SENT).endswith("Z")
    read = read_event(changed(BOUNCE, "mail", "timestamp", value="2026-11-23T09:00:00.645Z"))
    assert read is not None
    assert read.sent_at == SENT
