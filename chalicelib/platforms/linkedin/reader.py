"""Reads a LinkedIn page as one of its administrators: the organisation, its followers, its latest posts.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/organization-lookup-api
and the Posts API beside it, which lists by the last change and not by when a post was made.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.calls import plain
from chalicelib.platforms.errors import AuthExpired, Rejected
from chalicelib.platforms.linkedin.configuration import (
    ASSET,
    IMAGE,
    NEWEST_POSTS,
    VERSION,
    VERSION_ENDS_ON,
)
from chalicelib.platforms.linkedin.rest import NoSuchThing, Rest
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits, SessionStore
from chalicelib.platforms.reading import count, link, links, past, words
from chalicelib.platforms.signing import when_millis

_PAGE = re.compile(r"urn:li:organization(?:Brand)?:([0-9]{1,19})", re.ASCII)
_NAME = re.compile(r"[^\s/?#]{1,100}")
_ASSET = re.compile(f"{ASSET}([A-Za-z0-9_-]{{1,100}})", re.ASCII)
_PLACES = {"SCHOOL": "school", "BRAND": "showcase"}
_GONE = "not found"


class LinkedInReader:
    """Implements `Reading` with the credential `access_token` of an administrator of the page.

    LinkedIn does not say whether a page is verified, nor when it was made.
    """

    # Of the products whose limits are published, the least: for one member, counted by the day of UTC.
    read_traits = ReadTraits(
        platform="linkedin",
        name="LinkedIn",
        default_server="https://api.linkedin.com",
        anyone=False,
        rates=(Rate("calls for one member", 150, timedelta(days=1)),),
        version=VERSION,
        version_ends_on=VERSION_ENDS_ON,
        version_set_in="VERSION in chalicelib/platforms/linkedin/configuration.py",
    )

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._rest = Rest(http, clock)

    def profile(self, account: AccountRef) -> Profile:
        """Four calls, and one more while the page's id is not known; what only an administrator may read is
        left out where the member is none.
        """
        _check_access(account)
        try:
            urn = account.external_id or self._urn_of(account)
            page = self._rest.ask(account, "GET", f"/rest/organizations/{_number(urn)}")
        except NoSuchThing:
            return Profile(account.external_id, account.handle, "", "", None, None, _GONE)
        if count(page.get("id")) is None:
            raise self._rest.unclear()
        handle = plain(page.get("vanityName"))
        place = _PLACES.get(plain(page.get("primaryOrganizationType")), "company")
        sizes = f"/rest/networkSizes/{quote(urn, safe='')}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
        return Profile(
            external_id=urn,
            handle=handle,
            display_name=plain(page.get("localizedName")),
            url=f"https://www.linkedin.com/{place}/{quote(handle)}" if handle else "",
            followers=count(self._if_permitted(account, sizes).get("firstDegreeSize")),
            last_post_at=self._last_post_at(account, urn),
            status="active",
            description=words(page.get("localizedDescription")),
            avatar_url=self._logo(account, page),
            links=links([page.get("localizedWebsite")]),
        )

    def activity(self, account: AccountRef) -> Activity:
        """LinkedIn tells the number of followers by another call only."""
        _check_access(account)
        _number(account.external_id)
        try:
            return Activity(self._last_post_at(account, account.external_id), None, "active")
        except NoSuchThing:
            return Activity(None, None, _GONE)

    def _last_post_at(self, account: AccountRef, urn: str) -> datetime | None:
        """Of the posts that were changed last; where all of these are shared ones, the last of them."""
        found = f"q=author&author={quote(urn, safe='')}&count={NEWEST_POSTS}&sortBy=LAST_MODIFIED"
        elements = self._rest.ask(account, "GET", f"/rest/posts?{found}").get("elements")
        if not isinstance(elements, list):
            raise self._rest.unclear()
        posts = [each for each in elements if isinstance(each, dict)]
        own = [post for post in posts if not post.get("reshareContext")]
        counted = own or (posts if len(posts) >= NEWEST_POSTS else [])
        times = [at for post in counted if (at := self._made_at(post))]
        if counted and not times:
            raise self._rest.unclear()
        return max(times, default=None)

    def _made_at(self, post: Mapping[str, Any]) -> datetime | None:
        for name in ("publishedAt", "createdAt"):
            try:
                return past(when_millis(post[name]), self._clock.now())
            except (KeyError, TypeError, ValueError):
                continue
        return None

    def _urn_of(self, account: AccountRef) -> str:
        """By the last part of the page's address, which is its handle."""
        name = account.handle.removeprefix("@")
        if not _NAME.fullmatch(name):
            raise Rejected("LinkedIn cannot be asked: the handle must be the last part of its address.")
        found = f"q=vanityName&vanityName={quote(name, safe='')}"
        elements = self._rest.ask(account, "GET", f"/rest/organizations?{found}").get("elements")
        if elements == []:
            raise NoSuchThing(f"LinkedIn knows no page with the address {name}.")
        first = elements[0] if isinstance(elements, list) else None
        number = count(first.get("id")) if isinstance(first, dict) else None
        if number is None:
            raise self._rest.unclear()
        return f"urn:li:organization:{number}"

    def _logo(self, account: AccountRef, page: Mapping[str, Any]) -> str:
        logo = page.get("logoV2")
        urn = (logo.get("cropped") or logo.get("original")) if isinstance(logo, dict) else None
        asset = _ASSET.fullmatch(urn) if isinstance(urn, str) else None
        if asset is None:
            return ""
        image = quote(IMAGE + asset[1], safe="")
        return link(self._if_permitted(account, f"/rest/images/{image}").get("downloadUrl"))

    def _if_permitted(self, account: AccountRef, path: str) -> Mapping[str, Any]:
        """An answer that can be done without: empty where it is refused to this member."""
        try:
            return self._rest.ask(account, "GET", path)
        except (AuthExpired, Rejected):
            return {}


def _check_access(account: AccountRef) -> None:
    if not account.credentials.get("access_token"):
        raise AuthExpired("There is no access token for this LinkedIn page; connect it again.")


def _number(urn: str) -> str:
    page = _PAGE.fullmatch(urn)
    if page is None:
        raise Rejected("LinkedIn cannot be asked: the external id must be urn:li:organization:<number>.")
    return page[1]
