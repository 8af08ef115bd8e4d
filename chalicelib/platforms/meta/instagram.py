"""Instagram professional accounts: comments, mentions and messages, in the shapes of both its logins.

Facts: https://developers.facebook.com/docs/instagram-platform/webhooks/examples. Comments have two levels;
they say no time and no edit, and Instagram does not tell that one was removed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, Piece
from chalicelib.platforms.meta.common import MetaWebhook, Origin, change_of, some
from chalicelib.platforms.meta.messaging import message_events
from chalicelib.platforms.signing import object_of, text_of

_SILENT = {"messaging_seen", "story_insights"}
"""Read receipts; and numbers, which are read when they are needed."""


class InstagramWebhook(MetaWebhook):
    platform = "instagram"
    topic = "instagram"

    def events(self, origin: Origin, piece: Piece) -> Sequence[InboundEvent]:
        if "messaging" in piece:
            return message_events(origin, object_of(piece["messaging"]))
        field, value = change_of(piece)
        if field in ("comments", "live_comments"):
            return _comment(origin, value)
        if field == "mentions":
            return _mention(origin, value)
        if field in _SILENT:
            return ()
        if "sender" in value and "recipient" in value:
            return message_events(origin, value)
        return origin.unknown(field, value)


def _comment(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """`self_ig_scoped_id` is there only when the account itself wrote it."""
    comment_id, parent_id = some(value["id"]), text_of(value.get("parent_id"))
    writer, media = object_of(value.get("from")), object_of(value.get("media"))
    who = text_of(writer.get("id")) or text_of(writer.get("username"))
    return (
        origin.event(
            InboundKind.COMMENT,
            f"comment|{comment_id}",
            external_id=comment_id,
            author=Author(who, handle=text_of(writer.get("username"))) if who else None,
            own=who == origin.account or "self_ig_scoped_id" in writer,
            thread=parent_id or comment_id,
            parent_id=parent_id or text_of(media.get("id")),
            post_id=text_of(media.get("id")),
            text=text_of(value.get("text")),
        ),
    )


def _mention(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """Ids only: who wrote it and what is fetched with them."""
    media_id, comment_id = text_of(value.get("media_id")), text_of(value.get("comment_id"))
    external_id = some(comment_id or media_id)
    return (
        origin.event(
            InboundKind.MENTION,
            f"mention|{media_id}|{comment_id}",
            external_id=external_id,
            thread=external_id,
            post_id=media_id,
        ),
    )
