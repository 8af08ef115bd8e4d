"""A case is opened about an account of the register, moves step by step, and says so to its owner."""

import pytest

from chalicelib.accounts.model import AccountClass
from chalicelib.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.org.model import Kind as UnitKind
from chalicelib.org.roles import Role
from chalicelib.takedowns.model import MOVES, Harm, Kind, State
from chalicelib.takedowns.service import Wanted
from tests.takedowns.desk import Desk


def test_a_new_case_has_its_first_evidence_and_its_next_mail(desk: Desk) -> None:
    account = desk.account()
    case = desk.open(account)
    whole = desk.takedowns.store.whole(case.case_id)
    assert (case.state, case.platform, case.url) == (State.OPENED, "bluesky", account.url)
    assert [(e.kind, e.name) for e in whole.evidence] == [("profile", "register")]
    assert '"display_name":"Zorza Pomoc"' in whole.evidence[0].text
    assert [(s.place, s.to, s.by_id) for s in whole.steps] == [(1, "opened", desk.manager.person_id)]
    assert desk.entries(case) == {"chase_case"}


def test_every_step_has_a_row_of_history_and_a_line_in_the_log(desk: Desk) -> None:
    case = desk.open()
    for to, reference, why in (
        ("submitted", "R-1", ""),
        ("answered", "", "they ask for the register"),
        ("submitted", "R-2", ""),
        ("refused", "", "no infringement"),
        ("submitted", "", "by letter"),
        ("removed", "", ""),
        ("reopened", "", "it is back"),
        ("withdrawn", "", "a fan"),
        ("reopened", "", "no fan"),
        ("submitted", "R-3", ""),
        ("refused", "", "no"),
        ("closed", "", "enough"),
    ):
        desk.step(case, to, reference, why)
    log = [str(step.to) for step in desk.takedowns.store.whole(case.case_id).steps]
    steps = [row.what for row in desk.stage.history.of(f"case#{case.case_id}") if row.what in set(State)]
    assert log == steps
    assert log[-3:] == ["submitted", "refused", "closed"]
    assert (desk.case(case).reference, desk.case(case).outcome) == ("R-3", State.REFUSED)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached_and_says_what_may_follow(state: State) -> None:
    assert state == State.OPENED or any(state in ways for ways in MOVES.values())
    assert all(sentence.endswith(".") for sentence in MOVES[state].values())
    assert MOVES[state], "nothing is the end for ever: what is removed may come back"


def test_a_step_on_a_case_that_has_moved_on_is_refused(desk: Desk) -> None:
    case = desk.open()
    desk.step(case, "submitted", "R-1")
    with pytest.raises(Conflict, match="somebody else changed this case"):
        desk.takedowns.step(desk.actor(desk.manager), case.case_id, case.version, State.WITHDRAWN, "", "why")


def test_a_step_that_cannot_follow_is_refused_with_those_that_can(desk: Desk) -> None:
    with pytest.raises(Conflict, match="it can become: submitted, removed, withdrawn"):
        desk.step(desk.open(), "closed")


@pytest.mark.parametrize("to", ["answered", "refused", "withdrawn"])
def test_a_step_that_needs_a_reason_is_refused_without_one(desk: Desk, to: str) -> None:
    with pytest.raises(InvalidInput, match="why: say in a few words"):
        desk.step(desk.submitted(), to, why="")


def test_a_report_is_handed_in_with_its_number_or_with_words_for_its_lack(desk: Desk) -> None:
    case = desk.open()
    with pytest.raises(InvalidInput, match="reference: give the number"):
        desk.step(case, "submitted", why="")
    assert desk.step(case, "submitted", why="reported in the app").reference == ""


def test_of_one_account_there_is_one_open_case_of_each_kind(desk: Desk) -> None:
    account = desk.account()
    first = desk.open(account)
    with pytest.raises(Conflict, match=f"case {first.case_id} about this account is open already"):
        desk.open(account)
    assert desk.open(account, kind="fraud").kind == Kind.FRAUD
    desk.step(first, "withdrawn")
    assert desk.open(account).case_id != first.case_id


def test_an_ended_case_is_not_reopened_beside_a_newer_one(desk: Desk) -> None:
    account = desk.account()
    first = desk.open(account)
    desk.step(first, "withdrawn")
    desk.open(account)
    with pytest.raises(Conflict, match="another case about this account"):
        desk.step(first, "reopened")


