"""Reads a profile on X with the app's own access; one call tells when it last posted.

https://docs.x.com/x-api/users/lookup/introduction and the data dictionary. The time of the last post is in
its id, and replies and reposts are posts to X. A profile that was read is billed once in a day.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request, Response
from chalicelib.platforms.asking import Asking
from chalicelib.platforms.calls import plain, time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, is_renamed, link, links, past, words
from chalicelib.platforms.x.api import Api, said
from chalicelib.platforms.x.common import made_at
from chalicelib.platforms.x.configuration import LAST_POST_FIELD, LAST_POST_NAMES

ACTIVITY_FIELDS = ("public_metrics", LAST_POST_FIELD, "withheld")
PROFILE_FIELDS = (
    *ACTIVITY_FIELDS,
    "created_at",
    "description",
    "entities",
    "profile_image_url",
    "url",
    "verified",
)
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_]{1,50}", re.ASCII)  # 15 today; older ones can be longer
_CALL_FOR = timedelta(seconds=15)
_POSTS = ("tweet_count", "post_count")
_GONE = "not found"


class _NoSuchUser(Rejected):
    """X shows no such profile; the message is the word for why."""


class XReader:
    """Implements `Reading` with the credential `bearer_token`, which is the app's own."""

    read_traits = ReadTraits(
        platform="x",
        name="X",
        default_server="https://api.x.com",
        anyone=True,
        rates=(Rate("profiles", 300, timedelta(minutes=15)),),
        app_credentials=("bearer_token",),
        version="2",
        version_set_in="the paths in chalicelib/platforms/x",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._sort = Api(http, clock).sort
        self._asking = Asking(http, "X", self._user_or_refusal)

    def profile(self, account: AccountRef) -> Profile:
        """One call. Of a profile that is suspended, deleted or renamed X says nothing but that."""
        try:
            return profile_of(self._user(account, PROFILE_FIELDS), self._clock.now())
        except _NoSuchUser as error:
            name = account.handle.removeprefix("@")
            return Profile(account.external_id, name, "", "", None, None, error.message)
        except ValueError:
            raise self._asking.unclear() from None

    def activity(self, account: AccountRef) -> Activity:
        """Unavailable where X counts posts and does not say which is the last."""
        try:
            user = self._user(account, ACTIVITY_FIELDS)
        except _NoSuchUser as error:
            return Activity(None, None, error.message)
        last_post_at = _last_post_at(user, self._clock.now())
        if last_post_at is None and _metric(user, *_POSTS) != 0:
            raise self._asking.unclear()
        renamed = is_renamed(account, plain(user.get("username")))
        status = "renamed" if renamed and _status(user) == "active" else _status(user)
        return Activity(last_post_at, _metric(user, "followers_count"), status)

    def _user(self, account: AccountRef, fields: tuple[str, ...]) -> Mapping[str, Any]:
        token = account.credentials.get("bearer_token", "")
        if not token:
            raise AuthExpired("X cannot be asked: the app's bearer_token is missing; add it.")
        path = f"/2/users/{_node(account)}?{urlencode({'user.fields': ','.join(fields)})}"
        headers = {"Authorization": f"Bearer {token}"}
        answer = self._asking.ask(Request("GET", account.server.rstrip("/") + path, headers, b"", _CALL_FOR))
        user = answer.get("data")
        if not isinstance(user, dict):
            raise self._asking.unclear()
        return user

    def _user_or_refusal(self, response: Response) -> AdapterError | None:
        """Documented as a 404, and seen as a 200 with errors, in which X also says that one is suspended."""
        answer = response.json()
        if isinstance(answer, dict) and "data" not in answer and response.status in (200, 404):
            name, told = said(answer)
            if name in ("resource-not-found", "Not Found Error"):
                return _NoSuchUser("suspended" if told.startswith("User has been suspended") else _GONE)
        return self._sort(response)


def profile_of(user: Mapping[str, Any], now: datetime) -> Profile:
    """A profile as X describes it. Raises ValueError where it has no id or no name."""
    external_id, handle = user.get("id"), user.get("username")
    if not (isinstance(external_id, str) and _ID.fullmatch(external_id)):
        raise ValueError("a profile without an id")
    if not (isinstance(handle, str) and _NAME.fullmatch(handle)):
        raise ValueError("a profile without a handle")
    verified = user.get("verified")
    return Profile(
        external_id=external_id,
        handle=handle,
        display_name=plain(user.get("name")),
        url=f"https://x.com/{handle}",
        followers=_metric(user, "followers_count"),
        last_post_at=_last_post_at(user, now),
        status=_status(user),
        description=words(user.get("description")),
        avatar_url=link(user.get("profile_image_url")),
        verified=verified if isinstance(verified, bool) else None,
        opened_at=past(time_of(user.get("created_at")), now),
        links=links(_addresses(user)),
    )


def _node(account: AccountRef) -> str:
    if account.external_id:
        if not _ID.fullmatch(account.external_id):
            raise Rejected("X cannot be asked: the account's external id must be X's number for the user.")
        return account.external_id
    name = account.handle.removeprefix("@")
    if not _NAME.fullmatch(name):
        raise Rejected("X cannot be asked: a handle there has only Latin letters, digits and underscores.")
    return f"by/username/{name}"


def _last_post_at(user: Mapping[str, Any], now: datetime) -> datetime | None:
    """X leaves the field out for who never posted. Ids of before November 2010 give that month."""
    post_id = next((user[name] for name in LAST_POST_NAMES if name in user), None)
    if not (isinstance(post_id, str) and _ID.fullmatch(post_id)):
        return None
    return past(made_at(post_id), now)


def _metric(user: Mapping[str, Any], *names: str) -> int | None:
    metrics = user.get("public_metrics")
    if not isinstance(metrics, dict):
        return None
    return next((number for name in names if (number := count(metrics.get(name))) is not None), None)


def _status(user: Mapping[str, Any]) -> str:
    withheld = user.get("withheld")
    return "withheld" if isinstance(withheld, dict) and withheld.get("scope") == "user" else "active"


def _addresses(user: Mapping[str, Any]) -> list[object]:
    """Links of the profile's own field and of its text; X shows its own short ones beside what they mean."""
    entities = user.get("entities")
    found: list[object] = []
    for place in ("url", "description"):
        part = entities.get(place) if isinstance(entities, dict) else None
        urls = part.get("urls") if isinstance(part, dict) else None
        for url in urls if isinstance(urls, list) else []:
            found += [url.get("expanded_url") or url.get("url")] if isinstance(url, dict) else []
    return found or [user.get("url")]
