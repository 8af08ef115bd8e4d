"""What one server allows: every server sets its own, so they are read from it and kept for a while.

https://docs.joinmastodon.org/methods/instance/#v2
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.platforms.errors import AdapterError
from chalicelib.platforms.mastodon.api import Api
from chalicelib.platforms.port import AccountRef, Limits, MediaRule

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic"})
_VIDEOS = frozenset({"video/mp4", "video/webm", "video/quicktime"})

DEFAULTS = Limits(
    characters=500,
    media=4,
    alt_characters=1_500,
    link_characters=23,
    media_rules=(
        MediaRule("picture", _PICTURES, 16_777_216, 33_177_600),
        MediaRule("video", _VIDEOS, 103_809_024, alone=True),
    ),
)

_FRESH_FOR = timedelta(hours=1)
_ASK_AGAIN_FOR = timedelta(minutes=5)
_SERVERS_MOST = 256


class ServerLimits:
    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._known: dict[str, tuple[Limits, datetime]] = {}

    def of(self, account: AccountRef) -> Limits:
        """The server's limits, at most an hour old; older ones or the defaults while it is out of reach."""
        now = self._clock.now()
        limits, ask_at = self._known.get(account.server, (DEFAULTS, now))
        if now < ask_at:
            return limits
        try:
            _, answer = self._api.get(account, "/api/v2/instance", signed=False)
            limits, ask_at = _read(answer, now), now + _FRESH_FOR
        except AdapterError:
            ask_at = now + _ASK_AGAIN_FOR
        if len(self._known) >= _SERVERS_MOST:
            self._known.pop(next(iter(self._known)))
        self._known[account.server] = (limits, ask_at)
        return limits


def _read(answer: Any, now: datetime) -> Limits:
    configuration = _part(answer, "configuration")
    statuses, media = _part(configuration, "statuses"), _part(configuration, "media_attachments")
    mimes = media.get("supported_mime_types")
    taken = frozenset(mime for mime in mimes if isinstance(mime, str)) if isinstance(mimes, list) else None
    pictures, videos = DEFAULTS.media_rules
    return replace(
        DEFAULTS,
        characters=_number(statuses, "max_characters", DEFAULTS.characters),
        media=_number(statuses, "max_media_attachments", DEFAULTS.media),
        link_characters=_number(statuses, "characters_reserved_per_url", DEFAULTS.link_characters or 0),
        alt_characters=_number(media, "description_limit", DEFAULTS.alt_characters),
        media_rules=(
            MediaRule(
                pictures.kind,
                pictures.mimes if taken is None else pictures.mimes & taken,
                _number(media, "image_size_limit", pictures.most_bytes),
                _number(media, "image_matrix_limit", pictures.most_pixels or 0),
            ),
            MediaRule(
                videos.kind,
                videos.mimes if taken is None else videos.mimes & taken,
                _number(media, "video_size_limit", videos.most_bytes),
                alone=True,
            ),
        ),
        read_at=now,
    )


def _part(answer: Any, name: str) -> Mapping[str, Any]:
    part = answer.get(name) if isinstance(answer, dict) else None
    return part if isinstance(part, dict) else {}


def _number(part: Mapping[str, Any], name: str, default: int) -> int:
    value = part.get(name)
    return value if type(value) is int and 0 < value < 10**12 else default
