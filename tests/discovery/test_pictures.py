"""Hashes of pictures: copies agree, others do not, and no file can hurt."""

import io
import struct
import time
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from chalicelib.discovery.pictures import Unreadable, fingerprint, fingerprints
from chalicelib.discovery.scoring import SAME_BITS, distance, is_telling


def drawing(*colours: str, size: int = 400) -> Image.Image:
    made = Image.new("RGB", (size, size), colours[0])
    pen = ImageDraw.Draw(made)
    pen.ellipse((size * 0.1, size * 0.2, size * 0.5, size * 0.6), fill=colours[1])
    pen.polygon(
        [(size * 0.5, size * 0.1), (size * 0.95, size * 0.9), (size * 0.6, size * 0.95)], fill=colours[2]
    )
    return made


def saved(picture: Image.Image, kind: str = "PNG", **more: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **more)
    return stream.getvalue()


LOGO = drawing("white", "navy", "gold")


@pytest.mark.parametrize(
    "copy",
    [
        saved(LOGO, "JPEG", quality=30),
        saved(LOGO.resize((48, 48)), "WEBP"),
        saved(LOGO.convert("P"), "GIF"),
        saved(LOGO.crop((20, 20, 380, 380)), "JPEG"),
        saved(LOGO.convert("RGBA")),
    ],
    ids=["badly saved", "small", "few colours", "cut", "with transparency"],
)
def test_a_copy_is_recognised(copy: bytes) -> None:
    ours = fingerprint(saved(LOGO))
    assert min(distance(ours, cut) for cut in fingerprints(copy)) <= SAME_BITS


def test_another_picture_is_not() -> None:
    other = saved(LOGO.transpose(Image.Transpose.ROTATE_180))
    assert min(distance(fingerprint(saved(LOGO)), cut) for cut in fingerprints(other)) > SAME_BITS


def test_a_picture_of_one_colour_says_nothing() -> None:
    assert not is_telling(fingerprint(saved(Image.new("RGB", (64, 64), "teal"))))


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that says that it is so many pixels square."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", saved(LOGO)[:200], b"<svg xmlns='http://www.w3.org/2000/svg'/>", bomb(30_000),
     saved(Image.new("1", (4200, 4200))),
     bomb(2**31 - 1),
     b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 100],
)  # fmt: skip
def test_what_is_no_picture_that_we_look_at_is_refused_quickly(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Unreadable):
        fingerprints(data)
    assert time.process_time() - started < 2


@given(st.binary(max_size=400), st.integers(0, 300))
def test_any_bytes_are_a_picture_or_are_refused(noise: bytes, place: int) -> None:
    whole = saved(LOGO.resize((20, 20)))
    for data in (noise, whole[:place] + noise + whole[place + len(noise) :]):
        with suppress(Unreadable):
            assert 0 <= fingerprint(data) < 2**64
