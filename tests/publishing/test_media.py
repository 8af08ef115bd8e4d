"""Files are judged by their bytes, kept under the digest of those bytes, and published as those bytes."""

import hashlib
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import Account
from chalicelib.core.errors import Conflict, InvalidInput, NotFound
from chalicelib.core.files import is_whole, pixels, sniff
from chalicelib.core.objects import Objects
from chalicelib.publishing.media import MAX_BYTES, MAX_PIXELS, Media
from tests.conftest import NOON
from tests.fakes.box import Box
from tests.publishing import pictures
from tests.publishing.pictures import WHOLE, png

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def uploaded(box: Box, body: bytes, mime: str = "image/png") -> tuple[Media, str]:
    """A file whose form was used to upload these bytes, and its key in the bucket."""
    media, form = box.services.media.begin_upload(box.author.by, "obraz.png", mime)
    key = form["fields"]["key"]
    put(box, key, body)
    return media, key


def put(box: Box, key: str, body: bytes) -> None:
    box.stage.s3.put_object(Bucket=box.stage.settings.media_bucket, Key=key, Body=body)


def checked(box: Box, body: bytes, mime: str = "image/png") -> Media:
    return box.services.media.check(box.author.by, uploaded(box, body, mime)[0].media_id)


# What the bytes show


@pytest.mark.parametrize("mime", WHOLE)
def test_a_whole_file_of_each_type_is_ready(box: Box, mime: str) -> None:
    media = checked(box, WHOLE[mime], mime)
    assert (media.state, media.reason, media.size) == ("ready", None, len(WHOLE[mime]))
    assert media.digest == hashlib.sha256(WHOLE[mime]).hexdigest()


def test_width_and_height_are_those_of_the_bytes() -> None:
    files = (pictures.jpeg(20, 30), pictures.gif(7, 9), pictures.webp(40, 50), png(6, 5))
    assert [pixels(f) for f in files] == [
        (20, 30), (7, 9), (40, 50), (6, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the bytes are of no type we know, not image/png"),
        (WHOLE["image/gif"], "the bytes are image/gif, not image/png"),
        (SVG, "of no type we know"),
        (HTML, "of no type we know"),
        (b"%PDF-1.7", "of no type we know"),
        (pictures.mp4(b"heic"), "of no type we know"),
        (pictures.mp4(b"qt  "), "of no type we know"),
        (png(50_000, 50_000), "it has 2500000000 pixels; the most is 33177600"),
        (png(0, 10), "its width and height cannot be read"),
        (png()[:-6], "it is cut off"),
        (png()[:20], "it is cut off"),
        (b"\x89PNG\r\n\x1a\n", "it is cut off"),
        (png() + HTML, "something else is attached to it"),
        (png() + WHOLE["image/gif"], "something else is attached to it"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_with_the_reason(
    box: Box, body: bytes, words: str
) -> None:
    media = checked(box, body)
    assert media.state == "refused"
    assert words in (media.reason or "")
    fields = box.fields([box.account("zorza")], "x", NOON + timedelta(hours=1))
    fields["media"] = [{"media_id": media.media_id, "alt": ""}]
    with pytest.raises(InvalidInput, match="is refused"):
        box.services.posts.draft(box.author, fields)
    with pytest.raises(Conflict, match="is refused"):
        media.use("")


@pytest.mark.parametrize("mime", WHOLE)
def test_a_file_cut_off_anywhere_is_never_whole(mime: str) -> None:
    body = WHOLE[mime]
    assert is_whole(mime, body)
    assert [n for n in range(len(body)) if is_whole(mime, body[:n])] == []


@pytest.mark.parametrize("mime", sorted(set(WHOLE) - {"image/jpeg"}))
def test_a_file_with_another_behind_it_is_not_whole(mime: str) -> None:
    for other in (HTML, b"PK\x03\x04", b";", WHOLE["image/gif"]):
        assert not is_whole(mime, WHOLE[mime] + other)


def test_a_gif_that_is_a_script_at_the_same_time_is_not_whole() -> None:
    assert not is_whole("image/gif", b"GIF89a=1/*" + b"\0" * 20 + b"*/;alert(1);")


def test_every_problem_of_a_file_is_told_at_once(box: Box) -> None:
    media = checked(box, pictures.gif(20_000, 20_000)[:-1])
    for words in ("image/gif, not image/png", "cut off", "400000000 pixels"):
        assert words in (media.reason or "")


def test_a_picture_that_would_unpack_to_gigabytes_costs_only_its_own_size(box: Box) -> None:
    bomb = png(20_000, 20_000, zlib.compress(b"\0" * 60_000_000, 9))
    tracemalloc.start()
    assert pixels(bomb) == (20_000, 20_000)
    assert is_whole("image/png", bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(bomb) + 1_000_000
    assert MAX_PIXELS < 20_000 * 20_000
    assert checked(box, bomb).state == "refused"


def test_of_an_object_that_is_too_large_no_more_is_read_than_it_may_have(box: Box) -> None:
    most = MAX_BYTES["image/png"]
    media, _ = uploaded(box, WHOLE["image/png"])
    taken = [0]

    class Endless(Objects):
        def chunks(self, key: str) -> Iterator[bytes]:
            while True:
                taken[0] += 1 << 20
                yield b"\x89PNG\r\n\x1a\n" + b"\0" * ((1 << 20) - 8)

    library = box.services.media
    library._objects = Endless(None, "")
    refused = library.check(box.author.by, media.media_id)
    assert (refused.state, refused.size) == ("refused", most + 1)
    assert f"it has more than {most} bytes" in (refused.reason or "")
    assert taken[0] <= most + (1 << 20)


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_no_bytes_make_the_check_fail_or_hang(mime: str, data: st.DataObject) -> None:
    body = bytearray(WHOLE[mime])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)))):
        body[at] = value
    spoiled = bytes(body) + data.draw(st.binary(max_size=40))
    kind = sniff(spoiled)
    assert kind is None or kind in MAX_BYTES
    for name in MAX_BYTES:
        is_whole(name, spoiled)
    size = pixels(spoiled)
    assert size is None or min(size) > 0


