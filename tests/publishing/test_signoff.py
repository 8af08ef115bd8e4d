"""A sign-off: what it schedules, a transaction at a time, and what is left of it when it is withdrawn."""

import random
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import Account
from chalicelib.approvals.model import Changed, IfLate, Policy, What
from chalicelib.approvals.model import Stage as PolicyStage
from chalicelib.core.clock import FixedClock
from chalicelib.core.errors import Conflict
from chalicelib.core.timetable import Lane
from chalicelib.org.roles import Role
from chalicelib.publishing.model import Post
from chalicelib.publishing.service import AT_ONCE
from tests.conftest import NOON, TEMPLATE
from tests.fakes.box import Box
from tests.fakes.networks import Killed
from tests.fakes.stage import Stage
from tests.publishing.api import Desk, text_of


@pytest.fixture(scope="module")
def crowd(moto_cloud: None) -> Box:
    """A box with 120 accounts, shared: each test has posts of its own."""
    box = Box.open(Stage.create("c" + uuid.uuid4().hex[:9], TEMPLATE, FixedClock(NOON)))
    for n in range(120):
        box.account(f"tor{n}")
    return box


@pytest.fixture
def accounts(crowd: Box) -> list[Account]:
    found, more = crowd.services.accounts.page(crowd.lead, 200)
    assert (len(found), more) == (120, None)
    crowd.networks.toots.clear()
    return found


