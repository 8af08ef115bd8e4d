"""Mastodon: a post carries an Idempotency-Key, under which the server makes one status within an hour.

Facts: https://docs.joinmastodon.org/methods/statuses/ and /methods/media/.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from chalicelib.core.clock import Clock, to_text
from chalicelib.core.http import HttpClient
from chalicelib.platforms import checks
from chalicelib.platforms.calls import time_of, web_address
from chalicelib.platforms.errors import AdapterError, NotReady, RateLimited, Rejected, Unavailable
from chalicelib.platforms.inbound import Polled
from chalicelib.platforms.mastodon.api import UNDOCUMENTED, Api, MediaUnfinished, NoSuchThing
from chalicelib.platforms.mastodon.limits import DEFAULTS, ServerLimits
from chalicelib.platforms.mastodon.poll import Notifications
from chalicelib.platforms.mastodon.reader import READ_TRAITS, MastodonReader
from chalicelib.platforms.mastodon.text import comparable, count, from_html, mentions
from chalicelib.platforms.port import (
    Absent,
    AccountRef,
    Activity,
    Checkpoint,
    Content,
    Found,
    Limits,
    Media,
    Problem,
    Profile,
    Published,
    Rate,
    SessionStore,
    Several,
    Sighting,
    Traits,
    Unsure,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_LOOK_AGAIN_FOR = timedelta(seconds=5)
# A server drops media that no status uses after a day.
_MEDIA_KEEPS_FOR = timedelta(hours=12)
_VISIBILITIES = ("public", "unlisted", "private", "direct")  # from everybody's to one person's
_PAGE = 40
_PAGES_MOST = 5
# A server's clock may be behind ours by this much.
_SKEW_FOR = timedelta(minutes=1)


class MastodonAdapter:
    # A key is kept for an hour after the status is made (app/services/post_status_service.rb), less a margin
    # here; it is set only at the end, which is why a request still under way must be over first.
    traits = Traits(
        platform="mastodon",
        name="Mastodon",
        default_server="https://mastodon.social",
        counted_in="graphemes, links at a fixed length",
        limits=DEFAULTS,
        options={
            "visibility": frozenset({"public", "unlisted", "private", "direct"}),
            "spoiler_text": None,
            "sensitive": frozenset({"true", "false"}),
        },
        rates=(
            Rate("calls", 300, timedelta(minutes=5)),
            Rate("uploads", 30, timedelta(minutes=30)),
        ),
        abilities=frozenset({"publish", "read", "reply"}),
        idempotent_for=timedelta(minutes=55),
        visible_after_for=timedelta(minutes=5),
        publish_for=timedelta(seconds=20),
    )
    read_traits = READ_TRAITS

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._api = Api(http, clock)
        self._limits = ServerLimits(self._api, clock)
        self._notifications = Notifications(self._api, clock)
        self._reader = MastodonReader(http, clock)

    def limits(self, account: AccountRef) -> Limits:
        return self._limits.of(account)

    def count(self, content: Content, limits: Limits) -> int:
        return count(_text(content), _warning(content), limits.link_characters or 0)

    def problems(self, content: Content, limits: Limits) -> Sequence[Problem]:
        return checks.problems(content, limits, self.traits, self.count(content, limits))

    def plan(self, content: Content, now: datetime, key: str) -> Checkpoint:
        return {"idempotency_key": sha256(key.encode()).hexdigest()}

    def prepare(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Checkpoint:
        """Look at what is answered, upload the media, and wait until the server has processed them."""
        done = dict(checkpoint)
        try:
            if content.reply_to is not None and "visibility" not in done:
                done["visibility"] = self._visibility_of(account, content.reply_to.external_id)
            for media in content.media:
                kept = self._kept(account, media, done) or self._uploaded(account, media)
                done["media"] = {**done.get("media", {}), media.media_id: kept}
            if not all(kept["ready"] for kept in done.get("media", {}).values()):
                raise NotReady(self._clock.now() + _LOOK_AGAIN_FOR, done)
        except AdapterError as error:
            error.checkpoint = done
            raise
        return done

    def publish(self, account: AccountRef, content: Content, checkpoint: Checkpoint) -> Published:
        """One `POST /api/v1/statuses`; with the same key again it answers with the status of the first."""
        key = checkpoint["idempotency_key"]
        status = _status(content, checkpoint)
        try:
            answer = self._api.write(account, "/api/v1/statuses", key, status, self.traits.publish_for)
        except MediaUnfinished:
            waiting = {name: {**kept, "ready": False} for name, kept in checkpoint.get("media", {}).items()}
            raise NotReady(self._clock.now() + _LOOK_AGAIN_FOR, {**checkpoint, "media": waiting}) from None
        published = _published(answer)
        if published is None:
            raise self._api.unclear()
        return published

    def find(
        self, account: AccountRef, content: Content, checkpoint: Checkpoint, since: datetime
    ) -> Sighting:
        """Look through the account's own statuses for the same text and as many media."""
        if not account.external_id:
            return Unsure("The account has no id yet; check its credentials.")
        try:
            return self._search(account, content, since - _SKEW_FOR)
        except RateLimited as error:
            return Unsure(error.message, error.until)
        except AdapterError as error:
            return Unsure(error.message)

    def profile(self, account: AccountRef) -> Profile:
        """As `MastodonReader.profile`: of ours by its token, which it proves, of anybody without one."""
        return self._reader.profile(account)

    def activity(self, account: AccountRef) -> Activity:
        return self._reader.activity(account)

    def poll(self, account: AccountRef, cursor: str) -> Polled:
        return self._notifications.poll(account, cursor)

    def _visibility_of(self, account: AccountRef, external_id: str) -> str:
        """Who sees what is answered: the answer is shown to no more people."""
        try:
            _, answer = self._api.get(account, f"/api/v1/statuses/{external_id}")
        except NoSuchThing:
            raise Rejected("What is to be answered is gone: its author deleted it or hid it.") from None
        visibility = answer.get("visibility") if isinstance(answer, dict) else None
        if visibility not in _VISIBILITIES:
            raise Unavailable(UNDOCUMENTED)
        return str(visibility)

    def _kept(self, account: AccountRef, media: Media, done: Checkpoint) -> dict[str, Any] | None:
        """What an earlier upload has become by now; None when there is none, or the server has lost it."""
        kept = done.get("media", {}).get(media.media_id)
        uploaded_at = time_of(kept["uploaded_at"]) if kept else None
        if not kept or uploaded_at is None or self._clock.now() - uploaded_at > _MEDIA_KEEPS_FOR:
            return None
        if kept["ready"]:
            return dict(kept)
        try:
            status, _ = self._api.get(account, f"/api/v1/media/{kept['id']}", successes=(200, 206))
        except NoSuchThing:
            return None
        return {**kept, "ready": status == 200}

    def _uploaded(self, account: AccountRef, media: Media) -> dict[str, Any]:
        status, answer = self._api.upload(account, media.read(), media.mime, media.alt)
        media_id = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(media_id, str) or not _ID.fullmatch(media_id):
            raise Unavailable(UNDOCUMENTED)
        return {"id": media_id, "ready": status == 200, "uploaded_at": to_text(self._clock.now())}

    def _search(self, account: AccountRef, content: Content, since: datetime) -> Sighting:
        answered = content.reply_to.external_id if content.reply_to else None
        wanted = (comparable(_text(content)), comparable(_warning(content)), len(content.media), answered)
        found: dict[str, Published] = {}
        params = {"limit": str(_PAGE), "exclude_reblogs": "true"}
        for _ in range(_PAGES_MOST):
            _, page = self._api.get(account, f"/api/v1/accounts/{account.external_id}/statuses", params)
            statuses = list(_statuses(page))
            if not isinstance(page, list) or len(statuses) != len(page):
                return Unsure(UNDOCUMENTED)
            for status, created_at in statuses:
                published = _published(status)
                if created_at >= since and published and _seen(status) == wanted:
                    found[published.external_id] = published
            # A pinned or back-dated status may stand out of order, so only the last one tells how far we are.
            if len(statuses) < _PAGE or statuses[-1][1] < since:
                break
            params["max_id"] = str(statuses[-1][0]["id"])
        else:
            if not found:
                return Unsure("The account has more new posts than could be looked through.")
        if len(found) > 1:
            return Several(tuple(found))
        return Found(next(iter(found.values()))) if found else Absent()


