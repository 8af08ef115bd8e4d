"""What Bluesky's notifications mean. Nothing is sent to us: poll.py beside this fetches them.

Lexicons app.bsky.notification.listNotifications, app.bsky.feed.post and com.atproto.sync.getRepoStatus.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.platforms.calls import plain, web_address
from chalicelib.platforms.inbound import (
    Author,
    BadSignature,
    Delivery,
    Handshake,
    InboundEvent,
    InboundKind,
    InboundMedia,
    LiveSecrets,
    Piece,
    Signed,
)
from chalicelib.platforms.signing import text_of, when_iso

_PROFILE = "https://bsky.app/profile/"
# The public AppView's own image addresses (packages/bsky/src/image/uri.ts of bluesky-social/atproto).
_PICTURES = "https://cdn.bsky.app/img/feed_fullsize/plain/"
_REACTIONS = {"like": "like", "like-via-repost": "like", "follow": "follow"}
_SHARES = frozenset({"repost", "repost-via-repost"})
_RESTRICTED = {
    "takendown": "Bluesky has taken the account down; its owner must write to Bluesky's support.",
    "suspended": "Bluesky has suspended the account; its owner must write to Bluesky's support.",
    "deactivated": "The account is deactivated; its owner must activate it in Bluesky.",
    "deleted": "The account is deleted.",
    "": "The account's server says that it is not active, and not why.",
}


class BlueskyInbound:
    platform = "bluesky"
    ignores_bad_signatures = False

    def handshake(self, delivery: Delivery, secrets: LiveSecrets) -> Handshake | None:
        return None

    def verify(self, delivery: Delivery, secrets: LiveSecrets) -> Signed:
        """Bluesky sends nothing, so whatever comes is not Bluesky's."""
        raise BadSignature("Bluesky has no webhooks.")

    def split(self, delivery: Delivery) -> Sequence[Piece]:
        return ()

    def normalise(self, piece: Piece) -> Sequence[InboundEvent]:
        try:
            if "repo" in piece:
                return [self._restricted(piece, text_of(piece["repo"].get("status")))]
            return [self._notified(piece["account"], piece["notification"])]
        except AttributeError as error:
            raise TypeError(f"not of the documented form: {error}") from None

    def _restricted(self, piece: Piece, status: str) -> InboundEvent:
        event = InboundEvent(
            self.platform,
            InboundKind.UNKNOWN,
            f"repo:{status}:{piece['since']}",
            piece["account"],
            when_iso(piece["at"]),
            details={"type": f"repo {plain(status)}"},
        )
        if status not in _RESTRICTED:  # `desynchronized`, `throttled`: a relay's business, the account works
            return event
        return replace(event, kind=InboundKind.ACCOUNT_RESTRICTED, details={"reason": _RESTRICTED[status]})

    def _notified(self, account: str, told: Mapping[str, Any]) -> InboundEvent:
        reason, uri, subject = told["reason"], text_of(told["uri"]), text_of(told.get("reasonSubject"))
        author = _author(told["author"])
        event = InboundEvent(
            self.platform,
            InboundKind.UNKNOWN,
            f"{reason}:{uri}:{told['cid']}",
            account,
            when_iso(told["indexedAt"]),
            external_id=uri,
            author=author,
            details={"type": plain(reason)},
        )
        if reason in ("reply", "mention", "quote"):
            # One post notifies one account once, whatever it does to it (notifsForInsert in packages/bsky).
            return replace(
                _spoken(event, author.external_id, told["record"]), key=f"post:{uri}:{told['cid']}"
            )
        if reason in _REACTIONS:
            details = {"reaction": _REACTIONS[reason]}
            return replace(
                event, kind=InboundKind.REACTION, post_id=subject, url=_page(subject), details=details
            )
        if reason in _SHARES:
            return replace(event, kind=InboundKind.SHARE, post_id=subject, url=_page(subject), details={})
        if reason in ("verified", "unverified"):
            return replace(event, kind=InboundKind.PROFILE_CHANGED, details={"field": "verification"})
        return event


def _spoken(event: InboundEvent, writer: str, record: Mapping[str, Any]) -> InboundEvent:
    """A reply, mention or quote, in the thread that its writer and we have under one post."""
    reply, embed, languages = record.get("reply"), record.get("embed") or {}, record.get("langs") or [""]
    root, parent = (text_of(reply[name]["uri"]) if reply else "" for name in ("root", "parent"))
    own = writer == event.account
    answers_us = parent.startswith(f"at://{event.account}/")
    # Whoever answers and mentions at once is told as a mention, though it answers us.
    commented = event.details["type"] == "reply" or answers_us
    return replace(
        event,
        kind=InboundKind.COMMENT if commented else InboundKind.MENTION,
        own=own,
        thread=f"{root or event.external_id} {_did(parent) if own else writer}",
        parent_id=parent,
        post_id=root or _quoted(embed),
        text=text_of(record["text"]),
        language=text_of(languages[0]),
        url=_page(event.external_id),
        media=tuple(_media(writer, embed)),
        details={},
    )


def _author(profile: Mapping[str, Any]) -> Author:
    did, handle = text_of(profile["did"]), plain(profile.get("handle"))
    name = handle if handle not in ("", "handle.invalid") else did
    return Author(did, handle, plain(profile.get("displayName")), web_address(_PROFILE + name))


def _did(uri: str) -> str:
    return uri.removeprefix("at://").partition("/")[0]


def _page(uri: str) -> str:
    """Where a browser shows a post; nothing for what is no post."""
    did, _, path = uri.removeprefix("at://").partition("/")
    collection, _, rkey = path.partition("/")
    return web_address(f"{_PROFILE}{did}/post/{rkey}") if collection == "app.bsky.feed.post" and rkey else ""


def _quoted(embed: Mapping[str, Any]) -> str:
    """The address of the record that a post quotes: `record`, or `record.record` beside media."""
    record = embed.get("record") or {}
    return text_of((record.get("record") or record).get("uri"))


def _media(writer: str, embed: Mapping[str, Any]) -> Iterator[InboundMedia]:
    """What hangs on a post. A video has no address in its record; the post's page shows it."""
    media = embed.get("media") or embed
    for picture in media.get("images") or media.get("items") or ():
        cid = text_of(picture["image"]["ref"]["$link"])
        yield InboundMedia("image", web_address(f"{_PICTURES}{writer}/{cid}"), text_of(picture.get("alt")))
    if "video" in media:
        yield InboundMedia("video", "", text_of(media.get("alt")))
    if "external" in media:
        external = media["external"]
        yield InboundMedia("link", web_address(external.get("uri")), text_of(external.get("title")))
