"""Finding Bluesky profiles by words: lexicon app.bsky.actor.searchActors, which needs no session."""

from collections.abc import Mapping, Sequence

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient
from chalicelib.platforms.bluesky.reader import PublicView, app_view, profile_of
from chalicelib.platforms.bluesky.xrpc import UNDOCUMENTED
from chalicelib.platforms.errors import Unavailable
from chalicelib.platforms.port import Profile, SessionStore

_PAGE = "100"


class BlueskySearch:
    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore) -> None:
        self._clock = clock
        self._view = PublicView(http, clock)

    def search(self, words: str, server: str, credentials: Mapping[str, str]) -> Sequence[Profile]:
        """One call of the AppView, which tells no followers here.

        Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        answer = self._view.ask(app_view(server), "app.bsky.actor.searchActors", q=words, limit=_PAGE)
        actors = answer.get("actors")
        if not isinstance(actors, list):
            raise Unavailable(UNDOCUMENTED)
        profiles = filter(None, (profile_of(actor, self._clock.now()) for actor in actors))
        return tuple({profile.external_id: profile for profile in profiles}.values())
