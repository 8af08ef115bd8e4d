"""TikTok's signature with its time, and its events in our words."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.platforms.inbound import BadSignature, InboundKind, Signed
from chalicelib.platforms.tiktok.webhook import TikTokWebhook
from tests.platforms.webhooks import KEY, NOW, SECRETS, delivery, events, fixture, fixtures_of, hex_of, only

RAW = fixture("tiktok", "authorization_removed")
OPEN_ID = "act.example12345Example12345Example"


def signature(at: datetime, raw: bytes = RAW, key: bytes = KEY) -> str:
    seconds = str(int(at.timestamp()))
    return f"t={seconds},s={hex_of(key, seconds.encode() + b'.' + raw)}"


def verified(header: str, raw: bytes = RAW) -> Signed:
    return TikTokWebhook().verify(delivery(raw, {"tiktok-signature": header}), SECRETS)


@pytest.mark.parametrize(
    ("age", "is_stale"),
    [
        (timedelta(0), False),
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),
        (timedelta(hours=72), True),
        (timedelta(minutes=-5), False),
        (timedelta(minutes=-6), True),
    ],
)
def test_what_is_valid_and_old_is_taken_and_marked(age: timedelta, is_stale: bool) -> None:
    assert verified(signature(NOW - age)).stale == is_stale


def test_a_time_that_was_not_signed_proves_nothing() -> None:
    old = signature(NOW - timedelta(days=1))
    with pytest.raises(BadSignature):
        verified(f"t={int(NOW.timestamp())},{old.partition(',')[2]}")


@pytest.mark.parametrize(
    "change",
    [
        lambda right: right.replace("t=", "t=0"),
        lambda right: right.replace("t=", "t=+"),
        lambda right: right.replace(",s=", ".0,s="),
        lambda right: right.replace(",s=", "e0,s="),
        lambda right: ",".join(reversed(right.split(","))) + ",",
        lambda right: f"{right},{right}",
        lambda right: right.partition(",")[2],
        lambda right: right.partition(",")[0],
        lambda right: "t=99999999999999,s=" + "0" * 64,
    ],
)
def test_a_header_of_another_form_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(BadSignature):
        verified(change(signature(NOW)))


def test_an_authorization_that_was_removed_says_why_in_words() -> None:
    event = only(TikTokWebhook(), "authorization_removed")
    assert (event.kind, event.account) == (InboundKind.PERMISSION_REVOKED, OPEN_ID)
    assert event.happened_at == datetime(2021, 3, 10, 1, 10, 10, tzinfo=UTC)
    assert event.details == {"reason": "Its owner disconnected Signalbox in the TikTok app."}


@pytest.mark.parametrize("reason", [0, 2, 3, 4, 5, 6, -1])
def test_every_reason_has_a_sentence(reason: int) -> None:
    raw = RAW.replace(b'\\"reason\\": 1', b'\\"reason\\": ' + str(reason).encode())
    (event,) = events(TikTokWebhook(), raw)
    assert event.details["reason"].endswith(".")


@pytest.mark.parametrize(
    ("name", "job", "outcome", "post_id"),
    [
        ("publish_complete", "v_inbox_file~v2.123456789", "published", ""),
        ("publish_publicly_available", "v_pub_url~v2.123456789", "published", "7302013452345678901"),
        ("publish_failed", "v_pub_url~v2.123456789", "failed", ""),
        ("video_publish_completed", "video.6974245311675353080.VDCxrcMJ", "published", ""),
        ("video_upload_failed", "video.6974245311675353080.VDCxrcMJ", "failed", ""),
    ],
)
def test_publishing_ends_in_a_result(name: str, job: str, outcome: str, post_id: str) -> None:
    event = only(TikTokWebhook(), name)
    assert (event.kind, event.external_id, event.own) == (InboundKind.PUBLISH_RESULT, job, True)
    assert (event.details["outcome"], event.details["post_id"]) == (outcome, post_id)
    assert bool(event.details["reason"]) == (outcome == "failed")


def test_a_reason_that_is_not_documented_is_passed_on_as_it_came() -> None:
    raw = fixture("tiktok", "publish_failed").replace(b"picture_size_check_failed", b"moon_is_full")
    (event,) = events(TikTokWebhook(), raw)
    assert event.details["reason"] == "TikTok says: moon_is_full."


def test_a_ban_from_posting_restricts_the_account_too() -> None:
    raw = fixture("tiktok", "publish_failed").replace(
        b"picture_size_check_failed", b"spam_risk_user_banned_from_posting"
    )
    result, restricted = events(TikTokWebhook(), raw)
    assert result.details["outcome"] == "failed"
    assert restricted.kind == InboundKind.ACCOUNT_RESTRICTED
    assert restricted.details == {"reason": "TikTok has banned the account from making posts."}
    assert result.key != restricted.key


def test_the_misspelt_event_is_known_and_so_would_be_the_right_spelling() -> None:
    raw = fixture("tiktok", "publish_no_longer_publicaly_available")
    for spelt in (raw, raw.replace(b"publicaly", b"publicly")):
        (event,) = events(TikTokWebhook(), spelt)
        assert (event.kind, event.own) == (InboundKind.CONTENT_DELETED, True)
        assert event.external_id == event.post_id == "7302013452345678901"


@pytest.mark.parametrize("name", ["portability_download_ready", "publish_inbox_delivered"])
def test_what_decides_nothing_is_unknown_and_named(name: str) -> None:
    event = only(TikTokWebhook(), name)
    assert event.kind == InboundKind.UNKNOWN
    assert event.details["type"] == json.loads(fixture("tiktok", name))["event"]


def test_two_posts_of_one_upload_are_two_results() -> None:
    raw = fixture("tiktok", "publish_publicly_available")
    (first,), (second,) = (
        events(TikTokWebhook(), body) for body in (raw, raw.replace(b"678901,", b"678902,"))
    )
    assert first.key != second.key


@pytest.mark.parametrize("content", ["", "reason", "[]", '{"reason":NaN}', '{"a":"\\ud800"}', "[" * 9_000])
def test_a_content_that_is_not_json_is_a_broken_piece(content: str) -> None:
    scheme = TikTokWebhook()
    body = json.loads(RAW) | {"content": content}
    (piece,) = scheme.split(delivery(json.dumps(body).encode()))
    with pytest.raises(ValueError, match="body"):
        scheme.normalise(piece)


def test_an_unknown_event_may_have_any_content() -> None:
    body = json.loads(RAW) | {"event": "something.new", "content": "not JSON at all"}
    (event,) = events(TikTokWebhook(), json.dumps(body).encode())
    assert event.details == {"type": "something.new"}


def test_every_documented_event_is_a_fixture() -> None:
    assert len(fixtures_of("tiktok")) == 9
