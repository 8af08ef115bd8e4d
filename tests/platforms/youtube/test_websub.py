"""The WebSub subscriber checklist of the W3C, by its numbers, against a hub on loopback.

https://github.com/w3c/websub/blob/master/implementation-reports/SUBSCRIBER-TEMPLATE.md
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from chalicelib.core.clock import FixedClock, from_text
from chalicelib.core.http import HttpClient
from chalicelib.platforms.errors import RateLimited, Rejected, Unavailable
from chalicelib.platforms.inbound import BadSignature, Delivery, LiveSecrets, Piece, Watching
from chalicelib.platforms.port import AccountRef
from chalicelib.platforms.youtube.subscription import YouTubeSubscription
from chalicelib.platforms.youtube.webhook import YouTubeWebhook
from tests.fakes.hub import Hub, Page
from tests.fakes.sessions import MemorySessions
from tests.platforms.webhooks import KEY, NOW, OLD_KEY, SECRETS, fixture

CHANNEL = "UCzolwzolwzolwzolwzolw12"
DOOR = "https://signalbox.example/webhooks/youtube"
FEED = "/feeds/videos.xml"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'
RSS = '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>{}</channel></rss>'
HTML = "<!doctype html><html><head>{}</head><body>{}</body></html>"
VIDEO = fixture("youtube", "video.xml")


class Subscriber:
    """Our side: the subscription, the door's rules for this scheme, and what reached the queue."""

    def __init__(self, secrets: LiveSecrets = SECRETS) -> None:
        self.secrets = secrets
        self.scheme = YouTubeWebhook()
        self.clock = FixedClock(NOW)
        self.pieces: list[Piece] = []
        self.confirmed: list[Piece] = []
        self.hub = Hub(self.asked, self.delivered)
        self.account = AccountRef("account_1", "youtube", "zolw", "https://www.youtube.com", CHANNEL, {})

    def asked(self, callback: str, query: Mapping[str, str]) -> tuple[int, str]:
        answer = self.scheme.handshake(self._delivery(callback, query=query), self.secrets)
        if answer is None:
            return 404, ""
        if answer.confirmed:
            self.confirmed.append(answer.confirmed)
        return answer.status, answer.body

    def delivered(self, callback: str, headers: Mapping[str, str], raw: bytes) -> int:
        delivery = self._delivery(callback, raw, headers)
        try:
            self.scheme.verify(delivery, self.secrets)
        except BadSignature:
            return 200 if self.scheme.ignores_bad_signatures else 401
        self.pieces += self.scheme.split(delivery)
        return 200

    def renew(self, feed: str = FEED, account: AccountRef | None = None, key: bytes = KEY) -> None:
        self.watching(feed).renew(account or self.account, DOOR, key.decode())

    def watching(self, feed: str = FEED) -> Watching:
        http = HttpClient(self.clock, allowed_hosts=frozenset({self.hub.place}))
        return YouTubeSubscription(
            http, self.clock, MemorySessions(), f"{self.hub.url}{feed}", f"{self.hub.url}/hub"
        )

    def topics(self) -> list[str]:
        return [one.topic.removeprefix(self.hub.url) for one in self.hub.subscribers.values()]

    def _delivery(
        self,
        callback: str,
        raw: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Delivery:
        app = callback.removeprefix(f"{DOOR}/")
        return Delivery(app, query or {}, headers or {}, raw, self.clock.now())


@pytest.fixture
def us() -> Iterator[Subscriber]:
    found = Subscriber()
    with found.hub as hub:
        hub.pages[FEED] = feed_of(hub, f"{hub.url}/hub", f"{hub.url}/topic")
        yield found


def feed_of(hub: Hub, hub_url: str, topic: str) -> Page:
    return Page(ATOM.format(f'<link rel="hub" href="{hub_url}"/><link rel="self" href="{topic}"/>'))


# 100 to 104: discovery


def test_100_hub_and_topic_are_found_in_the_headers(us: Subscriber) -> None:
    links = (f'<{us.hub.url}/hub>; rel="hub"', f"<{us.hub.url}/topic>; rel=self")
    us.hub.pages[FEED] = Page("plain text", "text/plain", links)
    us.renew()
    assert us.topics() == ["/topic"]


def test_100_several_links_may_stand_in_one_header(us: Subscriber) -> None:
    other, hub = '</other>; rel="alternate"; title="its hub is, b; rel=hub"', '</hub>; rel="other HUB"'
    us.hub.pages[FEED] = Page("", "text/plain", (f'{other}, {hub}, </topic>; rel="self"',))
    us.renew()
    assert us.hub.requests[-1] == ("POST", "/hub")
    assert us.topics() == ["/topic"]


def test_101_hub_and_topic_are_found_in_the_tags_of_a_page(us: Subscriber) -> None:
    head = '<link rel="hub" href="/hub"><LINK REL="stylesheet self" HREF="/topic">'
    us.hub.pages[FEED] = Page(HTML.format(head, ""), "text/html")
    us.renew()
    assert us.topics() == ["/topic"]


def test_101_links_in_a_pages_body_are_anybodys(us: Subscriber) -> None:
    anybodys = '<link rel="hub" href="https://evil.example/"><link rel="self" href="/evil">'
    us.hub.pages[FEED] = Page(HTML.format("", anybodys), "text/html")
    us.renew()
    assert us.topics() == [f"{FEED}?channel_id={CHANNEL}"]


def test_102_hub_and_topic_are_found_in_an_atom_feed(us: Subscriber) -> None:
    us.renew()
    assert us.topics() == ["/topic"]


def test_103_hub_and_topic_are_found_in_an_rss_feed(us: Subscriber) -> None:
    links = f'<atom:link rel="hub" href="{us.hub.url}/hub"/><atom:link rel="self" href="/topic"/>'
    us.hub.pages[FEED] = Page(RSS.format(links), "application/rss+xml")
    us.renew()
    assert us.topics() == ["/topic"]


def test_104_the_headers_come_before_the_body(us: Subscriber) -> None:
    links = (f'<{us.hub.url}/hub>; rel="hub"', '</headers>; rel="self"')
    us.hub.pages[FEED] = Page(feed_of(us.hub, "http://127.0.0.1:1/wrong", "/body").body, links=links)
    us.renew()
    assert us.topics() == ["/headers"]


def test_104_what_the_headers_leave_out_the_body_says(us: Subscriber) -> None:
    body = feed_of(us.hub, "http://127.0.0.1:1/wrong", f"{us.hub.url}/body").body
    us.hub.pages[FEED] = Page(body, links=(f'<{us.hub.url}/hub>; rel="hub"',))
    us.renew()
    assert us.topics() == ["/body"]


# 200 to 205: subscribing


def test_200_a_topic_that_calls_itself_otherwise_is_subscribed_to_by_that_name(us: Subscriber) -> None:
    us.hub.pages[FEED] = feed_of(us.hub, f"{us.hub.url}/hub", f"{us.hub.url}/its-own-name")
    us.renew()
    assert us.topics() == ["/its-own-name"]
    assert [form["hub.topic"] for form in us.hub.forms] == [f"{us.hub.url}/its-own-name"]


@pytest.mark.parametrize(("number", "status"), [(201, 302), (202, 301), (202, 307), (202, 308)])
def test_201_and_202_a_topic_that_moved_is_followed(us: Subscriber, number: int, status: int) -> None:
    us.hub.pages["/moved"] = us.hub.pages[FEED]
    us.hub.pages[FEED] = Page(status=status, location="/moved")
    us.renew()
    assert us.topics() == ["/topic"]


@pytest.mark.parametrize(("number", "status"), [(203, 302), (204, 301), (204, 307), (204, 308)])
def test_203_and_204_a_hub_that_moved_is_followed_with_the_same_form(
    us: Subscriber, number: int, status: int
) -> None:
    us.hub.redirects["/old-hub"] = status
    us.hub.pages[FEED] = feed_of(us.hub, f"{us.hub.url}/old-hub", f"{us.hub.url}/topic")
    us.renew()
    assert us.hub.requests[-2:] == [("POST", "/old-hub"), ("POST", "/hub")]
    assert us.topics() == ["/topic"]


def test_205_a_topic_that_was_never_asked_for_is_not_confirmed(us: Subscriber) -> None:
    us.renew()
    callback = us.hub.forms[0]["hub.callback"]
    for topic in (f"{us.hub.url}/other", "", f"{us.hub.url}/topic?", f"{us.hub.url}/topic#"):
        us.hub.take({"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": callback})
    assert len(us.hub.refused) == 4
    assert us.topics() == ["/topic"]
    assert len(us.confirmed) == 1


def test_205_a_callback_of_another_account_is_not_confirmed(us: Subscriber) -> None:
    us.renew()
    form = us.hub.forms[0]
    other = form["hub.callback"].replace("account_1", "account_2")
    us.hub.take({**form, "hub.callback": other})
    assert us.hub.refused == [form["hub.topic"]]


# 300 to 302: distribution


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_300_a_delivery_is_answered_with_2xx_and_taken(us: Subscriber, digest: str) -> None:
    us.hub.digest = digest
    us.renew()
    assert us.hub.publish(f"{us.hub.url}/topic", VIDEO) == [200]
    assert len(us.pieces) == 1


@pytest.mark.parametrize(
    "wrong", ["sha1=" + "0" * 40, "sha256=" + "0" * 64, "sha1=", "md5=" + "0" * 32, "é", "sha1=\ud800"]
)
def test_301_a_delivery_with_an_invalid_signature_is_ignored(us: Subscriber, wrong: str) -> None:
    us.renew()
    assert us.hub.publish(f"{us.hub.url}/topic", VIDEO, wrong) == [200]
    assert us.pieces == []


def test_302_a_delivery_without_a_signature_is_ignored(us: Subscriber) -> None:
    us.renew()
    assert us.hub.forms[0]["hub.secret"]
    assert us.hub.publish(f"{us.hub.url}/topic", VIDEO, "") == [200]
    assert us.pieces == []


# What the checklist asks for without a number


def test_a_callback_is_unique_and_cannot_be_guessed_and_so_is_its_secret(us: Subscriber) -> None:
    other = AccountRef("account_2", "youtube", "zolw", "", CHANNEL, {})
    us.hub.pages["/b"] = feed_of(us.hub, f"{us.hub.url}/hub", f"{us.hub.url}/b")
    for feed, account in ((FEED, us.account), ("/b", us.account), (FEED, other)):
        us.renew(feed, account)
    callbacks = {form["hub.callback"] for form in us.hub.forms}
    assert len(callbacks) == len({form["hub.secret"] for form in us.hub.forms}) == 3
    for callback in callbacks:
        account_id, _, proof = callback.removeprefix(f"{DOOR}/").rpartition("-")
        assert account_id in ("account_1", "account_2")
        assert len(proof) == 28
    assert all(len(form["hub.secret"]) == 64 for form in us.hub.forms)


def test_a_callback_with_the_longest_account_id_fits_into_the_doors_address() -> None:
    from chalicelib.core.ids import new_id
    from chalicelib.platforms.youtube.websub import subscription_id

    assert len(subscription_id(KEY, new_id("account", NOW), "https://topic.example")) <= 64


def test_one_subscriptions_secret_signs_nothing_for_another(us: Subscriber) -> None:
    us.hub.pages["/b"] = feed_of(us.hub, f"{us.hub.url}/hub", f"{us.hub.url}/b")
    us.renew()
    us.renew("/b")
    first, second = us.hub.subscribers.values()
    second.secret = first.secret
    assert us.hub.publish(f"{us.hub.url}/b", VIDEO) == [200]
    assert us.pieces == []


def test_the_lease_that_the_hub_gives_is_told_and_not_the_one_that_was_asked_for(us: Subscriber) -> None:
    us.hub.lease = 3600
    us.renew()
    assert us.hub.forms[0]["hub.lease_seconds"] == "432000"
    (told,) = [us.scheme.normalise(piece) for piece in us.confirmed]
    assert told[0].details["state"] == "live"
    assert from_text(told[0].details["ends_at"]) == NOW + timedelta(hours=1)


def test_renewing_is_asking_again_with_the_same_callback(us: Subscriber) -> None:
    us.renew()
    us.clock.advance(days=4)
    us.renew()
    assert us.hub.forms[0] == us.hub.forms[1]
    assert len(us.hub.subscribers) == 1
    assert len(us.confirmed) == 2


def test_nobody_can_unsubscribe_us(us: Subscriber) -> None:
    us.renew()
    form = us.hub.forms[0]
    us.hub.take({**form, "hub.mode": "unsubscribe"})
    query = {"hub.topic": form["hub.topic"], "hub.challenge": "abc", "hub.lease_seconds": "60"}
    assert us.asked(form["hub.callback"], query | {"hub.mode": "subscribe"}) == (200, "abc")
    assert us.asked(form["hub.callback"], query | {"hub.mode": "unsubscribe"}) == (404, "")
    assert us.hub.refused == [f"{us.hub.url}/topic"]
    assert us.topics() == ["/topic"]


def test_a_hub_that_ends_a_subscription_is_heard_and_anybody_else_is_not(us: Subscriber) -> None:
    us.renew()
    callback, topic = us.hub.forms[0]["hub.callback"], us.hub.forms[0]["hub.topic"]
    told = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": "the channel\nis closed"}
    assert us.asked(callback, told) == (200, "")
    (event,) = us.scheme.normalise(us.confirmed[-1])
    assert event.details["state"] == "invalid"
    assert event.details["reason"] == "the channel is closed"
    assert us.asked(callback + "0", told)[0] == 404
    assert len(us.confirmed) == 2


def test_a_master_key_is_replaced_without_losing_a_subscription() -> None:
    before = Subscriber(LiveSecrets((OLD_KEY,)))
    with before.hub as hub:
        hub.pages[FEED] = feed_of(hub, f"{hub.url}/hub", f"{hub.url}/topic")
        before.renew(key=OLD_KEY)
        before.secrets = LiveSecrets((KEY, OLD_KEY))
        assert hub.publish(f"{hub.url}/topic", VIDEO) == [200]
        assert len(before.pieces) == 1
        hub.take(hub.forms[0])
        assert hub.refused == []
        before.secrets = LiveSecrets((KEY,))
        hub.publish(f"{hub.url}/topic", VIDEO)
        hub.take(hub.forms[0])
        assert len(before.pieces) == 1
        assert len(hub.refused) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hub.challenge", ""),
        ("hub.challenge", "x" * 1_001),
        ("hub.lease_seconds", ""),
        ("hub.lease_seconds", "-1"),
        ("hub.lease_seconds", "1e3"),
        ("hub.lease_seconds", "٣"),
        ("hub.lease_seconds", "9" * 10),
        ("hub.mode", "SUBSCRIBE"),
        ("hub.mode", ""),
    ],
)
def test_a_question_that_is_not_of_the_specification_is_refused(
    us: Subscriber, name: str, value: str
) -> None:
    us.renew()
    form = us.hub.forms[0]
    query = {
        "hub.mode": "subscribe",
        "hub.topic": form["hub.topic"],
        "hub.challenge": "abc",
        "hub.lease_seconds": "60",
    }
    assert us.asked(form["hub.callback"], query) == (200, "abc")
    assert us.asked(form["hub.callback"], query | {name: value})[0] == 404


