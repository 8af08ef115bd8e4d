"""LinkedIn's subscription of a page and its notifications of 60 days, as its reference shows them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.http import MaybeSent, NotSent, Response
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.linkedin.configuration import ACTIONS, PAGE_OF, VERSION
from chalicelib.platforms.linkedin.webhook import LinkedInWebhook
from chalicelib.platforms.port import AccountRef
from tests.fakes.transport import Answer, reply
from tests.platforms.subscriptions import (
    DOOR,
    HTML,
    NOW,
    SECRET,
    TOKEN,
    Bench,
    check_no_secret_is_shown,
    everything_logged,
    raised,
    ref,
)
from tests.platforms.webhooks import events, fixture, fixtures_of

API = "https://api.linkedin.com"
PAGE = "urn:li:organization:96072893"
CREDENTIALS = {"access_token": TOKEN, "app_id": "123456", "person_id": "zLqTygBP8S"}
ACCOUNT = ref("linkedin", API, PAGE, CREDENTIALS)
KEY = (
    "/rest/eventSubscriptions/(developerApplication:urn%3Ali%3AdeveloperApplication%3A123456,"
    "user:urn%3Ali%3Aperson%3AzLqTygBP8S,entity:urn%3Ali%3Aorganization%3A96072893,"
    "eventType:ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS)"
)
ENDS_AT = NOW + timedelta(days=40)
SOCIAL = [name for name in fixtures_of("linkedin") if name != "lead_action"]


def there(webhook: str = f"{DOOR}/linkedin", ends_at: datetime | None = ENDS_AT) -> Response:
    body: dict[str, Any] = {"webhook": webhook, "entity": PAGE, "eventType": "X"}
    if ends_at:
        body["expiresAt"] = int(ends_at.timestamp() * 1000)
    return reply(200, body)


def refused(status: int, code: str = "", message: str = "Some words", service: int | None = None) -> Response:
    body: dict[str, Any] = {"status": status, "message": message}
    body |= {"code": code} if code else {}
    body |= {"serviceErrorCode": service} if service else {}
    return reply(status, body)


def notification(name: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(fixture("linkedin", name))["notifications"][0]
    return said


# What is there


def test_a_subscription_to_our_address_is_live_until_it_ends() -> None:
    bench = Bench(ACCOUNT, [there()])
    found = bench.watching.subscription(ACCOUNT, bench.callback)
    assert (found.state, found.ends_at) == ("live", ENDS_AT)
    assert bench.calls() == [f"GET {KEY}"]


def test_one_that_ends_soon_is_live_and_says_when() -> None:
    soon = NOW + timedelta(hours=3)
    bench = Bench(ACCOUNT, [there(ends_at=soon)])
    found = bench.watching.subscription(ACCOUNT, bench.callback)
    assert (found.state, found.ends_at) == ("live", soon)


def test_one_that_has_ended_or_was_removed_is_missing() -> None:
    assert Bench(ACCOUNT, [there(ends_at=NOW)]).state() == "missing"
    assert Bench(ACCOUNT, [refused(404, "NOT_FOUND")]).state() == "missing"


def test_one_that_leads_elsewhere_is_invalid() -> None:
    assert Bench(ACCOUNT, [there("https://staging.example/webhooks/linkedin")]).state() == "invalid"


def test_one_without_an_end_is_live() -> None:
    assert Bench(ACCOUNT, [there(ends_at=None)]).state() == "live"


@pytest.mark.parametrize("ends", ["soon", 10**30, [1]])
def test_an_end_that_is_no_time_is_asked_for_again_later(ends: object) -> None:
    answer = reply(200, {"webhook": f"{DOOR}/linkedin", "expiresAt": ends})
    assert type(raised(Bench(ACCOUNT, [answer]).state)) is Unavailable


@pytest.mark.parametrize(
    ("account", "needed"),
    [
        (ref("linkedin", API, PAGE, {}), "access_token, app_id, person_id"),
        (ref("linkedin", API, PAGE, {**CREDENTIALS, "person_id": "a),entity:b"}), "URNs"),
        (ref("linkedin", API, "96072893", CREDENTIALS), "external id"),
    ],
)
def test_an_account_that_lacks_what_is_needed_is_unknown_and_nobody_is_called(
    account: AccountRef, needed: str
) -> None:
    bench = Bench(account, [])
    found = bench.watching.subscription(account, bench.callback)
    assert found.state == bench.renewed() == "unknown"
    assert needed in found.problem
    assert type(raised(lambda: bench.back_filling.missed(account, NOW, NOW))) is Rejected
    assert bench.transport.requests == []


# Renewing


@pytest.mark.parametrize("done", [reply(200), reply(201), reply(204), reply(200, {})])
def test_renewing_puts_the_address_and_reads_when_it_ends(done: Response) -> None:
    bench = Bench(ACCOUNT, [done, there()])
    found = bench.watching.renew(ACCOUNT, bench.callback, SECRET)
    assert (found.state, found.ends_at) == ("live", ENDS_AT)
    assert bench.calls() == [f"PUT {KEY}", f"GET {KEY}"]
    assert json.loads(bench.transport.requests[0].body) == {"webhook": bench.callback}


def test_renewing_twice_asks_for_the_same() -> None:
    bench = Bench(ACCOUNT, lambda request: reply(204) if request.method == "PUT" else there())
    assert [bench.renewed(), bench.renewed()] == ["live", "live"]
    first, second = (request for request in bench.transport.requests if request.method == "PUT")
    assert (first.url, first.body) == (second.url, second.body)


def test_a_confirmation_that_changed_nothing_is_not_believed() -> None:
    assert Bench(ACCOUNT, [reply(204), refused(404)]).renewed() == "missing"


def test_the_version_is_the_configured_one_or_the_accounts_own() -> None:
    other = ref("linkedin", API, PAGE, {**CREDENTIALS, "api_version": "202611"})
    for account, version in ((ACCOUNT, VERSION), (other, "202611")):
        bench = Bench(account, [there()])
        bench.state()
        assert bench.transport.requests[0].headers["LinkedIn-Version"] == version
        assert bench.transport.requests[0].headers["X-Restli-Protocol-Version"] == "2.0.0"
    broken = ref("linkedin", API, PAGE, {**CREDENTIALS, "api_version": "latest"})
    assert type(raised(Bench(broken, []).state)) is VersionGone


# What was missed


def pulled(*answers: Answer, since: timedelta = timedelta(hours=2)) -> tuple[Bench, list[Any]]:
    bench = Bench(ACCOUNT, list(answers))
    return bench, list(bench.back_filling.missed(ACCOUNT, NOW - since, NOW))


@pytest.mark.parametrize("name", SOCIAL)
def test_a_missed_notification_is_the_same_event_as_its_delivery(name: str) -> None:
    _, pieces = pulled(reply(200, {"elements": [notification(name)], "paging": {"links": []}}))
    scheme = LinkedInWebhook()
    found = [event for piece in pieces for event in scheme.normalise(json.loads(json.dumps(piece)))]
    assert found == events(scheme, fixture("linkedin", name))
    assert [event.key for event in found] == [str(notification(name)["notificationId"])]


def test_every_action_of_the_page_in_that_time_is_asked_for() -> None:
    bench, pieces = pulled(reply(200, {"elements": []}))
    assert pieces == []
    start, end = (int((NOW - age).timestamp() * 1000) for age in (timedelta(hours=2), timedelta(0)))
    assert urlsplit(bench.transport.requests[0].url).query == (
        f"q=criteria&actions=List({','.join(ACTIONS)})&organizationalEntity=urn%3Ali%3Aorganization%3A96072893"
        f"&timeRange=(start:{start},end:{end})&count=100&start=0"
    )


def test_nothing_older_than_sixty_days_is_asked_for() -> None:
    bench, _ = pulled(reply(200, {"elements": []}), since=timedelta(days=90))
    start = int((NOW - timedelta(days=60)).timestamp() * 1000)
    assert f"(start:{start}," in bench.transport.requests[0].url
    long_ago = NOW - timedelta(days=90)
    assert list(bench.back_filling.missed(ACCOUNT, long_ago, long_ago + timedelta(days=1))) == []


def test_every_page_is_fetched() -> None:
    said = notification("comment")
    linked = {"elements": [said], "paging": {"links": [{"rel": "next", "href": "/rest/x?start=100"}]}}
    full = {"elements": [said] * PAGE_OF, "paging": {"links": []}}
    bench, pieces = pulled(reply(200, linked), reply(200, full), reply(200, {"elements": [said]}))
    assert len(pieces) == PAGE_OF + 2
    assert [request.url[-9:] for request in bench.transport.requests] == [
        "0&start=0",
        "start=100",
        "start=200",
    ]


def test_a_list_that_never_ends_is_left_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    endless = {"elements": [{"notificationId": 1}], "paging": {"links": [{"rel": "next"}]}}
    bench = Bench(ACCOUNT, lambda request: reply(200, endless))
    assert len(bench.back_filling.missed(ACCOUNT, NOW - timedelta(hours=2), NOW)) == 100
    assert [record.getMessage() for record in caplog.records] == ["more was missed than is fetched"]


def test_a_notification_that_cannot_be_read_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    strange = [7, {"notificationId": 1, "text": "half \ud800 a pair"}, {"notificationId": float("inf")}]
    _, pieces = pulled(reply(200, {"elements": [*strange, notification("comment")]}))
    assert [piece["notification"]["notificationId"] for piece in pieces] == [5603453321]
    assert len(caplog.records) == 2


# Refusals


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "a revoked token": (refused(401, "REVOKED_ACCESS_TOKEN", service=65601), AuthExpired),
    "an expired token": (refused(401, service=65602), AuthExpired),
    "no administrator": (refused(403, "ACCESS_DENIED"), AuthExpired),
    "400": (refused(400, "ILLEGAL_ARGUMENT"), Rejected),
    "422": (refused(422), Rejected),
    "409": (refused(409), Unavailable),
    "no version": (refused(400, "VERSION_MISSING"), VersionGone),
    "426": (refused(426, "NONEXISTENT_VERSION", "Requested version 20250701 is not active"), VersionGone),
    "402": (refused(402), Unavailable),
    "429": (refused(429, "TOO_MANY_REQUESTS"), RateLimited),
    "429 with a page": (reply(429, body=HTML), RateLimited),
    "500": (refused(500, "INTERNAL_SERVER_ERROR"), Unavailable),
    "500 with a page": (reply(500, body=HTML), Unavailable),
    "401 with a page": (reply(401, body=HTML), Unavailable),
    "403 of another form": (reply(403, {"error": "no"}), Unavailable),
    "200 with a page": (reply(200, body=HTML), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "no whole answer": (MaybeSent("…"), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_one_of_the_classes(case: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, kind = REFUSALS[case]
    bench = Bench(ACCOUNT, [answer] * 3)
    with everything_logged(caplog):
        errors = [
            raised(bench.state),
            raised(bench.renewed),
            raised(lambda: bench.back_filling.missed(ACCOUNT, NOW - timedelta(days=70), NOW)),
        ]
    assert [type(error) for error in errors] == [kind] * 3
    check_no_secret_is_shown(ACCOUNT, bench.transport.requests, caplog, *errors)


def test_an_error_with_a_200_is_no_subscription_and_no_notification() -> None:
    said = {"status": 403, "code": "ACCESS_DENIED", "message": "Not enough permissions"}
    assert type(raised(Bench(ACCOUNT, [reply(200, said)]).state)) is Unavailable
    assert type(raised(lambda: pulled(reply(200, said)))) is Unavailable


def test_a_refused_token_is_not_repeated() -> None:
    error = raised(Bench(ACCOUNT, [refused(401, message=f"{TOKEN} is not valid")]).state)
    assert TOKEN not in error.message


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({}, datetime(2026, 11, 23, tzinfo=UTC)),
        ({"Retry-After": "120"}, NOW + timedelta(minutes=2)),
    ],
)
def test_a_limit_ends_at_midnight_utc_unless_linkedin_says_otherwise(
    headers: dict[str, str], until: datetime
) -> None:
    error = raised(Bench(ACCOUNT, [reply(429, {"message": "x"}, headers)]).state)
    assert isinstance(error, RateLimited)
    assert error.until == until


def test_the_token_is_in_the_header_and_the_secret_is_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ACCOUNT, [reply(204), there(), reply(200, {"elements": [notification("comment")]})])
    with everything_logged(caplog):
        found = bench.watching.renew(ACCOUNT, bench.callback, SECRET)
        bench.back_filling.missed(ACCOUNT, NOW - timedelta(hours=1), NOW)
    check_no_secret_is_shown(ACCOUNT, bench.transport.requests, caplog, found)
    assert SECRET not in str([(r.url, r.headers, r.body) for r in bench.transport.requests])
