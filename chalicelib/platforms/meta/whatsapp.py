"""WhatsApp Business accounts: messages, what became of ours, and what Meta does to the account.

Facts: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks and its reference of `account_update`.
The account is the business account; a thread names the phone number and the other party.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia, Piece
from chalicelib.platforms.meta.common import MetaWebhook, Origin, change_of, moment, some
from chalicelib.platforms.signing import fingerprint, list_of, object_of, text_of

_LISTS = ("messages", "statuses", "message_echoes", "errors")
_MEDIA = {"image": "image", "sticker": "image", "video": "video", "audio": "audio", "document": "file"}
_WRITTEN = {"text", "button", "interactive", "location", "contacts", "unsupported", *_MEDIA}
_RESTRICTING = {"ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "DISABLED_UPDATE"}
_REVOKING = {"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "PARTNER_APP_UNINSTALLED", "PARTNER_REMOVED"}


class WhatsAppWebhook(MetaWebhook):
    platform = "whatsapp"
    topic = "whatsapp_business_account"

    def parts(self, change: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """A change lists several messages and statuses, and the people they are of; one piece holds one."""
        value = change.get("value")
        if not isinstance(value, dict) or not any(value.get(name) for name in _LISTS):
            yield change
            return
        people = [object_of(person) for person in list_of(value.get("contacts"))]
        around = {k: v for k, v in value.items() if k not in (*_LISTS, "contacts")}
        for name in _LISTS:
            for each in list_of(value.get(name)):
                other = text_of(object_of(each).get("from")) or text_of(object_of(each).get("recipient_id"))
                known = [p for p in people if text_of(p.get("wa_id")) == other]
                yield {**change, "value": {**around, "contacts": known, name: [each]}}

    def events(self, origin: Origin, piece: Piece) -> Sequence[InboundEvent]:
        if "change" not in piece:
            return origin.unknown("messaging", dict(object_of(piece["messaging"])))
        field, value = change_of(piece)
        if field == "account_update":
            return _account(origin, value)
        for own, name in ((False, "messages"), (True, "message_echoes")):
            if value.get(name):
                return _message(origin, field, value, object_of(list_of(value[name])[0]), own)
        if value.get("statuses"):
            return _status(origin, value, object_of(list_of(value["statuses"])[0]))
        return origin.unknown(field, value)


def _message(
    origin: Origin, field: str, value: Mapping[str, Any], message: Mapping[str, Any], own: bool
) -> Sequence[InboundEvent]:
    kind = text_of(message.get("type"))
    wamid = some(message["id"])
    number = text_of(object_of(value.get("metadata")).get("phone_number_id"))
    sender = text_of(message.get("from")) or text_of(message.get("from_user_id"))
    other = some(message.get("to") if own else sender)
    contact = next((object_of(person) for person in list_of(value.get("contacts"))), {})
    name = "" if own else text_of(object_of(contact.get("profile")).get("name"))
    facts: dict[str, Any] = {
        "happened_at": moment(message["timestamp"]),
        "author": Author(sender, name=name) if sender else None,
        "own": own,
        "thread": f"{number}:{other}",
    }
    if kind == "reaction":
        reaction = object_of(message["reaction"])
        emoji = text_of(reaction.get("emoji"))
        return (
            origin.event(
                InboundKind.REACTION,
                f"message|{wamid}",
                external_id=text_of(reaction.get("message_id")),
                details={"reaction": emoji} | ({} if emoji else {"removed": "yes"}),
                **facts,
            ),
        )
    if kind not in _WRITTEN:
        return origin.unknown(f"{field}.{kind}", {**value})
    return (
        origin.event(
            InboundKind.MESSAGE,
            f"message|{wamid}",
            external_id=wamid,
            parent_id=text_of(object_of(message.get("context")).get("id")),
            text=_text(kind, message),
            media=_media(kind, message),
            **facts,
        ),
    )


def _status(origin: Origin, value: Mapping[str, Any], status: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """All statuses of a message share its id. That it was delivered or read is nothing to act upon."""
    name, wamid = text_of(status.get("status")), some(status["id"])
    if name in ("delivered", "read", "played"):
        return ()
    if name not in ("sent", "failed"):
        return origin.unknown(f"statuses.{name}", dict(value))
    error = object_of(next(iter(list_of(status.get("errors"))), None))
    reason = text_of(error.get("title")) or text_of(error.get("message"))
    outcome = "published" if name == "sent" else "failed"
    return (
        origin.event(
            InboundKind.PUBLISH_RESULT,
            f"{wamid}|{name}",
            happened_at=moment(status["timestamp"]),
            external_id=wamid,
            own=True,
            details={"outcome": outcome, "reason": reason, "post_id": wamid, "url": ""},
        ),
    )


def _account(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """`DISABLED_UPDATE` says also that a ban was lifted, for which there is no kind yet."""
    event = text_of(value.get("event"))
    ban, violation = object_of(value.get("ban_info")), object_of(value.get("violation_info"))
    if event in _REVOKING:
        kind, reason = InboundKind.PERMISSION_REVOKED, f"WhatsApp account: {event.lower().replace('_', ' ')}."
    elif event in _RESTRICTING and text_of(ban.get("waba_ban_state")) != "REINSTATE":
        limits = [object_of(limit) for limit in list_of(value.get("restriction_info"))]
        words = [text_of(ban.get("waba_ban_state")), text_of(violation.get("violation_type"))]
        words += [text_of(limit.get("restriction_type")) for limit in limits]
        kind = InboundKind.ACCOUNT_RESTRICTED
        reason = f"WhatsApp account: {', '.join(word for word in words if word) or event}."
    else:
        return origin.unknown(f"account_update.{event}", value)
    key = fingerprint("account_update", origin.account, value, origin.at.isoformat())
    return (origin.event(kind, key, details={"reason": reason[:500]}),)


def _text(kind: str, message: Mapping[str, Any]) -> str:
    body = message.get(kind)
    if kind == "text":
        return text_of(object_of(body).get("body"))
    if kind == "button":
        return text_of(object_of(body).get("text"))
    if kind == "interactive":
        chosen = object_of(body)
        answer = object_of(chosen.get("button_reply")) or object_of(chosen.get("list_reply"))
        return text_of(answer.get("title"))
    if kind == "location":
        place = object_of(body)
        words = [text_of(place.get("name")), text_of(place.get("address"))]
        return ", ".join(word for word in words if word) or f"{place['latitude']}, {place['longitude']}"
    if kind == "contacts":
        names = [object_of(object_of(card).get("name")) for card in list_of(body)]
        return ", ".join(text_of(name.get("formatted_name")) for name in names)
    return text_of(object_of(body).get("caption")) if kind in _MEDIA else ""


def _media(kind: str, message: Mapping[str, Any]) -> tuple[InboundMedia, ...]:
    """The file is fetched by its id; the address is there only for those who asked for it."""
    if kind not in _MEDIA:
        return ()
    return (InboundMedia(_MEDIA[kind], text_of(object_of(message[kind]).get("url"))),)
