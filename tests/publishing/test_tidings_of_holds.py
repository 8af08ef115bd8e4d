"""What a hold met is mailed once to each person concerned, however many variants that was."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.core.clock import to_text
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.org.model import Language
from chalicelib.publishing.holds import receipt_line
from chalicelib.publishing.model import Variant, VariantState
from tests.fakes.box import Box
from tests.publishing.api import Desk, html_of, text_of


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


def test_a_hold_is_told_by_its_receipt_and_not_by_a_mail_for_each_variant(desk: Desk, toots: Account) -> None:
    posts = [desk.box.signed([toots], f"post {n}", in_=60) for n in range(3)]
    desk.box.services.holds.set(desk.box.lead.by, "all", "", "awaria u dostawcy")
    desk.box.stage.clock.advance(seconds=60)
    desk.box.run_due()
    desk.work()
    assert [s for p in posts for s in desk.box.states(p)] == ["held"] * 3
    assert sorted(str(m["To"]) for m in desk.mails()) == ["maja@zorza.test", "zofia@zorza.test"]
    (mail,) = desk.mails("maja@")
    assert str(mail["Subject"]) == "A hold was set: awaria u dostawcy"
    for part in (text_of(mail), html_of(mail)):
        for n in range(3):
            assert f"Post post {n}" in part
        assert "zorza (mastodon)" in part
        assert "a lead or a district manager releases each" in part
        assert "awaria u dostawcy" in part
        assert "Maja Orłowska" in part
        assert "Out already" not in part
    assert "Stopped: 3" in text_of(mail)


def test_a_holds_mail_lists_what_was_stopped_on_its_way_and_out_for_each_their_own(desk: Desk) -> None:
    box = desk.box
    owner = desk.person("Kaveh Rezaei", language=Language.PERSIAN)
    theirs, other = desk.owned(owner, "theirs")[0], box.account("other")
    box.signed([theirs], "out", in_=1)
    box.stage.clock.advance(seconds=1)
    box.run_due()
    box.signed([theirs, other], "stopped", in_=600)
    box.signed([theirs], "flying", in_=1)
    box.stage.clock.advance(seconds=1)

    def hold_during_the_call(request: Any) -> None:
        if request.url.endswith("/statuses") and request.method == "POST":
            box.services.holds.set(box.lead.by, "all", "", "dość")
            box.run_due(Lane.CHORES)

    box.networks.fault = hold_during_the_call
    box.run_due()
    desk.work()
    assert sorted(str(m["To"]) for m in desk.mails()) == [owner.email, "maja@zorza.test", "zofia@zorza.test"]
    (persian,), (polish,), (english,) = (desk.mails(to) for to in (owner.email, "zofia@", "maja@"))
    assert [text_of(persian).count(t) for t in ("Post out", "Post stopped", "Post flying")] == [1, 1, 1]
    assert "other" not in text_of(persian)
    assert 'lang="fa" dir="rtl"' in html_of(persian)
    for heading in ("متوقف‌شده: ۱", "در راه، هنگام اعلام توقف: ۱", "منتشرشده در یک روز پیش از توقف: ۱"):
        assert heading in text_of(persian)
    assert "Zatrzymane: 2" in text_of(polish)
    assert "other (mastodon) · theirs (mastodon)" in text_of(polish)
    assert ["Stopped: 1" in text_of(english), "On its way" in text_of(english)] == [True, False]


def test_what_comes_under_a_standing_hold_later_is_told_within_the_hour_and_once(
    desk: Desk, toots: Account
) -> None:
    box = desk.box
    hold = box.services.holds.set(box.lead.by, "all", "", "wait")
    box.run_until_quiet(hours=0.5)
    assert desk.mails() == []
    box.signed([toots], "approved meanwhile", in_=60)
    box.run_until_quiet(hours=5)
    (mail,) = desk.mails("maja@")
    assert "approved meanwhile" in text_of(mail)
    box.services.holds.lift(box.lead.by, hold.hold_id, "over")
    box.run_until_quiet(hours=5)
    assert len(desk.mails("maja@")) == 1
    left = box.services.kernel.timetable.due(Lane.CHORES, box.now + timedelta(days=9))
    assert [entry_id for entry_id, _ in left if hold.hold_id in entry_id] == []


def test_a_count_that_runs_again_after_its_end_mails_nobody_twice(desk: Desk, toots: Account) -> None:
    box = desk.box
    box.signed([toots], in_=60)
    hold = box.services.holds.set(box.lead.by, "all", "", "wait")
    desk.work()
    claim = Claim(Entry("again", Lane.CHORES, "count_hold", hold.hold_id, box.now), "owner", box.now)
    box.services.holds.count(claim, lambda unit_id: (unit_id,))
    desk.work()
    assert len(desk.mails()) == 2


def test_a_hold_on_a_thousand_variants_is_one_short_mail_to_each(desk: Desk) -> None:
    box = desk.box
    accounts = [box.account(f"channel{n}") for n in range(40)]
    posts = [box.draft(accounts, f"number {n}.", in_=600) for n in range(25)]
    hold = box.services.holds.set(box.lead.by, "all", "", "powódź " * 100)
    for post in posts:
        for account in accounts:
            line = Variant(
                post.post_id, account.account_id, "mastodon", "", "", VariantState.HELD, box.now, box.now
            )
            box.services.kernel.database.put("holds", receipt_line(hold.hold_id, line, "stopped", box.now))
    desk.work()
    (mail,) = desk.mails("maja@")
    text = text_of(mail)
    assert "Stopped: 1000" in text
    assert text.count("and 32 more") == 20
    assert "* and 5 more" in text
    assert len(html_of(mail)) < 40_000
    assert len(str(mail["Subject"])) < 120
    assert len(desk.mails()) == 2


def test_many_mails_are_sent_over_several_runs_and_none_twice(desk: Desk, toots: Account) -> None:
    """SES is slow here: what does not fit into a worker's time is left to the next."""
    box = desk.box
    accounts = [desk.owned(desk.person(f"Owner{n}"), f"channel{n}")[0] for n in range(7)]
    box.signed(accounts, in_=600)

    def slowly(**_: Any) -> None:
        box.stage.clock.advance(seconds=20)

    events = box.stage.ses.meta.events
    events.register("before-call.sesv2.SendEmail", slowly)
    try:
        box.services.holds.set(box.lead.by, "all", "", "wait")
        box.run_due(Lane.CHORES)
        box.run_due(Lane.CHORES)
        assert len(desk.mails()) == 3
        for _ in range(4):
            box.run_due(Lane.CHORES)
    finally:
        events.unregister("before-call.sesv2.SendEmail", slowly)
    told = sorted(str(m["To"]) for m in desk.mails())
    assert told == sorted({*(f"owner{n}@zorza.test" for n in range(7)), "zofia@zorza.test"})


def test_a_holds_mail_reads_its_posts_together(desk: Desk, toots: Account) -> None:
    box, holds = desk.box, desk.box.services.holds
    hold = holds.set(box.lead.by, "all", "", "wait")
    for n in range(30):
        post = box.draft([toots], f"number {n}.", in_=600)
        line = Variant(post.post_id, toots.account_id, "", "", "", VariantState.HELD, box.now, box.now)
        box.services.kernel.database.put("holds", receipt_line(hold.hold_id, line, "stopped", box.now))
    holds.lift(box.lead.by, hold.hold_id, "over")
    entry = Entry("tell", Lane.CHORES, "tell_outcome", f"hold#{hold.hold_id}", box.now)
    claim = Claim(replace(entry, args={"until": to_text(box.now)}), "owner", box.now)
    with box.counted() as asked:
        box.services.tidings.tell_outcome(claim)
    assert "Stopped: 30" in text_of(desk.mails("maja@")[0])
    assert asked.count("GetItem") < 10  # the hold, and each person who is mailed
    assert asked.count("BatchGetItem") == 2  # accounts, posts