# Uploading, checking, and what comes after


def test_the_form_takes_one_key_one_type_and_a_bounded_size(box: Box) -> None:
    import base64
    import json

    media, form = box.services.media.begin_upload(box.author.by, "a.jpg", "image/jpeg")
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert {"key": f"uploads/{media.media_id}"} in policy["conditions"]
    assert {"Content-Type": "image/jpeg"} in policy["conditions"]
    assert ["content-length-range", 1, MAX_BYTES["image/jpeg"]] in policy["conditions"]
    assert {"bucket": box.stage.settings.media_bucket} in policy["conditions"]
    with pytest.raises(InvalidInput, match="image/svg\\+xml is not taken"):
        box.services.media.begin_upload(box.author.by, "a.svg", "image/svg+xml")


def test_checking_before_the_upload_says_so_and_checking_again_gives_the_first_verdict(box: Box) -> None:
    library, by = box.services.media, box.author.by
    media, _ = library.begin_upload(by, "a.png", "image/png")
    with pytest.raises(NotFound, match="nothing was uploaded yet"):
        library.check(by, media.media_id)
    media, key = uploaded(box, WHOLE["image/gif"])
    first = library.check(by, media.media_id)
    put(box, key, png())
    assert library.check(by, media.media_id) == first
    assert first.state == "refused"


def test_of_two_checks_at_once_one_verdict_stands(box: Box) -> None:
    library, by = box.services.media, box.author.by
    media, key = uploaded(box, png())
    read, pending = library._objects.chunks, [True]

    def swap_then_read(upload: str) -> Iterator[bytes]:
        body = list(read(upload))
        if pending:
            pending.pop()
            put(box, key, WHOLE["image/gif"])
            assert library.check(by, media.media_id).state == "refused"
        yield from body

    library._objects.chunks = swap_then_read  # type: ignore[method-assign, assignment]
    with pytest.raises(Conflict, match="checked just now"):
        library.check(by, media.media_id)
    assert library.get(media.media_id).state == "refused"


def test_what_is_uploaded_after_the_check_is_not_what_is_published(box: Box, toots: Account) -> None:
    media, key = uploaded(box, png())
    ready = box.services.media.check(box.author.by, media.media_id)
    uses = [{"media_id": media.media_id, "alt": "kropka"}]
    post = box.signed([toots], in_=1, media=uses)
    put(box, key, png(9, 9))
    box.stage.clock.advance(seconds=1)
    box.run_due()
    assert box.states(post) == ["published"]
    (upload,) = [r for r in box.networks.requests if r.url.endswith("/api/v2/media")]
    assert png() in upload.body
    assert png(9, 9) not in upload.body
    assert box.services.posts.get(post.post_id).media[0].digest == ready.digest


def test_bytes_that_were_replaced_under_their_digest_are_not_published(box: Box, toots: Account) -> None:
    media, _ = uploaded(box, png())
    ready = box.services.media.check(box.author.by, media.media_id)
    post = box.signed([toots], in_=1, media=[{"media_id": media.media_id, "alt": ""}])
    put(box, f"media/{ready.digest}", png(9, 9))
    box.run_until_quiet(hours=12)
    assert box.networks.toots == []
    assert not [r for r in box.networks.requests if r.url.endswith("/api/v2/media")]
    assert box.states(post) != ["published"]
