"""What is added and disowned: candidates claimed, accounts handed on, and what is not to be had like that."""

import pytest

from chalicelib.accounts.model import AccountClass, RogueKind
from chalicelib.core.errors import InvalidInput
from chalicelib.core.expressions import where
from chalicelib.inventory.answers import About, Answers, Correction, Outcome
from chalicelib.inventory.model import PartState, shown_of
from chalicelib.inventory.people import Named, People
from chalicelib.org.model import Kind
from chalicelib.org.store import Store as OrgStore
from tests.inventory.desk import SERVER, Desk, hidden, visible
from tests.org.company import hasty_kernel


def addition(desk: Desk, handle: str, **more: str) -> dict[str, str]:
    owner = desk.manager.person_id
    fields = {"address": f"{SERVER}/@{handle}", "unit": desk.company.warsaw.unit_id, "owner": owner}
    return {**fields, **more}


def test_what_is_added_twice_or_is_on_the_list_is_there_once(desk: Desk) -> None:
    desk.account("zorza")
    round_ = desk.start()
    for handle in ("nowe", "nowe", "zorza"):
        page = desk.press(desk.manager, "add", **addition(desk, handle))
        assert (page.status, "Noted" in visible(page)) == (200, True)
    assert desk.counts(round_) == desk.recount(round_) == {"left": 1, "added": 1}
    assert len(list(desk.accounts.everyone())) == 2


def test_what_is_added_by_network_and_name_is_the_same_account(desk: Desk) -> None:
    round_ = desk.start()
    assert desk.press(desk.manager, "add", **addition(desk, "nowe")).status == 200
    named = {**addition(desk, ""), "address": "", "platform": "mastodon"}
    for handle, status in ((f"{SERVER}/@nowe", 200), ("@inne", 200), ("in/ne", 400), ("in ne", 400)):
        assert desk.press(desk.manager, "add", **{**named, "handle": handle}).status == status
    assert desk.accounts.at_address("mastodon", "", "inne") is not None
    assert desk.counts(round_) == {"added": 2}


def test_a_candidate_is_claimed_by_adding_it(desk: Desk) -> None:
    found = desk.account(
        "znalezione", account_class=AccountClass.CANDIDATE, owner_id="", unit=desk.company.root
    )
    round_ = desk.start()
    assert desk.press(desk.manager, "add", **addition(desk, "znalezione", purpose="news")).status == 200
    now = desk.now(found)
    assert (now.account_class, now.unit_id, now.owner_id, now.purpose) == (
        AccountClass.OFFICIAL, desk.company.warsaw.unit_id, desk.manager.person_id, "news",
    )  # fmt: skip
    assert desk.counts(round_) == {"added": 1}


def test_what_is_not_ours_retired_or_another_units_is_not_had_by_adding_it(desk: Desk) -> None:
    rogue = {"account_class": AccountClass.ROGUE, "owner_id": "", "rogue_kind": RogueKind.IMPOSTOR}
    made = [
        desk.account("podszywacz", **rogue),
        desk.account("dawne", account_class=AccountClass.RETIRED),
        desk.account("ich", desk.company.tehran),
    ]
    round_ = desk.start()
    for account, told in zip(made, ("not ours", "retired", "another unit"), strict=True):
        page = desk.press(desk.manager, "add", **addition(desk, account.handle))
        assert page.status == 400
        assert told in visible(page)
        assert desk.now(account) == account
    page = desk.press(desk.manager, "add", **addition(desk, "", address="https://example.org/o-nas"))
    assert "no address of a profile" in visible(page)
    assert desk.counts(round_) == {}


def test_an_account_that_came_in_by_another_way_meanwhile_joins_the_list(desk: Desk) -> None:
    round_ = desk.start()
    imported = desk.account("z_pliku", desk.team)
    assert desk.press(desk.manager, "add", **addition(desk, "z_pliku")).status == 200
    assert desk.counts(round_) == desk.recount(round_) == {"left": 1}
    assert desk.press(desk.manager, "confirm", imported).status == 200
    assert desk.counts(round_) == {"confirmed": 1}


def test_an_account_of_another_unit_goes_there_and_its_manager_is_told_and_asked(desk: Desk) -> None:
    account = desk.account("zorza", owner_id=desk.manager.person_id)
    round_ = desk.start()
    desk.press(desk.other, "finish")
    desk.press(desk.manager, "disown", account, whose=desk.company.tehran.unit_id, why="to Teheran")
    now = desk.now(account)
    assert (now.unit_id, now.owner_id) == (desk.company.tehran.unit_id, desk.other.person_id)
    assert desk.counts(round_) == {"disowned": 1}
    assert desk.counts(round_, desk.company.tehran) == {"left": 1}
    assert desk.part(round_, desk.company.tehran).state == PartState.ANSWERING
    desk.work()
    assert desk.postbox.to(desk.other)[-1].subject == "Is it yours? zorza on Mastodon"
    # It comes back: each list asks about it anew.
    theirs = hidden(desk.show(desk.other, **desk.query(account, desk.company.tehran)).html)
    back = {**theirs, "do": "disown", "whose": desk.company.warsaw.unit_id}
    assert desk.send(desk.token(desk.other), back).status == 200
    assert desk.counts(round_) == desk.recount(round_) == {"left": 1}
    assert desk.counts(round_, desk.company.tehran) == {"disowned": 1}
    assert desk.press(desk.manager, "confirm", account).status == 200


def test_an_owner_who_is_here_stays_when_the_account_goes_to_another_unit(desk: Desk) -> None:
    account = desk.account("zorza")
    desk.start()
    desk.press(desk.manager, "disown", account, whose=desk.company.tehran.unit_id)
    assert desk.now(account).owner_id == desk.owner.person_id


