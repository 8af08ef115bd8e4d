"""What people see on Bluesky is what was approved: read back from the server, not from our own word."""

import struct
import zlib
from datetime import datetime, timedelta

import pytest

from infra.bluesky.pds import Pds, PdsError
from infra.local.api import ApiError, fetch
from tests.bluesky.office import POST, Channel, Json, Office

pytestmark = pytest.mark.bluesky

FAMILY, POLAND, IRAN = "👨‍👩‍👧‍👦", "🇵🇱", "🇮🇷"
LINK = "https://zorza.example/światło?dla=1&kogo=2"


def test_links_mentions_and_hashtags_stand_on_their_bytes(office: Office, pds: Pds) -> None:
    friend = Channel.on(pds, "maryam")
    channel = office.add(Channel.on(pds, "zorza"))
    text = (
        f"{FAMILY}{POLAND} Dzień dobry, @maryam.test i @nikt.test! سلام {IRAN} چراغ‌ها روشن شد: {LINK} "
        f"#Łódź #چراغ‌ها 💡 #{POLAND}, pisz: biuro@maryam.test"
    )

    variant = office.publish(channel, text)

    (listed,) = channel.records()
    assert listed["uri"] == variant["external_id"]
    assert listed["uri"].startswith(f"at://{channel.did}/{POST}/")
    record = listed["value"]
    assert (record["$type"], record["text"], record["langs"]) == (POST, text, ["pl"])
    assert slices(record) == [
        ("@maryam.test", "mention", friend.did),
        (LINK, "link", LINK),
        ("#Łódź", "tag", "Łódź"),
        ("#چراغ‌ها", "tag", "چراغ‌ها"),
        (f"#{POLAND}", "tag", POLAND),
    ]


def test_a_post_goes_out_on_its_second(office: Office, pds: Pds) -> None:
    channel = office.add(Channel.on(pds, "punktualna"))

    variant = office.publish(channel, "Punktualnie ⏰")

    due_at, published_at = (datetime.fromisoformat(variant[name]) for name in ("due_at", "published_at"))
    (listed,) = channel.records()
    created_at = datetime.fromisoformat(listed["value"]["createdAt"])
    assert due_at <= created_at <= published_at < due_at + timedelta(seconds=5)
    assert (
        variant["url"] == f"https://bsky.app/profile/{channel.handle}/post/{listed['uri'].rpartition('/')[2]}"
    )


def test_pictures_arrive_byte_for_byte_with_their_words_and_shape(office: Office, pds: Pds) -> None:
    channel = office.add(Channel.on(pds, "galeria"))
    pictures = [("Lampa na ciemnym stole 💡", 40, 30), ("چراغی روی میز", 9, 16)]
    contents = [png(width, height) for _, width, height in pictures]
    media = [
        {"media_id": office.upload(f"{width}.png", content), "alt": alt}
        for content, (alt, width, _) in zip(contents, pictures, strict=True)
    ]

    office.publish(channel, "Dwa zdjęcia", media)

    (listed,) = channel.records()
    images = listed["value"]["embed"]["images"]
    assert [(i["alt"], i["aspectRatio"]["width"], i["aspectRatio"]["height"]) for i in images] == pictures
    assert [(i["image"]["mimeType"], i["image"]["size"]) for i in images] == [
        ("image/png", len(content)) for content in contents
    ]
    assert [blob(channel, i["image"]["ref"]["$link"]) for i in images] == contents


def test_one_grapheme_too_many_is_refused_at_submit_as_the_server_would(office: Office, pds: Pds) -> None:
    channel = office.add(Channel.on(pds, "gadatliwa"))
    fits = FAMILY + POLAND + "ż" * 298
    past_the_app(channel, fits)
    with pytest.raises(PdsError, match=r"grapheme too big \(maximum 300, got 301\)"):
        past_the_app(channel, fits + "ż")
    assert office.draft(channel, fits)["problems"] == []
    post = office.draft(channel, fits + "ż")

    with pytest.raises(ApiError) as refused:
        office.author.post(f"/v1/posts/{post['post_id']}/submit")

    assert refused.value.status == 400
    assert "301 characters; Bluesky allows 300, so it is 1 over" in str(refused.value)
    assert [problem["over"] for problem in post["problems"]] == [1]
    assert office.lead.get(f"/v1/posts/{post['post_id']}")["state"] == "draft"


def slices(record: Json) -> list[tuple[str, str, str]]:
    """What each facet covers, what it is, and where it leads."""
    found, text = [], record["text"].encode()
    for facet in record["facets"]:
        (feature,) = facet["features"]
        covered = text[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        kind = feature.pop("$type").removeprefix("app.bsky.richtext.facet#")
        (leads_to,) = feature.values()
        found.append((covered, kind, leads_to))
    return found


def past_the_app(channel: Channel, text: str) -> None:
    """The server's own count of a text. Raises PdsError."""
    record = {"$type": POST, "text": text, "createdAt": "2026-01-01T00:00:00Z"}
    created = {"repo": channel.did, "collection": POST, "record": record}
    channel.run("com.atproto.repo.createRecord", created)


def blob(channel: Channel, cid: str) -> bytes:
    """A picture as anybody gets it from the server."""
    address = f"{channel.pds.base_url}/xrpc/com.atproto.sync.getBlob?did={channel.did}&cid={cid}"
    status, content = fetch(address)
    assert status == 200, content
    return content


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes((width + x + y) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")
