"""Reading Mastodon profiles: ours with its token, anybody's without one where the server allows it.

https://docs.joinmastodon.org/methods/accounts/ and /entities/Account/.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.calls import ANY, Calls, Refusals, plain, time_of
from chalicelib.platforms.errors import AuthExpired, Rejected, Unavailable
from chalicelib.platforms.mastodon.api import UNDOCUMENTED
from chalicelib.platforms.mastodon.text import from_html
from chalicelib.platforms.port import AccountRef, Activity, Profile, Rate, ReadTraits
from chalicelib.platforms.reading import count, link, links, past, words

READ_TRAITS = ReadTraits(
    platform="mastodon",
    name="Mastodon",
    default_server="https://mastodon.social",
    anyone=True,
    rates=(Rate("calls of one address to one server", 300, timedelta(minutes=5)),),
)

_NETWORK = "The Mastodon server"
_CALL_FOR = timedelta(seconds=15)
_ANSWER_BYTES = 4 * 2**20  # a page of statuses, whose texts have the length that the server chose
_PAGE = 20
_HTML_MOST = 20_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_WRONG = ("suspended", "limited", "moved")
_NOT_FOUND = "not found"


class Gone(Rejected):
    """The server knows no such account, or no longer."""


_GONE = "The Mastodon server knows no such account; correct its handle."
REFUSALS: Refusals = {
    (400, ANY): (Rejected, "The Mastodon server does not take the question: {}."),
    (401, ANY): (
        AuthExpired,
        "The Mastodon server no longer accepts this account's access; connect it again.",
    ),
    (403, ANY): (AuthExpired, "The Mastodon server refuses this account: {}. Its owner must see to it."),
    (404, ANY): (Gone, _GONE),
    # How a suspended account answered before 3.3.0.
    (410, ANY): (Gone, _GONE),
    (422, ANY): (Rejected, "The Mastodon server does not take the question: {}."),
}
_MEMBERS_ONLY = (
    "This Mastodon server shows profiles only to people who have an account there; look at it there, or "
    "connect the account if it is ours."
)
_NOT_SIGNED_IN = "no user"
# The same of a call without a token, which nobody can connect again.
_UNSIGNED: Refusals = {
    **REFUSALS,
    (401, ANY): (Rejected, _MEMBERS_ONLY),
    (403, ANY): (Rejected, _MEMBERS_ONLY),
    (422, _NOT_SIGNED_IN): (Rejected, _MEMBERS_ONLY),
}


class Questions:
    """Questions to any Mastodon server, with a token or without."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._signed = Calls(http, clock, _NETWORK, REFUSALS, _read_error)
        self._unsigned = Calls(http, clock, _NETWORK, _UNSIGNED, _read_error)

    def ask(self, server: str, path: str, token: str, **params: str) -> Any:
        """The JSON of an answer. Raises Gone, or any other AdapterError but OutcomeUnknown and NotReady."""
        query = f"?{urlencode(params)}" if params else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = server.rstrip("/") + path + query
        request = Request("GET", url, headers, deadline_for=_CALL_FOR, max_bytes=_ANSWER_BYTES)
        _, answer = (self._signed if token else self._unsigned).safe(request)
        return answer


class MastodonReader:
    """An account with credentials is ours. All others are read as by anybody who passes by."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._clock = clock
        self._questions = Questions(http, clock)

    def profile(self, account: AccountRef) -> Profile:
        """`verify_credentials` of ours, else the account by its id or its handle: one call.

        The last post is told by its day, and may be an answer or a boost.
        """
        try:
            return self._profile(account)
        except Gone:
            return Profile(account.external_id, account.handle, "", "", None, None, _NOT_FOUND)

    def activity(self, account: AccountRef) -> Activity:
        """The newest of one page of statuses, each of which carries the account's figures with it.

        A page without any takes a second call: a server lists none of a suspended account. Where ours wrote
        nothing but answers, boosts and direct messages, the day of the last of those counts.
        """
        token = _token(account)
        known = None if account.external_id else self.profile(account)
        external_id = known.external_id if known else account.external_id
        if not external_id:
            return Activity(None, None, _NOT_FOUND)
        try:
            page = self._statuses(account.server, token, external_id)
        except Gone:
            return Activity(None, None, _NOT_FOUND)
        now = self._clock.now()
        own = [status for status in page if status.get("visibility") != "direct"]
        made = [past(time_of(status.get("created_at")), now) for status in own]
        last = max(filter(None, made), default=None)
        if last is None:
            profile = known or self.profile(account)
            return Activity(profile.last_post_at, profile.followers, profile.status)
        about = own[0].get("account")
        about = about if isinstance(about, dict) else {}
        return Activity(last, count(about.get("followers_count")), _status(about))

    def _profile(self, account: AccountRef) -> Profile:
        token, server = _token(account), account.server
        if token:
            answer = self._questions.ask(server, "/api/v1/accounts/verify_credentials", token)
        elif account.external_id:
            path = f"/api/v1/accounts/{quote(account.external_id, safe='')}"
            answer = self._questions.ask(server, path, "")
        else:
            name = account.handle.removeprefix("@")
            answer = self._questions.ask(server, "/api/v1/accounts/lookup", "", acct=name)
        profile = profile_of(answer, self._clock.now())
        if profile is None:
            raise Unavailable(UNDOCUMENTED)
        return profile

    def _statuses(self, server: str, token: str, external_id: str) -> list[dict[str, Any]]:
        path = f"/api/v1/accounts/{quote(external_id, safe='')}/statuses"
        params = {"limit": str(_PAGE), "exclude_reblogs": "true", "exclude_replies": "true"}
        page = self._questions.ask(server, path, token, **params)
        if not isinstance(page, list):
            raise Unavailable(UNDOCUMENTED)
        return [status for status in page if isinstance(status, dict)]


def profile_of(account: object, now: datetime) -> Profile | None:
    """An Account entity, None for what is none. Mastodon verifies links and not accounts."""
    external_id = account.get("id") if isinstance(account, dict) else None
    if not isinstance(account, dict) or not isinstance(external_id, str) or not _ID.fullmatch(external_id):
        return None
    told = account.get("fields")
    fields = [field for field in told if isinstance(field, dict)] if isinstance(told, list) else []
    return Profile(
        external_id=external_id,
        handle=plain(account.get("acct")),
        display_name=plain(account.get("display_name")),
        url=link(account.get("url")),
        followers=count(account.get("followers_count")),
        last_post_at=past(time_of(account.get("last_status_at")), now),
        status=_status(account),
        description=words(_text(account.get("note"))),
        avatar_url=link(account.get("avatar_static")) or link(account.get("avatar")),
        opened_at=past(time_of(account.get("created_at")), now),
        links=links(filter(link, (_text(field.get("value")) for field in fields))),
    )


def _status(account: Mapping[str, Any]) -> str:
    return next((wrong for wrong in _WRONG if account.get(wrong)), "active")


def _token(account: AccountRef) -> str:
    """Raises AuthExpired for an account of ours without a token."""
    token = account.credentials.get("access_token", "")
    if account.credentials and not token:
        raise AuthExpired("There is no access token for this Mastodon account; connect it again.")
    return token


def _text(html: object) -> str:
    return from_html(html[:_HTML_MOST]) if isinstance(html, str) else ""


def _read_error(answer: Mapping[str, Any]) -> tuple[str, str]:
    message = answer.get("error")
    if not isinstance(message, str) or not message:
        return "", ""
    # Servers say this with a 401 or, older ones and some calls, with a 422.
    return _NOT_SIGNED_IN if "requires an authenticated user" in message else message, message
