"""Finding YouTube channels by words: `search.list`, of which an application may make a hundred a day.

https://developers.google.com/youtube/v3/docs/search/list
"""

from collections.abc import Mapping, Sequence

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.port import Profile, SessionStore
from chalicelib.platforms.youtube.reader import DataApi

_PAGE = "50"


class YouTubeSearch:
    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._api = DataApi(http, clock)

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        """One search, and one cheap `channels.list` of all that it found, for it tells no handles.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        found = self._api.items(
            server,
            credentials,
            "search",
            part="snippet",
            type="channel",
            q=words,
            maxResults=_PAGE,
            fields="kind,items/id/channelId",
        )
        ids = [item["id"].get("channelId") for item in found if isinstance(item.get("id"), dict)]
        wanted = list(dict.fromkeys(one for one in ids if isinstance(one, str) and one))
        if not wanted:
            return ()
        profiles = dict(self._api.channels(server, credentials, id=",".join(wanted)))
        return tuple(profiles[one] for one in wanted if one in profiles)
