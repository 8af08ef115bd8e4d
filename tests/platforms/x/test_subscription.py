"""X's webhook, its check, the subscriptions of an account, and replays; answers are as in X's reference."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from chalicelib.core.http import MaybeSent, NotSent, Request, Response
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    OutOfCredit,
    RateLimited,
    Rejected,
    Unavailable,
)
from chalicelib.platforms.port import AccountRef
from chalicelib.platforms.x.configuration import EVENTS
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

API = "https://api.x.com"
USER = "1111111111111111111"
ACCOUNT = ref("x", API, USER, {"bearer_token": TOKEN})
HOOK = {
    "created_at": "2026-01-15T12:00:00.000Z",
    "id": "1976325569252868099",
    "url": f"{DOOR}/x",
    "valid": True,
}
OTHER_HOOK = {**HOOK, "id": "1", "url": "https://staging.example/webhooks/x"}
PROBLEMS = "https://api.x.com/2/problems"


class X:
    """An app's webhooks and subscriptions; `answers_check` is whether our door does."""

    def __init__(self, *hooks: Mapping[str, object], answers_check: bool = True) -> None:
        self.hooks: list[dict[str, object]] = [dict(hook) for hook in hooks]
        self.subscriptions: list[dict[str, object]] = []
        self.answers_check = answers_check
        self.refused: dict[str, Response] = {}
        self.replays: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Response:
        path = urlsplit(request.url).path
        body = json.loads(request.body or b"{}")
        if request.method == "GET":
            data = self.hooks if path == "/2/webhooks" else self.subscriptions
            return reply(200, {"data": data, "meta": {"result_count": len(data)}})
        if path == "/2/webhooks":
            if any(hook["url"] == body["url"] for hook in self.hooks):
                return problem(400, "invalid-request", "DuplicateUrlFailed: already registered")
            if not self.answers_check:
                return problem(400, "invalid-request", "CrcValidationFailed: wrong response_token")
            self.hooks.append({"id": "77", "url": body["url"], "valid": True})
            return reply(200, {"data": self.hooks[-1]})
        if path == "/2/webhooks/replay":
            self.replays.append(body)
            return reply(
                200, {"data": {"job_id": "1915510368169844736", "created_at": "2026-11-22T12:00:00Z"}}
            )
        if path == "/2/activity/subscriptions":
            if body["event_type"] in self.refused:
                return self.refused[body["event_type"]]
            self.subscriptions.append({"subscription_id": "1", **body})
            return reply(201, {"data": {"subscription": body}})
        for hook in self.hooks:
            if path == f"/2/webhooks/{hook['id']}":
                hook["valid"] = self.answers_check
        return reply(200, {"data": {"valid": True}})

    def subscribe(self, *events: str, user: str = USER, hook: str = str(HOOK["id"])) -> "X":
        for event in events:
            about = {"event_type": event, "filter": {"user_id": user}, "webhook_id": hook}
            self.subscriptions.append({"subscription_id": "1", **about})
        return self


def problem(status: int, name: str, detail: str, title: str = "Some Title") -> Response:
    body = {"type": f"{PROBLEMS}/{name}", "title": title, "detail": detail, "status": status}
    return reply(status, body, {"Content-Type": "application/problem+json"})


# What is there


def test_a_valid_webhook_with_every_subscription_is_live() -> None:
    bench = Bench(ACCOUNT, X(OTHER_HOOK, HOOK).subscribe(*EVENTS))
    assert bench.state() == "live"
    assert bench.calls() == ["GET /2/webhooks", "GET /2/activity/subscriptions"]


@pytest.mark.parametrize("empty", [{"data": [], "meta": {"result_count": 0}}, {"meta": {"result_count": 0}}])
def test_an_app_without_our_webhook_misses_it(empty: object) -> None:
    assert Bench(ACCOUNT, [reply(200, empty)]).state() == "missing"
    assert Bench(ACCOUNT, X(OTHER_HOOK).subscribe(*EVENTS)).state() == "missing"


def test_a_webhook_whose_check_failed_is_invalid_and_a_person_is_told_what_to_look_at() -> None:
    bench = Bench(ACCOUNT, X({**HOOK, "valid": False}).subscribe(*EVENTS))
    found = bench.watching.subscription(ACCOUNT, bench.callback)
    assert found.state == "invalid"
    assert "consumer secret" in found.problem


def test_subscriptions_of_others_or_to_other_webhooks_are_not_ours() -> None:
    x = X(HOOK).subscribe(*EVENTS[1:]).subscribe(EVENTS[0], user="2").subscribe(EVENTS[0], hook="1")
    bench = Bench(ACCOUNT, x)
    found = bench.watching.subscription(ACCOUNT, bench.callback)
    assert (found.state, found.problem) == ("missing", f"X does not send {EVENTS[0]}.")


