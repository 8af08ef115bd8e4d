"""Meta's handshake, its two signed forms, batches, and permissions that were taken back."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.inbound import BadSignature, Handshake, InboundEvent, InboundKind, LiveSecrets
from chalicelib.platforms.meta.facebook import FacebookWebhook
from chalicelib.platforms.meta.instagram import InstagramWebhook
from chalicelib.platforms.meta.threads import ThreadsWebhook
from tests.platforms.webhooks import KEY, OLD_KEY, SECRETS, STRANGER, delivery, events, fixture, hex_of, only

FACEBOOK = FacebookWebhook()
ASKED = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "meatyhamhock"}


def test_the_challenge_is_echoed_to_who_knows_the_token() -> None:
    """The request of https://developers.facebook.com/docs/graph-api/webhooks/getting-started."""
    assert FACEBOOK.handshake(delivery(query=ASKED), SECRETS) == Handshake("1158201444")


@pytest.mark.parametrize(
    "changes",
    [
        {"hub.verify_token": "meatyhamhoc"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "mêatyhamhock"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>alert(1)</script>"},
        {"hub.challenge": "1158201444\r\nset-cookie: a=b"},
        {"hub.challenge": "9" * 1000},
    ],
)
def test_others_are_refused_and_get_nothing_back(changes: dict[str, str]) -> None:
    answer = FACEBOOK.handshake(delivery(query=ASKED | changes), SECRETS)
    assert answer is not None
    assert answer.status == 403
    assert answer.content_type.startswith("text/plain")
    assert not changes.get("hub.challenge") or changes["hub.challenge"] not in answer.body


@pytest.mark.parametrize("missing", ["hub.verify_token", "hub.challenge"])
def test_a_missing_part_is_refused(missing: str) -> None:
    query = {name: value for name, value in ASKED.items() if name != missing}
    answer = FACEBOOK.handshake(delivery(query=query), SECRETS)
    assert answer is not None
    assert answer.status == 403


@pytest.mark.parametrize("values", [{}, {"verify_token": ""}])
def test_without_a_token_of_ours_nobody_knows_it(values: dict[str, str]) -> None:
    answer = FACEBOOK.handshake(delivery(query=ASKED | {"hub.verify_token": ""}), LiveSecrets((KEY,), values))
    assert answer is not None
    assert answer.status == 403


def test_the_older_signature_alone_is_a_downgrade() -> None:
    raw = fixture("facebook", "comment")
    older = {"x-hub-signature": f"sha1={hex_of(KEY, raw, 'sha1')}"}
    with pytest.raises(BadSignature):
        FACEBOOK.verify(delivery(raw, older), SECRETS)
    both = older | {"x-hub-signature-256": f"sha256={hex_of(KEY, raw)}"}
    assert FACEBOOK.verify(delivery(raw, both), SECRETS).form == "sha256"


def test_the_vector_of_the_documentation_is_proven() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, the same form."""
    headers = {
        "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    secrets = LiveSecrets((b"It's a Secret to Everybody",))
    assert FACEBOOK.verify(delivery(b"Hello, World!", headers), secrets).form == "sha256"


def test_a_batch_of_a_thousand_updates_is_a_thousand_pieces() -> None:
    one = json.loads(fixture("facebook", "comment"))["entry"][0]
    entries = []
    for place in range(100):
        changes = []
        for n in range(10):
            value = one["changes"][0]["value"] | {"comment_id": f"1_{place}{n}"}
            changes.append({"field": "feed", "value": value})
        entries.append({**one, "changes": changes})
    raw = json.dumps({"object": "page", "entry": entries}).encode()
    assert len(FACEBOOK.split(delivery(raw))) == 1000
    assert len({event.key for event in events(FACEBOOK, raw)}) == 1000


def test_an_entry_may_hold_changes_and_messages_at_once() -> None:
    change = json.loads(fixture("facebook", "comment"))["entry"][0]
    message = json.loads(fixture("facebook", "message"))["entry"][0]
    both = {**change, "messaging": message["messaging"], "standby": message["messaging"]}
    raw = json.dumps({"object": "page", "entry": [both, {"id": "1", "time": 1}]}).encode()
    kinds = [event.kind for event in events(FACEBOOK, raw)]
    assert kinds == [InboundKind.COMMENT, InboundKind.MESSAGE, InboundKind.MESSAGE, InboundKind.UNKNOWN]


def test_the_same_change_in_another_batch_has_the_same_key() -> None:
    """`entry.time` is when Meta sent it, which a retry may change."""
    for name in (
        "comment",
        "comment_edited",
        "comment_removed",
        "reaction",
        "business_integrity",
        "referral",
    ):
        body = json.loads(fixture("facebook", name))
        body["entry"][0]["time"] += 3600
        (first,) = events(FACEBOOK, fixture("facebook", name))
        (again,) = events(FACEBOOK, json.dumps(body).encode())
        assert first.key == again.key, name


def test_another_products_delivery_is_kept_as_unknown() -> None:
    (event,) = events(FACEBOOK, fixture("instagram", "comment_facebook_login"))
    assert (event.kind, event.details) == (InboundKind.UNKNOWN, {"type": "instagram.comments"})
    assert only(FACEBOOK, "user_photos").details == {"type": "user.photos"}


def test_a_permission_is_revoked_for_each_page_it_was_for() -> None:
    found = events(FACEBOOK, fixture("facebook", "permissions_revoked"))
    assert [event.account for event in found] == ["100064583471102", "200000000000001"]
    assert {event.kind for event in found} == {InboundKind.PERMISSION_REVOKED}
    assert "pages_manage_posts" in found[0].details["reason"]
    assert not events(FACEBOOK, fixture("facebook", "permissions_granted"))
    gone = only(FACEBOOK, "permissions_disconnected")
    assert (gone.kind, gone.account) == (InboundKind.PERMISSION_REVOKED, "10210299214172187")


# The callback for removed apps


def signed_request(payload: Any, key: bytes = KEY, digest: str = "sha256") -> bytes:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.new(key, body, digest).digest()).rstrip(b"=")
    return b"signed_request=" + signature + b"." + body


REMOVED = {"algorithm": "HMAC-SHA256", "issued_at": 1791278640, "user_id": "17841405309211844"}


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
@pytest.mark.parametrize("scheme", [FACEBOOK, InstagramWebhook(), ThreadsWebhook()])
def test_a_removed_app_is_a_revoked_permission(scheme: FacebookWebhook, key: bytes) -> None:
    raw = signed_request(REMOVED, key)
    assert scheme.verify(delivery(raw), SECRETS).form == "signed_request"
    assert events(scheme, raw) == [
        InboundEvent(
            platform=scheme.platform,
            kind=InboundKind.PERMISSION_REVOKED,
            key="deauthorised|17841405309211844|1791278640",
            account="17841405309211844",
            happened_at=datetime(2026, 10, 6, 9, 24, tzinfo=UTC),
            details={"reason": "The app was removed from the account's settings."},
        )
    ]


def test_a_padded_request_is_the_same_request() -> None:
    signature, _, payload = signed_request(REMOVED).removeprefix(b"signed_request=").partition(b".")
    raw = b"signed_request=" + signature + b"%3D." + payload
    assert FACEBOOK.verify(delivery(raw), SECRETS).form == "signed_request"
    assert events(FACEBOOK, raw)


@pytest.mark.parametrize(
    "raw",
    [
        signed_request(REMOVED, STRANGER),
        signed_request(REMOVED, digest="sha1"),
        signed_request(REMOVED, b""),
        signed_request(REMOVED)[:-4],
        b"signed_request=" + signed_request(REMOVED).partition(b".")[2],
        b"signed_request=." + signed_request(REMOVED).partition(b".")[2],
        b"signed_request=",
        b"signed_request=\xe9.\xe9",
        b"signed_request=" + "é.é".encode(),
        b"signed_request=" + b"&a=b" * 100,
    ],
)
def test_a_request_that_is_not_signed_by_the_app_is_refused(raw: bytes) -> None:
    for keys in ((KEY, OLD_KEY), (b"",), ()):
        with pytest.raises(BadSignature):
            FACEBOOK.verify(delivery(raw), LiveSecrets(keys))


def test_a_signed_request_does_not_stand_in_for_a_wrong_header() -> None:
    raw = signed_request(REMOVED)
    with pytest.raises(BadSignature):
        FACEBOOK.verify(delivery(raw, {"x-hub-signature-256": "sha256=00"}), SECRETS)


@pytest.mark.parametrize(
    "changes",
    [{"code": "AQB"}, {"oauth_token": "EAA"}, {"algorithm": "none"}, {"algorithm": "HMAC-SHA1"}],
)
def test_a_login_is_not_a_removed_app(changes: dict[str, str]) -> None:
    """The website login hands everybody a request signed with the same key."""
    raw = signed_request(REMOVED | changes)
    assert FACEBOOK.verify(delivery(raw), SECRETS).form == "signed_request"
    with pytest.raises(InvalidInput):
        FACEBOOK.split(delivery(raw))
