"""Reading YouTube channels by the Data API v3, anybody's with the application's key.

https://developers.google.com/youtube/v3/docs/channels/list, /playlistItems/list and /errors. What the key may
ask in a day ends at midnight in California, for every channel at once.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded, refusal
from chalicelib.platforms.calls import ANY, Refusals, time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, link, past, words

_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 16 * 2**20  # a hundred comments with five answers each, of 10,000 characters at the most
_MOMENT_FOR = timedelta(minutes=1)
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}", re.ASCII)
_PARTS = "snippet,statistics,status"
_PAGE = "50"
DAY_OVER = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "servingLimitExceeded"})
_KEY = "YouTube does not accept the application's key; ops must replace `api_key` at apps/youtube."


class Closed(Rejected):
    """The channel is there no more, or shown to nobody; `word` says which."""

    word = "not found"


class _Suspended(Closed):
    word = "suspended"


class _NoPlaylist(Rejected):
    """A channel without public videos has no list of them; neither has one that is gone."""


REFUSALS: Refusals = {
    (400, "API_KEY_INVALID"): (AuthExpired, _KEY),
    (400, "keyInvalid"): (AuthExpired, _KEY),
    (400, "keyExpired"): (AuthExpired, _KEY),
    (400, ANY): (Rejected, "YouTube refused the request: {}."),
    (401, ANY): (AuthExpired, "YouTube no longer accepts this channel's access; connect it again."),
    (403, "API_KEY_SERVICE_BLOCKED"): (AuthExpired, _KEY),
    (403, "SERVICE_DISABLED"): (AuthExpired, _KEY),
    (403, "accessNotConfigured"): (AuthExpired, _KEY),
    (403, "channelClosed"): (Closed, "The channel was closed."),
    (403, "channelSuspended"): (_Suspended, "YouTube has suspended the channel."),
    (403, ANY): (AuthExpired, "YouTube does not let Signalbox read this channel: {}."),
    (404, "channelNotFound"): (Closed, "YouTube has no such channel."),
    (404, "playlistNotFound"): (_NoPlaylist, "YouTube has no list of the channel's videos."),
    (404, ANY): (Rejected, "YouTube does not know what was asked for: {}."),
}


class DataApi:
    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._asking = Asking(http, "YouTube", self._sort)

    def items(
        self, server: str, credentials: Mapping[str, str], name: str, **params: str
    ) -> list[dict[str, Any]]:
        """What a list call found, of one page. Raises any AdapterError but OutcomeUnknown and NotReady."""
        return self.page(server, credentials, name, **params)[0]

    def page(
        self, server: str, credentials: Mapping[str, str], name: str, **params: str
    ) -> tuple[list[dict[str, Any]], str]:
        """A page of a list call, and the token of the next one, "" after the last. Raises as `items` does.

        The key goes in a header, where no log of addresses has it:
        https://cloud.google.com/apis/docs/system-parameters.
        """
        token, key = credentials.get("access_token", ""), credentials.get("api_key", "")
        if not token and not key:
            raise AuthExpired("There is no key for YouTube; ops must put `api_key` at apps/youtube.")
        headers = {"Authorization": f"Bearer {token}"} if token else {"X-Goog-Api-Key": key}
        url = f"{server.rstrip('/')}/youtube/v3/{name}?{urlencode(params)}"
        request = Request("GET", url, headers, deadline_for=_CALL_FOR, max_bytes=_ANSWER_BYTES)
        answer = self._asking.ask(request)
        found, following = answer.get("items", []), answer.get("nextPageToken", "")
        # `items` is left out where there are none, but then a `kind` is there.
        if not answer or not isinstance(found, list) or not isinstance(following, str):
            raise self._asking.unclear()
        return [item for item in found if isinstance(item, dict)], following

    def channels(
        self, server: str, credentials: Mapping[str, str], **which: str
    ) -> Sequence[tuple[str, Profile]]:
        """Channels by their ids. Raises as `items` does."""
        found = self.items(server, credentials, "channels", part=_PARTS, maxResults=_PAGE, **which)
        profiles = [_profile(item, self._clock.now()) for item in found]
        return [(profile.external_id, profile) for profile in profiles if profile is not None]

    def _sort(self, response: Response) -> AdapterError | None:
        answer = response.json()
        error = answer.get("error") if isinstance(answer, dict) else None
        found = reasons(error) if isinstance(error, dict) else []
        now = self._clock.now()
        if not DAY_OVER.isdisjoint(found):
            return RateLimited(_midnight(now), whole_app=True)
        if response.status == 429 or not TOO_FAST.isdisjoint(found):
            until = bounded(self._http.retry_at(response) or now + _MOMENT_FOR, now)
            return RateLimited(until, whole_app=True)
        if not isinstance(error, dict):
            return None
        name = next((reason for reason in found if (response.status, reason) in REFUSALS), ANY)
        return refusal(REFUSALS, response.status, name, error.get("message"))


class YouTubeReader:
    # Since June 2026 searches have a hundred calls a day of their own; before, each took 100 of the others.
    read_traits = ReadTraits(
        platform="youtube",
        name="YouTube",
        default_server="https://www.googleapis.com",
        anyone=True,
        rates=(Rate("calls", 10_000, timedelta(days=1)), Rate("searches", 100, timedelta(days=1))),
        app_credentials=("api_key",),
        version="v3",
        version_set_in="the paths in chalicelib/platforms/youtube/reader.py",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._api = DataApi(http, clock)

    def profile(self, account: AccountRef) -> Profile:
        """`channels.list`: our own channel by its token, anybody's by its id or else its handle.

        Subscribers are rounded down to three figures, and left out where the channel hides them; YouTube says
        of no channel when it last posted, nor whether it is verified.
        """
        try:
            profile = self._channel(account)
        except Closed as closed:
            return _closed(account, closed.word)
        return profile or _closed(account, Closed.word)

    def activity(self, account: AccountRef) -> Activity:
        """The newest of one page of the channel's uploads, whose list is the channel's id with another start.

        Only an empty list takes a second call: the channel may be gone.
        """
        known = None if account.external_id else self.profile(account)
        channel = known.external_id if known else account.external_id
        if known and not channel:
            return Activity(None, None, known.status)
        if not _CHANNEL.fullmatch(channel):
            raise Rejected("A YouTube channel's id begins with UC and has 24 characters; correct it.")
        try:
            made = self._uploads(account, f"UU{channel[2:]}")
        except _NoPlaylist:
            made = []
        except Closed as closed:
            return Activity(None, None, closed.word)
        if made:
            return Activity(max(made), None, "active")
        profile = known or self.profile(account)
        return Activity(None, profile.followers, profile.status)

    def _channel(self, account: AccountRef) -> Profile | None:
        if account.credentials.get("access_token"):
            which = {"mine": "true"}
        elif account.external_id:
            which = {"id": account.external_id}
        elif _CHANNEL.fullmatch(account.handle):
            which = {"id": account.handle}
        else:
            which = {"forHandle": f"@{account.handle.removeprefix('@')}"}
        found = self._api.channels(account.server, account.credentials, **which)
        return found[0][1] if found else None

    def _uploads(self, account: AccountRef, playlist: str) -> list[datetime]:
        found = self._api.items(
            account.server,
            account.credentials,
            "playlistItems",
            part="contentDetails",
            playlistId=playlist,
            maxResults=_PAGE,
            fields="kind,items/contentDetails/videoPublishedAt",
        )
        now = self._clock.now()
        made = [past(time_of(_part(item, "contentDetails").get("videoPublishedAt")), now) for item in found]
        return [at for at in made if at is not None]


def _profile(channel: Mapping[str, Any], now: datetime) -> Profile | None:
    external_id = channel.get("id")
    if not isinstance(external_id, str) or not _CHANNEL.fullmatch(external_id):
        return None
    snippet, statistics = _part(channel, "snippet"), _part(channel, "statistics")
    handle = words(snippet.get("customUrl"))
    shown_to = _part(channel, "status").get("privacyStatus")
    page = handle if handle.startswith("@") else f"channel/{external_id}"
    return Profile(
        external_id=external_id,
        handle=handle.removeprefix("@") or external_id,
        display_name=words(snippet.get("title")),
        url=link(f"https://www.youtube.com/{page}"),
        followers=None
        if statistics.get("hiddenSubscriberCount")
        else count(statistics.get("subscriberCount")),
        last_post_at=None,
        status="private" if shown_to == "private" else "active",
        description=words(snippet.get("description")),
        avatar_url=_picture(_part(snippet, "thumbnails")),
        opened_at=past(time_of(snippet.get("publishedAt")), now),
    )


def _closed(account: AccountRef, word: str) -> Profile:
    url = link(f"https://www.youtube.com/channel/{account.external_id}") if account.external_id else ""
    return Profile(account.external_id, account.handle, "", url, None, None, word)


def _picture(thumbnails: Mapping[str, Any]) -> str:
    sizes = (link(_part(thumbnails, size).get("url")) for size in ("high", "medium", "default"))
    return next(filter(None, sizes), "")


def _part(resource: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = resource.get(name)
    return part if isinstance(part, dict) else {}


def reasons(error: Mapping[str, Any]) -> list[str]:
    """Google's newer reasons in `details`, which say more of keys, then YouTube's own in `errors`."""
    said = [error.get("details"), error.get("errors")]
    told = [each for part in said if isinstance(part, list) for each in part if isinstance(each, dict)]
    return [each["reason"] for each in told if isinstance(each.get("reason"), str)]


def _midnight(now: datetime) -> datetime:
    from zoneinfo import ZoneInfo

    there = now.astimezone(ZoneInfo("America/Los_Angeles"))
    return datetime.combine(there.date() + timedelta(days=1), time(), there.tzinfo).astimezone(now.tzinfo)
