"""The door through Chalice's client: reliability matrix rows 14, 15, 17, 18 and 19."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.clock import to_text
from chalicelib.platforms import registry
from chalicelib.webhooks.envelope import unwrap
from tests.webhooks.conftest import (
    OLD_SECRET,
    PAGE,
    SECRET,
    Porch,
    comment,
    delivery,
    meta_signature,
    x_signature,
)

GOOD = json.dumps(delivery(comment())).encode()


def assert_untouched(porch: Porch, before: dict[str, str]) -> None:
    assert porch.queued() == []
    assert porch.box.dump() == before


# Row 15


def forged() -> list[tuple[str, bytes, dict[str, str]]]:
    """(what is wrong, body, headers) of deliveries that prove nothing."""
    right = meta_signature(GOOD)
    sha1 = "sha1=" + hmac.new(SECRET.encode(), GOOD, hashlib.sha1).hexdigest()
    name = "X-Hub-Signature-256"
    return [
        ("forged", GOOD, {name: "sha256=" + "0" * 64}),
        ("truncated", GOOD[:-1], {name: right}),
        ("extra bytes", GOOD + b" ", {name: right}),
        ("wrong secret", GOOD, {name: meta_signature(GOOD, "another")}),
        ("truncated signature", GOOD, {name: right[:20]}),
        ("junk list", GOOD, {name: f"sha256=junk,{right}"}),
        ("upper case", GOOD, {name: right.upper()}),
        ("not ASCII", GOOD, {name: "sha256=ż" + right[8:]}),
        ("missing", GOOD, {}),
        ("empty", GOOD, {name: ""}),
        ("sha1 alone", GOOD, {"X-Hub-Signature": sha1}),
        ("sha1 in its place", GOOD, {name: sha1}),
        ("empty body", b"", {name: right}),
        ("signed with nothing", GOOD, {name: meta_signature(GOOD, "")}),
        ("not text", b"\xff\xfe\x00", {name: right}),
    ]


@pytest.mark.parametrize(("what", "raw", "headers"), forged(), ids=lambda v: v if isinstance(v, str) else "")
def test_what_proves_nothing_is_refused_and_leaves_nothing(
    porch: Porch, what: str, raw: bytes, headers: dict[str, str]
) -> None:
    porch.secret("facebook")
    before = porch.box.dump()
    response = porch.post("/webhooks/facebook", raw, headers)
    assert (response.status_code, response.body) == (401, b"bad signature")
    assert_untouched(porch, before)


def test_a_header_that_comes_twice_proves_nothing_unless_what_the_gateway_leaves_is_right(
    porch: Porch,
) -> None:
    porch.secret("facebook")
    right = meta_signature(GOOD)
    joined = porch.post("/webhooks/facebook", GOOD, {"X-Hub-Signature-256": f"sha256={'0' * 64},{right}"})
    assert joined.status_code == 401


def test_where_the_specification_says_so_what_proves_nothing_is_ignored_with_a_2xx(porch: Porch) -> None:
    porch.secret("youtube")
    before = porch.box.dump()
    response = porch.post("/webhooks/youtube/account_1-abc", b"<feed/>", {"X-Hub-Signature": "sha1=00"})
    assert response.status_code == 200
    assert_untouched(porch, before)


def test_a_platform_that_is_not_known_is_404_before_anything(porch: Porch) -> None:
    porch.box.services.__dict__["secrets"] = None  # nobody may ask
    for path in ("/webhooks/myspace", "/webhooks/facebook/a%2Fb", "/webhooks/facebook/" + "a" * 65):
        assert porch.post(path, GOOD, {}).status_code == 404
        assert porch.get(path).status_code == 404


def test_without_a_secret_nothing_is_accepted_and_the_platform_tries_again(porch: Porch) -> None:
    porch.secret("facebook", "default", secret="")
    for path in ("/webhooks/facebook", "/webhooks/facebook/other", "/webhooks/x"):
        assert porch.page(delivery(comment()), key="", path=path).status_code == 503
    assert porch.queued() == []


def test_more_than_two_megabytes_are_not_read(porch: Porch) -> None:
    porch.secret("facebook")
    assert porch.page(b"[" * 2_000_001).status_code == 413
    assert porch.queued() == []


def test_an_event_that_no_queue_can_hold_is_refused(porch: Porch) -> None:
    import secrets as random

    porch.secret("facebook")
    assert porch.page(delivery(comment(random.token_hex(600_000)))).status_code == 413
    assert porch.queued() == []


def test_a_proven_delivery_is_on_the_queue_before_the_200(porch: Porch) -> None:
    porch.secret("facebook")
    response = porch.page(delivery(*(comment("zażółć 🌞 " * 20, n) for n in range(12))))
    assert (response.status_code, response.body) == (200, b"ok")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    wrapped = [unwrap(body) for body in porch.queued()]
    assert len(wrapped) == 12
    assert {(w.platform, w.app, w.form, w.stale) for w in wrapped} == {
        ("facebook", "default", "sha256", False)
    }
    assert {w.received_at for w in wrapped} == {porch.stage.clock.now()}


def test_each_app_of_a_company_has_a_secret_of_its_own(porch: Porch) -> None:
    porch.secret("facebook")
    porch.secret("facebook", "north", secret="north")
    assert porch.page(delivery(comment()), "north", "/webhooks/facebook/north").status_code == 200
    assert porch.page(delivery(comment()), SECRET, "/webhooks/facebook/north").status_code == 401
    (body,) = porch.queued()
    assert unwrap(body).app == "north"


def test_a_warm_delivery_of_ten_events_is_one_call_to_aws(porch: Porch) -> None:
    porch.secret("facebook")
    porch.page(delivery(comment()))
    called: list[str] = []
    for client in (porch.stage.sqs, porch.stage.ssm, porch.stage.dynamodb):
        client.meta.events.register("before-call", lambda model, **kw: called.append(model.name))
    assert porch.page(delivery(*(comment(number=n) for n in range(10)))).status_code == 200
    assert called == ["SendMessageBatch"]


# Row 14


def test_a_queue_that_refuses_is_503_so_that_the_platform_sends_it_again(porch: Porch) -> None:
    porch.secret("facebook")
    porch.page(delivery())
    porch.queued()
    refusal: list[str] = ["SendMessageBatch"]

    def refuse(model: Any, **kwargs: Any) -> None:
        if model.name in refusal:
            raise RuntimeError("the queue is away")

    porch.stage.sqs.meta.events.register("before-call", refuse)
    assert porch.page(delivery(comment())).status_code == 503
    refusal.clear()
    assert porch.queued() == []
    assert porch.page(delivery(comment())).status_code == 200
    assert len(porch.queued()) == 1


# Row 17


HOSTILE = [
    b"[" * 100_000,
    b'{"object":' * 5000 + b"1" + b"}" * 5000,
    b'{"object":"page","entry":NaN}',
    b'{"object":"page","entry":[1e400]}',
    b'{"object":"page","object":"page","entry":[]}',
    b'{"object":"page","entry":["\\ud800"]}',
    b'{"object":"page","entry":[' + b"9" * 5000 + b"]}",
    b'{"object":"page","entry":{}}',
    b'{"object":"page","entry":[[]]}',
    b"\xff\xfe",
    b'"page"',
    b"null",
    b"",
]


@pytest.mark.parametrize("raw", HOSTILE, ids=lambda raw: repr(raw[:30]))
@pytest.mark.parametrize("platform", ["facebook", "x", "linkedin", "mastodon"])
def test_signed_nonsense_is_4xx_and_never_500(porch: Porch, platform: str, raw: bytes) -> None:
    porch.secret(platform)
    plain = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    linkedin = hmac.new(SECRET.encode(), b"hmacsha256=" + raw, hashlib.sha256).hexdigest()
    headers = {
        "X-Hub-Signature-256": meta_signature(raw),
        "X-Hub-Signature": f"sha256={plain}",
        "X-Twitter-Webhooks-Signature": x_signature(raw),
        "X-LI-Signature": linkedin,
    }
    response = porch.post(f"/webhooks/{platform}", raw, headers)
    if (
        platform == "mastodon"
        and raw.startswith(b'{"object":"page","entry":')
        and response.status_code == 200
    ):
        assert len(porch.queued()) == 1  # a template of its own: kept as unknown
        return
    assert response.status_code in (400, 401), response.body
    assert porch.queued() == []


# Row 18


def dead_database(porch: Porch) -> None:
    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("the database is down")

    porch.stage.dynamodb.meta.events.register("before-call", refuse)


def challenge_of(porch: Porch, path: str) -> tuple[int, Any]:
    response = porch.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"].split(";")[0] in ("text/plain", "application/json")
    return response.status_code, response.body.decode()


def test_challenges_are_answered_with_the_database_down(porch: Porch) -> None:
    for platform in ("facebook", "x", "linkedin"):
        porch.secret(platform, verify_token="token")
    dead_database(porch)
    hub = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    assert challenge_of(porch, f"/webhooks/facebook?{hub}token") == (200, "1158201444")
    status, body = challenge_of(porch, "/webhooks/x?crc_token=abc")
    assert (status, json.loads(body)) == (200, {"response_token": x_signature(b"abc")})
    status, body = challenge_of(
        porch, "/webhooks/linkedin?challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0"
    )
    signed = hmac.new(SECRET.encode(), b"890e4665-4dfe-4ab1-b689-ed553bceeed0", hashlib.sha256).hexdigest()
    assert (status, json.loads(body)["challengeResponse"]) == (200, signed)
    assert porch.page(delivery(comment())).status_code == 200


def test_a_wrong_token_or_a_missing_parameter_is_refused_and_no_markup_comes_back(porch: Porch) -> None:
    for platform in registry.receiving_names():
        porch.secret(platform, verify_token="token")
    evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    hub = "hub.mode=subscribe&hub.verify_token="
    for path in (
        f"facebook?{hub}wrong&hub.challenge=1",
        f"facebook?{hub}token&hub.challenge={evil}",
        f"facebook?{hub}token",
        "facebook?hub.mode=subscribe",
        f"x?crc_token={evil}",
        f"linkedin?challengeCode={evil}",
        f"youtube/{'a' * 10}?hub.mode=subscribe&hub.topic={evil}&hub.challenge={evil}&hub.lease_seconds=9",
        *registry.receiving_names(),
    ):
        status, body = challenge_of(porch, f"/webhooks/{path}")
        assert status in (403, 404), path
        assert "<" not in body
    assert porch.queued() == []


# Row 19


def test_a_rotation_under_traffic_refuses_nothing_valid_and_the_old_key_after_its_time(porch: Porch) -> None:
    path = porch.stage.settings.secret_path("webhooks", "facebook", "default")
    elsewhere = porch.stage.secrets  # another process: what it writes, the door's cache does not see
    elsewhere.put(path, {"secret": OLD_SECRET})
    assert porch.page(delivery(comment()), OLD_SECRET).status_code == 200
    porch.stage.clock.advance(minutes=2)
    until = porch.stage.clock.now() + timedelta(hours=1)
    elsewhere.put(path, {"secret": SECRET, "previous": OLD_SECRET, "previous_until": to_text(until)})
    for minute in range(60):
        for key in (OLD_SECRET, SECRET):
            assert porch.page(delivery(comment()), key).status_code == 200, f"{key} after {minute} minutes"
        porch.stage.clock.advance(minutes=1)
    assert porch.page(delivery(comment()), OLD_SECRET).status_code == 401
    assert porch.page(delivery(comment()), SECRET).status_code == 200


def test_forged_deliveries_do_not_make_the_door_ask_for_secrets_again_and_again(porch: Porch) -> None:
    porch.secret("facebook")
    porch.page(delivery())
    asked: list[str] = []
    porch.stage.ssm.meta.events.register("before-call", lambda model, **kw: asked.append(model.name))
    for _ in range(50):
        porch.page(delivery(comment()), "forged")
        porch.page(delivery(comment()), "forged", "/webhooks/facebook/nothing-here")
        porch.stage.clock.advance(seconds=0.1)
    assert len(asked) <= 7


def test_the_secrets_read_before_count_on_while_ssm_refuses(porch: Porch) -> None:
    porch.secret("facebook")
    porch.page(delivery())
    porch.stage.clock.advance(minutes=6)

    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("SSM is down")

    porch.stage.ssm.meta.events.register("before-call", refuse)
    assert porch.page(delivery(comment())).status_code == 200
    assert PAGE in porch.queued()[0]
