"""X's CRC and signature, and both of its event forms in our words."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.inbound import (
    Author,
    BadSignature,
    Handshake,
    InboundKind,
    InboundMedia,
    LiveSecrets,
)
from chalicelib.platforms.x.common import language_of, made_at
from chalicelib.platforms.x.webhook import XWebhook
from tests.platforms.webhooks import (
    KEY,
    NOW,
    OLD_KEY,
    SECRETS,
    base64_of,
    delivery,
    events,
    fixture,
    hex_of,
    only,
)

X = XWebhook()
OURS, THEIRS = "1111111111111111111", "2222222222222222222"


def changed(name: str, **payload: Any) -> bytes:
    body = json.loads(fixture("x", name))
    body["data"]["payload"] |= payload
    return json.dumps(body).encode()


# The door


def test_the_crc_is_answered_with_the_current_secret() -> None:
    answer = X.handshake(delivery(query={"crc_token": "challenge-string_1/+="}), SECRETS)
    expected = base64.b64encode(hmac.new(KEY, b"challenge-string_1/+=", "sha256").digest()).decode()
    assert answer == Handshake(
        json.dumps({"response_token": f"sha256={expected}"}, separators=(",", ":")),
        content_type="application/json",
    )


@pytest.mark.parametrize(
    "token", ["", "{}", "{", '{"data":{}}', " ", "a b", "é", "a" * 300, "a\n", "[1]", '"']
)
def test_the_crc_signs_nothing_that_could_be_a_delivery(token: str) -> None:
    """It signs with the key and in the form of a delivery: whoever asks must not get one signed."""
    answer = X.handshake(delivery(query={"crc_token": token}), SECRETS)
    assert answer is not None
    assert answer.status == 403
    assert base64_of(KEY, token.encode()) not in answer.body


def test_no_answer_to_the_crc_proves_a_delivery_with_events() -> None:
    for token in ("abc", "e30=", "7", "null", "true"):
        answer = X.handshake(delivery(query={"crc_token": token}), SECRETS)
        assert answer is not None
        headers = {"x-twitter-webhooks-signature": json.loads(answer.body)["response_token"]}
        body = delivery(token.encode(), headers)
        X.verify(body, SECRETS)
        with pytest.raises(InvalidInput):
            X.split(body)


def test_without_a_secret_the_crc_is_refused() -> None:
    answer = X.handshake(delivery(query={"crc_token": "abc"}), LiveSecrets(()))
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_which_encoding_matched_is_told(key: bytes) -> None:
    raw = fixture("x", "dm_received")
    for form, signed in (("base64", base64_of(key, raw)), ("hex", hex_of(key, raw))):
        headers = {"x-twitter-webhooks-signature": f"sha256={signed}"}
        assert X.verify(delivery(raw, headers), SECRETS).form == form
        with pytest.raises(BadSignature):
            X.verify(delivery(raw, {"x-twitter-webhooks-signature": signed}), SECRETS)


# X Activity


def test_a_mention_is_its_authors_part_of_the_conversation() -> None:
    mention = only(X, "post_mention_create")
    assert (mention.kind, mention.account, mention.own) == (InboundKind.MENTION, OURS, False)
    assert mention.key == "2080765813578191303"
    assert mention.thread == f"2080765813578191303:{THEIRS}"
    assert mention.author == Author(THEIRS, "OtherUser", "OtherUser", "https://x.com/OtherUser")
    assert (mention.text, mention.language) == ("hey @ExampleUser", "")
    assert mention.happened_at == datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC)


def test_a_reply_is_a_comment_under_our_post() -> None:
    reply = only(X, "post_reply_create")
    assert (reply.kind, reply.post_id, reply.parent_id) == (
        InboundKind.COMMENT,
        "2080761390344937796",
        "2080761390344937796",
    )
    assert (reply.thread, reply.language) == (f"2080761390344937796:{THEIRS}", "en")


def test_our_answer_is_in_the_thread_of_whom_it_answers() -> None:
    theirs = only(X, "post_reply_create")
    facts = {
        "id": "2090000000000000009",
        "author_id": OURS,
        "conversation_id": "2080761390344937796",
        "in_reply_to_tweet_id": theirs.external_id,
        "in_reply_to_user_id": THEIRS,
    }
    (own,) = events(X, changed("post_create", **facts))
    assert (own.own, own.kind, own.thread) == (True, InboundKind.COMMENT, theirs.thread)
    assert own.parent_id == theirs.external_id
    (own,) = events(X, changed("post_create", **facts | {"in_reply_to_user_id": OURS}))
    assert (own.own, own.thread, own.parent_id) == (True, "", theirs.external_id)


def test_our_other_posts_say_nothing() -> None:
    assert events(X, fixture("x", "post_create")) == []


def test_an_edited_post_is_the_first_version_of_itself() -> None:
    versions = ["2080765813578191303", "2080765900000000000"]
    raw = changed(
        "post_mention_create",
        id=versions[1],
        edit_history_tweet_ids=versions,
        created_at="2026-07-24T21:40:00.000Z",
        text="hey @ExampleUser!",
    )
    (edited,) = events(X, raw)
    first = only(X, "post_mention_create")
    assert (edited.external_id, edited.thread) == (first.external_id, first.thread)
    assert abs(edited.happened_at - first.happened_at) < timedelta(seconds=1)
    assert edited.edited_at == datetime(2026, 7, 24, 21, 40, tzinfo=UTC)
    assert edited.url.endswith(versions[1])


def test_a_quote_may_want_an_answer_and_a_repost_does_not() -> None:
    quote, repost = only(X, "post_quote_create"), only(X, "post_repost_create")
    assert (quote.kind, quote.post_id) == (InboundKind.MENTION, "2080761390344937796")
    assert quote.thread == f"2090000000000000002:{THEIRS}"
    assert (repost.kind, repost.post_id) == (InboundKind.SHARE, "2080761390344937796")


def test_pictures_come_from_what_is_included() -> None:
    body = json.loads(changed("post_mention_create", attachments={"media_keys": ["3_1", "7_2", "9_9"]}))
    body["data"]["includes"]["media"] = [
        {"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/a.jpg", "alt_text": "ein Bär"},
        {"media_key": "7_2", "type": "video", "preview_image_url": "https://pbs.twimg.com/b.jpg"},
    ]
    (event,) = events(X, json.dumps(body).encode())
    assert event.media == (
        InboundMedia("image", "https://pbs.twimg.com/a.jpg", "ein Bär"),
        InboundMedia("video", "https://pbs.twimg.com/b.jpg"),
    )


def test_what_is_included_may_stand_beside_the_event() -> None:
    body = json.loads(fixture("x", "post_mention_create"))
    body["includes"] = body["data"].pop("includes")
    assert events(X, json.dumps(body).encode()) == [only(X, "post_mention_create")]


@pytest.mark.parametrize(
    ("name", "own", "other"), [("dm_received", False, THEIRS), ("dm_sent", True, "2244994945")]
)
def test_a_direct_message_is_in_the_thread_of_the_other(name: str, own: bool, other: str) -> None:
    message = only(X, name)
    assert (message.kind, message.account) == (InboundKind.MESSAGE, OURS)
    assert (message.own, message.thread) == (own, other)
    assert message.author is not None
    assert message.author.handle


def test_several_messages_in_one_event_have_a_key_each() -> None:
    body = json.loads(fixture("x", "dm_received"))
    messages = body["data"]["payload"]["direct_message_events"]
    messages.append({**messages[0], "id": "2080765901528535097"})
    first, second = events(X, json.dumps(body).encode())
    assert first == only(X, "dm_received")
    assert second.key != first.key


def test_a_deleted_post_is_our_own_and_has_no_time_but_ours() -> None:
    deleted = only(X, "post_delete")
    assert (deleted.kind, deleted.own, deleted.happened_at) == (InboundKind.CONTENT_DELETED, True, NOW)


def test_who_likes_is_whoever_is_included_beside_the_liked() -> None:
    own = only(X, "like_create")
    assert (own.kind, own.own, own.external_id) == (InboundKind.REACTION, True, "2079814480427442556")
    body = json.loads(changed("like_create", liked_tweet_author_id=OURS))
    (inbound,) = events(X, json.dumps(body).encode())
    assert not inbound.own
    assert inbound.author is not None
    assert inbound.author.external_id == "3333333333333333333"
    body["data"]["includes"]["users"].append({"id": "4", "username": "four"})
    (unclear,) = events(X, json.dumps(body).encode())
    assert unclear.author is None


def test_words_beside_our_broadcast_are_comments_and_ours_are_not() -> None:
    assert events(X, fixture("x", "broadcast_chat")) == []
    (chat,) = events(X, changed("broadcast_chat", author={"data": {"id": THEIRS, "username": "OtherUser"}}))
    assert (chat.kind, chat.text, chat.own) == (InboundKind.COMMENT, "test", False)
    assert chat.thread == f"1mGPaZaAdNqJN:{THEIRS}"


def test_a_revoked_grant_names_the_user_though_the_filter_is_empty() -> None:
    revoked = only(X, "oauth_revoke")
    assert (revoked.kind, revoked.account) == (InboundKind.PERMISSION_REVOKED, OURS)
    assert revoked.happened_at == datetime(2026, 7, 23, 21, 44, 5, tzinfo=UTC)


@pytest.mark.parametrize("field", ["bio", "profile_picture", "banner_picture", "screenname", "geo", "url"])
def test_a_changed_profile_names_the_field(field: str) -> None:
    event = only(X, f"profile_update_{field}")
    assert (event.kind, event.details) == (InboundKind.PROFILE_CHANGED, {"field": field})


@pytest.mark.parametrize(
    "name", ["follow_follow", "follow_unfollow", "news_new", "spaces_start", "spaces_end", "broadcast_start"]
)
def test_what_nobody_has_to_know_says_nothing(name: str) -> None:
    assert events(X, fixture("x", name)) == []


@pytest.mark.parametrize("kind", ["dm.read", "dm.indicate_typing", "mute.mute", "block.unblock"])
def test_receipts_and_typing_say_nothing(kind: str) -> None:
    body = json.loads(fixture("x", "dm_received"))
    body["data"]["event_type"] = kind
    assert events(X, json.dumps(body).encode()) == []


def test_what_cannot_be_read_is_unknown_with_its_name() -> None:
    assert only(X, "chat_received").details == {"type": "chat.received"}
    body = json.loads(fixture("x", "post_create"))
    body["data"]["event_type"] = "post.sing"
    (event,) = events(X, json.dumps(body).encode())
    assert (event.kind, event.details, event.key) == (
        InboundKind.UNKNOWN,
        {"type": "post.sing"},
        "2080761390344937796",
    )


# Account Activity


def test_a_long_post_is_read_whole() -> None:
    post = only(X, "legacy_tweet_create_events")
    assert (post.kind, post.account) == (InboundKind.MENTION, "1603419180975409153")
    assert post.text.endswith("off the Greek island of Antikythera...")
    assert post.external_id == "1924465506158878979"


def test_an_id_says_when_the_post_was_made() -> None:
    """The example's `created_at` is Mon May 19 14:01:46 +0000 2025."""
    assert made_at("1924465506158878979") == datetime(2025, 5, 19, 14, 1, 46, 165000, tzinfo=UTC)
    for wrong in ("", "-7", "seven", "٧"):
        with pytest.raises(ValueError, match="number"):
            made_at(wrong)


