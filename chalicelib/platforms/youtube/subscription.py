"""Subscriptions to a channel's feed at its WebSub hub: made, and made again before the lease ends.

https://developers.google.com/youtube/v3/guides/push_notifications and https://www.w3.org/TR/websub/#subscribing.
"""

import re
from datetime import timedelta
from urllib.parse import urlencode

from chalicelib.core.clock import Clock
from chalicelib.core.http import HttpClient, Request
from chalicelib.platforms.calls import plain
from chalicelib.platforms.errors import RateLimited, Rejected, Unavailable
from chalicelib.platforms.inbound import Subscription
from chalicelib.platforms.port import AccountRef, SessionStore
from chalicelib.platforms.youtube.discovery import Topic, discover, follow
from chalicelib.platforms.youtube.websub import secret_of, subscription_id

# What YouTube documents, for a feed that does not name its hub itself.
_HUB = "https://pubsubhubbub.appspot.com/subscribe"
_FEEDS = "https://www.youtube.com/xml/feeds/videos.xml"
_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}", re.ASCII)
_LEASE_FOR = timedelta(days=5)
_WAIT_FOR = timedelta(minutes=5)


class YouTubeSubscription:
    """Implements `Watching`. `callback` is the address of YouTube's door, without an app at its end.

    A hub knows no sessions; the argument is there because the registry makes them all alike.
    """

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        sessions: SessionStore,
        feeds: str = _FEEDS,
        hub: str = _HUB,
    ) -> None:
        self._http = http
        self._clock = clock
        self._feeds = feeds
        self._hub = hub

    def subscription(self, account: AccountRef, callback: str) -> Subscription:
        """Always missing: a hub cannot be asked what it has, and asking it anew is how a lease is renewed."""
        return Subscription("missing")

    def renew(self, account: AccountRef, callback: str, secret: str) -> Subscription:
        """Ask the hub for a lease of five days. It agrees, and then asks our door whether we meant it: the
        lease that it really gives is known there, and there is none when the door does not answer.

        `secret` is the master key. Raises any AdapterError but OutcomeUnknown and NotReady.
        """
        if not _CHANNEL.fullmatch(account.external_id):
            raise Rejected("The account has no YouTube channel id, which begins with UC; correct it there.")
        topic = self._topic(f"{self._feeds}?channel_id={account.external_id}")
        key = secret.encode()
        subscription = subscription_id(key, account.account_id, topic.url)
        form = {
            "hub.mode": "subscribe",
            "hub.topic": topic.url,
            "hub.callback": f"{callback.rstrip('/')}/{subscription}",
            "hub.secret": secret_of(key, subscription),
            "hub.lease_seconds": str(int(_LEASE_FOR.total_seconds())),
            "hub.verify": "async",  # of PubSubHubbub 0.3, which Google's hub still asks for
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._ask(Request("POST", topic.hub, headers, urlencode(form).encode()))
        return Subscription("live", ends_at=self._clock.now() + _LEASE_FOR)

    def _topic(self, feed: str) -> Topic:
        """The feed's own words where it names a hub, else YouTube's documented ones.

        A feed that cannot be read must not cost a lease: the hub does not need us to have read it.
        """
        try:
            found = discover(self._http, feed)
        except Unavailable:
            found = Topic()
        return found if found.hub else Topic(self._hub, feed)

    def _ask(self, request: Request) -> None:
        response = follow(self._http, request)
        if response.status == 429:
            raise RateLimited(self._http.retry_at(response) or self._clock.now() + _WAIT_FOR)
        if 200 <= response.status < 300:
            return
        if 400 <= response.status < 500:
            said = plain(response.body.decode("utf-8", "replace"))
            raise Rejected(
                f"The hub refused the subscription ({response.status}): {said or 'no reason given'}."
            )
        raise Unavailable(f"The hub answered {response.status}; nothing was subscribed to.")