def test_what_nobody_knows_goes_to_the_unit_above_and_the_lead_is_told(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    desk.press(desk.manager, "disown", account, whose="not_mine")
    desk.work()
    assert desk.now(account).unit_id == desk.company.region.unit_id
    assert "zorza" in desk.postbox.to(desk.company.lead)[-1].subject
    assert desk.counts(round_) == {"disowned": 1}


def test_what_we_hold_credentials_of_is_ours_whatever_is_said(desk: Desk) -> None:
    account = desk.connected("zorza")
    round_ = desk.start()
    page = desk.press(desk.manager, "disown", account, whose="not_ours", why="x" * 301)
    assert page.status == 400
    assert "We hold its credentials" in visible(page)
    assert "too long" in visible(page)
    for whose in ("", "unit_x", desk.team.unit_id, desk.company.warsaw.unit_id):
        assert desk.press(desk.manager, "disown", account, whose=whose).status == 400
    assert desk.now(account) == account
    assert desk.counts(round_) == {"left": 1}


def test_what_somebody_else_took_away_needs_no_answer(desk: Desk) -> None:
    retired, moved = desk.account("zorza"), desk.account("inne")
    round_ = desk.start()
    pages = [hidden(desk.show(desk.manager, **desk.query(a)).html) for a in (retired, moved)]
    desk.amend(retired, account_class=AccountClass.RETIRED)
    desk.amend(moved, unit_id=desk.company.tehran.unit_id)
    for fields in pages:
        assert desk.send(desk.token(desk.manager), {**fields, "do": "confirm"}).status == 409
    assert desk.counts(round_) == desk.recount(round_) == {"gone": 2}
    assert "Moved or retired by somebody else" in visible(desk.show(desk.manager))


def test_an_answer_that_another_overtakes_is_about_what_is_there_then(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    sitting = desk.sitting(desk.manager)
    about = About(desk.company.warsaw.unit_id, account.account_id, shown_of(account))

    def late(meanwhile: object) -> Answers:
        kernel = hasty_kernel(desk.stage, meanwhile)  # type: ignore[arg-type]
        people = People(desk.org, OrgStore(kernel.database).holder_of)
        return Answers(kernel, desk.org, desk.accounts_on(kernel), desk.stage.links, people)

    told = late(lambda: desk.amend(account, purpose="nowy cel")).confirm(sitting, about)
    assert (told, desk.now(account).confirmed_at) == (Outcome.STALE, None)
    about = About(about.unit_id, about.account_id, shown_of(desk.now(account)))
    told = late(lambda: desk.amend(account, followers=7)).confirm(sitting, about)
    assert (told, desk.counts(round_)) == (Outcome.DONE, {"confirmed": 1})
    said = Correction(Named(desk.owner.person_id), Named(), "x", "", "")
    about = About(about.unit_id, about.account_id, shown_of(desk.now(account)))
    told = late(lambda: desk.answers.finish(desk.sitting(desk.manager))).correct(sitting, about, said)
    assert (told, desk.now(account).purpose) == (Outcome.SHUT, "nowy cel")


def test_two_who_answer_at_once_are_counted_once(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    sitting = desk.sitting(desk.manager)
    about = About(desk.company.warsaw.unit_id, account.account_id, shown_of(account))
    kernel = hasty_kernel(desk.stage, lambda: desk.answers.confirm(sitting, about))
    people = People(desk.org, OrgStore(kernel.database).holder_of)
    late = Answers(kernel, desk.org, desk.accounts_on(kernel), desk.stage.links, people)
    assert late.confirm(sitting, about) == Outcome.DONE
    assert desk.counts(round_) == desk.recount(round_) == {"confirmed": 1}
    assert desk.company.history(f"account#{account.account_id}").count("confirmed") == 1


def test_somebody_named_who_leaves_at_that_moment_owns_nothing(desk: Desk) -> None:
    account = desk.account("zorza")
    desk.start()
    sitting = desk.sitting(desk.manager)
    heir = desk.company.person("Następca")
    kernel = hasty_kernel(desk.stage, lambda: desk.org.mark_left(desk.company.operator, heir.person_id))
    people = People(desk.org, OrgStore(kernel.database).holder_of)
    late = Answers(kernel, desk.org, desk.accounts_on(kernel), desk.stage.links, people)
    about = About(desk.company.warsaw.unit_id, account.account_id, shown_of(account))
    said = Correction(Named(email=heir.email), Named(), "", "", "")
    with pytest.raises(InvalidInput, match="e-mail address"):
        late.correct(sitting, about, said)
    assert desk.now(account).owner_id == desk.owner.person_id


def test_a_department_below_a_district_that_is_asked_itself_has_its_own_list(desk: Desk) -> None:
    company = desk.company
    inner = company.org.add_unit(company.operator, "Dział", Kind.DEPARTMENT, company.warsaw.unit_id)
    own, below = desk.account("nasze"), desk.account("działu", inner)
    round_ = desk.start(unit_ids=[company.warsaw.unit_id, inner.unit_id])
    assert desk.counts(round_) == {"left": 1}
    assert desk.counts(round_, inner) == {"left": 1}
    mails = desk.postbox.to(desk.manager)
    assert len(mails) == 1, "one person, two units: one mail, one link"
    shown = visible(desk.show(desk.manager))
    assert own.handle in shown
    assert below.handle in shown
    assert "0 of 2 answered" in shown
    # From one list of theirs to the other.
    desk.press(desk.manager, "disown", own, whose=inner.unit_id)
    assert (desk.counts(round_), desk.counts(round_, inner)) == ({"disowned": 1}, {"left": 2})
    rows = desk.stage.database.query_all("inventory", where("pk = :p", p=f"round#{round_.round_id}"))
    assert len(list(rows)) == 3
