"""LinkedIn's challenge and signature, and its notifications in our words."""

import hmac
import json
from datetime import UTC, datetime

import pytest

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.inbound import Author, BadSignature, Handshake, InboundKind, LiveSecrets
from chalicelib.platforms.linkedin.webhook import LinkedInWebhook
from tests.platforms.webhooks import (
    KEY,
    NOW,
    OLD_KEY,
    SECRETS,
    delivery,
    events,
    fixture,
    hex_of,
    linkedin,
    only,
)

LINKEDIN = LinkedInWebhook()
CODE = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
ORGANIZATION, PERSON = "urn:li:organization:96072893", "urn:li:person:zLqTygBP8S"
POST = "urn:li:activity:7094637247890620418"
COMMENT = f"urn:li:comment:({POST},7094977717598625792)"


def test_the_challenge_is_answered_with_the_current_secret() -> None:
    answer = LINKEDIN.handshake(delivery(query={"challengeCode": CODE, "applicationId": "7"}), SECRETS)
    signed = hmac.new(KEY, CODE.encode(), "sha256").hexdigest()
    expected = json.dumps({"challengeCode": CODE, "challengeResponse": signed}, separators=(",", ":"))
    assert answer == Handshake(expected, content_type="application/json")


@pytest.mark.parametrize(
    "code", ["", "hmacsha256={}", 'hmacsha256={"type":"A"}', "{}", '"', "<b>", "é", "a" * 300, f"{CODE}\n"]
)
def test_the_challenge_signs_nothing_that_could_be_a_delivery(code: str) -> None:
    """It is signed with the key of deliveries, and these begin with `hmacsha256=`."""
    answer = LINKEDIN.handshake(delivery(query={"challengeCode": code}), SECRETS)
    assert answer is not None
    assert answer.status == 403
    assert hex_of(KEY, code.encode()) not in answer.body
    assert not code or code not in answer.body


def test_without_a_secret_the_challenge_is_refused() -> None:
    answer = LINKEDIN.handshake(delivery(query={"challengeCode": CODE}), LiveSecrets(()))
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_which_form_of_the_header_matched_is_told(key: bytes) -> None:
    raw = fixture("linkedin", "comment")
    signed = linkedin(key, raw)["x-li-signature"]
    assert LINKEDIN.verify(delivery(raw, {"x-li-signature": signed}), SECRETS).form == "bare"
    prefixed = {"x-li-signature": f"hmacsha256={signed}"}
    assert LINKEDIN.verify(delivery(raw, prefixed), SECRETS).form == "prefixed"


def test_a_signature_without_the_prefix_in_the_message_is_refused() -> None:
    raw = fixture("linkedin", "comment")
    for value in (hex_of(KEY, raw), f"hmacsha256={hex_of(KEY, raw)}"):
        with pytest.raises(BadSignature):
            LINKEDIN.verify(delivery(raw, {"x-li-signature": value}), SECRETS)


def test_a_comment_opens_its_own_thread() -> None:
    comment = only(LINKEDIN, "comment")
    assert (comment.kind, comment.key, comment.account) == (InboundKind.COMMENT, "5603453321", ORGANIZATION)
    assert (comment.external_id, comment.thread, comment.post_id) == (COMMENT, COMMENT, POST)
    assert comment.author == Author(PERSON)
    assert (comment.text, comment.own) == ("Commenting as Sumit Butola...", False)
    assert comment.url == f"https://www.linkedin.com/feed/update/{POST}"
    assert comment.happened_at == datetime(2023, 8, 9, 9, 48, 26, 187000, tzinfo=UTC)


def test_an_administrators_answer_is_ours_and_in_the_thread() -> None:
    answer = only(LINKEDIN, "admin_comment")
    assert (answer.own, answer.thread, answer.parent_id) == (True, COMMENT, COMMENT)


def test_an_edit_is_the_same_comment_at_the_same_time() -> None:
    comment, edit = only(LINKEDIN, "comment"), only(LINKEDIN, "comment_edit")
    assert (edit.external_id, edit.thread, edit.happened_at) == (
        comment.external_id,
        comment.thread,
        comment.happened_at,
    )
    assert edit.edited_at == datetime(2023, 8, 9, 9, 56, 39, tzinfo=UTC)
    assert edit.key != comment.key


def test_a_deleted_comment_is_named_as_the_comment_was() -> None:
    """The activity's URN leaves out the inner `urn:li:`; the comment's own has it."""
    deleted = only(LINKEDIN, "comment_delete")
    assert (deleted.kind, deleted.external_id) == (InboundKind.CONTENT_DELETED, COMMENT)


def test_a_mention_may_want_an_answer_and_a_share_does_not() -> None:
    mention, share = only(LINKEDIN, "share_mention"), only(LINKEDIN, "share")
    assert (mention.kind, mention.thread) == (InboundKind.MENTION, "urn:li:share:7094990000000000000")
    assert mention.text == "Thanks to the people of Example"
    assert (share.kind, share.external_id, share.post_id) == (
        InboundKind.SHARE,
        "urn:li:share:7094980000000000000",
        POST,
    )


def test_a_like_names_who_liked() -> None:
    like = only(LINKEDIN, "like")
    assert (like.kind, like.external_id, like.author) == (InboundKind.REACTION, POST, Author(PERSON))


def test_ten_notifications_are_ten_pieces() -> None:
    body = json.loads(fixture("linkedin", "comment"))
    first = body["notifications"][0]
    body["notifications"] = [{**first, "notificationId": number} for number in range(10)]
    raw = json.dumps(body).encode()
    assert len(LINKEDIN.split(delivery(raw))) == 10
    assert [event.key for event in events(LINKEDIN, raw)] == [str(number) for number in range(10)]


def test_other_types_and_actions_are_unknown_with_their_names() -> None:
    lead = only(LINKEDIN, "lead_action")
    assert (lead.kind, lead.details, lead.happened_at) == (InboundKind.UNKNOWN, {"type": "LEAD_ACTION"}, NOW)
    body = json.loads(fixture("linkedin", "comment"))
    body["notifications"][0]["action"] = "SING"
    (event,) = events(LINKEDIN, json.dumps(body).encode())
    assert event.details == {"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS.SING"}


@pytest.mark.parametrize("raw", [b'{"type":1}', b'{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"}'])
def test_a_body_without_its_parts_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        LINKEDIN.split(delivery(raw))
