"""Messages of Messenger and Instagram, which share one form, and what else comes beside them.

Facts: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events and
https://developers.facebook.com/docs/instagram-platform/webhooks/examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia
from chalicelib.platforms.meta.common import Origin, moment, some
from chalicelib.platforms.signing import fingerprint, list_of, object_of, text_of

_SILENT = {"delivery", "read", "typing"}
"""Receipts and typing say nothing that anybody has to know or to answer."""
_AROUND = {"sender", "recipient", "timestamp", "is_self", "hop_context"}
_MEDIA = {"image", "video", "audio", "file"}
_POLICY = ("policy_enforcement", "policy-enforcement")


def message_events(origin: Origin, item: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """What one item of `messaging` or `standby` says; `standby` is of threads that another app holds."""
    for name in _POLICY:
        if name in item:
            return policy_events(origin, item, object_of(item[name]))
    if _SILENT & item.keys():
        return ()
    talk = _Talk(origin, item)
    if "message" in item:
        return talk.message(object_of(item["message"]))
    if "message_edit" in item:
        return talk.edit(object_of(item["message_edit"]))
    if "reaction" in item:
        return talk.reaction(object_of(item["reaction"]))
    if "postback" in item:
        return talk.postback(object_of(item["postback"]))
    names = sorted(item.keys() - _AROUND)
    return origin.unknown(f"messaging.{names[0] if names else ''}", dict(item))


def policy_events(
    origin: Origin, item: Mapping[str, Any], enforcement: Mapping[str, Any]
) -> Sequence[InboundEvent]:
    """A block or a warning of the messaging policy; that a block was lifted is not yet a kind of its own."""
    action, reason = text_of(enforcement.get("action")), text_of(enforcement.get("reason"))
    if action == "unblock":
        return origin.unknown("messaging_policy_enforcement.unblock", dict(item))
    happened_at = moment(item["timestamp"]) if "timestamp" in item else origin.at
    return (
        origin.event(
            InboundKind.ACCOUNT_RESTRICTED,
            fingerprint("policy", origin.account, text_of(item.get("timestamp")), dict(enforcement)),
            happened_at=happened_at,
            details={"reason": f"Messaging policy, {action or 'action'}: {reason or 'no reason was given'}"},
        ),
    )


class _Talk:
    """One item's two ends. The account is the sender of its echoes and the recipient of all else."""

    def __init__(self, origin: Origin, item: Mapping[str, Any]) -> None:
        sender = text_of(object_of(item.get("sender")).get("id"))
        recipient = text_of(object_of(item.get("recipient")).get("id"))
        message = object_of(item.get("message"))
        self.own = bool(message.get("is_echo") or message.get("is_self") or item.get("is_self"))
        self.own = self.own or ("postback" not in item and sender == origin.account != recipient)
        account, self.other = (sender, recipient) if self.own else (recipient, sender)
        if not self.other:
            raise ValueError("a message without its other party")
        self.facts: dict[str, Any] = {
            "account": account or origin.account,
            "happened_at": moment(item["timestamp"]) if "timestamp" in item else origin.at,
            "author": Author(sender) if sender else None,
            "own": self.own,
            "thread": self.other,
        }
        self.origin = origin

    def message(self, message: Mapping[str, Any]) -> Sequence[InboundEvent]:
        mid = some(message["mid"])
        if message.get("is_deleted"):
            facts = self.facts | {"external_id": mid}
            return (self.origin.event(InboundKind.CONTENT_DELETED, f"deleted|{mid}", **facts),)
        return (
            self.origin.event(
                InboundKind.MESSAGE,
                f"message|{mid}",
                external_id=mid,
                parent_id=text_of(object_of(message.get("reply_to")).get("mid")),
                text=text_of(message.get("text")),
                media=_attachments(list_of(message.get("attachments"))),
                **self.facts,
            ),
        )

    def edit(self, edit: Mapping[str, Any]) -> Sequence[InboundEvent]:
        """The time of the edit is all that it says, so it stands for the message's own time too."""
        mid, count = some(edit["mid"]), text_of(edit.get("num_edit"))
        return (
            self.origin.event(
                InboundKind.MESSAGE,
                f"edit|{mid}|{count or fingerprint(edit.get('text'))}",
                external_id=mid,
                text=text_of(edit.get("text")),
                edited_at=self.facts["happened_at"],
                **self.facts,
            ),
        )

    def reaction(self, reaction: Mapping[str, Any]) -> Sequence[InboundEvent]:
        mid, action = some(reaction["mid"]), text_of(reaction.get("action"))
        name = text_of(reaction.get("emoji")) or text_of(reaction.get("reaction"))
        at = self.facts["happened_at"].isoformat()
        return (
            self.origin.event(
                InboundKind.REACTION,
                f"reaction|{mid}|{self.other}|{self.own}|{action}|{at}",
                external_id=mid,
                details={"reaction": name} | ({"removed": "yes"} if action == "unreact" else {}),
                **self.facts,
            ),
        )

    def postback(self, postback: Mapping[str, Any]) -> Sequence[InboundEvent]:
        """A pressed button says its title."""
        at = self.facts["happened_at"].isoformat()
        mid = text_of(postback.get("mid")) or fingerprint(self.other, at, dict(postback))
        return (
            self.origin.event(
                InboundKind.MESSAGE,
                f"message|{mid}",
                external_id=mid,
                text=text_of(postback.get("title")),
                **self.facts,
            ),
        )


def _attachments(items: Sequence[Any]) -> tuple[InboundMedia, ...]:
    found = []
    for item in map(object_of, items):
        payload = object_of(item.get("payload"))
        kind = text_of(item.get("type"))
        url = text_of(payload.get("url")) or text_of(item.get("url"))
        found.append(InboundMedia(kind if kind in _MEDIA else "link", url, text_of(payload.get("title"))))
    return tuple(found)