# What goes wrong


def test_a_feed_that_names_no_hub_is_subscribed_to_as_youtube_documents(us: Subscriber) -> None:
    us.hub.pages[FEED] = Page(ATOM.format(""))
    us.renew()
    assert us.topics() == [f"{FEED}?channel_id={CHANNEL}"]


def test_a_feed_that_cannot_be_read_costs_no_lease(us: Subscriber) -> None:
    us.hub.pages[FEED] = Page("gone", "text/plain", status=404)
    us.renew()
    assert us.topics() == [f"{FEED}?channel_id={CHANNEL}"]


def test_a_hub_at_a_private_address_is_not_called(us: Subscriber) -> None:
    us.hub.pages[FEED] = feed_of(us.hub, "https://127.0.0.1/hub", f"{us.hub.url}/topic")
    with pytest.raises(Rejected, match="may not be called"):
        us.renew()


def test_a_redirect_to_a_private_address_is_not_followed(us: Subscriber) -> None:
    us.hub.pages[FEED] = Page(status=302, location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(Rejected, match="may not be called"):
        us.renew()


def test_a_circle_of_redirects_ends(us: Subscriber) -> None:
    us.hub.pages[FEED] = Page(status=302, location=FEED)
    us.renew()
    assert us.hub.requests.count(("GET", FEED)) == 3
    assert us.topics() == [f"{FEED}?channel_id={CHANNEL}"]


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (400, Rejected), (503, Unavailable)])
def test_a_hub_that_refuses_says_what_to_do_next(us: Subscriber, status: int, error: type[Exception]) -> None:
    us.hub.answer = status
    with pytest.raises(error):
        us.renew()
    assert us.hub.subscribers == {}


def test_an_account_without_a_channel_asks_nobody(us: Subscriber) -> None:
    for wrong in ("", "zolw", "UC/../../x", CHANNEL + "0"):
        account = AccountRef("account_1", "youtube", "zolw", "", wrong, {})
        with pytest.raises(Rejected, match="channel id"):
            us.renew(account=account)
    assert us.hub.requests == []


def test_a_subscription_is_always_asked_for_anew_and_then_lasts_five_days(us: Subscriber) -> None:
    watching = us.watching()
    assert isinstance(watching, Watching)
    assert watching.subscription(us.account, DOOR).state == "missing"
    renewed = watching.renew(us.account, DOOR, KEY.decode())
    assert (renewed.state, renewed.ends_at) == ("live", NOW + timedelta(days=5))
