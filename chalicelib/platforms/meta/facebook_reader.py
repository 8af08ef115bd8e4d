"""Reads a Facebook page: what it says of itself, and when it last posted.

https://developers.facebook.com/docs/graph-api/reference/page and its edge `published_posts`, which has only
what the page itself published.
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.calls import plain
from chalicelib.platforms.meta.configuration import (
    GRAPH_VERSION,
    GRAPH_VERSION_ENDS_ON,
    GRAPH_VERSION_SET_IN,
    NEWEST_POSTS,
)
from chalicelib.platforms.meta.graph import Graph
from chalicelib.platforms.meta.newest import id_of, items_of, newest, node_of
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, link, links, words

_ACTIVITY = f"id,followers_count,is_published,published_posts.limit({NEWEST_POSTS}){{created_time}}"
_PROFILE = f"{_ACTIVITY},username,name,link,about,website,verification_status,picture.type(large){{url}}"
_MARKS = {"blue_verified": True, "gray_verified": True, "not_verified": False}


class FacebookReader:
    """Implements `Reading` with the credential `access_token` of the page.

    Facebook does not say when a page was made.
    """

    # 200 calls an hour for each person who uses the app is the least that Meta allows.
    read_traits = ReadTraits(
        platform="facebook",
        name="Facebook",
        default_server="https://graph.facebook.com",
        anyone=False,
        rates=(Rate("calls", 200, timedelta(hours=1)),),
        version=GRAPH_VERSION,
        version_ends_on=GRAPH_VERSION_ENDS_ON,
        version_set_in=GRAPH_VERSION_SET_IN,
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._graph = Graph(http, clock)

    def profile(self, account: AccountRef) -> Profile:
        """One call. `handle` is the page's number where it has no user name."""
        page, last_post_at = self._page(account, _PROFILE)
        external_id = id_of(page["id"])
        picture = page.get("picture")
        data = picture.get("data") if isinstance(picture, dict) else None
        return Profile(
            external_id=external_id,
            handle=plain(page.get("username")) or external_id,
            display_name=plain(page.get("name")),
            url=link(page.get("link")) or f"https://www.facebook.com/{external_id}",
            followers=count(page.get("followers_count")),
            last_post_at=last_post_at,
            status=_status(page),
            description=words(page.get("about")),
            avatar_url=link(data.get("url")) if isinstance(data, dict) else "",
            verified=_MARKS.get(plain(page.get("verification_status"))),
            links=links(words(page.get("website")).replace(",", " ").split()),
        )

    def activity(self, account: AccountRef) -> Activity:
        page, last_post_at = self._page(account, _ACTIVITY)
        return Activity(last_post_at, count(page.get("followers_count")), _status(page))

    def _page(self, account: AccountRef, fields: str) -> tuple[dict[str, Any], datetime | None]:
        page = self._graph.get(account, node_of(account), {"fields": fields})
        try:
            last_post_at = newest(items_of(page.get("published_posts")), "created_time", self._clock.now())
        except ValueError:
            raise self._graph.unclear() from None
        if not id_of(page.get("id")):
            raise self._graph.unclear()
        return page, last_post_at


def _status(page: dict[str, Any]) -> str:
    return "unpublished" if page.get("is_published") is False else "active"