def test_a_long_list_of_subscriptions_is_read_as_far_as_needed() -> None:
    def page(*events: str) -> Response:
        data = X().subscribe(*events).subscriptions
        return reply(200, {"data": data, "meta": {"next_token": "0123456789abcdef"}})

    hooks = reply(200, {"data": [HOOK]})
    bench = Bench(ACCOUNT, [hooks, page(*EVENTS[:2]), page(*EVENTS[2:])])
    assert bench.state() == "live"
    assert bench.query() == {"max_results": "1000", "pagination_token": "0123456789abcdef"}


def test_a_list_that_never_ends_is_left() -> None:
    endless = reply(200, {"data": [], "meta": {"next_token": "0123456789abcdef"}})
    hooks = reply(200, {"data": [HOOK]})
    bench = Bench(ACCOUNT, lambda request: hooks if request.url.endswith("/webhooks") else endless)
    assert type(raised(bench.state)) is Unavailable


@pytest.mark.parametrize(
    "account", [ref("x", API, USER, {}), ref("x", API, "@brand", {"bearer_token": TOKEN})]
)
def test_an_account_that_lacks_what_is_needed_is_unknown_and_nobody_is_called(account: AccountRef) -> None:
    bench = Bench(account, [])
    assert bench.state() == bench.renewed() == "unknown"
    assert type(raised(lambda: bench.back_filling.missed(account, NOW, NOW))) is Rejected
    assert bench.transport.requests == []


# Renewing


def test_an_address_that_x_does_not_know_is_registered_and_subscribed_to() -> None:
    x = X()
    bench = Bench(ACCOUNT, x)
    assert bench.renewed() == "live"
    assert [hook["url"] for hook in x.hooks] == [bench.callback]
    assert [(s["event_type"], s["filter"], s["webhook_id"]) for s in x.subscriptions] == [
        (event, {"user_id": USER}, "77") for event in EVENTS
    ]


def test_an_invalid_webhook_is_checked_again() -> None:
    bench = Bench(ACCOUNT, X({**HOOK, "valid": False}).subscribe(*EVENTS))
    assert bench.renewed() == "live"
    assert bench.calls()[:2] == ["GET /2/webhooks", f"PUT /2/webhooks/{HOOK['id']}"]


def test_a_webhook_that_is_valid_again_is_subscribed_to_at_once() -> None:
    x = X({**HOOK, "valid": False})
    assert Bench(ACCOUNT, x).renewed() == "live"
    assert [s["event_type"] for s in x.subscriptions] == list(EVENTS)


def test_a_check_that_was_only_begun_is_not_believed() -> None:
    x = X({**HOOK, "valid": False}, answers_check=False)
    assert Bench(ACCOUNT, x).renewed() == "invalid"
    assert x.subscriptions == []


def test_a_door_that_fails_the_check_is_told_of() -> None:
    error = raised(Bench(ACCOUNT, X(answers_check=False)).renewed)
    assert type(error) is Rejected
    assert "consumer secret" in error.message


def test_renewing_twice_makes_nothing_twice() -> None:
    x = X()
    bench = Bench(ACCOUNT, x)
    assert [bench.renewed(), bench.renewed()] == ["live", "live"]
    assert (len(x.hooks), len(x.subscriptions)) == (1, len(EVENTS))


def test_an_event_that_x_refuses_costs_no_other() -> None:
    x = X(HOOK)
    x.refused["dm.received"] = problem(403, "not-authorized", "The user has not authorized dm.read.")
    bench = Bench(ACCOUNT, x)
    found = bench.watching.renew(ACCOUNT, bench.callback, SECRET)
    assert found.state == "missing"
    assert found.problem.startswith("X does not send dm.received. X does not allow it: The user has not")
    assert [s["event_type"] for s in x.subscriptions] == [e for e in EVENTS if e != "dm.received"]


def test_the_events_of_an_account_can_be_configured() -> None:
    x = X(HOOK)
    account = ref("x", API, USER, {"bearer_token": TOKEN, "events": "like.create, dm.sent"})
    assert Bench(account, x).renewed() == "live"
    assert [s["event_type"] for s in x.subscriptions] == ["like.create", "dm.sent"]


# Replays


def replayed(since: datetime, until: datetime = NOW, x: X | None = None) -> list[dict[str, str]]:
    x = x or X(HOOK).subscribe(*EVENTS)
    assert Bench(ACCOUNT, x).back_filling.missed(ACCOUNT, since, until) == ()
    return x.replays


def test_what_was_missed_is_delivered_again_by_the_webhook() -> None:
    assert replayed(NOW - timedelta(hours=2)) == [
        {"webhook_id": HOOK["id"], "from_date": "202611221000", "to_date": "202611221150"}
    ]


@pytest.mark.parametrize(
    ("ago", "start"),
    [
        (timedelta(days=3), "202611211210"),
        (timedelta(minutes=5), "202611221129"),
    ],
)
def test_a_replay_stays_inside_the_window_that_x_allows(ago: timedelta, start: str) -> None:
    assert [job["from_date"] for job in replayed(NOW - ago)] == [start]


