"""From the queue to one effect: reliability matrix rows 11, 12, 13 and 16, unknown events, echoes."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import AccountStatus
from chalicelib.core import log as logs
from chalicelib.core.entry import BatchFailed
from chalicelib.core.timetable import Lane
from chalicelib.platforms.inbound import InboundEvent, InboundKind, Signed
from chalicelib.publishing.model import VariantState
from chalicelib.webhooks.envelope import LARGEST_PLAIN_BYTES, unwrap, wrap
from chalicelib.webhooks.jobs import ingest_events
from tests.platforms.webhooks import fixture
from tests.webhooks.conftest import PAGE, Porch, comment, delivery, meta_signature


def batch(bodies: list[str]) -> dict[str, Any]:
    return {
        "Records": [
            {"body": body, "receiptHandle": f"h{n}", "messageId": f"m{n}", "eventSource": "aws:sqs"}
            for n, body in enumerate(bodies)
        ]
    }


def told(porch: Porch, *events: InboundEvent) -> list[str]:
    """Apply events as a scheme would give them, without the scheme."""
    ingest: Any = porch.box.services.ingest

    class Scheme:
        def normalise(self, piece: Any) -> tuple[InboundEvent, ...]:
            return (events[piece["n"]],)

    ingest._schemes = lambda name: Scheme()
    at = porch.stage.clock.now()
    return [
        ingest.take(wrap(event.platform, "default", at, Signed("test"), {"n": n}))
        for n, event in enumerate(events)
    ]


def event(porch: Porch, kind: InboundKind, key: str = "k1", **more: Any) -> InboundEvent:
    return InboundEvent("facebook", kind, key, PAGE, porch.stage.clock.now(), **more)


# One effect


def test_a_thousand_duplicates_have_one_effect(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    for _ in range(20):
        porch.page(delivery(comment()))
    bodies = porch.queued() * 50
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(porch.box.services.ingest.take, bodies))
    assert len(outcomes) == 1000
    assert outcomes.count("done") == 1
    assert set(outcomes) == {"done", "seen"}
    assert len(porch.rows("inbox")) == 1
    assert len(porch.rows("inbound", "seen#")) == 1


def test_the_same_id_days_later_is_the_same_and_its_key_outlives_the_retries(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    for later in (timedelta(0), timedelta(minutes=6), timedelta(days=3), timedelta(days=4)):
        porch.stage.clock.advance(seconds=later.total_seconds())
        porch.page(delivery(comment()))
    assert porch.ingest() == ["done", "seen", "seen", "seen"]
    (row,) = porch.rows("inbound", "seen#")
    assert int(row["swept_at"]) >= (porch.stage.clock.now() + timedelta(days=1)).timestamp()


def test_events_in_any_order_leave_the_same_rows(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    for number in range(10):
        porch.page(delivery(comment(number=number)))
    bodies = porch.queued() * 2
    random.Random(7).shuffle(bodies)
    outcomes = porch.ingest(bodies)
    assert (outcomes.count("done"), outcomes.count("seen")) == (10, 10)
    assert len(porch.rows("inbox")) == 10


def test_a_crash_before_the_commit_leaves_nothing_and_the_repeat_does_it_all(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    porch.page(delivery(comment()))
    bodies = porch.queued()
    porch.inbox.broken = True
    with pytest.raises(ZeroDivisionError):
        porch.ingest(bodies)
    assert porch.rows("inbound", "seen#") == []
    porch.inbox.broken = False
    assert porch.ingest(bodies) == ["done"]


# Rows 11 to 13


def test_the_others_of_a_batch_with_poison_complete_and_the_poison_stays_whole(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    porch.page(delivery(*(comment(number=n) for n in range(6))))
    good = porch.queued()
    poison = [
        "not json",
        "{}",
        good[0].replace('"v":1', '"v":2'),
        '{"v":1,"z":"AAAA"}',
        good[0].replace('"facebook"', '"myspace"'),
    ]
    bodies = [*good[:3], *poison, *good[3:]]
    with pytest.raises(BatchFailed, match="5 of 11"):
        ingest_events(batch(bodies), None)
    assert len(porch.rows("inbox")) == 6
    with pytest.raises(BatchFailed):  # what SQS gives back is the poison alone; once more, with no effect
        ingest_events(batch(poison), None)
    assert len(porch.rows("inbox")) == 6


def test_dead_letters_redriven_twice_after_a_fix_have_one_effect(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    porch.page(delivery(*(comment(number=n) for n in range(12))))
    bodies, queues = porch.queued(), porch.box.services.kernel.queues
    for _ in range(2):
        queues.send("inbound-dlq", bodies)
        assert queues.redrive("inbound") == 12
        assert queues.redrive("inbound") == 0
    again = porch.queued()
    assert sorted(again) == sorted(bodies * 2)
    outcomes = porch.ingest(again)
    assert (outcomes.count("done"), outcomes.count("seen")) == (12, 12)
    assert len(porch.rows("inbox")) == 12


def test_a_large_event_travels_compressed(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    text = "zażółć 🌞 " * 40_000
    assert porch.page(delivery(comment(text))).status_code == 200
    (body,) = porch.queued()
    assert len(body) < LARGEST_PLAIN_BYTES
    assert unwrap(body).piece["change"]["value"]["message"] == text
    assert porch.ingest([body]) == ["done"]


# What nobody knows


def test_an_unknown_event_is_kept_raw_for_a_month_and_counted_once(porch: Porch) -> None:
    porch.secret("facebook")
    porch.account()
    news = {"field": "telepathy", "value": {"thought": "dzień dobry"}}
    for _ in range(3):
        porch.page(delivery(news))
    assert sorted(porch.ingest()) == ["seen", "seen", "unknown"]
    (raw,) = porch.rows("inbound", "unknown#facebook#")
    assert "dzie\\u0144 dobry" in raw["body"]
    assert int(raw["swept_at"]) == int((porch.stage.clock.now() + timedelta(days=30)).timestamp())
    (counted,) = porch.box.services.unknown_events.types()
    assert (counted.name, counted.n) == ("facebook#telepathy", 1)


def test_an_event_for_an_account_that_is_not_here_is_kept_and_counted(porch: Porch) -> None:
    porch.secret("facebook")
    account = porch.account()
    porch.box.services.accounts.change(porch.box.lead, account.account_id, {"status": AccountStatus.RETIRED})
    porch.page(delivery(comment()))
    porch.page(delivery(comment(number=2, page="555"), page="555"))
    assert porch.ingest() == ["unknown", "unknown"]
    (counted,) = porch.box.services.unknown_events.types()
    assert (counted.name, counted.n) == ("facebook#no such account", 2)
    assert porch.inbox.taken == []


def hooked(porch: Porch, name: str, ours: str = "") -> str:
    """A delivery of a Mastodon server's own webhook, signed, as it lies on the queue; its brand is `ours`."""
    porch.secret("mastodon")
    raw = fixture("mastodon", name).replace(b'"23634"', f'"{ours or 23634}"'.encode())
    signature = {"X-Hub-Signature": meta_signature(raw)}
    assert porch.post("/webhooks/mastodon", raw, signature).status_code == 200
    (body,) = porch.queued()
    return body


