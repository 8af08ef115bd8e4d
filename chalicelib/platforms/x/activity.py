"""Events of the X Activity API: one for each delivery, known by its `event_uuid`.

Facts: https://docs.x.com/x-api/activity/event-payloads. A reply that also mentions us comes as two events
of one post.
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
    listed,
    made_at,
    media_of,
    message_event,
    person,
)

_SILENT = (
    *("follow.", "mute.", "block.", "spaces.", "news."),
    *("broadcast.start", "broadcast.end", "dm.read", "dm.indicate_typing"),
)
"""Followers, receipts and typing: nothing that anybody has to know or to answer."""
_PROFILE = "profile.update."
POSTS = {
    "post.create": InboundKind.COMMENT,
    "post.mention.create": InboundKind.MENTION,
    "post.reply.create": InboundKind.COMMENT,
    "post.quote.create": InboundKind.MENTION,
    "post.repost.create": InboundKind.SHARE,
}


def activity_events(piece: Piece) -> Sequence[InboundEvent]:
    """What one event says. Its account is the user of the subscription's filter."""
    data, includes = object_of(piece["data"]), object_of(piece.get("includes"))
    received_at = from_text(piece["received_at"])
    name, payload = text_of(data.get("event_type")), object_of(data.get("payload"))
    account = text_of(object_of(data.get("filter")).get("user_id"))
    key = text_of(data.get("event_uuid")) or fingerprint({k: v for k, v in data.items() if k != "includes"})
    if name.startswith(_SILENT):
        return ()
    if name in POSTS and account:
        return _post(POSTS[name], account, payload, includes, key)
    if name in ("dm.received", "dm.sent") and account:
        return _messages(account, payload, key)
    if name == "broadcast.chat" and account:
        return _chat(account, payload, key)
    make = {
        "post.delete": _deleted,
        "like.create": _like,
        "oauth.revoke": _revoked,
    }.get(name, _unknown)
    if name.startswith(_PROFILE):
        make = _profile
    return (make(name, account, payload, includes, key, received_at),)


def _post(
    kind: InboundKind, account: str, post: Mapping[str, Any], includes: Mapping[str, Any], key: str
) -> Sequence[InboundEvent]:
    """A post of another, or an answer of our own; our other posts say nothing, publishing knows them.

    A conversation on X is open to all, so a thread is one other person's part of it. An edited post has a
    new id and lists those before it: it is known by the first, and its time is the first one's.
    """
    post_id, author_id = text_of(post["id"]), text_of(post["author_id"])
    versions = [text_of(version) for version in list_of(post.get("edit_history_tweet_ids"))] or [post_id]
    said_at = when_iso(post["created_at"])
    parent_id = text_of(post.get("in_reply_to_tweet_id")) or _referenced(post, "replied_to")
    root_id = text_of(post.get("conversation_id")) or versions[0]
    own = author_id == account
    if own and not parent_id:
        return ()
    other = text_of(post.get("in_reply_to_user_id")) if own else author_id
    users = listed(includes.get("users"))
    edited = len(versions) > 1
    return (
        InboundEvent(
            platform="x",
            kind=kind,
            key=key,
            account=account,
            happened_at=made_at(versions[0]) if edited else said_at,
            external_id=versions[0],
            author=person(author_id, users.get(author_id, {})),
            own=own,
            thread=f"{root_id}:{other}" if other and other != account else "",
            parent_id=parent_id,
            post_id=_referenced(post, "quoted") or _referenced(post, "retweeted") or root_id,
            text=text_of(object_of(post.get("note_tweet")).get("text")) or text_of(post.get("text")),
            language=language_of(post.get("lang")),
            url=address_of(post_id),
            media=_media(post, includes),
            edited_at=said_at if edited else None,
        ),
    )


def _messages(account: str, payload: Mapping[str, Any], key: str) -> Sequence[InboundEvent]:
    users = object_of(payload.get("users"))
    messages = [object_of(message) for message in list_of(payload["direct_message_events"])]
    return [
        event
        for place, message in enumerate(messages)
        for event in message_event(account, message, users, f"{key}:{place}" if place else key)
    ]


