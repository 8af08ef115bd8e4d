"""What Bluesky's notifications and an account's status mean in our words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.platforms.bluesky.inbound import BlueskyInbound
from chalicelib.platforms.inbound import (
    Author,
    BadSignature,
    InboundEvent,
    InboundKind,
    InboundMedia,
    Receiving,
)
from tests.platforms.webhooks import SECRETS, delivery, fixture, fixtures_of

US, OLA = "did:plc:n5wlthd3vs75re5isolkzsax", "did:plc:d5tbffnq6emirb74juoukyjp"
POST = f"at://{US}/app.bsky.feed.post/3m6aaaaaaaa2a"
PAGE = f"https://bsky.app/profile/{OLA}/post/3m6bbbbbbbb2b"


def told(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fixture("bluesky", name))
    return found


def one(name: str, **changes: Any) -> InboundEvent:
    (found,) = BlueskyInbound().normalise({"account": US, "notification": told(name) | changes})
    return found


def test_a_reply_is_a_comment_in_the_thread_of_its_root_and_writer() -> None:
    assert one("reply") == InboundEvent(
        "bluesky",
        InboundKind.COMMENT,
        f"post:at://{OLA}/app.bsky.feed.post/3m6bbbbbbbb2b:{told('reply')['cid']}",
        US,
        datetime(2026, 11, 22, 11, 58, 0, 351000, tzinfo=UTC),
        external_id=f"at://{OLA}/app.bsky.feed.post/3m6bbbbbbbb2b",
        author=Author(OLA, "ola.test", "اُلا 🌱", "https://bsky.app/profile/ola.test"),
        thread=f"{POST} {OLA}",
        parent_id=POST,
        post_id=POST,
        text="سلام!\nباز هستید؟",
        language="fa",
        url=PAGE,
        media=(
            InboundMedia(
                "image",
                f"https://cdn.bsky.app/img/feed_fullsize/plain/{OLA}/bafkreiabcdefghijklmnopqrstuvwxyz234567",
                "یک عکس",
            ),
        ),
    )


def test_a_mention_begins_a_thread_of_its_own() -> None:
    event = one("mention")
    assert (event.kind, event.thread) == (InboundKind.MENTION, f"{event.external_id} {OLA}")
    assert (event.parent_id, event.post_id) == ("", "")


def test_who_answers_and_mentions_us_at_once_has_commented() -> None:
    event = one("reply_that_mentions")
    assert (event.kind, event.thread) == (InboundKind.COMMENT, f"{POST} {OLA}")


def test_a_mention_in_a_strangers_thread_stays_a_mention() -> None:
    event = one("mention_in_a_strangers_thread")
    assert event.kind == InboundKind.MENTION
    assert event.thread == f"at://{OLA}/app.bsky.feed.post/3m6cccccccc2a {OLA}"
    assert event.parent_id == "at://did:plc:third/app.bsky.feed.post/3m6cccccccc2b"


@pytest.mark.parametrize("name", ["quote", "quote_with_media"])
def test_a_quote_is_a_mention_of_the_post_that_it_quotes(name: str) -> None:
    event = one(name)
    assert (event.kind, event.post_id) == (InboundKind.MENTION, POST)


def test_a_link_beside_a_quote_is_kept() -> None:
    assert one("quote_with_media").media == (InboundMedia("link", "https://example.org/a", "Tytuł"),)


def test_one_post_is_one_event_whatever_it_is_told_for() -> None:
    assert one("reply").key == one("reply", reason="mention").key != one("mention").key


@pytest.mark.parametrize(
    ("name", "kind", "details", "post"),
    [
        ("like", InboundKind.REACTION, {"reaction": "like"}, POST),
        ("repost", InboundKind.SHARE, {}, POST),
        ("follow", InboundKind.REACTION, {"reaction": "follow"}, ""),
        ("verified", InboundKind.PROFILE_CHANGED, {"field": "verification"}, ""),
        ("new_kind", InboundKind.UNKNOWN, {"type": "waved"}, ""),
    ],
)
def test_what_nobody_has_to_answer(name: str, kind: InboundKind, details: dict[str, str], post: str) -> None:
    event = one(name)
    assert (event.kind, event.details, event.post_id) == (kind, details, post)


def test_what_we_wrote_ourselves_is_ours_and_in_the_thread_of_whom_we_answered() -> None:
    record = told("reply")["record"]
    parent = {
        "root": record["reply"]["root"],
        "parent": {"uri": f"at://{OLA}/app.bsky.feed.post/3m6", "cid": ""},
    }
    event = one("reply", author={"did": US, "handle": "brand.test"}, record=record | {"reply": parent})
    assert (event.own, event.thread) == (True, f"{POST} {OLA}")


def test_a_handle_that_is_not_valid_is_not_shown_as_an_address() -> None:
    author = one("reply", author={"did": OLA, "handle": "handle.invalid"}).author
    assert author is not None
    assert author.url == f"https://bsky.app/profile/{OLA}"


def status(**repo: Any) -> InboundEvent:
    piece = {"account": US, "repo": {"did": US, **repo}, "at": "2026-11-22T12:00:00.000Z"}
    (found,) = BlueskyInbound().normalise({**piece, "since": "2026-11-22T11:50:00.000Z"})
    return found


@pytest.mark.parametrize("word", ["takendown", "suspended", "deactivated", "deleted"])
def test_an_account_that_is_not_active_is_restricted_and_says_why(word: str) -> None:
    event = status(active=False, status=word)
    assert (event.kind, event.account) == (InboundKind.ACCOUNT_RESTRICTED, US)
    assert event.details["reason"].endswith(".")
    assert event.happened_at == datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_server_that_does_not_say_why_is_quoted_so() -> None:
    assert "not why" in status(active=False).details["reason"]


@pytest.mark.parametrize("word", ["desynchronized", "throttled", "new"])
def test_a_relays_trouble_restricts_nobody(word: str) -> None:
    assert status(active=False, status=word).kind == InboundKind.UNKNOWN


def test_nothing_can_be_sent_here() -> None:
    scheme = BlueskyInbound()
    assert isinstance(scheme, Receiving)
    with pytest.raises(BadSignature):
        scheme.verify(delivery(b"{}", {"x-hub-signature": "sha256="}), SECRETS)
    assert scheme.handshake(delivery(query={"hub.challenge": "x"}), SECRETS) is None
    assert scheme.split(delivery(b"{}")) == ()


ANYTHING: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 7, "", "x", [], ["x"], {}, {"uri": 7}, [{"image": {}}]]
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_broken_piece_raises_only_what_the_worker_expects(data: st.DataObject) -> None:
    piece: Any = {"account": US, "notification": told(data.draw(st.sampled_from(fixtures_of("bluesky"))))}
    place = piece
    while True:
        way = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[way], dict) or not place[way] or data.draw(st.integers(0, 2)) == 0:
            break
        place = place[way]
    place[way] = data.draw(ANYTHING)
    try:
        found = BlueskyInbound().normalise(piece)
    except (ValueError, KeyError, TypeError):
        return
    for event in found:
        said = (event.text, event.external_id, event.post_id, event.parent_id, event.thread, event.language)
        assert event.key
        assert all(isinstance(one, str) for one in said)