def _status(content: Content, checkpoint: Checkpoint) -> dict[str, Any]:
    uploaded = checkpoint.get("media", {})
    status: dict[str, Any] = {
        "status": _text(content),
        "media_ids": [uploaded[media.media_id]["id"] for media in content.media],
        "visibility": content.options.get("visibility", "public"),
    }
    if content.reply_to is not None:
        status["in_reply_to_id"] = content.reply_to.external_id
        status["visibility"] = max(status["visibility"], checkpoint["visibility"], key=_VISIBILITIES.index)
    if _warning(content):
        status["spoiler_text"] = _warning(content)
    if content.options.get("sensitive") == "true":
        status["sensitive"] = True
    if content.language:
        status["language"] = content.language.partition("-")[0].lower()
    return status


def _text(content: Content) -> str:
    """The text with a mention of who is answered: without one the server tells them nothing."""
    to = content.reply_to.handle.removeprefix("@") if content.reply_to else ""
    return content.text if not to or mentions(content.text, to) else f"@{to} {content.text}"


def _warning(content: Content) -> str:
    return content.options.get("spoiler_text", "")


def _published(status: Any) -> Published | None:
    external_id = status.get("id") if isinstance(status, dict) and "error" not in status else None
    if not isinstance(external_id, str) or not _ID.fullmatch(external_id):
        return None
    return Published(external_id, web_address(status.get("url")) or web_address(status.get("uri")))


def _statuses(page: Any) -> Iterator[tuple[dict[str, Any], datetime]]:
    for status in page if isinstance(page, list) else ():
        created_at = time_of(status.get("created_at")) if isinstance(status, dict) else None
        if created_at is not None and _published(status):
            yield status, created_at


def _seen(status: dict[str, Any]) -> tuple[str, str, int, str | None]:
    html, warning, media = status.get("content"), status.get("spoiler_text"), status.get("media_attachments")
    return (
        comparable(from_html(html) if isinstance(html, str) else ""),
        comparable(warning if isinstance(warning, str) else ""),
        len(media) if isinstance(media, list) else 0,
        status.get("in_reply_to_id"),
    )
