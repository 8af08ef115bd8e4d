"""Posts in an outage of their platform: none is tried, none is lost, and all go out by themselves later."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.accounts.model import Account
from chalicelib.accounts.outages import Became, waited_for
from chalicelib.core.history import BY_JOB
from chalicelib.publishing.model import Post
from chalicelib.publishing.outage_posts import OutagePosts
from chalicelib.publishing.store import Word
from tests.fakes.box import Box
from tests.fakes.downtime import comes_back, goes_down, publish_for
from tests.publishing.test_publisher import fail_once, unsafe


@pytest.fixture
def posts(box: Box) -> OutagePosts:
    return OutagePosts(box.services.kernel.database, box.services.post_store)


def became(box: Box, posts: OutagePosts, name: str = "o1") -> dict[str, Became]:
    """The receipt of the posts, by their text."""
    lines = posts.became(waited_for(box.services.kernel.database, f"outage_{name}"))
    return {line.title.removeprefix("Post "): line.became for line in lines}


def test_a_post_that_is_due_in_an_outage_is_not_tried_and_goes_out_by_itself_after_it(
    box: Box, toots: Account, skies: Account
) -> None:
    post = box.signed([toots, skies], "Światła!", in_=1)
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon")

    publish_for(box, minutes=10)

    assert box.states(post) == ["scheduled", "published"]
    assert not [r for r in box.networks.requests if r.url.startswith("https://social.test/api/v1/status")]
    entry = box.services.kernel.timetable.get(box.variant(post).entry_id)
    assert (entry.failures, entry.crashes, entry.args.get("tries")) == (0, 0, None)
    assert entry.releases >= 5
    comes_back(box, "mastodon")
    publish_for(box, minutes=2)
    assert box.states(post) == ["published", "published"]
    assert len(box.networks.posts("Światła!")) == 2


def test_what_waited_goes_out_spread_over_two_minutes_and_not_in_one_flood(box: Box, toots: Account) -> None:
    posts = [box.signed([toots], f"story {n}", in_=1) for n in range(24)]
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon")
    publish_for(box, minutes=7)
    comes_back(box, "mastodon")
    back_at = box.now

    publish_for(box, minutes=2)

    out: list[datetime] = []
    for post in posts:
        published_at = box.variant(post).published_at
        assert published_at is not None
        out.append(published_at)
    assert min(out) >= back_at
    assert max(Counter(int((at - back_at).total_seconds() // 10) for at in out).values()) <= 10
    assert max(out) - min(out) > timedelta(seconds=30)


@pytest.mark.parametrize(
    ("action", "lasts_for", "state", "receipt"),
    [
        ("publish", 29, "published", Became.OUT),
        ("publish", 40, "late", Became.LATE),
        ("hold", 10, "held", Became.LATE),
        ("drop", 10, "cancelled", Became.LATE),
    ],
)
def test_what_becomes_too_late_in_an_outage_ends_then_as_its_late_policy_says(
    box: Box, toots: Account, posts: OutagePosts, action: str, lasts_for: int, state: str, receipt: Became
) -> None:
    grace = {"action": action, "grace_minutes": 32}
    post = box.signed([toots], "light", in_=1, late=grace)
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon")
    publish_for(box, minutes=lasts_for)
    assert box.states(post) == ["scheduled" if state == "published" else state]  # decided in its time
    comes_back(box, "mastodon")
    publish_for(box, minutes=3)
    assert box.states(post) == [state]
    assert became(box, posts) == {"light": receipt}


def test_a_hold_and_a_disconnected_account_still_stop_what_waits(box: Box, toots: Account) -> None:
    held, lost = box.signed([toots], "held", in_=1), box.signed([toots], "lost", in_=200)
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon")
    box.run_due()
    hold = box.services.holds.set(box.lead.by, "account", toots.account_id, "a crisis")
    publish_for(box, minutes=2)
    assert box.states(held) == ["held"]
    box.services.holds.lift(box.lead.by, hold.hold_id, "over")
    box.services.accounts.change(box.lead, toots.account_id, {"status": "retired"})
    publish_for(box, minutes=5)
    assert box.states(lost) == ["held"]


def test_a_platform_that_is_down_before_its_outage_is_known_burns_no_more_tries(
    box: Box, toots: Account
) -> None:
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    box.networks.fault = lambda r: "refuse"
    publish_for(box, minutes=2)
    entry_id = box.variant(post).entry_id
    tries = box.services.kernel.timetable.get(entry_id).args["tries"]
    assert int(tries) > 1
    goes_down(box, "mastodon")
    calls = len(box.networks.requests)
    publish_for(box, minutes=20)
    assert box.services.kernel.timetable.get(entry_id).args["tries"] == tries
    assert len(box.networks.requests) == calls
    box.networks.fault = lambda r: None
    comes_back(box, "mastodon")
    publish_for(box, minutes=2)
    assert box.states(post) == ["published"]


def test_a_look_for_a_lost_answer_waits_for_the_end_and_is_not_burnt(
    box: Box, toots: Account, posts: OutagePosts
) -> None:
    post = box.signed([toots], "lost", in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, "drop_after")
    box.run_due()
    assert box.states(post) == ["unknown"]
    box.networks.hidden_for = timedelta(minutes=3)
    box.run_until_quiet(hours=1 / 60)
    entry_id = f"reconcile#{box.variant(post).variant_id}"
    looks = box.services.kernel.timetable.get(entry_id).args["looks"]
    goes_down(box, "mastodon")
    calls = len(box.networks.requests)

    box.run_until_quiet(hours=6)

    entry = box.services.kernel.timetable.get(entry_id)
    assert (entry.args["looks"], entry.failures, len(box.networks.requests)) == (looks, 0, calls)
    assert became(box, posts) == {"lost": Became.UNKNOWN}
    comes_back(box, "mastodon")
    box.run_until_quiet(hours=1)
    assert box.states(post) == ["published"]
    assert (sum(unsafe(r) for r in box.networks.requests), len(box.networks.toots)) == (1, 1)
    assert became(box, posts) == {"lost": Became.OUT}


def test_the_platforms_own_word_is_believed_in_an_outage_too(box: Box, toots: Account) -> None:
    """What a webhook says needs no look at the platform."""
    post = box.signed([toots], in_=1)
    box.stage.clock.advance(seconds=1)
    fail_once(box, "drop_after")
    box.run_due()
    variant, kernel = box.variant(post), box.services.kernel
    change = kernel.change(BY_JOB)
    known = replace(variant, checkpoint='{"publish_id": "job-1"}')
    box.services.post_store.save_variant(change, known, variant)
    word = Word("published", post_id="9", url="https://social.test/9")
    box.services.post_store.keep_word(change, toots.account_id, "job-1", word)
    change.record(f"post#{post.post_id}", "told")
    kernel.commit(change)
    goes_down(box, "mastodon")
    box.run_until_quiet(hours=1 / 30)
    assert (box.states(post), box.variant(post).external_id) == (["published"], "9")


def test_an_outage_that_nobody_prolongs_ends_by_its_time_whoever_else_is_dead(
    box: Box, toots: Account
) -> None:
    post = box.signed([toots], in_=1, late={"action": "publish", "grace_minutes": 90})
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon", timedelta(hours=1))
    publish_for(box, minutes=59.9)
    assert box.states(post) == ["scheduled"]
    publish_for(box, minutes=2.1)
    assert box.states(post) == ["published"]


def test_the_receipt_is_of_what_waited_and_of_nothing_else(
    box: Box, toots: Account, skies: Account, posts: OutagePosts
) -> None:
    """Out before, due after, on another platform, cancelled meanwhile, refused after: each as it is."""

    def due(text: str, in_: float, *accounts: Account) -> Post:
        return box.signed(list(accounts or (toots,)), text, in_=in_)

    due("before", 1), due("elsewhere", 30, skies), due("after", 1800)
    waits, bad, dropped = due("waits", 30), due("bad", 40), due("dropped", 50)
    publish_for(box, seconds=5)
    goes_down(box, "mastodon")
    publish_for(box, minutes=5)
    assert became(box, posts) == dict.fromkeys(("waits", "bad", "dropped"), Became.WAITS)
    box.services.posts.cancel(box.author, dropped.post_id, "no more")
    comes_back(box, "mastodon")
    text = b"bad"
    box.networks.fault = lambda r: "422" if unsafe(r) and text in (r.body or b"") else None
    publish_for(box, minutes=3)
    assert [box.states(p) for p in (waits, bad, dropped)] == [["published"], ["refused"], ["cancelled"]]
    assert became(box, posts) == {"waits": Became.OUT, "bad": Became.STOPPED, "dropped": Became.STOPPED}
    publish_for(box, minutes=30)
    assert "after" not in became(box, posts)
    lines = posts.became(waited_for(box.services.kernel.database, "outage_o1"))
    by_title = {line.title: line for line in lines}
    assert by_title["Post waits"].url.startswith("https://social.test/@zorza/")
    assert {line.person_id for line in lines} == {box.author.person_id}


def test_what_is_due_there_is_what_is_still_to_go_out_by_then(
    box: Box, toots: Account, skies: Account, posts: OutagePosts
) -> None:
    both = box.signed([toots, skies], "both", in_=600)
    box.signed([toots], "tomorrow", in_=100_000)
    box.signed([toots], "now", in_=1)
    publish_for(box, seconds=2)
    (line,) = posts.due("mastodon", box.now + timedelta(hours=24))
    assert (line.ref, line.due_at) == (box.variant(both).variant_id, both.publish_at)
    assert (line.title, line.account_id) == ("Post both", toots.account_id)


def test_a_wait_costs_one_write_beside_the_claims_and_only_the_first_time(box: Box, toots: Account) -> None:
    box.signed([toots], "the first reads the path of the unit", in_=1)
    publish_for(box, seconds=2)
    entry_id = box.variant(box.signed([toots], in_=1)).entry_id
    box.stage.clock.advance(seconds=1)
    goes_down(box, "mastodon")
    asked = []
    for _ in range(2):
        with box.counted() as counted:
            assert box.services.publish_worker.run(entry_id) == "later"
        asked.append(list(counted))
        box.stage.clock.advance(minutes=2)
    claim_look, noted, given_back = ["UpdateItem", "BatchGetItem"], ["UpdateItem"], ["UpdateItem"]
    assert asked == [claim_look + noted + given_back, claim_look + given_back]
