"""Threads in our words: a delivery without entries, and people without ids."""

import json
from datetime import UTC, datetime

from chalicelib.platforms.inbound import Author, InboundKind, InboundMedia
from chalicelib.platforms.meta.threads import ThreadsWebhook
from tests.platforms.webhooks import delivery, events, fixture, only

THREADS = ThreadsWebhook()


def test_a_reply_is_its_authors_part_under_the_root_post() -> None:
    reply = only(THREADS, "replies")
    assert (reply.kind, reply.account, reply.own) == (InboundKind.COMMENT, "78901", False)
    assert (reply.thread, reply.parent_id, reply.post_id) == ("123456:test_username", "567890", "123456")
    assert reply.author == Author("test_username", handle="test_username")
    assert reply.happened_at == datetime(2025, 8, 4, 10, 33, 16, tzinfo=UTC)
    assert reply.url == "https://www.threads.net/@test_username/post/Pp"


def test_our_own_reply_is_led_to_by_what_it_answers() -> None:
    own = only(THREADS, "replies_own")
    assert (own.own, own.thread, own.parent_id) == (True, "", "8901234")


def test_a_mention_is_of_the_user_it_was_sent_for() -> None:
    mention = only(THREADS, "mentions")
    assert (mention.kind, mention.account) == (InboundKind.MENTION, "78901")
    assert mention.thread == "8901236:test_username"
    assert mention.media == (
        InboundMedia("image", "https://media2.giphy.com/media/200.gif", "test alt text"),
    )


def test_a_published_post_is_a_publish_result() -> None:
    published = only(THREADS, "publish")
    assert (published.kind, published.account) == (InboundKind.PUBLISH_RESULT, "78901")
    assert published.details["outcome"] == "published"
    assert published.details["post_id"] == published.external_id == "8901234"
    assert published.details["url"] == published.url != ""


def test_a_deleted_post_is_our_own() -> None:
    deleted = only(THREADS, "delete")
    assert (deleted.kind, deleted.own, deleted.account) == (InboundKind.CONTENT_DELETED, True, "78901")
    assert deleted.happened_at == datetime(2024, 8, 7, 10, 33, 16, tzinfo=UTC)


def test_values_may_be_a_list() -> None:
    body = json.loads(fixture("threads", "replies"))
    body["values"] = [body["values"], {**body["values"], "field": "hologram"}]
    raw = json.dumps(body).encode()
    assert len(THREADS.split(delivery(raw))) == 2
    first, second = events(THREADS, raw)
    assert first == only(THREADS, "replies")
    assert second.details == {"type": "hologram"}


def test_the_permissions_of_the_app_come_with_entries() -> None:
    body = json.loads(fixture("facebook", "permissions_revoked"))
    found = events(THREADS, json.dumps(body).encode())
    assert {event.kind for event in found} == {InboundKind.PERMISSION_REVOKED}
    assert {event.platform for event in found} == {"threads"}
