"""Owners confirm twice a year by an emailed link; silence puts an account under review."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from chalicelib.accounts.model import ASKED_BEFORE_FOR, CONFIRMED_FOR, REVIEW_GRACE_FOR, Account, AccountClass
from chalicelib.accounts.store import account_key
from chalicelib.core.errors import Conflict, NotAllowed
from chalicelib.core.expressions import where
from chalicelib.core.history import Way
from chalicelib.core.timetable import Claim
from chalicelib.org.model import Language
from chalicelib.org.roles import Role
from tests.accounts.conftest import Desk

_DAY = timedelta(days=1)


def answer(desk: Desk, token: str, said: str, account: Account) -> int:
    version = desk.service.get(account.account_id).version
    raw = urlencode({"answer": said, "version": version}).encode()
    return desk.page.answer(token, raw, "en").status


def asked(desk: Desk, account: Account) -> str:
    """The token of the mail that comes two weeks before the confirmation is due."""
    desk.stage.clock.advance(days=(CONFIRMED_FOR - ASKED_BEFORE_FOR) / _DAY)
    assert desk.work() == ["later"]
    return desk.postbox.token(desk.owner)


def under_review(desk: Desk, account: Account) -> Account:
    asked(desk, account)
    desk.stage.clock.advance(days=ASKED_BEFORE_FOR / _DAY)
    desk.work()
    return desk.service.get(account.account_id)


def test_the_owner_is_asked_two_weeks_before_and_confirms_for_another_half_year(desk: Desk) -> None:
    account = desk.listed("zorza", purpose="news")
    assert account.confirm_by_at == desk.now + CONFIRMED_FOR
    assert desk.entry(account) == account.confirm_by_at - ASKED_BEFORE_FOR
    assert desk.work() == []
    token = asked(desk, account)
    assert desk.postbox.subjects(desk.owner) == ["Please confirm: zorza on Mastodon"]
    shown = desk.page.show(token, "en")
    assert (shown.status, "zorza" in shown.html, "news" in shown.html) == (200, True, True)
    assert answer(desk, token, "right", account) == 200
    confirmed = desk.service.get(account.account_id)
    assert confirmed.confirm_by_at == desk.now + CONFIRMED_FOR
    assert (confirmed.confirmed_at, confirmed.confirmed_by) == (desk.now, desk.owner.person_id)
    row = desk.company.row(f"account#{account.account_id}", "confirmed")
    assert (row.person_id, row.way) == (desk.owner.person_id, Way.LINK)
    assert desk.entry(account) == desk.now + CONFIRMED_FOR - ASKED_BEFORE_FOR
    desk.stage.clock.advance(days=30)
    assert desk.work() == []
    assert len(desk.postbox.sent) == 1


def test_silence_puts_it_under_review_tells_the_manager_and_in_the_end_needs_the_lead(desk: Desk) -> None:
    reviewed = under_review(desk, desk.listed("zorza"))
    assert reviewed.under_review_at == desk.now
    desk.work()
    assert desk.postbox.subjects(desk.manager) == ["Under review: zorza on Mastodon"]
    assert not reviewed.needs_lead(desk.now + 29 * _DAY)
    assert reviewed.needs_lead(desk.now + REVIEW_GRACE_FOR)
    assert desk.company.row(f"account#{reviewed.account_id}", "put under review").why == (
        "nobody confirmed it in time"
    )
    token = desk.postbox.token(desk.owner)  # the link still works: it is not too late
    assert answer(desk, token, "right", reviewed) == 200
    assert desk.service.get(reviewed.account_id).under_review_at is None


def test_a_mail_scanner_that_opens_the_link_changes_nothing(desk: Desk) -> None:
    account = desk.listed("zorza")
    token = asked(desk, account)
    before = desk.company.everything_stored()
    for _ in range(3):
        assert desk.page.show(token, "en").status == 200
        assert desk.page.answer(token, b"", "en").status == 200
        assert desk.page.answer(token, b"answer=perhaps", "en").status == 200
    assert desk.company.everything_stored() == before


def test_an_owner_who_says_not_mine_is_believed_and_the_manager_finds_another(desk: Desk) -> None:
    account = desk.listed("zorza")
    token = asked(desk, account)
    assert answer(desk, token, "not_mine", account) == 200
    assert desk.service.get(account.account_id).under_review_at == desk.now
    desk.work()
    assert desk.postbox.subjects(desk.manager) == ["Under review: zorza on Mastodon"]
    assert "Owidiusz" in desk.postbox.sent[-1].text
    assert desk.entry(account) is None
    desk.stage.clock.advance(days=20)
    assert desk.work() == []
    heir = desk.company.person("Następczyni")
    heir = desk.company.org.change_person(desk.admin, heir.person_id, language=Language.ENGLISH)
    desk.amend(account, owner_id=heir.person_id)
    desk.work()
    assert desk.postbox.subjects(heir) == ["Please confirm: zorza on Mastodon"]
    assert answer(desk, desk.postbox.token(heir), "right", account) == 200
    assert desk.service.get(account.account_id).under_review_at is None


def test_a_link_decides_once_and_then_shows_what_was_said(desk: Desk) -> None:
    account = desk.listed("zorza")
    token = asked(desk, account)
    answer(desk, token, "right", account)
    after = desk.service.get(account.account_id)
    assert answer(desk, token, "not_mine", account) == 200
    assert desk.service.get(account.account_id) == after
    assert "Confirmed. Thank you." in desk.page.show(token, "en").html


def test_what_is_confirmed_is_what_was_seen(desk: Desk) -> None:
    account = desk.listed("zorza")
    token = asked(desk, account)
    seen = desk.service.get(account.account_id)
    desk.amend(account, purpose="something else")
    raw = urlencode({"answer": "right", "version": seen.version}).encode()
    page = desk.page.answer(token, raw, "en")
    assert (page.status, "something else" in page.html) == (409, True)
    assert desk.service.get(account.account_id).confirmed_at is None
    assert answer(desk, token, "right", account) == 200


def test_links_that_lead_nowhere_look_the_same(desk: Desk) -> None:
    account, other = desk.listed("zorza"), desk.listed("inna")
    desk.stage.clock.advance(days=(CONFIRMED_FOR - ASKED_BEFORE_FOR) / _DAY)
    assert desk.work() == ["later", "later"]
    token = desk.postbox.token(desk.owner)
    pages = {desk.page.show(t, "en").html for t in ("x", "a" * 43)}
    desk.amend(account, account_class=AccountClass.RETIRED)
    desk.amend(other, account_class=AccountClass.RETIRED)
    pages.add(desk.page.show(token, "en").html)
    assert desk.page.show(token, "en").status == 410
    assert len(pages) == 1
    assert answer(desk, token, "right", account) == 410


def test_the_former_owners_link_says_that_somebody_else_looks_after_it(desk: Desk) -> None:
    account = desk.listed("zorza")
    token = asked(desk, account)
    desk.amend(account, owner_id=desk.manager.person_id)
    assert "Somebody else looks after it now" in desk.page.show(token, "en").html
    answer(desk, token, "right", account)
    assert desk.service.get(account.account_id).confirmed_at is None


def test_whoever_stands_in_for_the_owner_is_asked(desk: Desk) -> None:
    account = desk.listed("zorza")
    deputy = desk.company.person("Zastępca")
    desk.company.org.set_away(desk.company.actor(desk.owner), desk.owner.person_id, deputy.person_id, None)
    desk.stage.clock.advance(days=(CONFIRMED_FOR - ASKED_BEFORE_FOR) / _DAY)
    desk.work()
    assert answer(desk, desk.postbox.token(deputy), "right", account) == 200
    assert desk.service.get(account.account_id).confirmed_by == deputy.person_id


def test_an_owner_who_left_is_not_asked_and_the_manager_hears_of_it(desk: Desk) -> None:
    account = desk.listed("zorza")
    desk.company.org.mark_left(desk.admin, desk.owner.person_id)
    desk.stage.clock.advance(days=CONFIRMED_FOR / _DAY)
    desk.work()
    desk.work()
    assert desk.service.get(account.account_id).under_review_at == desk.now
    assert desk.postbox.subjects(desk.owner) == []
    assert len(desk.postbox.subjects(desk.manager)) == 1


def test_where_no_district_has_a_manager_the_lead_is_told(desk: Desk) -> None:
    account = desk.listed("zorza", unit_id=desk.company.tehran.unit_id)
    under_review(desk, account)
    desk.work()
    assert len(desk.postbox.subjects(desk.company.lead)) == 1


def test_a_mail_that_fails_is_tried_again(desk: Desk) -> None:
    account = desk.listed("zorza")
    desk.postbox.down = True
    desk.stage.clock.advance(days=(CONFIRMED_FOR - ASKED_BEFORE_FOR) / _DAY)
    assert desk.work() == ["failed"]
    desk.postbox.down = False
    desk.stage.clock.advance(minutes=5)
    assert desk.work() == ["later"]
    assert answer(desk, desk.postbox.token(desk.owner), "right", account) == 200


def test_what_we_no_longer_stand_by_is_asked_about_no_more(desk: Desk) -> None:
    account = desk.listed("zorza")
    desk.amend(account, account_class=AccountClass.RETIRED)
    assert desk.entry(account) is None
    again = desk.amend(account, account_class=AccountClass.OFFICIAL)
    assert again.confirm_by_at == desk.now + CONFIRMED_FOR
    assert desk.entry(account) == desk.now + CONFIRMED_FOR - ASKED_BEFORE_FOR


def test_owner_backup_and_manager_may_confirm_and_others_may_not(desk: Desk) -> None:
    backup = desk.company.person("Zmienniczka")
    account = desk.listed("zorza", backup_id=backup.person_id)
    for person in (desk.owner, backup, desk.manager):
        desk.stage.clock.advance(days=1)
        after = desk.service.confirm_by_person(desk.company.actor(person), account.account_id)
        assert (after.confirmed_by, after.confirmed_at) == (person.person_id, desk.now)
    stranger = desk.company.person("Obcy", (Role.DISTRICT_MANAGER, desk.company.tehran))
    with pytest.raises(NotAllowed):
        desk.service.confirm_by_person(desk.company.actor(stranger), account.account_id)
    found = desk.listed("inna", AccountClass.CANDIDATE, owner_id="")
    with pytest.raises(Conflict, match="say first that it is official"):
        desk.service.confirm_by_person(desk.admin, found.account_id)


@pytest.mark.parametrize("language", Language)
def test_every_language_has_the_mails_and_the_page(desk: Desk, language: Language) -> None:
    for person in (desk.owner, desk.manager):
        desk.company.org.change_person(desk.admin, person.person_id, language=language)
    account = desk.listed("zorza", purpose="<b>news</b>")
    under_review(desk, account)
    desk.work()
    assert len(desk.postbox.sent) == 2
    assert not any("⟨U+" in mail.subject + mail.text for mail in desk.postbox.sent)
    page = desk.page.show(desk.postbox.token(desk.owner), "en")
    assert f'lang="{language}"' in page.html
    assert "<b>news" not in page.html
    assert "script" not in page.headers["Content-Security-Policy"]


def test_a_lost_entry_is_put_back_by_the_daily_look_and_the_owner_is_asked_in_time(desk: Desk) -> None:
    lost, done, there = (desk.listed(handle) for handle in ("zguba", "zrobiona", "zorza"))
    due_at = desk.entry(lost)
    timetable = desk.stage.kernel.timetable
    change = desk.stage.kernel.change(desk.admin.by)
    change.delete("timetable", {"entry_id": f"confirm_account#{lost.account_id}"})
    change.add(timetable.cancel(f"confirm_account#{done.account_id}", change.now))
    change.record("test", "lost")
    desk.stage.kernel.commit(change)
    assert (desk.entry(lost), desk.entry(done)) == (None, None)
    assert desk.confirmations.put_back() == 2
    assert {desk.entry(account) for account in (lost, done, there)} == {due_at}
    row = desk.company.row(f"account#{lost.account_id}", "put back on the timetable")
    assert row.way == Way.JOB
    assert desk.confirmations.put_back() == 0
    desk.stage.clock.advance(days=(CONFIRMED_FOR - ASKED_BEFORE_FOR) / _DAY)
    assert desk.work() == ["later"] * 3
    assert len(desk.postbox.subjects(desk.owner)) == 3


def test_the_daily_look_leaves_alone_what_is_there_parked_at_work_under_review_or_not_ours(
    desk: Desk,
) -> None:
    parked, working, reviewed = (desk.listed(handle) for handle in ("stoi", "pracuje", "sprawdzana"))
    desk.listed("kandydat", AccountClass.CANDIDATE)
    desk.amend(desk.listed("emeryt"), account_class=AccountClass.RETIRED)
    timetable = desk.stage.kernel.timetable
    desk.stage.clock.advance(days=CONFIRMED_FOR / _DAY)
    claim = timetable.claim(f"confirm_account#{parked.account_id}", desk.now, _DAY)
    assert isinstance(claim, Claim)
    timetable.park(claim, "broken", desk.now)
    assert isinstance(timetable.claim(f"confirm_account#{working.account_id}", desk.now, _DAY), Claim)
    place = desk.stage.database.get("accounts", account_key(reviewed.account_id))
    assert place is not None
    desk.work()
    assert desk.service.get(reviewed.account_id).under_review_at == desk.now
    lagging = where("SET lsk = :l", l=place["lsk"])  # the index does not know of the review yet
    desk.stage.database.update("accounts", account_key(reviewed.account_id), lagging)
    before = desk.company.everything_stored()
    assert desk.confirmations.put_back() == 0
    assert desk.company.everything_stored() == before


def test_more_lost_entries_than_a_transaction_takes_are_all_put_back(desk: Desk) -> None:
    accounts = [desk.listed(f"konto{n}") for n in range(52)]
    for account in accounts:
        change = desk.stage.kernel.change(desk.admin.by)
        change.unschedule(f"confirm_account#{account.account_id}")
        change.record("test", "lost")
        desk.stage.kernel.commit(change)
    assert desk.confirmations.put_back() == 52
    assert all(desk.entry(account) for account in accounts)
