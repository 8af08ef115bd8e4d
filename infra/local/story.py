"""The main job, played on the running stack: draft, approval by emailed link, published on its second.

The second act is in comments.py: what is said under the post is answered. The third is in register.py: who
pretends to be the company is found. The fourth is in changes.py: what a network changes is known before.
"""

import struct
import time
import urllib.parse
import uuid
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from infra.local import changes, comments, register
from infra.local.api import Api, ApiError, fetch, wait
from infra.local.mails import last_mail_id, link_in, mail_to

SECONDS_AHEAD = 30

TEXTS = {
    "pl": "Zapalamy światła! 💡 Nowa kolekcja lamp już w sobotę w Muzeum Światła. Zapraszamy: "
    "https://zorza.example/swiatlo #zorza",
    "fa": "چراغ‌ها روشن شد! 💡 مجموعهٔ تازهٔ ما از شنبه در موزهٔ نور. https://zorza.example/noor #زورزا",
}


def play(stack: Any) -> bool:
    """Play the story and say each step; True only if all of it really happened, and nothing twice."""
    say = _numbered()
    lead = Api(stack.api_url, stack.tokens["lead"])
    channels = _channels(lead)
    mark = uuid.uuid4().hex[:6]
    publish_at = (datetime.now(UTC) + timedelta(seconds=SECONDS_AHEAD)).replace(microsecond=0)

    media_id = _upload_picture(lead)
    say(f"Maja, the lead, uploads a picture; its bytes were checked ({media_id})")
    post = lead.post("/v1/posts", _draft(channels, media_id, publish_at, mark), key=mark)
    say(f"a draft for {len(channels)} channels, for {publish_at:%H:%M:%S} UTC ({post['post_id']})")
    for preview in lead.get(f"/v1/posts/{post['post_id']}/preview")["variants"]:
        used = f"{preview['characters']} of {preview['limit']} {preview['counted_in']}"
        say(f"   {preview['platform']} {preview['handle']}: {used}")
    since = last_mail_id(stack)
    lead.post(f"/v1/posts/{post['post_id']}/submit")
    say("submitted: two units are concerned, so two people are asked by mail, one after the other")

    state = "in review"
    for who in ("shirin.karimi", "agnieszka.kowalczyk"):
        mail = wait(partial(mail_to, stack, since, who, mark, "/a/"), f"the mail to {who}")
        state = _decide(stack, lead, post["post_id"], mail, say)
    if state != "approved":
        return False

    try:
        done = wait(lambda: _published(lead, post["post_id"], len(channels)), "the post")
    except TimeoutError as overdue:
        say(f"{overdue}: {lead.get('/v1/posts/' + post['post_id'])['variants']}")
        return False
    for variant in done["variants"]:
        late = _seconds_late(variant)
        say(f"published on {variant['platform']} {variant['handle']}, {late:.2f} s after its time")
    if not _is_really_there(stack, done, mark, say):
        return False
    try:
        answered = comments.play(stack, done, mark, say)
        found = register.play(stack, mark, say)
        return changes.play(stack, mark, say) and answered and found
    except TimeoutError as overdue:
        say(str(overdue))
        return False


def _decide(stack: Any, api: Api, post_id: str, mail: dict[str, Any], say: Callable[[str], None]) -> str:
    """Open the mail's link as a scanner does, then press Approve as a person does; the state after it."""
    link = link_in(mail, "/a/")
    say(f"mail to {', '.join(mail['to'])}: {mail['subject']}")
    say(f"   read it at {stack.mail_url}/ - its link: {link}")
    for _ in range(3):
        fetch(link)
    say(f"   a mail scanner opens the link three times: the post is still {_state(api, post_id)}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, page = fetch(link, urllib.parse.urlencode({"verdict": "approve"}).encode(), form)
    state = _state(api, post_id)
    say(f"   Approve is pressed (the page answers {status}): the post is {state}")
    if status != 200:
        say(page.decode("utf-8", "replace")[:500])
    return state


def _state(api: Api, post_id: str) -> str:
    return str(api.get(f"/v1/posts/{post_id}")["state"]).replace("_", " ")


def _channels(api: Api) -> list[dict[str, Any]]:
    """Three channels in two units, on two networks, in two languages."""
    by_handle = {a["handle"]: a for a in api.get("/v1/accounts?limit=200")["accounts"]}
    return [by_handle[handle] for handle in ("mazowsze_news", "mazowsze-care.test", "isfahan_news")]


def _draft(channels: list[dict[str, Any]], media_id: str, publish_at: datetime, mark: str) -> dict[str, Any]:
    persian = channels[-1]["account_id"]
    media = [{"media_id": media_id, "alt": "A lamp on a dark table"}]
    return {
        "title": f"Museum of Light opens ({mark})",
        "text": f"{TEXTS['pl']} {mark}",
        "language": "pl",
        "targets": [c["account_id"] for c in channels],
        "overrides": {persian: {"text": f"{TEXTS['fa']} {mark}", "media": media}},
        "media": media,
        "publish_at": publish_at.isoformat(),
        "zone": "Europe/Warsaw",
        "tags": ["museum"],
    }


def _upload_picture(api: Api) -> str:
    """Upload a small PNG by the presigned form, then have it checked."""
    asked = api.post("/v1/media", {"name": "lamp.png", "mime": "image/png"})
    form = asked["upload"]
    body, content_type = _multipart(form["fields"], _lamp_png())
    status, answer = fetch(form["url"], body, {"Content-Type": content_type})
    if status >= 300:
        raise ApiError("POST", form["url"], status, answer.decode("utf-8", "replace"))
    checked = api.post(f"/v1/media/{asked['media_id']}/check")
    if checked["state"] != "ready":
        raise ApiError("POST", "/v1/media/check", 200, checked)
    return str(asked["media_id"])


def _multipart(fields: dict[str, str], content: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="lamp.png"\r\n\r\n'
    body = b"".join(parts) + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _lamp_png(size: int = 320) -> bytes:
    """A lamp's glow, drawn here so that the repository holds no picture for it."""
    rows = bytearray()
    for y in range(size):
        rows.append(0)
        for x in range(size):
            away = min(1.0, (((x - size / 2) ** 2 + (y - size / 2.6) ** 2) ** 0.5) / (size * 0.62))
            glow = (1 - away) ** 2
            rows += bytes((int(24 + 231 * glow), int(30 + 180 * glow), int(52 + 60 * glow)))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + chunk(b"IEND", b"")
    )


def _published(api: Api, post_id: str, wanted: int) -> dict[str, Any] | None:
    post: dict[str, Any] = api.get(f"/v1/posts/{post_id}")
    return post if post["summary"].get("published") == wanted else None


def _seconds_late(variant: dict[str, Any]) -> float:
    due = datetime.fromisoformat(variant["due_at"])
    return (datetime.fromisoformat(variant["published_at"]) - due).total_seconds()


def _is_really_there(stack: Any, post: dict[str, Any], mark: str, say: Callable[[str], None]) -> bool:
    """Look at each channel's own page, as a visitor would."""
    there = True
    for variant in post["variants"]:
        page = f"{stack.platform_url}/@{variant['handle']}"
        status, body = fetch(page)
        seen = body.decode().count(mark)
        there = there and status == 200 and seen == 1
        say(f"   {'there once' if seen == 1 else f'SEEN {seen} TIMES'}: {page}")
    return there


def _numbered() -> Callable[[str], None]:
    started = time.monotonic()

    def say(line: str) -> None:
        print(f"  {time.monotonic() - started:6.1f} s  {line}", flush=True)

    return say
