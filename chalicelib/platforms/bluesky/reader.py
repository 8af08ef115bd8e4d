"""Reading Bluesky profiles: ours on their own server with a session, anybody's on the network's AppView.

Lexicons app.bsky.actor.getProfile, app.bsky.feed.getAuthorFeed, com.atproto.repo.listRecords and
com.atproto.sync.getRepoStatus of https://github.com/bluesky-social/atproto, and its packages/bsky for errors.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.bluesky.sessions import Sessions
from chalicelib.platforms.bluesky.xrpc import UNDOCUMENTED, SessionEnded, Xrpc
from chalicelib.platforms.calls import ANY, Calls, Refusals, plain, time_of
from chalicelib.platforms.errors import AdapterError, AuthExpired, Rejected, Unavailable, VersionGone
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits
from chalicelib.platforms.reading import count, link, links, past, words

READ_TRAITS = ReadTraits(
    platform="bluesky",
    name="Bluesky",
    default_server="https://public.api.bsky.app",
    anyone=True,
    rates=(Rate("calls of one address", 3_000, timedelta(minutes=5)),),
)

_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 8 * 2**20
_PAGE = "50"
_POST = "app.bsky.feed.post"
_PROFILE = "app.bsky.actor.getProfile"
_LIST = "com.atproto.repo.listRecords"
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}", re.ASCII)
_NOT_THERE = "not there"
_NO_SUCH_CALL = "The server does not know the calls that Bluesky has; check its address."


class Closed(Rejected):
    """The account is there no more, or shown to nobody; `word` is the network's for it."""

    word = "not found"


class _TakenDown(Closed):
    word = "takendown"


class _Deactivated(Closed):
    word = "deactivated"


REFUSALS: Refusals = {
    (400, _NOT_THERE): (Closed, "Bluesky has no account of this name; correct it."),
    (400, "AccountTakedown"): (_TakenDown, "Bluesky has taken the account down."),
    (400, "AccountDeactivated"): (_Deactivated, "The account is deactivated by its owner."),
    (400, ANY): (Rejected, "Bluesky does not take the question: {}."),
    (401, ANY): (AuthExpired, "The server shows profiles only to those who have signed in."),
    (403, ANY): (AuthExpired, "Bluesky does not let Signalbox read this account: {}."),
    (404, ANY): (VersionGone, _NO_SUCH_CALL),
    (501, ANY): (VersionGone, _NO_SUCH_CALL),
}


class PublicView:
    """Questions that need no session."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._calls = Calls(http, clock, "Bluesky", REFUSALS, _read_error)

    def ask(self, server: str, name: str, **params: str) -> dict[str, Any]:
        """A query's answer. Raises Closed, or any other AdapterError but OutcomeUnknown and NotReady."""
        url = f"{server.rstrip('/')}/xrpc/{name}?{urlencode(params)}"
        _, answer = self._calls.safe(Request("GET", url, deadline_for=_CALL_FOR, max_bytes=_ANSWER_BYTES))
        if not isinstance(answer, dict):
            raise Unavailable(UNDOCUMENTED)
        return answer


def app_view(server: str) -> str:
    """Who is asked about accounts that stand on a server: the network's one public AppView.

    A server without https can only be one that was allowed by name (core/http.py), such as the local
    platform, which is its own AppView.
    """
    return server if server.startswith("http://") else READ_TRAITS.default_server


