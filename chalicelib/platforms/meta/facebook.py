"""Facebook Pages: comments, mentions, reviews, reactions and messages, and what Meta does to a page.

Facts: https://developers.facebook.com/docs/graph-api/webhooks/reference/page. Comments have two levels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.platforms.inbound import Author, InboundEvent, InboundKind, InboundMedia, Piece
from chalicelib.platforms.meta.common import MetaWebhook, Origin, change_of, moment, some
from chalicelib.platforms.meta.messaging import message_events, policy_events
from chalicelib.platforms.signing import fingerprint, list_of, object_of, text_of

_REMOVED = {"remove", "delete"}
_EDITED = {"edit", "edited", "update"}
_MODERATED = {"hide", "unhide", "mute", "block", "follow"}
"""What the page itself did to somebody's words, and followers: nothing to answer."""
_POSTS = {"post", "status", "photo", "video", "link", "album", "note", "event", "story", "tag"}
_PROFILE = {
    *("about", "bio", "category", "cover", "current_location", "description", "email", "founded"),
    *("general_info", "hours", "location", "mission", "name", "phone", "picture", "products", "username"),
    *("website",),
}


class FacebookWebhook(MetaWebhook):
    platform = "facebook"
    topic = "page"

    def events(self, origin: Origin, piece: Piece) -> Sequence[InboundEvent]:
        if "messaging" in piece:
            return message_events(origin, object_of(piece["messaging"]))
        field, value = change_of(piece)
        if field in _PROFILE:
            key = fingerprint("profile", field, value, origin.at.isoformat())
            return (origin.event(InboundKind.PROFILE_CHANGED, key, details={"field": field}),)
        if field == "feed":
            return _feed(origin, value)
        if field == "mention":
            return _written(origin, value, InboundKind.MENTION)
        if field == "ratings":
            return _rating(origin, value)
        if field == "business_integrity":
            return _integrity(origin, value)
        if field == "messaging_policy_enforcement":
            return policy_events(origin, value, object_of(value.get("policy_enforcement")))
        if "sender" in value and "recipient" in value:
            return message_events(origin, value)
        return origin.unknown(field, value)


