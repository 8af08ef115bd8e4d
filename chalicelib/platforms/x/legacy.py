"""Events of the Account Activity API, which X has deprecated: arrays of the objects of API 1.1.

Facts: https://docs.x.com/x-api/account-activity/introduction. Nothing there says what a conversation's root
is, so a thread is one other person's answers to one post.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.core.clock import from_text
from chalicelib.platforms.inbound import InboundEvent, InboundKind, Piece
from chalicelib.platforms.signing import fingerprint, list_of, object_of, text_of, when_iso, when_millis
from chalicelib.platforms.x.common import (
    address_of,
    language_of,
    made_at,
    media_of,
    message_event,
    person,
)

_SILENT = {
    "follow_events",
    "block_events",
    "mute_events",
    "direct_message_indicate_typing_events",
    "direct_message_mark_read_events",
}


def legacy_events(piece: Piece) -> Sequence[InboundEvent]:
    """What one element of one array says."""
    name, event = text_of(piece["name"]), object_of(piece["event"])
    account = text_of(piece["for_user_id"])
    if name in _SILENT:
        return ()
    if name == "tweet_create_events":
        return _post(account, event)
    if name == "direct_message_events" and event.get("type") == "message_create":
        return message_event(account, event, object_of(piece.get("users")), f"dm|{text_of(event['id'])}")
    if name == "favorite_events":
        return (_like(account, event),)
    if name == "tweet_delete_events":
        return (_deleted(account, event),)
    if name == "user_event" and "revoke" in event:
        return (_revoked(object_of(event["revoke"])),)
    return (_unknown(name, account, event, from_text(piece["received_at"])),)


def _post(account: str, post: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """Long posts say only their beginning in `text`."""
    post_id, writer = text_of(post["id_str"]), object_of(post["user"])
    author_id = text_of(writer["id_str"])
    own = author_id == account
    parent_id = text_of(post.get("in_reply_to_status_id_str"))
    shared, quoted = object_of(post.get("retweeted_status")), object_of(post.get("quoted_status"))
    if own and not parent_id:
        return ()
    kind = InboundKind.MENTION
    if shared:
        kind = InboundKind.SHARE
    elif own or (parent_id and text_of(post.get("in_reply_to_user_id_str")) == account):
        kind = InboundKind.COMMENT
    long = object_of(post.get("extended_tweet"))
    about = text_of(shared.get("id_str")) or text_of(quoted.get("id_str")) or parent_id or post_id
    media = object_of(long.get("extended_entities") or post.get("extended_entities"))
    return (
        InboundEvent(
            platform="x",
            kind=kind,
            key=f"post|{post_id}",
            account=account,
            happened_at=made_at(post_id),
            external_id=post_id,
            author=person(author_id, writer),
            own=own,
            thread="" if own else f"{parent_id or post_id}:{author_id}",
            parent_id=parent_id,
            post_id=about,
            text=text_of(long.get("full_text")) or text_of(post.get("text")),
            language=language_of(post.get("lang")),
            url=address_of(post_id),
            media=media_of(list_of(media.get("media"))),
        ),
    )


def _like(account: str, event: Mapping[str, Any]) -> InboundEvent:
    user, post = object_of(event["user"]), object_of(event["favorited_status"])
    who, post_id = text_of(user["id_str"]), text_of(post["id_str"])
    return InboundEvent(
        platform="x",
        kind=InboundKind.REACTION,
        key=f"like|{text_of(event['id'])}",
        account=account,
        happened_at=when_millis(event["timestamp_ms"]),
        external_id=post_id,
        author=person(who, user),
        own=who == account,
        post_id=post_id,
        details={"reaction": "like"},
    )


def _deleted(account: str, event: Mapping[str, Any]) -> InboundEvent:
    post = object_of(event["status"])
    post_id = text_of(post["id"])
    return InboundEvent(
        platform="x",
        kind=InboundKind.CONTENT_DELETED,
        key=f"delete|{post_id}",
        account=account,
        happened_at=when_millis(event["timestamp_ms"]),
        external_id=post_id,
        own=text_of(post.get("user_id")) == account,
    )


def _revoked(revoke: Mapping[str, Any]) -> InboundEvent:
    account = text_of(object_of(revoke["source"])["user_id"])
    return InboundEvent(
        platform="x",
        kind=InboundKind.PERMISSION_REVOKED,
        key=f"revoke|{account}|{text_of(revoke['date_time'])}",
        account=account,
        happened_at=when_iso(revoke["date_time"]),
        details={"reason": "The app's access was taken back in the account's settings."},
    )


def _unknown(name: str, account: str, event: Mapping[str, Any], at: datetime) -> InboundEvent:
    return InboundEvent(
        platform="x",
        kind=InboundKind.UNKNOWN,
        key=fingerprint(name, account, event),
        account=account,
        happened_at=at,
        details={"type": name[:100]},
    )
