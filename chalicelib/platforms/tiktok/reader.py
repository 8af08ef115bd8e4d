"""Reading a TikTok account with its own token: nobody else's profile is shown by this API.

https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info, /tiktok-api-v2-video-list and
/tiktok-api-v2-error-handling.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking, bounded, refusal
from chalicelib.platforms.calls import ANY, Refusals
from chalicelib.platforms.errors import AdapterError, AuthExpired, RateLimited, Rejected, Unavailable
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, link, past, words
from chalicelib.platforms.tiktok.sessions import Sessions

_CALL_FOR = timedelta(seconds=15)
_WINDOW_FOR = timedelta(minutes=1)  # limits are of any one minute
_PAGE = 20  # the most there is
_FIELDS = (
    "open_id,avatar_url,avatar_large_url,display_name,bio_description,profile_deep_link,is_verified,username,"
    "follower_count"
)


class AccessEnded(AuthExpired):
    """The access token is not good any more; another one may be."""


_RECONNECT = "TikTok no longer accepts this account's access; connect it again."
_SCOPES = (
    "The account did not allow what reading it takes; connect it again with user.info.basic, "
    "user.info.profile, user.info.stats and video.list."
)

REFUSALS: Refusals = {
    (400, "scope_permission_missed"): (AuthExpired, _SCOPES),
    (400, ANY): (Rejected, "TikTok refused the request: {}."),
    (401, "access_token_invalid"): (AccessEnded, _RECONNECT),
    (401, "scope_not_authorized"): (AuthExpired, _SCOPES),
    (401, ANY): (AuthExpired, _RECONNECT),
    (403, ANY): (AuthExpired, "TikTok does not let Signalbox read this account: {}."),
    (404, ANY): (Rejected, "TikTok does not know what was asked for: {}."),
}


class TikTokReader:
    """Implements `Reading` with the account's `access_token`, which lasts for 24 hours; with `refresh_token`,
    `client_key` and `client_secret` beside it, it is renewed.
    """

    read_traits = ReadTraits(
        platform="tiktok",
        name="TikTok",
        default_server="https://open.tiktokapis.com",
        anyone=False,
        rates=(
            Rate("reads of profiles", 600, timedelta(minutes=1)),
            Rate("reads of video lists", 600, timedelta(minutes=1)),
        ),
        version="v2",
        version_set_in="the paths in chalicelib/platforms/tiktok/reader.py",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._http = http
        self._clock = clock
        self._asking = Asking(http, "TikTok", self._sort)
        self._sessions = Sessions(http, clock, sessions)

    def profile(self, account: AccountRef) -> Profile:
        """`GET /v2/user/info/`, which says neither when the profile was made nor when it last posted."""
        user = self._ask(account, "GET", f"/v2/user/info/?fields={_FIELDS}").get("user")
        external_id = words(user.get("open_id")) if isinstance(user, dict) else ""
        if not isinstance(user, dict) or not external_id:
            raise self._asking.unclear()
        handle, verified = words(user.get("username")), user.get("is_verified")
        return Profile(
            external_id=external_id,
            handle=handle,
            display_name=words(user.get("display_name")),
            url=link(f"https://www.tiktok.com/@{handle}" if handle else user.get("profile_deep_link")),
            followers=count(user.get("follower_count")),
            last_post_at=None,
            status="active",
            description=words(user.get("bio_description")),
            avatar_url=link(user.get("avatar_large_url")) or link(user.get("avatar_url")),
            verified=verified if isinstance(verified, bool) else None,
        )

    def activity(self, account: AccountRef) -> Activity:
        """The newest of one page of `POST /v2/video/list/`, which holds only what is public.

        It is documented as newest first, but the app shows pinned videos before all others and the API has no
        mark for them; a whole page costs the same call. A page can be empty while there are more (version 1's
        page says so of trust and safety), which is not "never".
        """
        body = json.dumps({"max_count": _PAGE}).encode()
        page = self._ask(account, "POST", "/v2/video/list/?fields=id,create_time", body)
        videos = page.get("videos")
        if not isinstance(videos, list) or (not videos and page.get("has_more")):
            raise self._asking.unclear()
        now = self._clock.now()
        made = [past(_time(video.get("create_time")), now) for video in videos if isinstance(video, dict)]
        return Activity(max(filter(None, made), default=None), None, "active")

    def _ask(self, account: AccountRef, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        """What a call found; once more where the token had ended and can be renewed."""
        token = self._sessions.token(account)
        try:
            return self._data(account, token, method, path, body)
        except AccessEnded as ended:
            renewed = self._sessions.instead_of(account, token)
            if not renewed:
                raise AuthExpired(ended.message) from ended
        return self._data(account, renewed, method, path, body)

    def _data(self, account: AccountRef, token: str, method: str, path: str, body: bytes) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} | (
            {"Content-Type": "application/json"} if body else {}
        )
        request = Request(method, account.server.rstrip("/") + path, headers, body, _CALL_FOR)
        data = self._asking.ask(request).get("data")
        if not isinstance(data, dict):
            raise self._asking.unclear()
        return data

    def _sort(self, response: Response) -> AdapterError | None:
        """Every answer has an `error`, whose code is `ok` in a success."""
        if response.status == 429:
            now = self._clock.now()
            return RateLimited(bounded(self._http.retry_at(response) or now + _WINDOW_FOR, now))
        answer = response.json()
        error = answer.get("error") if isinstance(answer, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        if not isinstance(error, dict) or not isinstance(code, str) or code == "ok":
            return None
        unclear: Unavailable = self._asking.unclear(response.status)
        return refusal(REFUSALS, response.status, code, error.get("message")) or unclear


def _time(seconds: object) -> datetime | None:
    whole = count(seconds)
    return datetime.fromtimestamp(whole, UTC) if whole else None