def test_an_answer_to_us_is_a_comment_and_ours_is_led_to_by_it() -> None:
    answer = only(X, "legacy_tweet_create_events_reply")
    assert (answer.kind, answer.thread) == (InboundKind.COMMENT, f"2080761390344937796:{THEIRS}")
    body = json.loads(fixture("x", "legacy_tweet_create_events_reply"))
    post = body["tweet_create_events"][0]
    post |= {"id_str": "2080766000000000000", "in_reply_to_status_id_str": answer.external_id}
    post["user"]["id_str"] = body["for_user_id"]
    (own,) = events(X, json.dumps(body).encode())
    assert (own.own, own.kind, own.thread, own.parent_id) == (
        True,
        InboundKind.COMMENT,
        "",
        answer.external_id,
    )
    del post["in_reply_to_status_id_str"]
    assert events(X, json.dumps(body).encode()) == []


def test_a_repost_and_a_picture_of_the_older_form() -> None:
    body = json.loads(fixture("x", "legacy_tweet_create_events"))
    post = body["tweet_create_events"][0]
    post["retweeted_status"] = {"id_str": "1924465506158870000", "user": {"id_str": body["for_user_id"]}}
    post["extended_entities"] = {
        "media": [
            {"type": "photo", "url": "https://t.co/x", "media_url_https": "https://pbs.twimg.com/c.jpg"}
        ]
    }
    (share,) = events(X, json.dumps(body).encode())
    assert (share.kind, share.post_id) == (InboundKind.SHARE, "1924465506158870000")
    assert share.media == (InboundMedia("image", "https://pbs.twimg.com/c.jpg"),)


