"""What a Mastodon server sends and what is polled from it: the same events of the same status."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia
from chalicelib.platforms.mastodon.webhook import MastodonWebhook
from tests.platforms.webhooks import delivery, events, fixture, fixtures_of

BRAND, OLA = "23634", "971724"
REPLY = "103186126728896492"
OLA_IS = Author(OLA, "ola@other.example", "اُلا 🌱", "https://other.example/@ola")


def body_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fixture("mastodon", name))
    return found


def polled(name: str, **changes: Any) -> list[InboundEvent]:
    piece = {"account": BRAND, "notification": body_of(f"notification_{name}") | changes}
    return list(MastodonWebhook().normalise(json.loads(json.dumps(piece))))


def one(name: str, **changes: Any) -> InboundEvent:
    (found,) = polled(name, **changes)
    return found


def hooked(name: str) -> list[InboundEvent]:
    return events(MastodonWebhook(), fixture("mastodon", name))


def ours(name: str) -> InboundEvent:
    """The one event of a webhook that is for the brand's account."""
    (found,) = [event for event in hooked(name) if event.account == BRAND]
    return found


# Notifications


def test_an_answer_to_us_is_a_comment_in_plain_text_with_its_language() -> None:
    event = one("mention")
    assert event == InboundEvent(
        "mastodon",
        InboundKind.COMMENT,
        f"status:{REPLY}:",
        BRAND,
        datetime(2026, 11, 22, 11, 58, tzinfo=UTC),
        external_id=REPLY,
        author=OLA_IS,
        thread=OLA,
        parent_id="103186038209478945",
        post_id="103186038209478945",
        text="@zolw سلام!\nآیا باز هستید؟\n\nمرسی",
        language="fa",
        url=f"https://other.example/@ola/{REPLY}",
        media=(InboundMedia("image", "https://files.social.example/1.png", "یک عکس"),),
    )


def test_a_mention_in_a_conversation_of_others_is_a_mention() -> None:
    status = body_of("notification_mention")["status"] | {"in_reply_to_account_id": "777"}
    event = one("mention", status=status)
    assert (event.kind, event.thread, event.post_id) == (InboundKind.MENTION, OLA, "")
    assert event.parent_id == "103186038209478945"


def test_what_is_private_is_a_message_in_a_thread_of_its_own() -> None:
    event = one("private")
    assert (event.kind, event.thread) == (InboundKind.MESSAGE, f"private:{OLA}")


def test_a_warning_before_a_text_is_part_of_it() -> None:
    status = body_of("notification_mention")["status"] | {"spoiler_text": "uwaga"}
    assert one("mention", status=status).text.startswith("uwaga\n\n@zolw سلام!")


def test_a_quote_is_a_mention_of_the_post_that_it_quotes() -> None:
    event = one("quote")
    assert (event.kind, event.post_id, event.text) == (InboundKind.MENTION, "103186046267791694", "look")


def test_an_edit_of_what_was_said_to_us_has_a_key_and_a_time_of_its_own() -> None:
    event = one("update")
    assert (event.kind, event.external_id) == (InboundKind.COMMENT, REPLY)
    assert event.edited_at == datetime(2026, 11, 22, 11, 59, 30, tzinfo=UTC)
    assert event.key != one("mention").key


def test_an_edit_of_what_others_said_to_others_is_nothing_to_us() -> None:
    assert polled("update_of_others") == []


@pytest.mark.parametrize(
    ("name", "kind", "details"),
    [
        ("favourite", InboundKind.REACTION, {"reaction": "favourite"}),
        ("reblog", InboundKind.SHARE, {}),
        ("follow", InboundKind.REACTION, {"reaction": "follow"}),
    ],
)
def test_what_nobody_has_to_answer_is_counted_by_who_did_it(
    name: str, kind: InboundKind, details: dict[str, str]
) -> None:
    event = one(name)
    assert (event.kind, event.details, event.author) == (kind, details, OLA_IS)


def test_a_favourite_that_is_taken_back_and_given_again_is_the_same_one() -> None:
    assert one("favourite").key == one("favourite", id="99999999").key
    assert one("favourite").key != one("reblog").key


@pytest.mark.parametrize("action", ["disable", "sensitive", "silence", "suspend"])
def test_a_moderators_action_restricts_the_account_and_says_how(action: str) -> None:
    warning = body_of("notification_moderation_warning")["moderation_warning"] | {"action": action}
    event = one("moderation_warning", moderation_warning=warning)
    assert (event.kind, event.account) == (InboundKind.ACCOUNT_RESTRICTED, BRAND)
    assert event.details["reason"].startswith("The server's moderators")


