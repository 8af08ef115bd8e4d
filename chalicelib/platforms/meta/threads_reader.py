"""Reads a Threads profile; its posts and the number of its followers are calls of their own.

https://developers.facebook.com/documentation/threads/threads-profiles, `/retrieve-and-discover-posts/` and
`/insights` beside it. Only the account that the token is of can be read.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.calls import plain
from chalicelib.platforms.errors import Rejected
from chalicelib.platforms.meta.configuration import NEWEST_THREADS, THREADS_VERSION
from chalicelib.platforms.meta.graph import Graph, NotPermitted, next_of
from chalicelib.platforms.meta.newest import id_of, items_of, newest, node_of
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, is_renamed, link, words

_PROFILE = "id,username,name,threads_profile_picture_url,threads_biography,is_verified"
_POSTS = {"fields": "id,media_type,timestamp,username", "limit": str(NEWEST_THREADS)}
_SHARED = "REPOST_FACADE"
_NAME = re.compile(r"[A-Za-z0-9._]{1,64}", re.ASCII)


class ThreadsReader:
    """Implements `Reading` with the credential `access_token`; followers need threads_manage_insights too.

    Threads does not say when a profile was made, nor which links it has.
    """

    # 4,800 calls a day for each time that a post was seen, of which ten are always counted.
    read_traits = ReadTraits(
        platform="threads",
        name="Threads",
        default_server="https://graph.threads.net",
        anyone=False,
        rates=(Rate("calls", 48_000, timedelta(days=1)),),
        version=THREADS_VERSION,
        version_set_in="THREADS_VERSION in chalicelib/platforms/meta/configuration.py",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._graph = Graph(http, clock, THREADS_VERSION, None)

    def profile(self, account: AccountRef) -> Profile:
        """Three calls: the profile, its followers, its posts."""
        node = node_of(account)
        user = self._graph.get(account, node, {"fields": _PROFILE})
        if not id_of(user.get("id")):
            raise self._graph.unclear()
        handle = plain(user.get("username"))
        verified = user.get("is_verified")
        return Profile(
            external_id=id_of(user["id"]),
            handle=handle,
            display_name=plain(user.get("name")),
            url=f"https://www.threads.com/@{handle}" if _NAME.fullmatch(handle) else "",
            followers=self._followers(account, node),
            last_post_at=self._posted(account, node)[0],
            status="active",
            description=words(user.get("threads_biography")),
            avatar_url=link(user.get("threads_profile_picture_url")),
            verified=verified if isinstance(verified, bool) else None,
        )

    def activity(self, account: AccountRef) -> Activity:
        """Of the latest posts only: where all of them are shared ones, the last of these counts."""
        last_post_at, handle = self._posted(account, node_of(account))
        return Activity(last_post_at, None, "renamed" if is_renamed(account, handle) else "active")

    def _posted(self, account: AccountRef, node: str) -> tuple[datetime | None, str]:
        """When the last was posted, and the handle that the newest post is under."""
        page = self._graph.get(account, f"{node}/threads", _POSTS)
        try:
            posts = items_of({"data": page.get("data")})
            own = [post for post in posts if post.get("media_type") != _SHARED]
            counted = own or (posts if next_of(page) else [])
            last_post_at = newest(counted, "timestamp", self._clock.now())
        except ValueError:
            raise self._graph.unclear() from None
        return last_post_at, plain(posts[0].get("username")) if posts else ""

    def _followers(self, account: AccountRef, node: str) -> int | None:
        try:
            answer = self._graph.get(account, f"{node}/threads_insights", {"metric": "followers_count"})
        except (NotPermitted, Rejected):
            return None
        data = answer.get("data")
        metric: Any = data[0] if isinstance(data, list) and data else None
        total = metric.get("total_value") if isinstance(metric, dict) else None
        return count(total.get("value")) if isinstance(total, dict) else None
