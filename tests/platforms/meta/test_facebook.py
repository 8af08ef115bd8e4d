"""Facebook Pages in our words."""

import json
from datetime import UTC, datetime

import pytest

from chalicelib.platforms.inbound import Author, InboundKind, InboundMedia
from chalicelib.platforms.meta.facebook import FacebookWebhook
from tests.platforms.webhooks import events, fixture, only

FACEBOOK = FacebookWebhook()
PAGE = "100064583471102"
POST = "100064583471102_1198837625012734"
COMMENT = "1198837625012734_5520817364092219"
ASKED_AT = datetime(2026, 10, 6, 9, 23, 43, tzinfo=UTC)


def test_a_comment_opens_its_own_thread() -> None:
    comment = only(FACEBOOK, "comment")
    assert (comment.kind, comment.account) == (InboundKind.COMMENT, PAGE)
    assert (comment.external_id, comment.thread, comment.post_id) == (COMMENT, COMMENT, POST)
    assert comment.author == Author("6321557154518", name="Zażółć Gęślą")
    assert comment.text == "Pytanie: ile to kosztuje? 👩🏽‍🍳 سلام"
    assert comment.url == f"https://www.facebook.com/{POST}?comment_id=5520817364092219"
    assert (comment.happened_at, comment.edited_at, comment.own) == (ASKED_AT, None, False)


def test_the_pages_own_answer_is_in_the_thread_of_the_comment_above() -> None:
    answer = only(FACEBOOK, "comment_answer")
    assert (answer.own, answer.thread, answer.parent_id) == (True, COMMENT, COMMENT)


def test_an_edit_is_the_same_comment_with_a_new_time() -> None:
    edited = only(FACEBOOK, "comment_edited")
    assert (edited.external_id, edited.thread, edited.happened_at) == (COMMENT, COMMENT, ASKED_AT)
    assert edited.edited_at == datetime(2026, 10, 6, 9, 46, 39, tzinfo=UTC)
    assert edited.key != only(FACEBOOK, "comment").key


def test_each_edit_counts_though_its_times_are_the_same() -> None:
    body = json.loads(fixture("facebook", "comment_edited"))
    del body["entry"][0]["changes"][0]["value"]["edited_time"]
    (first,) = events(FACEBOOK, json.dumps(body).encode())
    body["entry"][0]["changes"][0]["value"]["message"] = "Once more"
    (second,) = events(FACEBOOK, json.dumps(body).encode())
    assert first.key != second.key
    assert first.edited_at == datetime(2026, 10, 6, 9, 23, 44, tzinfo=UTC)


@pytest.mark.parametrize("verb", ["remove", "delete"])
def test_a_removed_comment_is_deleted_content(verb: str) -> None:
    body = json.loads(fixture("facebook", "comment_removed"))
    body["entry"][0]["changes"][0]["value"]["verb"] = verb
    (removed,) = events(FACEBOOK, json.dumps(body).encode())
    assert (removed.kind, removed.external_id) == (InboundKind.CONTENT_DELETED, COMMENT)
    assert (removed.own, removed.text) == (False, "")


@pytest.mark.parametrize("name", ["comment_hidden", "own_post", "delivery", "read", "permissions_granted"])
def test_what_nobody_has_to_know_says_nothing(name: str) -> None:
    assert events(FACEBOOK, fixture("facebook", name)) == []


def test_a_photo_without_words_is_a_comment() -> None:
    comment = only(FACEBOOK, "comment_photo")
    assert comment.media == (InboundMedia("image", "https://scontent.xx.fbcdn.net/v/photo.jpg"),)
    assert comment.url.startswith("https://www.facebook.com/permalink.php")


def test_the_removal_of_our_own_post_is_told() -> None:
    removed = only(FACEBOOK, "own_post_removed")
    assert (removed.kind, removed.own, removed.external_id) == (InboundKind.CONTENT_DELETED, True, POST)


@pytest.mark.parametrize(
    ("name", "kind", "thread", "who"),
    [
        ("visitor_post", InboundKind.MENTION, "100064583471102_1198837625012735", "6321557154518"),
        ("mention", InboundKind.MENTION, "44444444444444_1", "9000"),
        ("rating", InboundKind.MENTION, "10158000000000001", "9001"),
    ],
)
def test_what_others_write_about_the_page_is_a_mention(
    name: str, kind: InboundKind, thread: str, who: str
) -> None:
    event = only(FACEBOOK, name)
    assert (event.kind, event.thread, event.external_id, event.own) == (kind, thread, thread, False)
    assert event.author is not None
    assert event.author.external_id == who
    assert event.text


def test_a_share_and_a_reaction_are_about_the_post() -> None:
    share, reaction = only(FACEBOOK, "share"), only(FACEBOOK, "reaction")
    assert (share.kind, share.external_id, share.post_id) == (InboundKind.SHARE, "1198837625019999", POST)
    assert (reaction.kind, reaction.external_id) == (InboundKind.REACTION, POST)
    assert reaction.details == {"reaction": "love"}
    assert only(FACEBOOK, "reaction_removed").details == {"reaction": "love", "removed": "yes"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("business_integrity", "The page cannot send messages; Spam"),
        ("policy_enforcement", "Messaging policy, block: The bot violated our Platform Policies."),
        ("message_policy", "Messaging policy, warning: A message broke the rules."),
    ],
)
def test_a_restriction_says_why(name: str, words: str) -> None:
    event = only(FACEBOOK, name)
    assert (event.kind, event.details["reason"]) == (InboundKind.ACCOUNT_RESTRICTED, words)


def test_a_lifted_restriction_is_not_a_restriction() -> None:
    body = json.loads(fixture("facebook", "business_integrity"))
    body["entry"][0]["changes"][0]["value"] |= {"restrictions": [], "violations": []}
    (lifted,) = events(FACEBOOK, json.dumps(body).encode())
    assert lifted.details == {"type": "business_integrity"}
    body = json.loads(fixture("facebook", "policy_enforcement"))
    body["entry"][0]["changes"][0]["value"]["policy_enforcement"]["action"] = "unblock"
    (lifted,) = events(FACEBOOK, json.dumps(body).encode())
    assert lifted.kind is InboundKind.UNKNOWN


def test_a_changed_profile_names_the_field() -> None:
    changed = only(FACEBOOK, "page_name")
    assert (changed.kind, changed.details) == (InboundKind.PROFILE_CHANGED, {"field": "name"})


def test_what_is_new_to_us_is_unknown_with_its_name() -> None:
    body = json.loads(fixture("facebook", "comment"))
    change = body["entry"][0]["changes"][0]
    for field, item, verb, name in (
        ("feed", "hologram", "add", "feed.hologram"),
        ("feed", "comment", "sing", "comment.sing"),
        ("hologram", "comment", "add", "hologram"),
    ):
        change["field"], change["value"]["item"], change["value"]["verb"] = field, item, verb
        (event,) = events(FACEBOOK, json.dumps(body).encode())
        assert (event.kind, event.details) == (InboundKind.UNKNOWN, {"type": name})
    change |= {"field": "hologram", "value": "a text"}
    (event,) = events(FACEBOOK, json.dumps(body).encode())
    assert event.details == {"type": "hologram"}
