"""Instagram's comments and mentions in our words."""

import json
from datetime import UTC, datetime

import pytest

from chalicelib.platforms.inbound import Author, InboundKind
from chalicelib.platforms.meta.instagram import InstagramWebhook
from tests.platforms.webhooks import events, fixture, only

INSTAGRAM = InstagramWebhook()
ACCOUNT = "17841405309211844"
TOP = "17858893269000001"


@pytest.mark.parametrize("name", ["comment_instagram_login", "comment_facebook_login", "live_comment"])
def test_a_comment_is_one_in_the_shape_of_either_login(name: str) -> None:
    comment = only(INSTAGRAM, name)
    assert (comment.kind, comment.account, comment.own) == (InboundKind.COMMENT, ACCOUNT, False)
    assert comment.author == Author("1234567890", handle="anna_ł")
    assert comment.text == "Cudowne 💛 زیبا"
    assert comment.thread == comment.external_id
    assert comment.post_id == "17887498072083520"
    assert comment.happened_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_an_answer_is_in_the_thread_of_the_comment_above() -> None:
    answer = only(INSTAGRAM, "comment_answer")
    assert (answer.thread, answer.parent_id, answer.own) == (TOP, TOP, False)


def test_our_own_answer_comes_back_as_ours() -> None:
    own = only(INSTAGRAM, "comment_own")
    assert (own.own, own.thread) == (True, TOP)
    body = json.loads(fixture("instagram", "comment_own"))
    body["entry"][0]["changes"][0]["value"]["from"]["id"] = "987654"
    (own,) = events(INSTAGRAM, json.dumps(body).encode())
    assert own.own


def test_a_mention_has_ids_only() -> None:
    mention = only(INSTAGRAM, "mention")
    assert (mention.kind, mention.text, mention.author) == (InboundKind.MENTION, "", None)
    assert (mention.external_id, mention.post_id) == ("17858893269000006", "17887498072083521")
    caption = only(INSTAGRAM, "mention_caption")
    assert caption.external_id == caption.thread == caption.post_id == "17887498072083522"


@pytest.mark.parametrize("name", ["story_insights", "message_seen"])
def test_what_nobody_has_to_know_says_nothing(name: str) -> None:
    assert events(INSTAGRAM, fixture("instagram", name)) == []