def _feed(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    item = text_of(value.get("item"))
    if item == "comment":
        return _written(origin, value, InboundKind.COMMENT)
    if item in ("reaction", "like"):
        return _reaction(origin, value)
    if item == "share" and not _mine(origin, value):
        return _shared(origin, value)
    if item in _POSTS or item == "share":
        return _written(origin, value, InboundKind.MENTION)
    return origin.unknown(f"feed.{item}", value)


def _written(origin: Origin, value: Mapping[str, Any], kind: InboundKind) -> Sequence[InboundEvent]:
    """A comment, or a post that another wrote on the page or about it.

    The page's own posts say nothing: publishing knows them. That one was removed does.
    """
    verb, own = text_of(value.get("verb")), _mine(origin, value)
    if verb in _MODERATED:
        return ()
    post_id, comment_id = text_of(value.get("post_id")), text_of(value.get("comment_id"))
    parent_id = text_of(value.get("parent_id"))
    if not comment_id or parent_id in (post_id, comment_id):
        parent_id = ""
    external_id = some(comment_id or post_id)
    facts: dict[str, Any] = {
        "external_id": external_id,
        "author": _author(value),
        "own": own,
        "thread": parent_id or external_id,
        "parent_id": parent_id or (post_id if comment_id else ""),
        "post_id": post_id,
    }
    if verb in _REMOVED:
        at = _made(origin, value)
        key = f"{external_id}|remove|{text_of(value.get('created_time'))}"
        return (origin.event(InboundKind.CONTENT_DELETED, key, happened_at=at, **facts),)
    if verb != "add" and verb not in _EDITED:
        return origin.unknown(f"{kind}.{verb}", value)
    if own and not comment_id:
        return ()
    key = f"{kind}|{external_id}|{verb}|{text_of(value.get('created_time'))}"
    if verb in _EDITED:
        key += "|" + fingerprint(value)
        facts["edited_at"] = moment(value["edited_time"]) if "edited_time" in value else origin.at
    return (
        origin.event(
            kind,
            key,
            happened_at=_made(origin, value),
            text=text_of(value.get("message")),
            url=_address(value, post_id, comment_id),
            media=_media(value),
            **facts,
        ),
    )


def _reaction(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    post_id, comment_id = text_of(value.get("post_id")), text_of(value.get("comment_id"))
    removed = text_of(value.get("verb")) in _REMOVED
    return (
        origin.event(
            InboundKind.REACTION,
            fingerprint("reaction", origin.account, value),
            happened_at=_made(origin, value),
            external_id=comment_id or post_id,
            post_id=post_id,
            author=_author(value),
            own=_mine(origin, value),
            details={"reaction": text_of(value.get("reaction_type")) or "like"}
            | ({"removed": "yes"} if removed else {}),
        ),
    )


def _shared(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    share_id = text_of(value.get("share_id")) or some(value.get("post_id"))
    kind = InboundKind.CONTENT_DELETED if text_of(value.get("verb")) in _REMOVED else InboundKind.SHARE
    return (
        origin.event(
            kind,
            f"{kind}|{share_id}|{text_of(value.get('created_time'))}",
            happened_at=_made(origin, value),
            external_id=share_id,
            post_id=text_of(value.get("post_id")),
            author=_author(value),
            text=text_of(value.get("message")),
            url=_address(value, text_of(value.get("post_id")), ""),
        ),
    )


def _rating(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """A review is a comment on the page; what is said under it is a comment on the review."""
    story = text_of(value.get("open_graph_story_id"))
    if text_of(value.get("item")) == "comment":
        return _written(origin, {**value, "post_id": value.get("post_id") or story}, InboundKind.COMMENT)
    if text_of(value.get("item")) in ("reaction", "like"):
        return _reaction(origin, {**value, "post_id": value.get("post_id") or story})
    review = {
        **value,
        "post_id": some(story),
        "from": {"id": value.get("reviewer_id"), "name": value.get("reviewer_name")},
        "message": text_of(value.get("review_text")),
    }
    return _written(origin, review, InboundKind.MENTION)


def _integrity(origin: Origin, value: Mapping[str, Any]) -> Sequence[InboundEvent]:
    """What Meta holds against a page; a list that has become empty is news without a kind of its own."""
    restrictions = [object_of(each) for each in list_of(value.get("restrictions"))]
    violations = [object_of(each) for each in list_of(value.get("violations"))]
    if not restrictions and not violations:
        return origin.unknown("business_integrity", value)
    words = [text_of(r.get("description")) or text_of(r.get("feature")) for r in restrictions]
    words += [text_of(v.get("description")) or text_of(v.get("type")) for v in violations]
    reason = "; ".join(word for word in words if word) or text_of(value.get("status"))
    return (
        origin.event(
            InboundKind.ACCOUNT_RESTRICTED,
            fingerprint("business_integrity", origin.account, value),
            happened_at=moment(value["timestamp"]) if "timestamp" in value else origin.at,
            details={"reason": reason[:500]},
        ),
    )


def _author(value: Mapping[str, Any]) -> Author | None:
    """Older fields name a `sender_id`; without the permission for it, nobody is named."""
    person = object_of(value.get("from"))
    who = text_of(person.get("id")) or text_of(value.get("sender_id"))
    name = text_of(person.get("name")) or text_of(value.get("sender_name"))
    return Author(who, name=name) if who else None


def _mine(origin: Origin, value: Mapping[str, Any]) -> bool:
    author = _author(value)
    return author is not None and author.external_id == origin.account


def _made(origin: Origin, value: Mapping[str, Any]) -> datetime:
    return moment(value["created_time"]) if "created_time" in value else origin.at


def _address(value: Mapping[str, Any], post_id: str, comment_id: str) -> str:
    given = text_of(value.get("permalink_url")) or text_of(object_of(value.get("post")).get("permalink_url"))
    if given or not post_id:
        return given
    last = comment_id.rpartition("_")[2]
    return f"https://www.facebook.com/{post_id}" + (f"?comment_id={last}" if last else "")


def _media(value: Mapping[str, Any]) -> tuple[InboundMedia, ...]:
    found = [("image", value.get("photo")), ("video", value.get("video"))]
    found += [("image", photo) for photo in list_of(value.get("photos"))]
    if not any(address for _, address in found):
        found.append(("link", value.get("link")))
    return tuple(InboundMedia(kind, text_of(address)) for kind, address in found if address)
