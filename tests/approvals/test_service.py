"""Who may decide, what a decision does, and what happens when several decide at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from chalicelib.approvals.model import OnSilence, Verdict
from chalicelib.approvals.service import Approvals
from chalicelib.approvals.view import Seen
from chalicelib.core.database import Database, Write
from chalicelib.core.errors import InvalidInput, NotAllowed
from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from tests.approvals.office import Office
from tests.org.company import hasty_kernel

APPROVE = Verdict.APPROVE


def _approve(office: Office, person: Person) -> Seen:
    return office.approvals.decide(office.token(person), APPROVE, "").seen


def test_a_decision_is_one_transaction_with_its_history(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    transactions = _count_writes(office)
    assert _approve(office, zoe) == Seen.DECIDED
    (tables,) = transactions
    assert sorted(tables) == ["approvals", "history", "links", "org", "posts", "timetable"]
    (row,) = [r for r in office.stage.history.of(request.subject) if r.what == "approved"]
    assert (row.person_id, str(row.way)) == (zoe.person_id, "link")
    stage = request.current.name
    assert row.details == {
        "request": request.request_id, "stage": stage, "revision": request.revision[:12], "state": "granted",
    }  # fmt: skip


def test_stages_are_asked_in_order(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, name="First"), office.stage_of(max_, name="Second"))
    request = office.asked()
    assert not office.tokens(max_)
    assert "the next stage is asked: <bdi>Second</bdi>" in office.get(office.token(zoe)).html
    assert _approve(office, zoe) == Seen.DECIDED
    assert office.state(request) == "open"
    office.work()
    assert _approve(office, max_) == Seen.DECIDED
    assert office.subject.settlements(request) == ["granted"]


@pytest.mark.parametrize(("quorum", "needed"), [("any", 1), ("2", 2), ("all", 3)])
def test_a_quorum_counts_distinct_people(office: Office, quorum: str, needed: int) -> None:
    people = [office.person(n) for n in ("Zoe", "Max", "Eva")]
    office.policy(office.stage_of(*people, quorum=quorum))
    request = office.asked()
    for n, person in enumerate(people[:needed], 1):
        assert office.state(request) == "open", n
        _approve(office, person)
        _approve(office, person)
    assert office.state(request) == "granted"
    assert office.subject.settlements(request) == ["granted"]


def test_one_rejection_settles_whatever_the_quorum(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    request = office.asked()
    _approve(office, zoe)
    office.approvals.decide(office.token(max_), Verdict.ASK_CHANGES, "shorter, please")
    office.work()
    assert office.state(request) == "changes_asked"
    (mail,) = office.postbox.to(office.ada)
    assert "Max" in mail.text
    assert "> shorter, please" in mail.text


def test_the_author_is_never_asked_whether_named_or_by_role(office: Office) -> None:
    office.org.grant(office.operator, office.ada.person_id, Role.APPROVER, office.district.unit_id)
    zoe = office.person("Zoe", Role.APPROVER)
    office.policy(office.stage_of(office.ada, zoe, role=Role.APPROVER, quorum="all"))
    request = office.asked()
    assert request.current.seats == (zoe.person_id,)
    assert not office.postbox.to(office.ada)
    office.stage.clock.advance(minutes=1)
    with pytest.raises(InvalidInput, match="needs 1 to approve and has 0"):
        office.open(contributors=(zoe,))


def test_a_deputy_who_wrote_it_does_not_stand_in(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe))
    office.away(zoe, office.ada)
    request = office.asked()
    assert [a.person_id for a in request.current.asks] == [office.lead.person_id]
    office.stage.clock.advance(minutes=1)
    office.org.return_from_away(office.operator, zoe.person_id)
    office.away(zoe, max_)
    assert [a.person_id for a in office.asked(contributors=(max_,)).current.asks] == [office.lead.person_id]


def test_somebody_named_twice_counts_once(office: Office) -> None:
    zoe, max_ = office.person("Zoe", Role.APPROVER), office.person("Max", Role.APPROVER)
    office.policy(office.stage_of(zoe, role=Role.APPROVER, quorum="2"))
    request = office.asked()
    assert len(office.tokens(zoe)) == 1
    _approve(office, zoe)
    assert office.state(request) == "open"
    _approve(office, max_)
    assert office.state(request) == "granted"


def test_the_deputy_of_two_people_fills_one_seat_and_the_lead_is_asked(office: Office) -> None:
    zoe, max_, dee = office.person("Zoe"), office.person("Max"), office.person("Dee")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    office.away(zoe, dee)
    office.away(max_, dee)
    request = office.asked()
    assert len(office.tokens(dee)) == 1
    _approve(office, dee)
    assert office.state(request) == "open"
    _approve(office, office.lead)
    assert office.state(request) == "granted"


def test_a_deputy_decides_for_whoever_is_away(office: Office) -> None:
    zoe, dee = office.person("Zoe"), office.person("Dee")
    office.policy(office.stage_of(zoe))
    office.away(zoe, dee)
    request = office.asked()
    assert not office.tokens(zoe)
    assert "you stand in for Zoe" in office.postbox.to(dee)[0].text
    _approve(office, dee)
    assert office.state(request) == "granted"


def test_a_deputy_and_their_principal_fill_one_seat_together(office: Office) -> None:
    zoe, max_, dee = office.person("Zoe"), office.person("Max"), office.person("Dee")
    office.policy(office.stage_of(zoe, max_, quorum="all", remind_after=1))
    request = office.asked()
    office.away(zoe, dee)
    office.work_for(1)
    assert _approve(office, zoe) == Seen.DECIDED
    assert _approve(office, dee) == Seen.DECIDED
    assert office.state(request) == "open"
    _approve(office, max_)
    assert office.state(request) == "granted"


def test_a_person_who_has_left_cannot_decide(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    request = office.asked()
    office.leave(zoe)
    before = office.dump()
    assert _approve(office, zoe) == Seen.DEAD
    assert office.dump() == before
    assert office.state(request) == "open"


def test_a_person_who_leaves_while_deciding_does_not_decide(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    office.approvals = _hasty(office, lambda: office.leave(zoe))
    assert _approve(office, zoe) == Seen.DEAD
    assert office.subject.settlements(request) == []


@pytest.mark.parametrize("faster", list(Verdict))
def test_of_two_who_decide_at_once_one_settles_and_the_other_sees_it(office: Office, faster: Verdict) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_))
    request = office.asked()
    usual = office.approvals
    slow = _hasty(office, lambda: usual.decide(office.token(max_), faster, "quick"))
    view = slow.decide(office.token(zoe), APPROVE, "")
    assert view.seen == Seen.SETTLED
    assert view.names == {max_.person_id: "Max"}
    assert len(office.subject.settlements(request)) == 1


def test_two_approvals_at_once_both_count(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all"))
    request = office.asked()
    usual = office.approvals
    slow = _hasty(office, lambda: usual.decide(office.token(max_), APPROVE, ""))
    assert slow.decide(office.token(zoe), APPROVE, "").seen == Seen.DECIDED
    assert {d.person_id for d in usual.get(request.request_id).decisions} == {zoe.person_id, max_.person_id}
    assert office.subject.settlements(request) == ["granted"]


def test_the_same_link_posted_twice_at_once_decides_once(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    usual = office.approvals
    slow = _hasty(office, lambda: usual.decide(office.token(zoe), APPROVE, ""))
    assert slow.decide(office.token(zoe), Verdict.REJECT, "no").seen == Seen.ALREADY
    assert office.subject.settlements(request) == ["granted"]


def test_a_decision_that_meets_an_edit_is_refused(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    slow = _hasty(office, lambda: office.void(request))
    assert slow.decide(office.token(zoe), APPROVE, "").seen == Seen.STALE
    assert office.subject.settlements(request) == []


def test_a_second_link_of_the_same_person_shows_their_decision(office: Office) -> None:
    zoe = office.person("Zoe")
    max_ = office.person("Max")
    office.policy(office.stage_of(zoe, max_, quorum="all", remind_after=1))
    office.asked()
    office.work_for(1)
    first, second = office.tokens(zoe)
    office.approvals.decide(first, APPROVE, "")
    assert office.approvals.look(second).seen == Seen.ALREADY
    assert office.approvals.decide(second, APPROVE, "").seen == Seen.ALREADY


def test_a_policy_change_does_not_touch_requests_under_way(office: Office) -> None:
    zoe, max_ = office.person("Zoe"), office.person("Max")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    office.policy(office.stage_of(max_, quorum="all"), code=True)
    assert _approve(office, zoe) == Seen.DECIDED
    assert office.state(request) == "granted"


def test_a_request_ends_with_the_posts_time_unless_the_policy_says_otherwise(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    publish_at = office.subject.shown.publish_at
    assert office.open().expires_at == publish_at
    office.policy(office.stage_of(zoe), late_approval=True)
    assert office.open().expires_at == office.stage.clock.now() + timedelta(days=30)
    office.subject.shown = replace(office.subject.shown, publish_at=None)
    office.policy(office.stage_of(zoe))
    assert office.open().expires_at == office.stage.clock.now() + timedelta(days=30)


def test_a_void_request_is_off_the_timetable_and_stays_void(office: Office) -> None:
    zoe = office.person("Zoe")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    office.void(request)
    office.void(request)
    office.work_for(48)
    assert office.state(request) == "void"
    assert len(office.postbox.sent) == 1


def test_without_a_policy_the_nearest_approvers_up_the_line_are_asked(office: Office) -> None:
    far = office.person("Far", Role.APPROVER, unit=office.root)
    assert office.open().current.seats == (far.person_id,)
    near = office.person("Near", Role.APPROVER)
    assert office.open().current.seats == (near.person_id,)
    assert office.open(contributors=(near,)).current.seats == (far.person_id,)


def test_a_request_is_read_by_those_it_concerns(office: Office) -> None:
    zoe, eve = office.person("Zoe"), office.person("Eve")
    office.policy(office.stage_of(zoe))
    request = office.asked()
    for person in (zoe, office.ada, office.lead):
        actor = office.org.identify(office.org.issue_token(office.operator, person.person_id, "t")[0])
        assert office.approvals.read(actor, request.request_id) == office.approvals.get(request.request_id)
    stranger = office.org.identify(office.org.issue_token(office.operator, eve.person_id, "t")[0])
    with pytest.raises(NotAllowed):
        office.approvals.read(stranger, request.request_id)


def test_on_silence_is_ordered_from_loose_to_strict() -> None:
    assert list(OnSilence) == [OnSilence.ESCALATE, OnSilence.REMIND, OnSilence.EXPIRE]


def _hasty(office: Office, meanwhile: Callable[[], object]) -> Approvals:
    """Approvals before whose next commit something else happens."""
    kernel, stage, postbox = hasty_kernel(office.stage, meanwhile), office.stage, cast(Any, office.postbox)
    return Approvals(kernel, office.org, stage.links, postbox, stage.settings, lambda _: office.subject)


def _count_writes(office: Office) -> list[list[str]]:
    """The tables of each transaction from now on."""
    seen: list[list[str]] = []

    class Watched(Database):
        def transact(self, writes: list[Write]) -> None:
            seen.append([w.table for w in writes])
            super().transact(writes)

    office.kernel.database = Watched(office.stage.dynamodb, office.stage.settings)
    return seen
