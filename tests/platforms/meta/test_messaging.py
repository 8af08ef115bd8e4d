"""Messages of Messenger and Instagram in our words."""

import json
from datetime import UTC, datetime

import pytest

from chalicelib.platforms.inbound import InboundKind, InboundMedia
from chalicelib.platforms.meta.facebook import FacebookWebhook
from chalicelib.platforms.meta.instagram import InstagramWebhook
from tests.platforms.webhooks import events, fixture, only

FACEBOOK, INSTAGRAM = FacebookWebhook(), InstagramWebhook()
BOTH = [(FACEBOOK, "111111"), (INSTAGRAM, "17841405309211844")]


@pytest.mark.parametrize(("scheme", "account"), BOTH)
def test_a_message_is_in_the_thread_of_who_wrote_it(scheme: FacebookWebhook, account: str) -> None:
    message = only(scheme, "message")
    assert (message.kind, message.account) == (InboundKind.MESSAGE, account)
    assert (message.thread, message.own) == ("USER_ID", False)
    assert message.external_id in message.key


@pytest.mark.parametrize(("scheme", "account"), BOTH)
def test_an_echo_is_ours_and_in_the_same_thread(scheme: FacebookWebhook, account: str) -> None:
    echo = only(scheme, "message_echo")
    assert (echo.kind, echo.own, echo.account, echo.thread) == (InboundKind.MESSAGE, True, account, "USER_ID")
    assert echo.author is not None
    assert echo.author.external_id == account


def test_a_time_in_milliseconds_is_read_as_such() -> None:
    assert only(FACEBOOK, "message").happened_at == datetime(2016, 3, 12, 6, 29, 57, 627000, tzinfo=UTC)


def test_a_message_of_a_thread_that_another_app_holds_is_read_too() -> None:
    standby = only(FACEBOOK, "message_standby")
    assert (standby.kind, standby.own) == (InboundKind.MESSAGE, True)
    assert standby.media == (InboundMedia("link", "https://www.facebook.com/commerce/update/"),)


def test_an_image_is_media() -> None:
    assert only(FACEBOOK, "message_image").media == (
        InboundMedia("image", "https://scontent.xx.fbcdn.net/image.png"),
    )
    assert only(INSTAGRAM, "message_story").media[0].kind == "image"


def test_an_answer_names_what_it_answers() -> None:
    assert only(INSTAGRAM, "message").parent_id == "aWdfZAG1faXRlbTow"


def test_an_edit_is_the_same_message_again() -> None:
    for scheme in (FACEBOOK, INSTAGRAM):
        first, edit = only(scheme, "message"), only(scheme, "message_edit")
        assert edit.external_id == first.external_id
        assert edit.key != first.key
        assert edit.edited_at == edit.happened_at > first.happened_at
        assert edit.text != first.text


def test_a_message_taken_back_is_deleted_content() -> None:
    deleted = only(INSTAGRAM, "message_deleted")
    assert deleted.kind is InboundKind.CONTENT_DELETED
    assert deleted.external_id == only(INSTAGRAM, "message").external_id
    assert deleted.key != only(INSTAGRAM, "message").key
    assert deleted.text == ""


def test_a_pressed_button_is_a_message() -> None:
    """In Instagram's example the entry has the person's id, so the two ends say whose it is."""
    for scheme, account in BOTH:
        pressed = only(scheme, "postback")
        assert (pressed.kind, pressed.own, pressed.account) == (InboundKind.MESSAGE, False, account)
        assert (pressed.thread, bool(pressed.text)) == ("USER_ID", True)
    own = only(INSTAGRAM, "postback_self")
    assert (own.own, own.account, own.thread) == (True, "45202218377435", "USER_ID")


def test_a_button_without_an_id_has_one_that_stays() -> None:
    body = json.loads(fixture("facebook", "postback"))
    del body["entry"][0]["messaging"][0]["postback"]["mid"]
    (first,) = events(FACEBOOK, json.dumps(body).encode())
    body["entry"][0]["time"] += 1000
    (again,) = events(FACEBOOK, json.dumps(body).encode())
    body["entry"][0]["messaging"][0]["timestamp"] += 1
    (later,) = events(FACEBOOK, json.dumps(body).encode())
    assert (first.key, first.external_id) == (again.key, again.external_id)
    assert first.key != later.key


def test_a_reaction_is_about_the_message() -> None:
    for scheme in (FACEBOOK, INSTAGRAM):
        reaction = only(scheme, "message_reaction")
        assert (reaction.kind, reaction.details) == (InboundKind.REACTION, {"reaction": "❤️"})
        assert reaction.external_id == only(scheme, "message_echo").external_id
    assert only(FACEBOOK, "message_unreaction").details["removed"] == "yes"


@pytest.mark.parametrize("item", [{"read": {"mid": "1"}}, {"delivery": {"mids": []}}, {"typing": {}}])
def test_receipts_say_nothing(item: dict[str, object]) -> None:
    body = json.loads(fixture("facebook", "read"))
    del body["entry"][0]["messaging"][0]["read"]
    body["entry"][0]["messaging"][0] |= item
    assert events(FACEBOOK, json.dumps(body).encode()) == []


def test_messages_in_the_shape_of_a_change_are_the_same() -> None:
    """The dashboard's test button sends them so."""
    for scheme, name in ((FACEBOOK, "page"), (INSTAGRAM, "instagram")):
        body = json.loads(fixture(scheme.platform, "message"))
        entry = body["entry"][0]
        entry["changes"] = [{"field": "messages", "value": entry.pop("messaging")[0]}]
        assert body["object"] == name
        assert events(scheme, json.dumps(body).encode()) == [only(scheme, "message")]


def test_what_is_new_to_us_is_unknown_with_its_name() -> None:
    assert only(FACEBOOK, "referral").details == {"type": "messaging.referral"}
    assert only(INSTAGRAM, "referral").kind is InboundKind.UNKNOWN