def test_the_other_events_of_the_older_form() -> None:
    like, message = only(X, "legacy_favorite_events"), only(X, "legacy_direct_message_events")
    assert (like.kind, like.external_id) == (InboundKind.REACTION, "978300510107107328")
    assert (message.text, message.thread) == ("Hello World!", "3001969357")
    assert message.author == Author(
        "3001969357", "furiouscamper", "Jordan Brinks", "https://x.com/furiouscamper"
    )
    deleted, revoked = only(X, "legacy_tweet_delete_events"), only(X, "legacy_user_event")
    assert (deleted.kind, deleted.own) == (InboundKind.CONTENT_DELETED, True)
    assert (revoked.kind, revoked.account) == (InboundKind.PERMISSION_REVOKED, "63046977")


@pytest.mark.parametrize(
    "name", ["follow", "unfollow", "block", "unblock", "mute", "unmute", "typing", "mark_read"]
)
def test_the_silent_events_of_the_older_form(name: str) -> None:
    assert events(X, fixture("x", f"legacy_{name}_events")) == []


def test_a_delivery_of_several_arrays_is_a_piece_for_each_element() -> None:
    body = json.loads(fixture("x", "legacy_direct_message_events"))
    body["direct_message_events"] *= 2
    body["hologram_events"] = [{"a": 1}]
    raw = json.dumps(body).encode()
    pieces = X.split(delivery(raw))
    assert len(pieces) == 3
    assert set(pieces[0]["users"]) == {"3001969357", "4337869213"}
    assert "apps" not in pieces[0]
    assert events(X, raw)[2].details == {"type": "hologram_events"}


def test_languages_that_are_none() -> None:
    assert [language_of(name) for name in ("en", "und", "qme", "zxx", "qu", None)] == [
        "en",
        "",
        "",
        "",
        "qu",
        "",
    ]


def test_the_end_of_a_replay_says_nothing() -> None:
    body = b'{"replay_job_status":{"webhook_id":"1","job_state":"Complete","job_id":"9"}}'
    assert X.split(delivery(body)) == []
