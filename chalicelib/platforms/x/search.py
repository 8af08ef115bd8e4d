"""Finds profiles on X by words, where X's users search is paid for.

https://docs.x.com/x-api/users/search/introduction. By OpenAPI 2.167 it takes an account's own access, and no
letters in a query but Latin ones without accents. Every profile that is found is billed.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from secrets import token_hex
from urllib.parse import quote, urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.asking import Asking
from chalicelib.platforms.errors import AuthExpired, Rejected
from chalicelib.platforms.port import Profile, SessionStore
from chalicelib.platforms.x.api import Api
from chalicelib.platforms.x.configuration import FOUND_AT_ONCE
from chalicelib.platforms.x.oauth import CREDENTIALS, authorization
from chalicelib.platforms.x.reader import PROFILE_FIELDS, profile_of

_CALL_FOR = timedelta(seconds=15)
_QUERY_MOST = 50
_NO_MARK = str.maketrans("ŁłØøĐđ", "LlOoDd")  # what Unicode does not take apart
_OTHERS = re.compile(r"[^A-Za-z0-9_' ]+", re.ASCII)


class XSearch:
    """Implements `Searching` with the app's `api_key` and `api_secret`, and the `access_token` and
    `access_token_secret` of an account of the company (OAuth 1.0a).

    An `access_token` alone is taken for one of OAuth 2.0, which is good for two hours.
    """

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._asking = Asking(http, "X", Api(http, clock).sort)

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        """The first page; Rejected for words of which X would see nothing."""
        query = _query(words)
        if not query:
            raise Rejected("X finds profiles only by words in Latin letters; give the name as X writes it.")
        params = {
            "query": query,
            "max_results": str(FOUND_AT_ONCE),
            "user.fields": ",".join(PROFILE_FIELDS),
        }
        url = f"{server.rstrip('/')}/2/users/search"
        headers = {"Authorization": self._access(url, params, credentials)}
        address = f"{url}?{urlencode(params, quote_via=quote)}"
        answer = self._asking.ask(Request("GET", address, headers, b"", _CALL_FOR))
        data = answer.get("data", [])  # left out when nothing was found
        if not isinstance(data, list) or ("data" not in answer and "meta" not in answer):
            raise self._asking.unclear()
        found = []
        for user in data[:FOUND_AT_ONCE]:
            try:
                found.append(profile_of(user if isinstance(user, dict) else {}, self._clock.now()))
            except ValueError:
                continue  # one that cannot be read costs no other
        return found

    def _access(self, url: str, params: Mapping[str, str], credentials: Mapping[str, str]) -> str:
        if all(credentials.get(name) for name in CREDENTIALS):
            return authorization("GET", url, params, credentials, self._clock.now(), token_hex(16))
        token = credentials.get("access_token") or credentials.get("bearer_token")
        if not token:
            missing = ", ".join(name for name in CREDENTIALS if not credentials.get(name))
            raise AuthExpired(f"X cannot be searched: add {missing} to the app's credentials.")
        return f"Bearer {token}"


def _query(words: str) -> str:
    """As much as X takes: without accents, without other letters, and no longer than 50 characters."""
    apart = unicodedata.normalize("NFKD", words.translate(_NO_MARK))
    letters = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(_OTHERS.sub(" ", letters).split())[:_QUERY_MOST].strip()
