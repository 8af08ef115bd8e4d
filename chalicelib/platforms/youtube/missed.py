"""Videos whose pushes an outage kept away, from the channel's feed, which lists the latest fifteen.

https://developers.google.com/youtube/v3/guides/push_notifications: the feed is the topic, so its entries are
those that the hub pushes. Videos that were deleted are no longer in it.
"""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.core.clock import Clock
from chalicelib.core.errors import InvalidInput
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.calls import time_of
from chalicelib.platforms.errors import Rejected, Unavailable
from chalicelib.platforms.inbound import Piece
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.youtube.discovery import follow
from chalicelib.platforms.youtube.feed import pieces

_FEEDS = "https://www.youtube.com/feeds/videos.xml"


class YouTubeMissed:
    """Implements `BackFilling`, with no credentials. An entry whose `updated` the hub had written with
    fractions of a second has a key of its own, and says only once more what is known.
    """

    def __init__(self, http: HttpClient, clock: Clock, sessions: SessionStore, feeds: str = _FEEDS) -> None:
        self._http = http
        self._feeds = feeds

    def missed(self, account: AccountRef, since: datetime, until: datetime) -> Sequence[Piece]:
        """Videos that came out or were renamed in that time. Raises Rejected and Unavailable."""
        response = follow(self._http, Request("GET", f"{self._feeds}?channel_id={account.external_id}"))
        if response.status == 404:
            raise Rejected("YouTube has no feed for this channel; correct the account's external id.")
        if response.status != 200:
            raise Unavailable(f"YouTube's feed answered {response.status}; it is asked again later.")
        try:
            listed = pieces(response.body)
        except InvalidInput:
            raise Unavailable("YouTube's feed is not one; it is asked again later.") from None
        return [piece for piece in listed if _was_in(piece, since, until)]


def _was_in(piece: Piece, since: datetime, until: datetime) -> bool:
    at = time_of(piece["entry"]["updated"] if "entry" in piece else piece["deleted"]["when"])
    return at is not None and since <= at <= until