@pytest.mark.parametrize(
    "name", ["status_created_reply", "status_created_boost", "account_created", "report_created"]
)
def test_what_strangers_do_on_a_server_that_tells_all_is_counted_and_nothing_of_it_is_kept(
    porch: Porch, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = hooked(porch, name)
    assert porch.ingest([body, body]) == ["strangers", "strangers"]
    assert porch.rows("inbound") == []
    logs.flush()
    assert '"inbound_strangers"' in capsys.readouterr().out


def test_what_a_server_that_tells_all_says_of_our_account_is_taken_in(porch: Porch) -> None:
    ours = porch.box.account("zorza").external_id
    assert porch.ingest([hooked(porch, "status_created_reply", ours)]) == ["done"]
    assert [e.account for e in porch.inbox.taken] == [ours]


# What nobody has to answer


def test_reactions_and_shares_are_counted_and_open_no_conversation(porch: Porch) -> None:
    porch.account()
    reaction = event(porch, InboundKind.REACTION, details={"reaction": "like"})
    share = event(porch, InboundKind.SHARE, "k2")
    assert told(porch, reaction, reaction, share) == ["counted", "seen", "counted"]
    assert porch.inbox.taken == []


def test_a_reaction_is_counted_in_the_inboxs_numbers_and_nowhere_else(porch: Porch) -> None:
    account = porch.account()
    del porch.box.services.__dict__["inbox"]
    at = porch.stage.clock.now()
    reaction = event(porch, InboundKind.REACTION, details={"reaction": "like"})
    taken_back = replace(reaction, key="k2", details={"reaction": "like", "removed": "yes"})
    assert told(porch, reaction, reaction, replace(reaction, key="k3"), taken_back) == [
        "counted", "seen", "counted", "counted",
    ]  # fmt: skip
    rows = porch.box.services.inbox_numbers.rows(("account", account.account_id), at.date(), at.date())
    assert sum(metrics.get("reactions", 0) for *_, metrics in rows) == 1
    assert porch.rows("inbound", "counts#") == []


def test_our_own_answer_goes_to_the_inbox_as_ours(porch: Porch) -> None:
    porch.account()
    assert told(porch, event(porch, InboundKind.COMMENT, external_id="c1", own=True)) == ["done"]
    assert [e.own for e in porch.inbox.taken] == [True]


def test_a_post_of_ours_that_comes_back_is_dropped_and_counted(porch: Porch) -> None:
    account = porch.box.account("zorza")
    post = porch.box.signed([account])
    porch.box.run_until_quiet(hours=1)
    published = porch.box.variant(post)
    assert published.state == VariantState.PUBLISHED
    echo = replace(
        event(porch, InboundKind.MENTION, external_id=str(published.external_id), own=True),
        platform="mastodon",
        account=account.external_id,
    )
    assert told(porch, echo) == ["echo"]
    assert told(porch, replace(echo, key="k2", external_id="another")) == ["done"]
    assert [c.n for c in porch.box.services.counts.all("echo")] == [1]


# Accounts that a platform takes away


@pytest.mark.parametrize(
    ("kind", "status", "subject"),
    [
        (InboundKind.PERMISSION_REVOKED, AccountStatus.CREDENTIALS_REFUSED, "Connect again"),
        (InboundKind.ACCOUNT_RESTRICTED, AccountStatus.RESTRICTED, "Restricted"),
    ],
)
def test_an_account_that_its_platform_stops_is_marked_its_posts_are_held_and_its_owner_is_told(
    porch: Porch, kind: InboundKind, status: AccountStatus, subject: str
) -> None:
    account, other = porch.box.account("zorza"), porch.box.account("inna")
    posts = [porch.box.signed([account, other], in_=86_400 + n) for n in range(3)]
    porch.box.run_due(Lane.CHORES)
    stop = replace(
        event(porch, kind, details={"reason": "The moderators say so."}),
        platform="mastodon",
        account=account.external_id,
    )
    assert told(porch, stop, replace(stop, key="k2"), stop) == ["done", "done", "seen"]
    assert porch.box.services.accounts.get(account.account_id).status == status
    porch.box.run_due(Lane.CHORES)
    for post in posts:
        assert porch.box.states(post) == ["held", "scheduled"]
        assert porch.box.variant(post).reason == "The moderators say so."
    assert porch.box.run_due(Lane.CHORES) == []
    mails = [m for m in porch.mails() if subject in m["Subject"]]
    assert [m["To"] for m in mails] == ["maja@zorza.test"]
    assert "The moderators say so." in mails[0].get_body(("plain",)).get_content()


def test_an_old_revocation_does_not_stop_an_account_that_was_connected_since(porch: Porch) -> None:
    account = porch.box.account("zorza")
    old = replace(
        event(porch, InboundKind.PERMISSION_REVOKED),
        platform="mastodon",
        account=account.external_id,
        happened_at=account.credentials_at - timedelta(minutes=1),
    )
    assert told(porch, old) == ["done"]
    assert porch.box.services.accounts.get(account.account_id).status == AccountStatus.ACTIVE


def test_a_changed_profile_is_in_the_accounts_history(porch: Porch) -> None:
    account = porch.account()
    assert told(porch, event(porch, InboundKind.PROFILE_CHANGED, details={"field": "phone"})) == ["done"]
    rows = porch.stage.history.of(f"account#{account.account_id}")
    (row,) = [r for r in rows if r.what == "changed on the platform"]
    assert row.way == "platform"
    assert row.details == {"field": "phone"}
