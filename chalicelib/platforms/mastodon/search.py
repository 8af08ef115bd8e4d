"""Finding Mastodon profiles by words, among those that one server knows.

https://docs.joinmastodon.org/methods/search/: without a token `resolve` may not be used, which is not wanted
here either, and a server may ask for one altogether.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.errors import Unavailable
from chalicelib.platforms.mastodon.api import UNDOCUMENTED
from chalicelib.platforms.mastodon.reader import Questions, profile_of
from chalicelib.platforms.port import Profile, SessionStore

_PAGE = "40"  # the most there is


class MastodonSearch:
    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._questions = Questions(http, clock)

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        """One call. Whoever lives on another server has a handle with an `@` and no id, for each has its own.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        token = credentials.get("access_token", "")
        answer = self._questions.ask(server, "/api/v2/search", token, q=words, type="accounts", limit=_PAGE)
        accounts = answer.get("accounts") if isinstance(answer, dict) else None
        if not isinstance(accounts, list):
            raise Unavailable(UNDOCUMENTED)
        found = filter(None, (profile_of(account, self._clock.now()) for account in accounts))
        return tuple(replace(one, external_id="") if "@" in one.handle else one for one in found)
