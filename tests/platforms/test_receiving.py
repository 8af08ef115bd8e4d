"""What every webhook scheme must do alike: prove, split, and say the same of the same thing."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.inbound import CONVERSATIONAL, BadSignature, InboundKind, LiveSecrets, Receiving
from tests.platforms.webhooks import (
    KEY,
    OLD_KEY,
    SECRETS,
    STRANGER,
    Scheme,
    delivery,
    events,
    fixture,
    fixtures_of,
    hex_of,
    linkedin,
    mastodon,
    meta,
    tiktok,
    x,
    youtube,
)

SCHEMES = [
    Scheme("facebook", "meta.facebook:FacebookWebhook", meta, "comment"),
    Scheme("instagram", "meta.instagram:InstagramWebhook", meta, "comment_instagram_login"),
    Scheme("threads", "meta.threads:ThreadsWebhook", meta, "replies"),
    Scheme("whatsapp", "meta.whatsapp:WhatsAppWebhook", meta, "text"),
    Scheme("x", "x.webhook:XWebhook", x, "post_mention_create"),
    Scheme("linkedin", "linkedin.webhook:LinkedInWebhook", linkedin, "comment"),
    Scheme("tiktok", "tiktok.webhook:TikTokWebhook", tiktok, "authorization_removed"),
    Scheme("youtube", "youtube.webhook:YouTubeWebhook", youtube, "video.xml", is_json=False, digest="sha1"),
    # Of JSON too, but an administrator's template may give it any form, so none is refused.
    Scheme("mastodon", "mastodon.webhook:MastodonWebhook", mastodon, "status_created_reply", is_json=False),
]
JSON_SCHEMES = [scheme for scheme in SCHEMES if scheme.is_json]
EXAMPLES = [(scheme, name) for scheme in JSON_SCHEMES for name in fixtures_of(scheme.name)]
BROKEN = (ValueError, KeyError, TypeError)

every_scheme = pytest.mark.parametrize("scheme", SCHEMES, ids=str)
every_json_scheme = pytest.mark.parametrize("scheme", JSON_SCHEMES, ids=str)
every_example = pytest.mark.parametrize(("scheme", "name"), EXAMPLES, ids=str)
thrice = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# Signatures


@every_scheme
@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=["current", "before"])
def test_a_delivery_signed_with_a_live_secret_is_proven(scheme: Scheme, key: bytes) -> None:
    raw = scheme.raw()
    assert scheme.make().verify(delivery(raw, scheme.sign(key, raw)), SECRETS).form


@every_scheme
def test_a_retired_secret_proves_nothing(scheme: Scheme) -> None:
    raw = scheme.raw()
    with pytest.raises(BadSignature):
        scheme.make().verify(delivery(raw, scheme.sign(OLD_KEY, raw)), LiveSecrets((KEY,)))


@every_scheme
@pytest.mark.parametrize("keys", [(), (b"",)], ids=["none", "empty"])
def test_without_a_secret_nothing_is_proven(scheme: Scheme, keys: tuple[bytes, ...]) -> None:
    raw = scheme.raw()
    with pytest.raises(BadSignature):
        scheme.make().verify(delivery(raw, scheme.sign(b"", raw)), LiveSecrets(keys))


HOSTILE: dict[str, Callable[[str, str], str]] = {
    "forged": lambda right, wrong: wrong,
    "nothing": lambda right, wrong: "",
    "truncated": lambda right, wrong: right[:-1],
    "its beginning": lambda right, wrong: right[:12],
    "one byte more": lambda right, wrong: right + "0",
    "a space before": lambda right, wrong: " " + right,
    "a line after": lambda right, wrong: right + "\n",
    "twice": lambda right, wrong: f"{right}, {right}",
    "a list with junk": lambda right, wrong: f"{wrong},{right}",
    "its value alone twice": lambda right, wrong: right + right.rpartition("=")[2],
    "another algorithm's name": lambda right, wrong: right.replace("sha256=", "sha512="),
    "capitals": lambda right, wrong: right.upper(),
    "not ASCII": lambda right, wrong: right + "é",
    "full-width digits": lambda right, wrong: right.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
    "half a surrogate pair": lambda right, wrong: right[:-1] + "\ud800",
    "zeros": lambda right, wrong: "\0" * len(right),
    "a megabyte": lambda right, wrong: "sha256=" + "a" * 1_000_000,
}


@every_scheme
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_signature_is_refused(scheme: Scheme, hostile: str) -> None:
    raw = scheme.raw()
    right, wrong = scheme.sign(KEY, raw), scheme.sign(STRANGER, raw)
    headers = {name: HOSTILE[hostile](value, wrong[name]) for name, value in right.items()}
    if headers == dict(right):
        pytest.skip("this platform's signature has no such part")
    with pytest.raises(BadSignature):
        scheme.make().verify(delivery(raw, headers), SECRETS)


@every_scheme
def test_a_missing_signature_is_refused(scheme: Scheme) -> None:
    for raw in (scheme.raw(), b""):
        with pytest.raises(BadSignature):
            scheme.make().verify(delivery(raw), SECRETS)


@every_scheme
def test_a_weaker_algorithm_is_refused(scheme: Scheme) -> None:
    """A header of SHA-1 or MD5 beside no better one, and under the better one's name."""
    raw = scheme.raw()
    for digest in ("md5",) if scheme.digest == "sha1" else ("md5", "sha1"):
        weak = f"{digest}={hex_of(KEY, raw, digest)}"
        for name in ("x-hub-signature-256", *scheme.sign(KEY, raw)):
            with pytest.raises(BadSignature):
                scheme.make().verify(delivery(raw, {name: weak, "x-signature": weak}), SECRETS)