def test_a_time_that_x_no_longer_has_is_not_asked_for() -> None:
    assert replayed(NOW - timedelta(days=4), NOW - timedelta(days=3)) == []


def test_times_of_other_zones_are_asked_for_in_utc() -> None:
    warsaw = datetime.fromisoformat("2026-11-22T11:00:00+01:00")
    assert [job["from_date"] for job in replayed(warsaw)] == ["202611221000"]


def test_only_webhooks_of_the_account_are_replayed() -> None:
    x = X(HOOK, OTHER_HOOK).subscribe(*EVENTS).subscribe("dm.sent", user="2", hook="1")
    assert [job["webhook_id"] for job in replayed(NOW - timedelta(hours=2), x=x)] == [HOOK["id"]]


def test_a_replay_beside_another_is_asked_for_later() -> None:
    listed = reply(200, {"data": X().subscribe("dm.sent").subscriptions})
    conflict = problem(400, "invalid-request", "ReplayConflictError: a job is in progress")
    bench = Bench(ACCOUNT, [listed, conflict])
    assert (
        type(raised(lambda: bench.back_filling.missed(ACCOUNT, NOW - timedelta(hours=2), NOW))) is Unavailable
    )


# Refusals


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "401": (
        reply(401, {"title": "Unauthorized", "type": "about:blank", "detail": "x", "status": 401}),
        AuthExpired,
    ),
    "402": (problem(402, "credits", "No credits left", "CreditsDepleted"), OutOfCredit),
    "usage cap": (problem(429, "usage-capped", "Usage cap exceeded: Monthly product cap"), OutOfCredit),
    "403 of the app": (problem(403, "client-forbidden", "client-not-enrolled"), AuthExpired),
    "403": (problem(403, "not-authorized-for-resource", "no"), Rejected),
    "404": (problem(404, "resource-not-found", "no"), Rejected),
    "409": (problem(409, "conflict", "no"), Unavailable),
    "400": (reply(400, {"errors": [{"message": "bad"}], "title": "Invalid Request"}), Rejected),
    "an older error": (reply(400, {"errors": [{"code": 214, "message": "Webhook URL is bad"}]}), Rejected),
    "too many webhooks": (problem(403, "x", "no", "WebhookLimitExceeded"), Rejected),
    "429": (reply(429, {"title": "Too Many Requests", "detail": "Too Many Requests"}), RateLimited),
    "429 with a page": (reply(429, body=HTML), RateLimited),
    "200 with an error": (reply(200, {"errors": [{"title": "Not Found", "detail": "no"}]}), Rejected),
    "200 with strange data": (reply(200, {"data": 5}), Unavailable),
    "200 with a page": (reply(200, body=HTML), Unavailable),
    "426": (problem(426, "upgrade", "no"), Unavailable),
    "500": (problem(500, "internal", "no"), Unavailable),
    "503 with a page": (reply(503, body=HTML), Unavailable),
    "401 with a page": (reply(401, body=HTML), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "no whole answer": (MaybeSent("…"), Unavailable),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_one_of_the_classes(case: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, kind = REFUSALS[case]
    bench = Bench(ACCOUNT, [answer])
    with everything_logged(caplog):
        error = raised(bench.state)
    assert type(error) is kind
    check_no_secret_is_shown(ACCOUNT, bench.transport.requests, caplog, error, error.details)


def test_a_refused_token_is_not_repeated() -> None:
    error = raised(Bench(ACCOUNT, [problem(401, "unauthorized", f"{TOKEN} is not valid")]).state)
    assert TOKEN not in error.message


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 300)}, timedelta(minutes=5)),
        ({"x-rate-limit-reset": "1"}, timedelta(seconds=2)),
        ({"x-rate-limit-reset": "99999999999"}, timedelta(days=1)),
        ({"x-rate-limit-reset": "9" * 400}, timedelta(minutes=15)),
        ({"Retry-After": "60"}, timedelta(minutes=1)),
        ({}, timedelta(minutes=15)),
    ],
)
def test_a_limit_ends_when_x_says_so(headers: dict[str, str], wait: timedelta) -> None:
    error = raised(Bench(ACCOUNT, [reply(429, {"title": "Too Many Requests"}, headers)]).state)
    assert isinstance(error, RateLimited)
    assert (error.until, error.whole_app) == (NOW + wait, True)
    assert error.until.tzinfo == UTC


def test_the_token_is_in_the_header_and_the_secret_is_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ACCOUNT, X())
    with everything_logged(caplog):
        found = bench.watching.renew(ACCOUNT, bench.callback, SECRET)
        bench.back_filling.missed(ACCOUNT, NOW - timedelta(hours=30), NOW)
    check_no_secret_is_shown(ACCOUNT, bench.transport.requests, caplog, found)
    assert SECRET not in str([(r.url, r.headers, r.body) for r in bench.transport.requests])
