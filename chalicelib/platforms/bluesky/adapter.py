"""Bluesky (AT Protocol): a post is a record that we name ourselves, so writing it twice writes it once.

Facts: lexicons com.atproto.* and app.bsky.* of https://github.com/bluesky-social/atproto, and a running PDS.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock, to_text
from chalicelib.core.http import HttpClient
from chalicelib.platforms import checks
from chalicelib.platforms.bluesky.poll import Notifications
from chalicelib.platforms.bluesky.reader import READ_TRAITS, BlueskyReader
from chalicelib.platforms.bluesky.sessions import Session, Sessions
from chalicelib.platforms.bluesky.text import facets, mentioned
from chalicelib.platforms.bluesky.tid import tid
from chalicelib.platforms.bluesky.xrpc import UNDOCUMENTED, NoSuchRecord, SessionEnded, Xrpc
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import AdapterError, RateLimited, Rejected, Unavailable
from chalicelib.platforms.inbound import Polled
from chalicelib.platforms.port import (
    FOREVER,
    Absent,
    AccountRef,
    Activity,
    Checkpoint,
    Content,
    Found,
    Limits,
    Media,
    MediaRule,
    Problem,
    Profile,
    Published,
    Rate,
    SessionStore,
    Sighting,
    Traits,
    Unsure,
)
from chalicelib.platforms.text import graphemes

_POST = "app.bsky.feed.post"
# Blobs that no record refers to are dropped within minutes. The same bytes get the same reference again.
_BLOB_KEEPS_FOR = timedelta(minutes=2)


class BlueskyAdapter:
    # 300 graphemes, 3,000 bytes, 4 images: lexicons app.bsky.feed.post and app.bsky.embed.images. The lexicon
    # allows 2,000,000 bytes a picture, but servers up to 0.4.217 enforce the 1,000,000 of before.
    traits = Traits(
        platform="bluesky",
        name="Bluesky",
        default_server="https://bsky.social",
        counted_in="graphemes",
        limits=Limits(
            characters=300,
            text_bytes=3_000,
            media=4,
            alt_characters=2_000,
            media_rules=(
                MediaRule("picture", frozenset({"image/jpeg", "image/png", "image/webp"}), 1_000_000),
            ),
        ),
        options={},
        rates=(
            Rate("points (a new post takes 3)", 5_000, timedelta(hours=1)),
            Rate("points (a new post takes 3)", 35_000, timedelta(days=1)),
            Rate("sign-ins", 30, timedelta(minutes=5)),
            Rate("sign-ins", 300, timedelta(days=1)),
        ),
        abilities=frozenset({"publish", "read", "reply"}),
        idempotent_for=FOREVER,
        visible_after_for=timedelta(seconds=30),
        publish_for=timedelta(seconds=20),
    )
    read_traits = READ_TRAITS

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._xrpc = Xrpc(http, clock)
        self._sessions = Sessions(self._xrpc, clock, sessions)
        self._notifications = Notifications(self._xrpc, clock, self._sessions)
        self._reader = BlueskyReader(http, clock, self._xrpc, self._sessions)

    def limits(self, account: AccountRef) -> Limits:
        return self.traits.limits

    def count(self, content: Content, limits: Limits) -> int:
        return graphemes(content.text)

    def problems(self, content: Content, limits: Limits) -> Sequence[Problem]:
        return checks.problems(content, limits, self.traits, self.count(content, limits))

    def plan(self, content: Content, now: datetime, key: str) -> Checkpoint:
        """The record's key and `createdAt`: with them and the content the record is always the same bytes."""
        return {"rkey": tid(now, key), "created_at": to_text(now)}

    def prepare(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Checkpoint:
        """Sign in, look up what is answered and who is mentioned, upload the pictures."""
        done = dict(checkpoint)
        try:
            session = self._sessions.ready(account)
            done |= {"did": session.did, "handle": session.handle}
            try:
                if content.reply_to is not None and "reply" not in done:
                    done["reply"] = self._thread_of(account.server, content.reply_to.external_id)
                self._look_up_mentions(account, content, done)
                self._upload(account, session, content, done)
            except SessionEnded:
                self._sessions.drop(account, session)
                raise
        except AdapterError as error:
            error.checkpoint = done
            raise
        return done

    def publish(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Published:
        """One `putRecord`: `swapRecord` null never overwrites, and the same record again changes nothing."""
        session = self._sessions.current(account)
        call = {
            "repo": checkpoint["did"],
            "collection": _POST,
            "rkey": checkpoint["rkey"],
            "record": record(content, checkpoint),
            "swapRecord": None,
        }
        try:
            answer = self._xrpc.write(
                account.server, "com.atproto.repo.putRecord", session.access, call, self.traits.publish_for
            )
        except SessionEnded:
            self._sessions.drop(account, session)
            raise
        if not isinstance(answer, dict) or answer.get("uri") != _uri(checkpoint) or not answer.get("cid"):
            raise self._xrpc.unclear()
        return _published(checkpoint)

    def find(
        self, account: AccountRef, content: Content, checkpoint: Checkpoint, since: datetime
    ) -> Sighting:
        """`getRecord` of our own key, which is exact: `since` is not needed.

        A server says "no such record" of a deactivated repo too, so Absent needs an active one.
        """
        repo = checkpoint.get("did") or account.external_id
        if not repo:
            return Unsure("The account has no DID yet; check its credentials.")
        try:
            value = self._record(account.server, repo, checkpoint["rkey"])
            if value is None:
                status = self._xrpc.get(account.server, "com.atproto.sync.getRepoStatus", did=repo)
                return Absent() if status.get("active") is True else Unsure("The account is not active.")
        except RateLimited as error:
            return Unsure(error.message, error.until)
        except AdapterError as error:
            return Unsure(error.message)
        if (value.get("text"), value.get("createdAt")) != (content.text, checkpoint["created_at"]):
            return Unsure("Another post stands under this post's key; look at the account.")
        return Found(_published({"handle": account.handle, **checkpoint, "did": repo}))

    def profile(self, account: AccountRef) -> Profile:
        """As `BlueskyReader.profile`: ours signs in, anybody's is read on the network's AppView."""
        return self._reader.profile(account)

    def activity(self, account: AccountRef) -> Activity:
        return self._reader.activity(account)

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        return self._notifications.poll(account, cursor)

    def _thread_of(self, server: str, uri: str) -> dict[str, Any]:
        """`parent` and `root` of a reply to a post, with the hashes of exactly these versions.

        The account's own server passes the question on for posts that stand elsewhere.
        """
        did, _, rkey = uri.removeprefix("at://").partition(f"/{_POST}/")
        try:
            answer = self._xrpc.get(
                server, "com.atproto.repo.getRecord", repo=did, collection=_POST, rkey=rkey
            )
        except NoSuchRecord:
            raise Rejected("What is to be answered is gone: its author deleted it.") from None
        value, cid = answer.get("value"), answer.get("cid")
        if not isinstance(value, dict) or not isinstance(cid, str):
            raise Unavailable(UNDOCUMENTED)
        parent = {"uri": uri, "cid": cid}
        above = value.get("reply")
        root = above.get("root") if isinstance(above, dict) else None
        return {"root": root if isinstance(root, dict) else parent, "parent": parent}

    def _record(self, server: str, repo: str, rkey: str) -> dict[str, Any] | None:
        try:
            answer = self._xrpc.get(
                server, "com.atproto.repo.getRecord", repo=repo, collection=_POST, rkey=rkey
            )
        except NoSuchRecord:
            return None
        if not isinstance(answer.get("value"), dict):
            raise Unavailable(UNDOCUMENTED)
        return dict(answer["value"])

    def _look_up_mentions(self, account: AccountRef, content: Content, done: dict[str, Any]) -> None:
        """Fills `mentions` of the checkpoint: handle to DID, empty for a handle that nobody has."""
        for handle in mentioned(content.text):
            known = done.get("mentions", {})
            if handle in known:
                continue
            try:
                answer = self._xrpc.get(account.server, "com.atproto.identity.resolveHandle", handle=handle)
                did = answer.get("did")
            except Rejected:
                did = ""
            done["mentions"] = {**known, handle: did if isinstance(did, str) else ""}

    def _upload(self, account: AccountRef, session: Session, content: Content, done: dict[str, Any]) -> None:
        """Fills `blobs` of the checkpoint, one by one: digest to blob and when it was uploaded."""
        for media in content.media:
            blobs = done.get("blobs", {})
            uploaded_at = time_of(blobs.get(media.digest, {}).get("uploaded_at"))
            if uploaded_at and self._clock.now() - uploaded_at < _BLOB_KEEPS_FOR:
                continue
            answer = self._xrpc.upload(account.server, session.access, media.read(), media.mime)
            if not isinstance(answer.get("blob"), dict):
                raise Unavailable(UNDOCUMENTED)
            kept = {"blob": answer["blob"], "uploaded_at": to_text(self._clock.now())}
            done["blobs"] = {**blobs, media.digest: kept}


def record(content: Content, checkpoint: Checkpoint) -> dict[str, Any]:
    """The post's record (lexicon app.bsky.feed.post): the same for the same content and checkpoint."""
    built: dict[str, Any] = {
        "$type": _POST,
        "text": content.text,
        "createdAt": checkpoint["created_at"],
    }
    if content.language:
        built["langs"] = [content.language]
    found = facets(content.text, checkpoint.get("mentions", {}))
    if found:
        built["facets"] = found
    if content.reply_to is not None:
        built["reply"] = checkpoint["reply"]
    if content.media:
        images = [_image(media, checkpoint["blobs"]) for media in content.media]
        built["embed"] = {"$type": "app.bsky.embed.images", "images": images}
    return built


def _image(media: Media, blobs: Mapping[str, Any]) -> dict[str, Any]:
    image: dict[str, Any] = {"image": blobs[media.digest]["blob"], "alt": media.alt}
    if media.width > 0 and media.height > 0:
        image["aspectRatio"] = {"width": media.width, "height": media.height}
    return image


def _uri(checkpoint: Checkpoint) -> str:
    return f"at://{checkpoint['did']}/{_POST}/{checkpoint['rkey']}"


def _published(checkpoint: Checkpoint) -> Published:
    handle = checkpoint.get("handle", "")
    name = handle if handle not in ("", "handle.invalid") else checkpoint["did"]
    return Published(_uri(checkpoint), f"https://bsky.app/profile/{name}/post/{checkpoint['rkey']}")