@every_scheme
def test_a_body_that_was_touched_is_refused(scheme: Scheme) -> None:
    raw = scheme.raw()
    headers = scheme.sign(KEY, raw)
    others = [raw + b"\n", raw[:-1], b"", raw.replace(b"1", b"2", 1), b"\xef\xbb\xbf" + raw]
    if scheme.is_json:
        others.append(json.dumps(json.loads(raw), ensure_ascii=False, indent=1).encode())
    for other in others:
        with pytest.raises(BadSignature):
            scheme.make().verify(delivery(other, headers), SECRETS)


@every_json_scheme
@pytest.mark.parametrize("escaped", [True, False])
def test_accents_and_emoji_are_signed_as_the_bytes_that_came(scheme: Scheme, escaped: bool) -> None:
    body = json.loads(scheme.raw())
    body["note"] = "äöå Zażółć gęślą jaźń سلام 👩🏽‍🍳 </script> 100% a/b"
    raw = json.dumps(body, ensure_ascii=escaped).replace("/", "\\/" if escaped else "/").encode()
    found = scheme.make()
    found.verify(delivery(raw, scheme.sign(KEY, raw)), SECRETS)
    assert found.split(delivery(raw))


@every_scheme
@thrice
@given(data=st.data())
def test_no_bytes_and_no_headers_raise_anything_else(scheme: Scheme, data: st.DataObject) -> None:
    names = [*scheme.sign(KEY, b""), "x-hub-signature", "content-type"]
    text = st.text(st.characters(), max_size=80) | st.sampled_from(
        ["sha256=", "sha1=x", "hmacsha256=", "t=,s="]
    )
    raw = data.draw(st.binary(max_size=200) | _bodies(scheme))
    found = delivery(
        raw,
        data.draw(st.dictionaries(st.sampled_from(names), text)),
        data.draw(st.dictionaries(st.sampled_from(QUERY), text)),
    )
    receiving = scheme.make()
    with pytest.raises(BadSignature):
        receiving.verify(found, SECRETS)
    answer = receiving.handshake(found, SECRETS)
    assert answer is None or answer.body.encode("utf-8") is not None
    try:
        receiving.split(found)
    except InvalidInput as error:
        json.dumps(error.as_dict(), ensure_ascii=False).encode("utf-8")


QUERY = [
    *("hub.mode", "hub.challenge", "hub.verify_token", "hub.topic", "hub.lease_seconds"),
    *("crc_token", "challengeCode", "applicationId", "signed_request"),
]


def _bodies(scheme: Scheme) -> st.SearchStrategy[bytes]:
    """Near misses: the example with a part replaced by anything that JSON can say."""
    if not scheme.is_json:
        return st.just(scheme.raw())
    return _wrong(json.loads(scheme.raw())).map(lambda body: json.dumps(body).encode())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _wrong(draw: st.DrawFn, whole: Any) -> Any:
    """`whole` with one part, somewhere in it, taken away or replaced."""
    body = deepcopy(whole)
    place, ways = body, []
    while True:
        inner = place.keys() if isinstance(place, dict) else range(len(place))
        if not inner:
            return draw(ANYTHING)
        way = draw(st.sampled_from(sorted(inner)))
        ways.append((place, way))
        if not isinstance(place[way], dict | list) or draw(st.integers(0, 3)) == 0:
            break
        place = place[way]
    place, way = ways[-1]
    if isinstance(place, dict) and draw(st.booleans()):
        del place[way]
    else:
        place[way] = draw(ANYTHING)
    return body