class BlueskyReader:
    """An account with credentials is ours: its server is asked. All others are read on the AppView."""

    def __init__(self, http: HttpClient, clock: Clock, xrpc: Xrpc, sessions: Sessions) -> None:
        self._clock = clock
        self._xrpc = xrpc
        self._sessions = sessions
        self._view = PublicView(http, clock)

    def profile(self, account: AccountRef) -> Profile:
        """Ours signs in, and lacks what its server cannot ask the network's AppView for.

        Of anybody's, which is one call, the last post is not told.
        """
        if account.credentials:
            return self._own(account)
        try:
            shown = self._view.ask(app_view(account.server), _PROFILE, actor=_actor(account))
        except Closed as closed:
            url = link(f"https://bsky.app/profile/{_actor(account)}")
            return Profile(account.external_id, account.handle, "", url, None, None, closed.word)
        profile = profile_of(shown, self._clock.now())
        if profile is None:
            raise Unavailable(UNDOCUMENTED)
        return profile

    def activity(self, account: AccountRef) -> Activity:
        """The newest post of one page, which needs no session: a page costs no more than one post.

        Answers to others and reposts count only where there is nothing else. What is closed takes a second
        call, for the first does not say why.
        """
        try:
            made = self._own_posts(account) if account.credentials else self._feed(account)
        except Closed:
            status = self._why_closed(account)
            if status == "active":  # it was opened meanwhile: the next look tells
                raise Unavailable(UNDOCUMENTED) from None
            return Activity(None, None, status)
        return Activity(made, None, "active")

    def _own(self, account: AccountRef) -> Profile:
        session = self._sessions.ready(account)
        server, token = account.server, session.access
        try:
            about = self._xrpc.get(server, "com.atproto.server.getSession", token)
        except SessionEnded:
            self._sessions.drop(account, session)
            raise
        shown = self._if_possible(server, _PROFILE, token, actor=session.did)
        last = self._if_possible(server, _LIST, token, repo=session.did, collection=_POST, limit=_PAGE)
        handle = plain(about.get("handle")) or session.handle
        return _profile(
            shown,
            session.did,
            handle,
            self._clock.now(),
            last_post_at=self._newest(last),
            status=_status(about),
        )

    def _if_possible(self, server: str, name: str, token: str, **params: str) -> dict[str, Any]:
        try:
            return self._xrpc.get(server, name, token, **params)
        except AdapterError:
            return {}

    def _own_posts(self, account: AccountRef) -> datetime | None:
        repo = account.external_id or account.handle
        answer = self._view.ask(account.server, _LIST, repo=repo, collection=_POST, limit=_PAGE)
        if not isinstance(answer.get("records"), list):
            raise Unavailable(UNDOCUMENTED)
        return self._newest(answer)

    def _newest(self, listed: Mapping[str, Any]) -> datetime | None:
        values = [each.get("value") for each in _dicts(listed.get("records"))]
        posts = [value for value in values if isinstance(value, dict)]
        own = [post for post in posts if "reply" not in post]
        return self._latest(time_of(post.get("createdAt")) for post in own or posts)

    def _feed(self, account: AccountRef) -> datetime | None:
        """As the AppView dates posts: by `indexedAt`, or by what the author claims where that is earlier."""
        answer = self._view.ask(
            app_view(account.server),
            "app.bsky.feed.getAuthorFeed",
            actor=_actor(account),
            filter="posts_no_replies",
            limit=_PAGE,
        )
        if not isinstance(answer.get("feed"), list):
            raise Unavailable(UNDOCUMENTED)
        own, shared = [], []
        for item in _dicts(answer["feed"]):
            post, reason = _dict(item.get("post")), item.get("reason")
            if isinstance(reason, dict):  # a repost, or a pinned post out of its order
                shared.append(time_of(reason.get("indexedAt")))
            else:
                told = (post.get("indexedAt"), _dict(post.get("record")).get("createdAt"))
                own.append(min(filter(None, map(time_of, told)), default=None))
        return self._latest(own or shared)

    def _latest(self, times: Iterable[datetime | None]) -> datetime | None:
        now = self._clock.now()
        return max(filter(None, (past(at, now) for at in times)), default=None)

    def _why_closed(self, account: AccountRef) -> str:
        if not account.credentials:
            return self.profile(account).status
        if not account.external_id:
            return Closed.word
        try:
            about = self._view.ask(account.server, "com.atproto.sync.getRepoStatus", did=account.external_id)
        except Closed as closed:
            return closed.word
        return _status(about)


def profile_of(shown: object, now: datetime) -> Profile | None:
    """A `profileView` or `profileViewDetailed` (app.bsky.actor.defs), None for what is neither."""
    did = shown.get("did") if isinstance(shown, dict) else None
    if not isinstance(shown, dict) or not isinstance(did, str) or not _DID.fullmatch(did):
        return None
    return _profile(shown, did, plain(shown.get("handle")), now)


def _profile(
    shown: Mapping[str, Any],
    did: str,
    handle: str,
    now: datetime,
    last_post_at: datetime | None = None,
    status: str = "active",
) -> Profile:
    name = handle if handle not in ("", "handle.invalid") else did
    return Profile(
        external_id=did,
        handle=handle,
        display_name=plain(shown.get("displayName")),
        url=f"https://bsky.app/profile/{name}",
        followers=count(shown.get("followersCount")),
        last_post_at=last_post_at,
        status=status,
        description=words(shown.get("description")),
        avatar_url=link(shown.get("avatar")),
        verified=_verified(shown.get("verification")) if shown else None,
        opened_at=past(time_of(shown.get("createdAt")), now),
        links=links([shown.get("website")]),
    )


def _status(about: Mapping[str, Any]) -> str:
    return "active" if about.get("active", True) else plain(about.get("status")) or "inactive"


def _verified(state: object) -> bool:
    """By a trusted verifier, or as one; the AppView leaves the whole state out where nobody verified."""
    told = state if isinstance(state, dict) else {}
    return "valid" in (told.get("verifiedStatus"), told.get("trustedVerifierStatus"))


def _actor(account: AccountRef) -> str:
    return account.external_id or account.handle.removeprefix("@")


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield each


def _read_error(answer: Mapping[str, Any]) -> tuple[str, str]:
    name, message = answer.get("error"), answer.get("message")
    if not isinstance(name, str):
        return "", ""
    message = message if isinstance(message, str) else name
    missing = name == "RepoNotFound" or message.startswith(("Profile not found", "Could not find repo"))
    return _NOT_THERE if missing else name, message
