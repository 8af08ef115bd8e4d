"""The page behind a mailed link: scanners change nothing, and an answer is about what was seen."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.accounts.model import CONFIRMED_FOR, AccountClass, AccountStatus
from chalicelib.core.history import BY_JOB, Way
from chalicelib.inventory.model import PartState
from chalicelib.org.model import Language
from chalicelib.org.roles import Role
from tests.inventory.desk import Desk, hidden, visible


def test_a_manager_confirms_corrects_adds_and_disowns_in_one_sitting(desk: Desk) -> None:
    right, wrong, strange = (desk.account(h, purpose="news") for h in ("dobre", "stare", "obce"))
    round_ = desk.start()
    shown = visible(desk.show(desk.manager))
    for text in ("0 of 3 answered", "dobre", "Mastodon", "Olga Ość", "Backup nobody", "news", "not known"):
        assert text in shown
    assert "1 of 3 answered" in visible(desk.press(desk.manager, "confirm", right))
    page = desk.press(
        desk.manager,
        "correct",
        wrong,
        owner=desk.manager.person_id,
        backup=desk.owner.person_id,
        purpose="jobs",
    )
    assert page.status == 200
    added = {
        "address": "https://social.example/@nowe",
        "unit": desk.team.unit_id,
        "owner": desk.owner.person_id,
    }
    assert desk.press(desk.manager, "add", **added).status == 200
    assert desk.press(desk.manager, "disown", strange, whose="not_ours", why="nigdy nasze").status == 200
    counts = {"confirmed": 1, "corrected": 1, "added": 1, "disowned": 1}
    assert desk.counts(round_) == desk.recount(round_) == counts
    fixed = desk.now(wrong)
    assert (fixed.owner_id, fixed.backup_id, fixed.purpose) == (
        desk.manager.person_id, desk.owner.person_id, "jobs",
    )  # fmt: skip
    new = desk.accounts.at_address("mastodon", "https://social.example", "nowe")
    assert new is not None
    assert (new.unit_id, new.account_class, new.status) == (
        desk.team.unit_id, AccountClass.OFFICIAL, AccountStatus.LISTED,
    )  # fmt: skip
    gone = desk.now(strange)
    assert (gone.account_class, gone.unit_id, gone.owner_id) == (
        AccountClass.CANDIDATE, desk.company.root.unit_id, "",
    )  # fmt: skip
    summary = visible(desk.press(desk.manager, "finish"))
    assert "Finished. Thank you. Confirmed: 1 Corrected: 1 Added: 1 Not yours: 1" in summary
    assert desk.part(round_).state == PartState.FINISHED


def test_a_confirmation_in_a_round_is_the_half_yearly_one_and_history_says_who_and_how(desk: Desk) -> None:
    account = desk.account("zorza")
    desk.start()
    desk.stage.clock.advance(days=2)
    desk.press(desk.manager, "confirm", account)
    now = desk.now(account)
    assert (now.confirmed_at, now.confirmed_by) == (desk.stage.clock.now(), desk.manager.person_id)
    assert now.confirm_by_at == desk.stage.clock.now() + CONFIRMED_FOR
    row = desk.company.row(f"account#{account.account_id}", "confirmed")
    assert (row.person_id, row.way) == (desk.manager.person_id, Way.LINK)


def test_a_hundred_openings_by_scanners_leave_every_row_as_it_was(desk: Desk) -> None:
    account = desk.account("zorza")
    desk.start()
    token = desk.token(desk.manager)
    before = desk.dump()
    for n in range(100):
        query = ({}, {"p": "2"}, desk.query(account), {"add": "1"})[n % 4]
        assert desk.page.show(token, query, "en").status == 200
    for raw in (b"", b"do=", b"do=delete", b"do=%00", b"\xff" * 90_000, b"confirm"):
        assert desk.page.act(token, raw, None, "en").status == 200
    assert desk.dump() == before


def test_links_that_lead_nowhere_look_the_same(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    token = desk.token(desk.manager)
    change = desk.kernel.change(BY_JOB)
    later = desk.stage.clock.now() + timedelta(days=9)
    made = [
        desk.stage.links.mint("confirm", round_.round_id, desk.manager.person_id, "", later),
        desk.stage.links.mint("inventory", "round_x", desk.manager.person_id, "", later),
        desk.stage.links.mint("inventory", round_.round_id, desk.owner.person_id, "", later),
    ]
    for _, write in made:
        change.add(write)
    change.record("test", "links made")
    desk.kernel.commit(change)
    fields = {**hidden(desk.page.show(token, desk.query(account), "en").html), "do": "confirm"}
    pages = {desk.page.show(t, {}, "pl").html for t in ("x", "a" * 43, *(t for t, _ in made))}
    pages |= {desk.page.show("x", desk.query(account), "pl").html}
    desk.org.mark_left(desk.company.operator, desk.manager.person_id)
    pages |= {desk.page.show(token, {}, "pl").html}
    assert desk.send(token, fields).status == 410
    assert len(pages) == 1
    assert desk.now(account).confirmed_at is None


def test_a_link_shows_its_round_after_the_end_and_nothing_a_month_later(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    fields = {**hidden(desk.show(desk.manager, **desk.query(account)).html), "do": "confirm"}
    desk.pass_to(round_.closes_at.date())
    assert "This round has ended" in visible(desk.show(desk.manager))
    page = desk.send(desk.token(desk.manager), fields)
    assert (page.status, desk.now(account).confirmed_at) == (200, None)
    desk.press(desk.manager, "reopen")
    assert desk.part(round_).state == PartState.UNANSWERED
    desk.stage.clock.advance(days=31)
    assert desk.show(desk.manager).status == 410


def test_whoever_lost_the_district_lost_its_page(desk: Desk) -> None:
    account = desk.account("zorza")
    desk.start()
    fields = {**hidden(desk.show(desk.manager, **desk.query(account)).html), "do": "confirm"}
    grant = f"{Role.DISTRICT_MANAGER}.{desk.company.warsaw.unit_id}"
    desk.org.revoke_grant(desk.company.operator, desk.manager.person_id, grant)
    assert desk.show(desk.manager).status == 410
    assert desk.send(desk.token(desk.manager), fields).status == 410
    assert desk.now(account).confirmed_at is None


def test_nobody_answers_for_another_unit(desk: Desk) -> None:
    own, foreign = desk.account("nasze"), desk.account("ich", desk.company.tehran)
    round_ = desk.start()
    fields = hidden(desk.show(desk.manager, **desk.query(own)).html)
    theirs = hidden(desk.show(desk.other, **desk.query(foreign, desk.company.tehran)).html)
    before = desk.now(foreign)
    for unit in (desk.company.warsaw, desk.company.tehran):
        for do in ("confirm", "correct", "disown"):
            sent = {**fields, **theirs, "unit": unit.unit_id, "do": do, "whose": "not_ours"}
            assert desk.send(desk.token(desk.manager), sent).status == 409
    assert desk.now(foreign) == before
    assert desk.counts(round_, desk.company.tehran) == {"left": 1}
    assert "ich" not in visible(desk.show(desk.manager, **desk.query(foreign, desk.company.tehran)))


def test_the_same_answer_many_times_is_one(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    token = desk.token(desk.manager)
    for do, more, counted in (
        ("confirm", {}, "confirmed"),
        ("correct", {"purpose": "inne"}, "corrected"),
        ("disown", {"whose": "not_ours"}, "disowned"),
    ):
        fields = {**hidden(desk.page.show(token, desk.query(account), "en").html), **more, "do": do}
        assert desk.send(token, fields).status == 200
        before = desk.dump()
        for _ in range(3):
            assert desk.send(token, fields).status == 200
        assert desk.dump() == before
        assert desk.counts(round_) == {counted: 1}


def test_an_answer_about_what_has_changed_since_is_none_and_shows_what_changed(desk: Desk) -> None:
    account = desk.account("zorza", purpose="stary cel")
    round_ = desk.start()
    token = desk.token(desk.manager)
    fields = {**hidden(desk.page.show(token, desk.query(account), "en").html), "audience": "młodzi"}
    changed = {"purpose": "nowy cel", "owner_id": desk.manager.person_id}
    desk.amend(account, **changed)
    for do in ("confirm", "correct"):
        page = desk.send(token, {**fields, "do": do})
        text = visible(page)
        assert page.status == 409
        assert "It changed since you opened this page" in text
        assert "Purpose stary cel nowy cel" in text
        assert "Looked after by Olga Ość Marzena Mąka" in text
    assert 'value="młodzi"' in page.html, "what was typed is shown again"
    assert desk.counts(round_) == {"left": 1}
    assert (desk.now(account).audience, desk.now(account).purpose) == ("", "nowy cel")
    for at in ("", "now", "2026-11-23", "2026-11-23T12:00:00"):
        assert desk.send(token, {**fields, "do": "confirm", "at": at}).status == 409
    assert desk.press(desk.manager, "confirm", account).status == 200


def test_a_daily_read_between_page_and_answer_is_no_change(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    fields = {**hidden(desk.show(desk.manager, **desk.query(account)).html), "do": "confirm"}
    desk.amend(account, followers=99)
    assert desk.send(desk.token(desk.manager), fields).status == 200
    assert desk.counts(round_) == {"confirmed": 1}


def test_every_problem_is_shown_at_once_and_what_was_typed_stays(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    typed = {
        "owner_email": "nikt@example.org", "backup": "person_x", "purpose": "p" * 301,
        "audience": "a\u202eb", "contact": "<b>tel</b>",
    }  # fmt: skip
    page = desk.press(desk.manager, "correct", account, **typed)
    text = visible(page)
    assert page.status == 400
    assert text.count("Nobody here has this e-mail address") == 2
    assert "too long" in text
    assert "hidden characters" in text
    assert page.html.count('aria-invalid="true"') == 4
    assert "nikt@example.org" in page.html
    assert "p" * 301 in page.html
    assert "&lt;b&gt;tel" in page.html
    assert "<b>tel" not in page.html
    assert desk.counts(round_) == {"left": 1}
    page = desk.press(desk.manager, "add", handle="a b", purpose="q" * 301, unit="unit_x")
    text = visible(page)
    assert page.status == 400
    for told in ("Choose the network", "without spaces", "too long", "one of your own units", "Name whoever"):
        assert told in text
    assert "q" * 301 in page.html
    assert 'value="a b"' in page.html


def test_an_account_whose_owner_left_is_not_confirmed_without_another(desk: Desk) -> None:
    account, fine = desk.account("zorza"), desk.account("inne", owner_id=desk.manager.person_id)
    round_ = desk.start()
    desk.org.mark_left(desk.company.operator, desk.owner.person_id)
    shown = desk.show(desk.manager)
    assert "not here any more" in visible(shown)
    page = desk.press(desk.manager, "confirm", account)
    assert page.status == 400
    assert "Name somebody who is" in visible(page)
    left = f"{desk.company.warsaw.unit_id}/{account.account_id}/{hidden(page.html)['seen']}"
    other = hidden(desk.show(desk.manager, **desk.query(fine)).html)
    both = f"{left} {other['unit']}/{other['account']}/{other['seen']}"
    page = desk.send(desk.token(desk.manager), {"do": "confirm_all", "left": both})
    assert "look at what is left" in visible(page)
    assert desk.counts(round_) == {"left": 1, "confirmed": 1}
    assert desk.press(desk.manager, "correct", account, owner=desk.manager.person_id).status == 200
    assert desk.counts(round_) == {"corrected": 1, "confirmed": 1}


def test_a_long_list_comes_in_pages_and_a_page_is_confirmed_at_once(desk: Desk) -> None:
    for n in range(23):
        desk.account(f"konto{n}")
    round_ = desk.start()
    first, second = desk.show(desk.manager), desk.show(desk.manager, p="2")
    handles = [set(re.findall(r"konto\d+", page.html)) for page in (first, second)]
    assert [len(found) for found in handles] == [20, 3]
    assert len(set.union(*handles)) == 23
    assert "Page 1 of 2" in visible(first)
    (left,) = re.findall(r'name="left" value="([^"]*)"', first.html)
    page = desk.send(desk.token(desk.manager), {"do": "confirm_all", "left": left})
    assert "20 of 23 answered" in visible(page)
    assert desk.counts(round_) == desk.recount(round_) == {"confirmed": 20, "left": 3}
    assert visible(desk.show(desk.manager, p="99")) == visible(desk.show(desk.manager, p="2"))


def test_whoever_has_finished_can_open_the_list_again_until_the_round_ends(desk: Desk) -> None:
    account = desk.account("zorza")
    round_ = desk.start()
    fields = {**hidden(desk.show(desk.manager, **desk.query(account)).html), "do": "confirm"}
    assert "1 account has no answer yet" in visible(desk.show(desk.manager))
    for _ in range(2):
        assert "Finished" in visible(desk.press(desk.manager, "finish"))
    link = desk.stage.links.find(desk.token(desk.manager), "inventory")
    assert link is not None
    assert link.outcome == "finished"
    assert "Not answered: 1" in visible(desk.send(desk.token(desk.manager), fields))
    assert desk.counts(round_) == {"left": 1}
    for _ in range(2):
        assert "Are these your accounts?" in visible(desk.press(desk.manager, "reopen"))
    assert desk.press(desk.manager, "confirm", account).status == 200
    desk.press(desk.manager, "finish")
    part = desk.part(round_)
    assert (part.state, part.finished_by, part.confirmed) == (PartState.FINISHED, desk.manager.person_id, 1)


@pytest.mark.parametrize("language", Language)
def test_every_page_is_in_its_readers_language_and_direction(desk: Desk, language: Language) -> None:
    desk.org.change_person(desk.company.operator, desk.manager.person_id, language=language)
    account = desk.account("zorza", purpose="<script>alert(1)</script>", display_name="\u202eazroz")
    desk.start()
    pages = [
        desk.show(desk.manager),
        desk.show(desk.manager, **desk.query(account)),
        desk.show(desk.manager, add="1"),
        desk.press(desk.manager, "correct", account, owner="person_x"),
        desk.press(desk.manager, "finish"),
    ]
    direction = "rtl" if language == Language.PERSIAN else "ltr"
    for page in pages:
        assert f'lang="{language}" dir="{direction}"' in page.html
        assert "<script" not in page.html
        assert "\u202e" not in page.html
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
    mail = desk.postbox.to(desk.manager)[0]
    assert "⟨U+" not in mail.subject + mail.text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    do=st.sampled_from(["confirm", "correct", "disown", "add", "finish", "reopen", "confirm_all"]),
    fields=st.dictionaries(
        st.sampled_from(
            ["unit", "account", "seen", "left", "owner", "whose", "address", "handle", "at", "platform"]
        ),
        st.text(max_size=120),
    ),
)
def test_no_form_however_hostile_breaks_the_page(desk: Desk, do: str, fields: dict[str, str]) -> None:
    if not desk.postbox.sent:
        desk.account("zorza")
        desk.start()
    fields = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    assert desk.send(desk.token(desk.manager), {**fields, "do": do}).status in (200, 400, 409)