# Bodies


@every_json_scheme
@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"{",
        b"[" * 100_000,
        b'{"entry":' * 100_000,
        b'{"type":"A","data":' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"object":NaN}',
        b'{"object":-Infinity}',
        b'{"object":1e400}',
        b'{"object":' + b"9" * 5000 + b"}",
        b'{"object":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"object":"a","object":"b"}',
        b'{"object":"\xff"}',
        '{"object":"page"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"object":"page","entry":{}}',
        b'{"object":"page","entry":[1]}',
        b'{"object":"page","entry":[{"changes":{}}]}',
        b'{"object":"page","entry":[{"changes":["a"]}]}',
        b'{"object":"page","entry":[{"messaging":7}]}',
        b'{"data":[]}',
        b'{"tweet_create_events":{}}',
        b'{"type":7}',
        b'{"type":"ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS","notifications":[[]]}',
        b"signed_request=",
        b"signed_request=\xff.\xfe",
        b"signed_request=a.b&signed_request=c.d",
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_a_signed_body_that_is_not_the_platforms_is_refused(scheme: Scheme, hostile: bytes) -> None:
    receiving = scheme.make()
    if hostile and not hostile.startswith(b"signed_request"):
        receiving.verify(delivery(hostile, scheme.sign(KEY, hostile)), SECRETS)
    with pytest.raises(InvalidInput) as refused:
        receiving.split(delivery(hostile))
    json.dumps(refused.value.as_dict(), ensure_ascii=False).encode("utf-8")


# Meaning


@every_example
def test_an_example_says_the_same_however_often_it_comes(scheme: Scheme, name: str) -> None:
    raw, receiving = fixture(scheme.name, name), scheme.make()
    receiving.verify(delivery(raw, scheme.sign(KEY, raw)), SECRETS)
    first = events(receiving, raw)
    assert first == events(receiving, raw)
    for late in (timedelta(minutes=6), timedelta(days=3)):
        again = events(receiving, raw, late)
        assert [(e.account, e.key) for e in again] == [(e.account, e.key) for e in first]


@every_example
def test_an_example_is_in_our_words(scheme: Scheme, name: str) -> None:
    for event in events(scheme.make(), fixture(scheme.name, name)):
        assert event.platform == scheme.name
        assert event.key
        assert event.happened_at.utcoffset() == timedelta(0)
        assert event.edited_at is None or event.edited_at >= event.happened_at
        if event.kind in CONVERSATIONAL:
            assert event.account
            assert event.external_id
            assert event.thread or (event.own and event.parent_id)
            assert event.thread != event.account
        if event.kind in (InboundKind.PERMISSION_REVOKED, InboundKind.ACCOUNT_RESTRICTED):
            assert event.details["reason"]
        if event.kind is InboundKind.PUBLISH_RESULT:
            assert event.details["outcome"] in ("published", "failed")
            assert event.details.keys() >= {"reason", "post_id", "url"}
        if event.kind is InboundKind.UNKNOWN:
            assert event.details["type"]


@every_json_scheme
def test_different_events_have_different_keys(scheme: Scheme) -> None:
    receiving = scheme.make()
    keys = [
        (e.account, e.key)
        for name in fixtures_of(scheme.name)
        for e in events(receiving, fixture(scheme.name, name))
    ]
    assert len(keys) == len(set(keys))


@every_json_scheme
@thrice
@given(data=st.data())
def test_a_broken_piece_raises_only_what_the_worker_expects(scheme: Scheme, data: st.DataObject) -> None:
    receiving = scheme.make()
    name = data.draw(st.sampled_from(fixtures_of(scheme.name)))
    piece = data.draw(st.sampled_from(receiving.split(delivery(fixture(scheme.name, name)))))
    try:
        found = receiving.normalise(data.draw(_wrong(dict(piece))))
    except BROKEN:
        return
    for event in found:
        assert isinstance(event.text, str)
        assert isinstance(event.external_id, str)
        assert event.key


@every_scheme
def test_a_scheme_is_one(scheme: Scheme) -> None:
    receiving = scheme.make()
    assert isinstance(receiving, Receiving)
    assert receiving.platform == scheme.name
    assert receiving.handshake(delivery(), SECRETS) is None
