"""WhatsApp in our words."""

import json

import pytest

from chalicelib.platforms.inbound import Author, InboundKind, InboundMedia
from chalicelib.platforms.meta.whatsapp import WhatsAppWebhook
from tests.platforms.webhooks import delivery, events, fixture, only

WHATSAPP = WhatsAppWebhook()
ACCOUNT, NUMBER = "102290129340398", "106540352242922"


def test_a_message_is_in_the_thread_of_number_and_person() -> None:
    message = only(WHATSAPP, "text")
    assert (message.kind, message.account) == (InboundKind.MESSAGE, ACCOUNT)
    assert message.thread == f"{NUMBER}:16505551234"
    assert message.author == Author("16505551234", name="Sheena Nelson")
    assert message.text == "Does it come in another color?"
    assert message.parent_id == "wamid.PREVIOUS"


@pytest.mark.parametrize(
    ("name", "text"),
    [("image", "This is a caption"), ("button", "Yes, please"), ("location", "تهران"), ("unsupported", "")],
)
def test_other_messages_say_what_can_be_said_in_words(name: str, text: str) -> None:
    message = only(WHATSAPP, name)
    assert (message.kind, message.text) == (InboundKind.MESSAGE, text)


def test_an_image_without_an_address_is_still_an_image() -> None:
    assert only(WHATSAPP, "image").media == (InboundMedia("image", ""),)


def test_a_reaction_is_about_our_message() -> None:
    reaction = only(WHATSAPP, "reaction")
    assert (reaction.kind, reaction.external_id) == (InboundKind.REACTION, "wamid.OURS")
    body = json.loads(fixture("whatsapp", "reaction"))
    body["entry"][0]["changes"][0]["value"]["messages"][0]["reaction"]["emoji"] = ""
    (removed,) = events(WHATSAPP, json.dumps(body).encode())
    assert removed.details == {"reaction": "", "removed": "yes"}


def test_one_change_holds_several_messages_and_statuses() -> None:
    raw = fixture("whatsapp", "two_messages_and_a_status")
    pieces = WHATSAPP.split(delivery(raw))
    assert [len(json.dumps(piece)) < 700 for piece in pieces] == [True, True, True]
    first, second, status = events(WHATSAPP, raw)
    assert (first.author, second.author) == (
        Author("16505551234", name="Sheena Nelson"),
        Author("48600100200", name="Łukasz"),
    )
    assert status.kind is InboundKind.PUBLISH_RESULT


def test_two_statuses_of_one_message_are_two_events() -> None:
    sent, failed = only(WHATSAPP, "status_sent"), only(WHATSAPP, "status_failed")
    assert sent.external_id == failed.external_id
    assert sent.key != failed.key
    assert (sent.details["outcome"], failed.details["outcome"]) == ("published", "failed")
    assert failed.details["reason"] == "Re-engagement message"
    assert sent.own
    assert failed.own


@pytest.mark.parametrize("name", ["status_delivered", "status_read"])
def test_receipts_say_nothing(name: str) -> None:
    assert events(WHATSAPP, fixture("whatsapp", name)) == []


def test_what_was_written_in_the_app_itself_is_ours() -> None:
    echo = only(WHATSAPP, "echo")
    assert (echo.own, echo.thread) == (True, only(WHATSAPP, "text").thread)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("account_restricted", InboundKind.ACCOUNT_RESTRICTED, "RESTRICTED_BIZ_INITIATED_MESSAGING"),
        ("account_violation", InboundKind.ACCOUNT_RESTRICTED, "SCAM"),
        ("account_disabled", InboundKind.ACCOUNT_RESTRICTED, "SCHEDULE_FOR_DISABLE"),
        ("account_removed", InboundKind.PERMISSION_REVOKED, "partner app uninstalled"),
    ],
)
def test_what_is_done_to_the_account_says_why(name: str, kind: InboundKind, words: str) -> None:
    event = only(WHATSAPP, name)
    assert (event.kind, event.account) == (kind, ACCOUNT)
    assert words in event.details["reason"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("account_reinstated", "account_update.DISABLED_UPDATE"),
        ("account_country", "account_update.BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE"),
        ("template", "message_template_status_update"),
        ("system", "messages.system"),
        ("errors", "messages"),
    ],
)
def test_what_is_new_to_us_is_unknown_with_its_name(name: str, word: str) -> None:
    event = only(WHATSAPP, name)
    assert (event.kind, event.details) == (InboundKind.UNKNOWN, {"type": word})
