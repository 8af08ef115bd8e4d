"""Subscribed apps of pages, Instagram and WhatsApp accounts, with answers as Meta's reference shows them."""

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from chalicelib.core.http import AddressRefused, MaybeSent, NotSent, Request, Response
from chalicelib.platforms import registry
from chalicelib.platforms.errors import (
    AdapterError,
    AuthExpired,
    RateLimited,
    Rejected,
    Unavailable,
    VersionGone,
)
from chalicelib.platforms.meta.configuration import GRAPH_VERSION, GRAPH_VERSION_ENDS_ON, PAGE_FIELDS
from chalicelib.platforms.port import AccountRef
from tests.fakes.transport import Answer, reply
from tests.platforms.subscriptions import (
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

GRAPH = "https://graph.facebook.com"
PAGE_ID, APP_ID = "100064583471102", "188559381496048"
CREDENTIALS = {"access_token": TOKEN, "app_id": APP_ID}
PAGE = ref("facebook", GRAPH, PAGE_ID, CREDENTIALS)
INSTAGRAM = ref("instagram", "https://graph.instagram.com", "17841405309211844", {"access_token": TOKEN})
BY_PAGE = ref("instagram", GRAPH, "17841405309211844", {**CREDENTIALS, "page_id": PAGE_ID})
WHATSAPP = ref("whatsapp", GRAPH, "102290129340398", CREDENTIALS)
OTHER_APP = {"category": "Business", "link": "https://example.org/", "name": "Other", "id": "9"}
EDGE = f"/{GRAPH_VERSION}/{PAGE_ID}/subscribed_apps"


def apps(*items: Mapping[str, object]) -> Response:
    return reply(200, {"data": list(items), "paging": {"cursors": {"before": "b", "after": "a"}}})


def ours(*fields: str) -> dict[str, object]:
    return {"category": "Business", "name": "Signalbox", "id": APP_ID, "subscribed_fields": list(fields)}


def refused(
    code: int, status: int = 400, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    error = {"message": "Some words", "type": "OAuthException", "code": code, "fbtrace_id": "A", **more}
    return reply(status, {"error": error}, dict(headers or {}))


def posted(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


class Meta:
    """Keeps what each node's apps are subscribed to, and replaces the fields at each POST."""

    def __init__(self, *fields: str) -> None:
        self.fields = set(fields)

    def __call__(self, request: Request) -> Response:
        if request.method == "POST":
            self.fields = set(posted(request)["subscribed_fields"].split(","))
            return reply(200, {"success": True})
        return apps(OTHER_APP, ours(*self.fields)) if self.fields else apps(OTHER_APP)


# What is there


def test_an_app_with_every_field_is_live() -> None:
    assert Bench(PAGE, [apps(OTHER_APP, ours(*PAGE_FIELDS, "leadgen"))]).state() == "live"


def test_a_page_that_has_other_apps_only_misses_ours() -> None:
    assert Bench(PAGE, [apps(OTHER_APP)]).state() == "missing"
    assert Bench(PAGE, [reply(200, {"data": []})]).state() == "missing"


def test_a_field_that_is_not_subscribed_to_is_named() -> None:
    bench = Bench(PAGE, [apps(ours(*set(PAGE_FIELDS) - {"messages"}))])
    found = bench.watching.subscription(PAGE, bench.callback)
    assert (found.state, found.problem) == ("missing", "Our app does not get messages of this account.")


def test_our_app_is_looked_for_on_every_page_of_the_list() -> None:
    first = {
        "data": [OTHER_APP],
        "paging": {"cursors": {"after": "QVFI"}, "next": f"{GRAPH}/x?access_token={TOKEN}"},
    }
    bench = Bench(PAGE, [reply(200, first), apps(ours(*PAGE_FIELDS))])
    assert bench.state() == "live"
    assert bench.calls() == [f"GET {EDGE}"] * 2
    assert bench.query() == {"after": "QVFI"}


def test_any_one_field_is_enough_for_instagram() -> None:
    assert Bench(INSTAGRAM, [reply(200, {"data": [{"subscribed_fields": ["messages"]}]})]).state() == "live"
    assert Bench(INSTAGRAM, [reply(200, {"data": [{"subscribed_fields": []}]})]).state() == "missing"
    assert Bench(INSTAGRAM, [reply(200, {"data": []})]).state() == "missing"


def test_an_instagram_account_connected_by_facebook_is_asked_for_at_its_page() -> None:
    bench = Bench(BY_PAGE, [apps(ours("feed"))])
    assert bench.state() == "live"
    assert bench.calls() == [f"GET {EDGE}"]


def test_whatsapp_says_which_app_it_is_in_a_wrapping_of_its_own() -> None:
    wrapped = {
        "whatsapp_business_api_data": {"link": "https://example.org", "name": "Signalbox", "id": APP_ID}
    }
    assert Bench(WHATSAPP, [apps({"whatsapp_business_api_data": {"id": "9"}}, wrapped)]).state() == "live"
    assert Bench(WHATSAPP, [apps({"whatsapp_business_api_data": {"id": "9"}})]).state() == "missing"


def test_threads_cannot_be_asked() -> None:
    bench = Bench(PAGE, [])
    assert registry.watch("threads") is not None
    assert registry.watching("threads", None, bench.clock, None) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("account", "needed"),
    [
        (ref("facebook", GRAPH, PAGE_ID, {}), "access_token, app_id"),
        (ref("facebook", GRAPH, PAGE_ID, {"access_token": TOKEN}), "app_id"),
        (ref("facebook", GRAPH, "1/../me", CREDENTIALS), "Meta's number"),
        (ref("instagram", GRAPH, "17841405309211844", CREDENTIALS), "page_id"),
    ],
)
def test_an_account_that_lacks_what_is_needed_is_unknown_and_nobody_is_called(
    account: AccountRef, needed: str
) -> None:
    bench = Bench(account, [])
    found = bench.watching.subscription(account, bench.callback)
    assert found.state == bench.renewed() == "unknown"
    assert needed in found.problem
    assert bench.transport.requests == []


# Renewing


def test_renewing_subscribes_and_keeps_the_fields_that_were_there() -> None:
    meta = Meta("leadgen", "feed")
    bench = Bench(PAGE, meta)
    assert bench.state() == "missing"
    assert bench.renewed() == "live"
    assert meta.fields == {"leadgen", *PAGE_FIELDS}


def test_renewing_twice_is_renewing_once() -> None:
    meta = Meta()
    bench = Bench(PAGE, meta)
    assert [bench.renewed(), bench.renewed()] == ["live", "live"]
    sent = [request.body for request in bench.transport.requests if request.method == "POST"]
    assert sent[0] == sent[1]


def test_a_confirmation_that_changed_nothing_is_not_believed() -> None:
    assert Bench(PAGE, [apps(), reply(200, {"success": True}), apps()]).renewed() == "missing"


def test_an_answer_that_confirms_nothing_is_tried_again_later() -> None:
    assert type(raised(Bench(PAGE, [apps(), reply(200, {"success": False})]).renewed)) is Unavailable


def test_whatsapp_is_subscribed_without_fields() -> None:
    wrapped = {"whatsapp_business_api_data": {"id": APP_ID}}
    bench = Bench(WHATSAPP, [apps(), reply(200, {"success": True}), apps(wrapped)])
    assert bench.renewed() == "live"
    assert posted(bench.transport.requests[1]) == {}


def test_the_fields_of_an_account_can_be_configured() -> None:
    meta = Meta()
    account = ref("facebook", GRAPH, PAGE_ID, {**CREDENTIALS, "subscribed_fields": "feed, mention"})
    assert Bench(account, meta).renewed() == "live"
    assert meta.fields == {"feed", "mention"}


def test_a_permission_for_one_field_does_not_stop_an_account_that_gets_others() -> None:
    bench = Bench(PAGE, [apps(ours("feed")), refused(200, 403, message="(#200) pages_messaging is needed")])
    found = bench.watching.renew(PAGE, bench.callback, SECRET)
    assert found.state == "missing"
    assert "pages_messaging" in found.problem
    nothing = Bench(PAGE, [apps(), refused(200, 403)])
    assert isinstance(raised(nothing.renewed), AuthExpired)


# Versions and proofs


def test_the_version_is_the_configured_one_or_the_accounts_own() -> None:
    account = ref("facebook", GRAPH, PAGE_ID, {**CREDENTIALS, "api_version": "v26.0"})
    bench = Bench(account, [apps()])
    bench.state()
    assert bench.calls() == [f"GET /v26.0/{PAGE_ID}/subscribed_apps"]
    broken = ref("facebook", GRAPH, PAGE_ID, {**CREDENTIALS, "api_version": "v26.0/me"})
    assert type(raised(Bench(broken, []).state)) is VersionGone


def test_a_version_that_has_ended_is_logged_as_no_answer_says_so(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(PAGE, [apps(), apps()])
    bench.state()
    assert caplog.records == []
    bench.clock.set(NOW.replace(year=GRAPH_VERSION_ENDS_ON.year + 1))
    bench.state()
    assert [record.getMessage() for record in caplog.records] == ["the version of the Graph API has ended"]


def test_an_app_secret_proves_the_token_and_is_not_sent() -> None:
    account = ref("facebook", GRAPH, PAGE_ID, {**CREDENTIALS, "app_secret": SECRET})
    bench = Bench(account, Meta())
    bench.renewed()
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), "sha256").hexdigest()
    assert bench.query(0) == {"appsecret_proof": proof}
    assert posted(bench.transport.requests[1])["appsecret_proof"] == proof
    assert SECRET not in str([(r.url, r.headers, r.body) for r in bench.transport.requests])


# Refusals


REFUSALS: dict[str, tuple[Answer, type[AdapterError]]] = {
    "the token has expired": (refused(190, 401, error_subcode=463), AuthExpired),
    "the token has expired, with a 200": (refused(190, 200), AuthExpired),
    "the session is over": (refused(102, 400), AuthExpired),
    "a permission is missing": (refused(10, 403), AuthExpired),
    "a permission of pages is missing": (refused(283, 403), AuthExpired),
    "blocked by policy": (refused(368), AuthExpired),
    "the app's limit": (refused(4, 403), RateLimited),
    "the page's limit": (refused(32, 400), RateLimited),
    "a use case's limit": (refused(80_001, 400), RateLimited),
    "a limit, with a 200": (refused(613, 200), RateLimited),
    "429 with a page": (reply(429, body=HTML), RateLimited),
    "429 with an error": (refused(99, 429), RateLimited),
    "no such object": (refused(100, 400, error_subcode=33), Rejected),
    "a capability is missing": (refused(3), Rejected),
    "a code nobody knows": (refused(987_654), Rejected),
    "unknown error": (refused(1, 500), Unavailable),
    "service down": (refused(2, 400), Unavailable),
    "transient": (refused(987_654, 400, is_transient=True), Unavailable),
    "500 with a code": (refused(987_654, 500), Unavailable),
    "500 with a page": (reply(500, body=HTML), Unavailable),
    "401 with a page": (reply(401, body=HTML), Unavailable),
    "402 with a page": (reply(402, body=HTML), Unavailable),
    "200 with a page": (reply(200, body=HTML), Unavailable),
    "200 with a list": (reply(200, []), Unavailable),
    "200 without data": (reply(200, {}), Unavailable),
    "200 with strange data": (reply(200, {"data": {"id": 5}}), Unavailable),
    "an error of another form": (reply(400, {"error": "oops"}), Unavailable),
    "too deep": (reply(200, body=b"[" * 100_000), Unavailable),
    "a redirect": (reply(302, headers={"Location": "https://elsewhere.example"}), Unavailable),
    "no connection": (NotSent("…"), Unavailable),
    "no whole answer": (MaybeSent("…"), Unavailable),
    "an address inside": (AddressRefused("…"), Rejected),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_one_of_the_classes(case: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, kind = REFUSALS[case]
    for before in ([], [apps()]):
        bench = Bench(PAGE, [*before, answer])
        with everything_logged(caplog):
            error = raised(bench.renewed if before else bench.state)
        assert isinstance(error, kind)
        check_no_secret_is_shown(PAGE, bench.transport.requests, caplog, error, error.details)


def test_words_that_repeat_the_token_are_not_shown() -> None:
    error = raised(Bench(PAGE, [refused(190, 400, message=f"Malformed access token {TOKEN}")]).state)
    assert error.message == "Meta no longer accepts this account's access; connect it again."


def test_why_a_token_is_refused_is_told() -> None:
    error = raised(Bench(PAGE, [refused(190, 401, error_subcode=460)]).state)
    assert "the password was changed" in error.message


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, timedelta(hours=1)),
        ({"X-App-Usage": '{"call_count":100,"total_time":25,"total_cputime":25}'}, timedelta(hours=1)),
        (
            {
                "X-Business-Use-Case-Usage": json.dumps(
                    {
                        PAGE_ID: [
                            {"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19},
                            {"type": "messenger", "call_count": 20, "estimated_time_to_regain_access": 0},
                        ]
                    }
                )
            },
            timedelta(minutes=19),
        ),
        (
            {"X-Business-Use-Case-Usage": '{"1":[{"estimated_time_to_regain_access":99999}]}'},
            timedelta(days=1),
        ),
        (
            {"X-Business-Use-Case-Usage": '{"1":[{"estimated_time_to_regain_access":"x"}]}'},
            timedelta(hours=1),
        ),
        ({"X-Business-Use-Case-Usage": '{"1":[]}'}, timedelta(hours=1)),
        ({"X-Business-Use-Case-Usage": "[[1]]"}, timedelta(hours=1)),
        ({"X-Business-Use-Case-Usage": "not JSON"}, timedelta(hours=1)),
    ],
)
def test_a_limit_ends_when_the_usage_says_so(headers: Mapping[str, str], wait: timedelta) -> None:
    for code in (17, 4):
        error = raised(Bench(PAGE, [refused(code, 403, headers)]).state)
        assert isinstance(error, RateLimited)
        assert error.until == NOW + wait
        assert error.whole_app == (code == 4)


def test_the_token_is_in_the_header_and_in_no_address_or_log(caplog: pytest.LogCaptureFixture) -> None:
    for account in (PAGE, BY_PAGE):
        bench = Bench(account, Meta())
        with everything_logged(caplog):
            found = bench.watching.renew(account, bench.callback, SECRET)
        check_no_secret_is_shown(account, bench.transport.requests, caplog, found)