def test_posts_that_moderators_delete_are_deletions_of_our_own() -> None:
    event = one("deleted_by_moderators")
    assert (event.kind, event.own) == (InboundKind.CONTENT_DELETED, True)
    assert event.external_id == "103186046267791694"


@pytest.mark.parametrize("name", ["warned_only", "new_kind"])
def test_what_stops_nothing_is_kept_as_unknown(name: str) -> None:
    event = one(name)
    assert event.kind == InboundKind.UNKNOWN
    assert event.details["type"] in ("moderation_warning none", "added_to_collection")


# An administrator's webhooks


def test_a_status_that_is_sent_and_polled_is_one_event() -> None:
    assert ours("status_created_reply") == one("mention")


def test_an_edit_that_is_sent_and_polled_is_one_event() -> None:
    sent = ours("status_updated_reply")
    assert (sent.key, sent.edited_at) == (one("update").key, one("update").edited_at)
    assert sent.text == "@zolw سلام"


def test_a_status_tells_everybody_whom_it_concerns() -> None:
    told = hooked("status_created_reply")
    assert [(event.account, event.own) for event in told] == [(OLA, True), (BRAND, False)]


def test_our_own_answer_is_ours_and_in_the_thread_of_whom_it_answers() -> None:
    event = ours("status_created_own_answer")
    assert (event.kind, event.own, event.thread) == (InboundKind.COMMENT, True, OLA)
    assert event.parent_id == REPLY


def test_our_own_post_is_published_and_no_message() -> None:
    event = ours("status_created_own_post")
    assert (event.kind, event.own) == (InboundKind.PUBLISH_RESULT, True)
    assert event.details["post_id"] == event.external_id


def test_a_boost_of_our_post_is_a_share_sent_or_polled() -> None:
    sent = ours("status_created_boost")
    assert (sent.kind, sent.author) == (InboundKind.SHARE, OLA_IS)
    status = body_of("status_created_boost")["object"]["reblog"]
    assert sent.key == one("reblog", status=status).key


@pytest.mark.parametrize("name", ["account_updated_suspended", "account_updated_limited"])
def test_an_account_that_is_not_free_is_restricted_by_the_worst_that_holds(name: str) -> None:
    event = ours(name)
    assert event.kind == InboundKind.ACCOUNT_RESTRICTED
    assert ("suspended" if name.endswith("suspended") else "limited") in event.details["reason"]


def test_an_account_that_is_free_has_changed_its_profile() -> None:
    (event,) = hooked("account_created")
    assert (event.kind, event.account) == (InboundKind.PROFILE_CHANGED, "555")


def test_a_report_is_kept_with_whom_it_is_about() -> None:
    (event,) = hooked("report_created")
    assert (event.kind, event.account) == (InboundKind.UNKNOWN, BRAND)
    assert event.details == {"type": "report.created"}


@pytest.mark.parametrize(
    "body", [{}, {"text": "an administrator's own"}, {"event": "status.created", "id": 7}, {"event": 1}]
)
def test_a_body_of_a_template_is_kept_and_has_a_key(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    (event,) = events(MastodonWebhook(), raw)
    assert (event.kind, event.details) == (InboundKind.UNKNOWN, {"type": "of a template"})
    assert event.key == events(MastodonWebhook(), raw)[0].key
    assert event.key != events(MastodonWebhook(), json.dumps({**body, "more": 1}).encode())[0].key


PIECES = [
    {"account": BRAND, "notification": body_of(name)}
    if name.startswith("notification_")
    else dict(MastodonWebhook().split(delivery(fixture("mastodon", name)))[0])
    for name in fixtures_of("mastodon")
]
ANYTHING = st.sampled_from([None, True, 7, "", "x", [], ["x"], {}, {"id": 7}, [{"id": None}]])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_broken_piece_raises_only_what_the_worker_expects(data: st.DataObject) -> None:
    piece = json.loads(json.dumps(data.draw(st.sampled_from(PIECES))))
    place: Any = piece
    while True:
        way = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[way], dict) or not place[way] or data.draw(st.integers(0, 2)) == 0:
            break
        place = place[way]
    place[way] = data.draw(ANYTHING)
    try:
        found = MastodonWebhook().normalise(piece)
    except (ValueError, KeyError, TypeError):
        return
    for event in found:
        said = (event.text, event.external_id, event.post_id, event.parent_id, event.thread, event.language)
        assert event.key
        assert all(isinstance(one, str) for one in said)