def _chat(account: str, payload: Mapping[str, Any], key: str) -> Sequence[InboundEvent]:
    """What another wrote beside our live broadcast; what we wrote there answers nobody in particular."""
    message_id, broadcast_id = text_of(payload["message_id"]), text_of(payload["broadcast_id"])
    author = object_of(object_of(payload.get("author")).get("data"))
    author_id = text_of(author["id"])
    if author_id == account:
        return ()
    return (
        InboundEvent(
            platform="x",
            kind=InboundKind.COMMENT,
            key=key,
            account=account,
            happened_at=made_at(message_id),
            external_id=message_id,
            author=person(author_id, author),
            thread=f"{broadcast_id}:{author_id}",
            post_id=broadcast_id,
            text=text_of(payload.get("message")),
            url=f"https://x.com/i/broadcasts/{broadcast_id}",
        ),
    )


def _deleted(
    name: str, account: str, payload: Mapping[str, Any], _: Mapping[str, Any], key: str, at: datetime
) -> InboundEvent:
    return InboundEvent(
        platform="x",
        kind=InboundKind.CONTENT_DELETED,
        key=key,
        account=account,
        happened_at=at,
        external_id=text_of(payload["id"]),
        own=text_of(payload.get("author_id")) == account,
    )


def _like(
    name: str, account: str, payload: Mapping[str, Any], includes: Mapping[str, Any], key: str, at: datetime
) -> InboundEvent:
    """Who likes is not said; it is whoever is included beside the one who is liked."""
    liked = text_of(payload.get("liked_tweet_author_id"))
    own = account not in ("", liked)
    others = [who for who in listed(includes.get("users")) if who not in ("", account, liked)]
    liker = account if own else (others[0] if len(others) == 1 else "")
    post_id = text_of(payload["liked_tweet_id"])
    return InboundEvent(
        platform="x",
        kind=InboundKind.REACTION,
        key=key,
        account=account,
        happened_at=when_millis(payload["timestamp_ms"]) if "timestamp_ms" in payload else at,
        external_id=post_id,
        author=person(liker, listed(includes.get("users")).get(liker, {})) if liker else None,
        own=own,
        post_id=post_id,
        details={"reaction": "like"},
    )


def _revoked(
    name: str, account: str, payload: Mapping[str, Any], _: Mapping[str, Any], key: str, at: datetime
) -> InboundEvent:
    return InboundEvent(
        platform="x",
        kind=InboundKind.PERMISSION_REVOKED,
        key=key,
        account=text_of(payload["user_id"]),
        happened_at=when_iso(payload["date_time"]) if "date_time" in payload else at,
        details={"reason": "The app's access was taken back in the account's settings."},
    )


def _profile(
    name: str, account: str, payload: Mapping[str, Any], _: Mapping[str, Any], key: str, at: datetime
) -> InboundEvent:
    return InboundEvent(
        platform="x",
        kind=InboundKind.PROFILE_CHANGED,
        key=key,
        account=account,
        happened_at=at,
        details={"field": name.removeprefix(_PROFILE)},
    )


def _unknown(
    name: str, account: str, payload: Mapping[str, Any], _: Mapping[str, Any], key: str, at: datetime
) -> InboundEvent:
    """Encrypted chats too: nobody but their two ends can tell a message from a change of keys."""
    return InboundEvent(
        platform="x",
        kind=InboundKind.UNKNOWN,
        key=key,
        account=account,
        happened_at=at,
        details={"type": name[:100]},
    )


def _referenced(post: Mapping[str, Any], way: str) -> str:
    for each in map(object_of, list_of(post.get("referenced_tweets"))):
        if each.get("type") == way:
            return text_of(each["id"])
    return ""


def _media(post: Mapping[str, Any], includes: Mapping[str, Any]) -> Any:
    keys = list_of(object_of(post.get("attachments")).get("media_keys"))
    known = {text_of(object_of(item).get("media_key")): item for item in list_of(includes.get("media"))}
    return media_of([known[text_of(key)] for key in keys if text_of(key) in known])