@contextmanager
def killed_at(box: Box, commit: int, *, after: bool) -> Iterator[None]:
    """The process ends at the n-th transaction from now, before it or after it."""
    left, moment = [commit], "after-call" if after else "before-call"

    def count(**_: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    events = box.stage.dynamodb.meta.events
    events.register(f"{moment}.dynamodb.TransactWriteItems", count)
    try:
        yield
    finally:
        events.unregister(f"{moment}.dynamodb.TransactWriteItems", count)


def chores(box: Box) -> None:
    while box.run_due(Lane.CHORES):
        pass


def rows(box: Box, post: Post) -> list[str]:
    return [str(v.state) for v in box.services.post_store.variants(post.post_id)]


def test_120_variants_are_scheduled_in_pieces_and_each_is_published_once(
    crowd: Box, accounts: list[Account]
) -> None:
    post = crowd.signed(accounts, "do wszystkich", in_=600)
    sizes = []
    while crowd.run_due(Lane.CHORES):
        sizes.append(len(rows(crowd, post)))
    assert sizes == [20, 40, 60, 80, 100, 120]
    assert set(crowd.states(post)) == {"scheduled"}
    crowd.stage.clock.advance(seconds=600)
    crowd.run_due()
    assert sorted(t.account for t in crowd.networks.posts("do wszystkich")) == sorted(
        a.handle for a in accounts
    )
    assert set(crowd.states(post)) == {"published"}


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_between_pieces_leaves_nothing_out_and_nothing_twice(
    crowd: Box, accounts: list[Account], after: bool
) -> None:
    post = crowd.signed(accounts[:45], f"kawałki {after}", in_=900)
    for commit in (1, 2):
        with killed_at(crowd, commit, after=after), suppress(Killed):
            chores(crowd)
        crowd.stage.clock.advance(minutes=3)
    chores(crowd)
    assert rows(crowd, post) == ["scheduled"] * 45
    crowd.stage.clock.set(post.publish_at)
    crowd.run_due()
    assert len(crowd.networks.posts(f"kawałki {after}")) == 45


def test_an_edit_between_pieces_publishes_nothing_that_is_not_signed(
    crowd: Box, accounts: list[Account]
) -> None:
    post = crowd.signed(accounts[:42], "stare słowa", in_=60)
    crowd.run_due(Lane.CHORES)
    crowd.run_due(Lane.CHORES)
    crowd.services.posts.change(crowd.author, post.post_id, {"text": "nowe słowa"})
    crowd.stage.clock.advance(seconds=60)
    crowd.run_due()
    chores(crowd)
    crowd.run_until_quiet(hours=3)
    assert crowd.networks.toots == []
    assert set(rows(crowd, post)) == {"draft"}
    assert set(crowd.states(crowd.services.posts.get(post.post_id))) == {"draft"}


def test_what_is_signed_again_with_the_same_words_is_scheduled_again(
    crowd: Box, accounts: list[Account]
) -> None:
    """The revision is then the same as that of the rows which were taken back."""
    post = crowd.signed(accounts[:24], "tam i z powrotem", in_=600)
    chores(crowd)
    for text in ("inaczej", "tam i z powrotem"):
        changed = crowd.services.posts.change(crowd.author, post.post_id, {"text": text})
    assert changed.revision == post.revision
    again = crowd.sign(changed)
    chores(crowd)
    assert rows(crowd, again) == ["scheduled"] * 24
    crowd.stage.clock.advance(seconds=600)
    crowd.run_due()
    assert len(crowd.networks.posts("tam i z powrotem")) == 24


def test_a_new_order_of_the_targets_between_pieces_leaves_nobody_out(
    crowd: Box, accounts: list[Account]
) -> None:
    post = crowd.signed(accounts[:30], "kolejność", in_=600)
    crowd.run_due(Lane.CHORES)
    turned = list(reversed(post.targets))
    assert crowd.services.posts.change(crowd.author, post.post_id, {"targets": turned}).state == "approved"
    chores(crowd)
    crowd.stage.clock.advance(seconds=600)
    crowd.run_due()
    assert len(crowd.networks.posts("kolejność")) == 30


def test_a_void_that_dies_half_way_is_finished_by_the_next_worker(
    crowd: Box, accounts: list[Account]
) -> None:
    post = crowd.signed(accounts[:42], "połowa", in_=600)
    chores(crowd)
    crowd.services.posts.cancel(crowd.author, post.post_id, "nie")
    with killed_at(crowd, 2, after=False), suppress(Killed):
        chores(crowd)
    assert set(rows(crowd, post)) == {"scheduled", "cancelled"}
    crowd.stage.clock.set(post.publish_at)
    crowd.run_due()
    assert crowd.networks.toots == []
    crowd.run_until_quiet(hours=3)
    assert set(rows(crowd, post)) == {"cancelled"}
    assert crowd.networks.toots == []


def stalled(box: Box, meanwhile: Callable[[], Any]) -> None:
    """A worker takes the next piece, and before its transaction commits something else happens."""
    due = box.services.kernel.timetable.due(Lane.CHORES, box.now)
    (entry_id,) = [entry_id for entry_id, _ in due if entry_id.startswith("schedule_variants#")]
    claim = box.services.kernel.timetable.claim(entry_id, box.now, timedelta(seconds=1))
    database, pending = box.services.kernel.database, [meanwhile]
    transact = database.transact

    def others_first(writes: Any) -> None:
        if pending:
            pending.pop()()
        transact(writes)

    database.transact = others_first  # type: ignore[method-assign]
    try:
        box.services.post_subject.schedule_variants(claim)  # type: ignore[arg-type]
    finally:
        database.transact = transact  # type: ignore[method-assign]


def test_a_slow_worker_does_not_put_a_published_variant_back_on_the_timetable(
    crowd: Box, accounts: list[Account]
) -> None:
    post = crowd.signed(accounts[:30], "powolny", in_=1)
    crowd.stage.clock.advance(seconds=1)

    def others_are_faster() -> None:
        crowd.stage.clock.advance(seconds=2)
        chores(crowd)
        crowd.run_due()

    with pytest.raises(Conflict, match="has moved on"):
        stalled(crowd, others_are_faster)
    crowd.run_until_quiet(hours=1)
    assert len(crowd.networks.posts("powolny")) == 30
    assert set(crowd.states(post)) == {"published"}


def test_a_piece_that_comes_after_the_void_places_nothing(crowd: Box, accounts: list[Account]) -> None:
    post = crowd.signed(accounts[:30], "za późno", in_=600)
    with pytest.raises(Conflict, match="the sign-off was withdrawn"):
        stalled(crowd, lambda: crowd.services.posts.cancel(crowd.author, post.post_id, "nie"))
    assert rows(crowd, post) == []


def test_no_order_of_edits_signatures_deaths_and_workers_publishes_what_is_not_signed(
    crowd: Box, accounts: list[Account]
) -> None:
    """Random schedules over a post of more variants than one transaction takes: every variant goes out at
    most once and only with signed words, and when all is quiet under a sign-off, it is out or late.
    """
    for seed in range(5):
        chance, few = random.Random(seed), accounts[: AT_ONCE + 2]
        crowd.networks.toots.clear()
        texts = [f"wersja {seed} {n}." for n in range(2)]
        post = crowd.signed(few, texts[0], in_=300)
        signed = {texts[0]}
        steps: list[Callable[[], Any]] = [
            lambda: crowd.run_due(Lane.CHORES),
            crowd.run_due,
            lambda: crowd.stage.clock.advance(seconds=50),
        ]
        for _ in range(10):
            step = chance.randrange(6)
            try:
                if step < 3:
                    with killed_at(crowd, chance.randint(1, 4), after=chance.random() < 0.5):
                        steps[step]()
                elif step == 3:
                    fields: dict[str, Any] = {"text": chance.choice(texts)}
                    if crowd.services.posts.get(post.post_id).publish_at <= crowd.now:
                        fields["publish_at"] = crowd.now + timedelta(minutes=5)
                    crowd.services.posts.change(crowd.author, post.post_id, fields)
                elif crowd.services.posts.get(post.post_id).state == "draft":
                    current = crowd.services.posts.get(post.post_id)
                    crowd.sign(current)
                    signed.add(current.text)
            except (Killed, Conflict):
                continue
        crowd.run_until_quiet(hours=2)
        last = crowd.services.posts.get(post.post_id)
        out = [(t.account, t.text) for t in crowd.networks.toots]
        assert {text for _, text in out} <= signed, seed
        assert len({account for account, _ in out}) == len(out), seed
        if last.state == "approved":
            ends = crowd.states(last)
            assert set(ends) <= {"published", "late"}, (seed, ends)
            assert len(out) == ends.count("published"), seed


# What changed since the approvers were last asked


def changes(box: Box, post: Post, fields: dict[str, Any]) -> tuple[Changed, ...]:
    """What approvers are told when a post that they were asked about is changed and submitted again."""
    box.services.posts.submit(box.author, post.post_id)
    box.services.posts.change(box.author, post.post_id, fields)
    again = box.services.posts.submit(box.author, post.post_id)
    return box.services.post_subject.preview(f"post#{post.post_id}", again.revision).changes


def test_what_changed_is_told_as_values_and_what_changed_alike_once(
    box: Box, toots: Account, skies: Account
) -> None:
    extra = box.account("extra")
    post = box.draft([toots, skies], "stare", in_=600)
    at = post.publish_at + timedelta(hours=1)
    fields = {
        "text": "nowe",
        "language": "fa",
        "publish_at": at,
        "targets": [toots.account_id, skies.account_id, extra.account_id],
        "late": {"action": "drop", "grace_minutes": 30},
    }
    both = (f"{toots.handle} (mastodon)", f"{skies.handle} (bluesky)")
    assert changes(box, post, fields) == (
        Changed(What.TIME, post.publish_at, at),
        Changed(What.IF_LATE, IfLate("publish", 30), IfLate("drop", 30)),
        Changed(What.LANGUAGE, "pl", "fa"),
        Changed(What.TEXT, "stare", "nowe", both),
        Changed(What.ADDED, channels=("extra (mastodon)",)),
    )


def test_a_change_on_one_channel_names_that_channel_alone(box: Box, toots: Account, skies: Account) -> None:
    post = box.draft([toots, skies], "stare", in_=600)
    own = {"text": None, "media": None, "options": {"visibility": "unlisted"}}
    fields = {"targets": [toots.account_id], "overrides": {toots.account_id: own}}
    assert changes(box, post, fields) == (
        Changed(What.OPTIONS, "", "visibility: unlisted", (f"{toots.handle} (mastodon)",)),
        Changed(What.TAKEN_OFF, channels=(f"{skies.handle} (bluesky)",)),
    )


def test_a_change_and_back_again_is_no_change_and_the_next_one_starts_from_there(
    box: Box, toots: Account
) -> None:
    post = box.draft([toots], "pierwszy", in_=600)
    box.services.posts.submit(box.author, post.post_id)
    for text in ("drugi", "pierwszy"):
        box.services.posts.change(box.author, post.post_id, {"text": text})
    where = (f"{toots.handle} (mastodon)",)
    post = box.services.posts.get(post.post_id)
    assert changes(box, post, {"text": "trzeci"}) == (Changed(What.TEXT, "pierwszy", "trzeci", where),)
    first = box.services.post_subject.preview(f"post#{post.post_id}", post.revision)
    assert [c.text for c in first.channels] == ["pierwszy"]


def test_a_stale_page_tells_the_change_by_the_readers_clock_and_in_their_words(
    desk: Desk, toots: Account
) -> None:
    box = desk.box
    post = box.draft([toots], "stare", in_=3600)
    box.services.posts.submit(box.author, post.post_id)
    desk.work()
    link = desk.link("shirin@zorza.test")
    at = post.publish_at + timedelta(hours=1)
    box.services.posts.change(box.author, post.post_id, {"publish_at": at, "text": "nowe"})
    status, page = desk.page(link)
    assert status == 409
    told = re.findall(r"<b>(.+?)</b>|<(?:del|ins) dir=\"auto\">(.+?)</(?:del|ins)>", page)
    heading, was, is_, text, *_ = [a or b for a, b in told]
    assert (heading, text) == ("زمان", "متن")
    assert "۱۶:۳۰" in was  # 13:00 UTC in Tehran
    assert "۱۷:۳۰" in is_
    assert f": <bdi>{toots.handle} (mastodon)</bdi>" in page
    assert "Z</" not in page


# Approval and the post's time


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


@pytest.mark.parametrize("many", [1, AT_ONCE + 5])
def test_an_approval_after_the_time_publishes_nothing_and_the_author_is_told(desk: Desk, many: int) -> None:
    box = desk.box
    policy = Policy((PolicyStage("PR", role=Role.APPROVER),), late_approval=True)
    box.services.approvals.policies.set(box.lead, box.unit_id, policy)
    targets = [box.account(f"a{n}") for n in range(many)]
    post = box.draft(targets, in_=120)
    box.services.posts.submit(box.author, post.post_id)
    desk.work()
    link = desk.link("agnieszka@zorza.test")
    box.stage.clock.advance(minutes=5)
    status, page = desk.press(link, "approve")
    assert status == 200, page
    desk.work()
    late = box.services.posts.get(post.post_id)
    assert (late.state, set(box.states(late))) == ("late", {"late"})
    box.run_until_quiet(hours=5)
    assert box.networks.toots == []
    assert set(box.states(late)) == {"late"}
    (mail,) = [m for m in desk.mails("zofia@") if "Dzień dobry!" in str(m["Subject"])]
    assert "a0 (mastodon)" in text_of(mail)
    assert len([m for m in desk.mails("maja@") if "Late: Post Dzień dobry!" in str(m["Subject"])]) == 1
    rows_of_post = box.services.history.of(f"post#{post.post_id}")
    assert [r.what for r in rows_of_post if "late" in r.what] == ["approved too late"]


def test_a_request_nobody_answered_in_time_gives_the_post_back(desk: Desk, toots: Account) -> None:
    box = desk.box
    post = box.draft([toots], in_=120)
    box.services.posts.submit(box.author, post.post_id)
    desk.work()
    link = desk.link("agnieszka@zorza.test")
    box.stage.clock.advance(minutes=3)
    assert desk.press(link, "approve")[0] == 410
    desk.work()
    assert box.services.posts.get(post.post_id).state == "draft"
    assert box.states(box.services.posts.get(post.post_id)) == ["draft"]
    assert box.networks.toots == []