def test_there_is_no_case_about_an_account_of_ours_unless_it_is_abandoned(desk: Desk) -> None:
    official = desk.official()
    with pytest.raises(InvalidInput, match="it is official, one of ours"):
        desk.open(official)
    assert desk.open(official, kind="abandoned").kind == Kind.ABANDONED


def test_a_duplicate_of_ours_can_be_taken_down(desk: Desk) -> None:
    official = desk.official()
    twin = desk.account(
        "zorza2", account_class=AccountClass.DUPLICATE, rogue_kind=None, same_as=official.account_id,
        owner_id=desk.owner.person_id,
    )  # fmt: skip
    assert desk.open(twin).original_id == official.account_id


def test_all_that_is_wrong_with_a_new_case_is_said_at_once(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.open(desk.official(), owner_id="nobody", original_id="nothing")
    assert {p.field for p in refused.value.problems} == {"account_id", "owner_id", "original_id"}


def test_who_may_not_act_there_may_not_open_or_move_a_case(desk: Desk) -> None:
    case = desk.open()
    auditor = desk.actor(desk.person("Anna Audyt", Role.AUDITOR))
    assert desk.takedowns.visible(auditor, case.case_id) == case
    with pytest.raises(NotAllowed):
        desk.takedowns.step(auditor, case.case_id, case.version, State.WITHDRAWN, "", "why")
    elsewhere = desk.org.add_unit(desk.operator, "Gdynia", UnitKind.DISTRICT, desk.root.unit_id)
    other = desk.actor(desk.person("Ewa Obca", Role.DISTRICT_MANAGER, elsewhere))
    with pytest.raises(NotFound):
        desk.takedowns.visible(other, case.case_id)
    with pytest.raises(NotAllowed):
        desk.takedowns.open(
            other, {"account_id": desk.account("b").account_id, "kind": "fraud", "harm": "low"}
        )


def test_cases_are_listed_by_when_they_are_due_and_narrowed_by_filters(desk: Desk) -> None:
    actor = desk.actor(desk.manager)
    low = desk.open(desk.account("a"), harm="low")
    critical = desk.open(desk.account("b", "mastodon"), harm="critical")
    gone = desk.removed(account=desk.account("c"))

    def listed(**wanted: object) -> list[str]:
        found, _ = desk.takedowns.page(actor, Wanted(**wanted), 10)  # type: ignore[arg-type]
        return [c.case_id for c in found]

    assert listed() == [critical.case_id, low.case_id]
    assert listed(platform="mastodon") == listed(harm="critical") == [critical.case_id]
    assert listed(account_id=low.account_id) == [low.case_id]
    assert listed(kind="fraud") == listed(state="submitted") == []
    assert listed(is_open=False) == listed(is_open=False, unit_id=desk.root.unit_id) == [gone.case_id]
    first, after = desk.takedowns.page(actor, Wanted(), 1)
    rest, end = desk.takedowns.page(actor, Wanted(), 1, after or "")
    assert [c.case_id for c in first + rest] == listed()
    assert end is None
    with pytest.raises(NotFound):
        listed(unit_id="nowhere")


def test_the_owner_hears_of_what_others_did_and_not_of_their_own_steps(desk: Desk) -> None:
    case = desk.open()
    desk.quiet()
    desk.step(case, "submitted", "R-1")
    desk.work()
    (mail,) = desk.postbox.sent
    assert (mail.to, mail.subject) == (desk.owner.email, "Report handed in: zorza_pomoc on bluesky")
    assert "Marek Mąka" in mail.text
    assert "R-1" in mail.text
    assert "card numbers" not in mail.text
    desk.postbox.sent.clear()
    desk.press(desk.token_of_case(case, desk.owner), move="answered", words="They ask for the register.")
    desk.work()
    assert desk.postbox.sent == []


def test_more_harm_brings_the_next_mail_nearer_and_tells_a_new_owner(desk: Desk) -> None:
    case = desk.open()
    desk.quiet()
    changes = {"harm": Harm.CRITICAL, "owner_id": desk.lead.person_id}
    after = desk.takedowns.amend(desk.actor(desk.manager), case.case_id, desk.case(case).version, changes)
    assert case.chase_at is not None
    assert after.chase_at is not None
    assert after.chase_at < case.chase_at
    desk.work()
    assert [m.to for m in desk.postbox.sent] == [desk.lead.email]
    row = next(r for r in desk.stage.history.of(f"case#{case.case_id}") if r.what == "amended")
    assert row.details["before"]["harm"] == "medium"
    assert row.details["after"] == {"harm": "critical", "owner_id": desk.lead.person_id}
