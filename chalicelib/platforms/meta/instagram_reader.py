"""Reads an Instagram professional account, by either of the two ways in which it can be connected.

https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user;
stories are no media there, and are not seen.
"""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.calls import plain
from chalicelib.platforms.errors import Rejected
from chalicelib.platforms.meta.configuration import (
    GRAPH_VERSION,
    GRAPH_VERSION_ENDS_ON,
    GRAPH_VERSION_SET_IN,
    NEWEST_POSTS,
)
from chalicelib.platforms.meta.graph import Graph
from chalicelib.platforms.meta.newest import id_of, items_of, newest, node_of
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, is_renamed, link, links, words

_ACTIVITY = f"id,username,followers_count,media_count,media.limit({NEWEST_POSTS}){{timestamp}}"
_PROFILE = f"{_ACTIVITY},name,biography,website,profile_picture_url"
_OWN_LOGIN = "user_id,"  # the number that webhooks carry; `id` is another there, and of our app only
_FACEBOOK_LOGIN = "graph.facebook.com"
_OF_PAGE = "instagram_business_account"
_NAME = re.compile(r"[A-Za-z0-9._]{1,64}", re.ASCII)


class InstagramReader:
    """Implements `Reading` with the credential `access_token`.

    An account that was connected by Facebook Login has graph.facebook.com as its server, and needs the
    `page_id` of its page until its own number is known.

    Instagram says neither when an account was made nor whether it is verified.
    """

    read_traits = ReadTraits(
        platform="instagram",
        name="Instagram",
        default_server="https://graph.instagram.com",
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
        """One call."""
        user, last_post_at = self._user(account, _PROFILE)
        handle = plain(user.get("username"))
        return Profile(
            external_id=id_of(user.get("user_id")) or id_of(user["id"]),
            handle=handle,
            display_name=plain(user.get("name")),
            url=f"https://www.instagram.com/{handle}/" if _NAME.fullmatch(handle) else "",
            followers=count(user.get("followers_count")),
            last_post_at=last_post_at,
            status="active",
            description=words(user.get("biography")),
            avatar_url=link(user.get("profile_picture_url")),
            links=links([user.get("website")]),
        )

    def activity(self, account: AccountRef) -> Activity:
        user, last_post_at = self._user(account, _ACTIVITY)
        renamed = is_renamed(account, plain(user.get("username")))
        followers = count(user.get("followers_count"))
        return Activity(last_post_at, followers, "renamed" if renamed else "active")

    def _user(self, account: AccountRef, fields: str) -> tuple[dict[str, Any], datetime | None]:
        user = self._asked(account, fields)
        media = user.get("media")
        if not id_of(user.get("id")) or (media is None and count(user.get("media_count"))):
            raise self._graph.unclear()
        try:
            return user, newest(items_of(media), "timestamp", self._clock.now())
        except ValueError:
            raise self._graph.unclear() from None

    def _asked(self, account: AccountRef, fields: str) -> dict[str, Any]:
        node = node_of(account)
        if urlsplit(account.server).hostname != _FACEBOOK_LOGIN:
            answer = self._graph.get(account, node, {"fields": _OWN_LOGIN + fields})
            data = answer.get("data")  # the documentation shows `me` as a list of one
            return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else answer
        if node != "me":
            return self._graph.get(account, node, {"fields": fields})
        page_id = id_of(account.credentials.get("page_id"))
        if not page_id:
            raise Rejected("Meta cannot be asked: add the page's number to the credentials as page_id.")
        page = self._graph.get(account, page_id, {"fields": f"{_OF_PAGE}{{{fields}}}"})
        user = page.get(_OF_PAGE)
        if user is None and "id" in page:
            raise Rejected("This Facebook page has no professional Instagram account; connect the two first.")
        return user if isinstance(user, dict) else {}
