"""Two small networks in memory, for many accounts, that can fail in every way a real one does.

`https://social.test` speaks as Mastodon does and `https://pds.test` as Bluesky does, as far as the adapters
need. Recorded replies are held to in tests/platforms; here what counts is how often a post exists.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import FixedClock, to_text
from chalicelib.core.http import MaybeSent, NotSent, Request, Response
from tests.fakes.transport import reply

MASTODON, BLUESKY = "https://social.test", "https://pds.test"


class Killed(BaseException):
    """The worker's process ends here, as with os._exit: nothing below may catch it."""


@dataclass
class Toot:
    """A post that exists on a network."""

    account: str
    external_id: str
    text: str
    created_at: str
    media: int = 0
    answers: str | None = None


Fault = str
"""`drop`, `refuse`, `drop_after`, `kill`, `kill_after`, or a reply: `429`, `500`, `500_after`, `401`, `403`,
`422`, `502_html`, `200_error_json`, `200_empty`, `redirect`."""


class Networks:
    """Call it with a request. `fault(request)` may name what goes wrong with it."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.toots: list[Toot] = []
        self.fault: Callable[[Request], Fault | None] = lambda request: None
        self.hidden_for = timedelta()  # how far a timeline lags behind
        self.requests: list[Request] = []
        self.remembers = True  # idempotency keys: without, only we keep a post from being made twice
        self.gone: set[str] = set()  # ids of other people's posts that are there no more
        self.wrong: dict[str, str] = {}  # by handle: the network's word for what is wrong with a profile
        self._keys: dict[tuple[str, str], Toot] = {}
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        self._handles: dict[str, str] = {}  # by DID

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        fault = self.fault(request)
        if fault == "kill":
            raise Killed
        if fault == "refuse":
            raise NotSent("connection refused")
        if fault == "drop":
            raise MaybeSent("the connection ended before the answer")
        if fault is not None and not fault.endswith("_after"):
            return _bad(fault, self.clock)
        answer = self._answer(request)
        if fault == "kill_after":
            raise Killed
        if fault == "drop_after":
            raise MaybeSent("the connection ended before the answer")
        if fault == "500_after":
            return reply(500, {"error": "InternalServerError", "message": "Internal Server Error"})
        return answer

    def posts(self, text: str) -> list[Toot]:
        """Those that hold the text."""
        return [t for t in self.toots if text in t.text]

    def _answer(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        params = {k: v[0] for k, v in parse_qs(parts.query).items()}
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.url.startswith(MASTODON):
            return self._mastodon(request, parts.path, params, bearer.removeprefix("token-"))
        return self._bluesky(request, parts.path.removeprefix("/xrpc/"), params, bearer)

    # Mastodon: the token `token-<handle>` belongs to the account <handle>

    def _mastodon(self, request: Request, path: str, params: dict[str, str], handle: str) -> Response:
        if path == "/api/v1/statuses":
            return self._toot(request, handle)
        if path.startswith("/api/v1/statuses/") and (asked := path.rpartition("/")[2]) not in self.gone:
            return reply(200, {"id": asked, "visibility": "public"})
        if path == "/api/v2/media":
            return reply(
                200, {"id": f"m{len(self.requests)}", "type": "image", "url": "https://social.test/m.png"}
            )
        if path == "/api/v1/accounts/verify_credentials":
            about = {"id": f"id-{handle}", "acct": handle, "display_name": handle, "followers_count": 7}
            about |= {self.wrong[handle]: True} if handle in self.wrong else {}
            return reply(200, {**about, "url": f"{MASTODON}/@{handle}", "last_status_at": None})
        if re.fullmatch(r"/api/v1/accounts/[^/]+/statuses", path):
            owner = path.split("/")[4].removeprefix("id-")
            return reply(
                200, [self._status(t) for t in self._timeline(owner)][: int(params.get("limit", "20"))]
            )
        return reply(404, {"error": "Record not found"})

    def _toot(self, request: Request, handle: str) -> Response:
        key = request.headers["Idempotency-Key"]
        known = self._keys.get((handle, key)) if self.remembers else None
        if known is None:
            asked = json.loads(request.body)
            media = len(asked.get("media_ids", []))
            known = self._add(handle, str(1000 + len(self.toots)), asked["status"], media)
            known.answers = asked.get("in_reply_to_id")
            self._keys[handle, key] = known
        return reply(200, self._status(known))

    def _status(self, toot: Toot) -> dict[str, Any]:
        return {
            "id": toot.external_id,
            "created_at": toot.created_at,
            "url": f"{MASTODON}/@{toot.account}/{toot.external_id}",
            "content": f"<p>{escape(toot.text)}</p>",
            "spoiler_text": "",
            "media_attachments": [{"id": str(n)} for n in range(toot.media)],
            "in_reply_to_id": toot.answers,
        }

    def _timeline(self, handle: str) -> list[Toot]:
        until = to_text(self.clock.now() - self.hidden_for)
        return [t for t in reversed(self.toots) if t.account == handle and t.created_at <= until]

    # Bluesky: an account's DID is did:plc:<handle's hash>, its session token a JWT in form only

    def _bluesky(self, request: Request, name: str, params: dict[str, str], bearer: str) -> Response:
        method = name.rpartition(".")[2]
        if method in ("createSession", "refreshSession"):
            asked = json.loads(request.body or b"{}")
            named = asked.get("identifier") or _handle_of(bearer)
            handle = self._handles.get(named, named)
            self._handles[did_of(handle)] = handle
            tokens = {"accessJwt": _jwt(handle, self.clock, 2), "refreshJwt": _jwt(handle, self.clock, 2000)}
            return reply(200, {"did": did_of(handle), "handle": handle, "active": True, **tokens})
        if method == "getSession":
            handle = _handle_of(bearer)
            wrong = {"active": False, "status": self.wrong[handle]} if handle in self.wrong else {}
            return reply(200, {"did": did_of(handle), "handle": handle, "active": True, **wrong})
        if method == "putRecord":
            return self._record(request, _handle_of(bearer))
        if method == "getRecord":
            found = self._records.get((params["repo"], params["rkey"]))
            if found is None:
                return reply(400, {"error": "RecordNotFound", "message": "Could not locate record"})
            return reply(200, {"uri": _uri(params["repo"], params["rkey"]), "cid": "bafy", "value": found})
        if method == "getRepoStatus":
            return reply(200, {"did": params["did"], "active": True})
        if method == "uploadBlob":
            digest = hashlib.sha256(request.body).hexdigest()
            blob = {
                "$type": "blob",
                "ref": {"$link": f"bafk{digest[:20]}"},
                "mimeType": "image/png",
                "size": 1,
            }
            return reply(200, {"blob": blob})
        return reply(400, {"error": "InvalidRequest", "message": "Profile not found"})

    def _record(self, request: Request, handle: str) -> Response:
        asked = json.loads(request.body)
        place = (asked["repo"], asked["rkey"])
        if place not in self._records:
            self._records[place] = asked["record"]
            images = asked["record"].get("embed", {}).get("images", [])
            self._add(handle, _uri(*place), asked["record"]["text"], len(images))
        elif self._records[place] != asked["record"]:
            return reply(400, {"error": "InvalidSwap", "message": "Record was at bafy"})
        return reply(200, {"uri": _uri(*place), "cid": "bafy", "validationStatus": "valid"})

    def _add(self, handle: str, external_id: str, text: str, media: int) -> Toot:
        toot = Toot(handle, external_id, text, to_text(self.clock.now()), media)
        self.toots.append(toot)
        return toot


def did_of(handle: str) -> str:
    return "did:plc:" + base64.b32encode(hashlib.sha256(handle.encode()).digest()).decode().lower()[:24]


def _uri(did: str, rkey: str) -> str:
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def _jwt(handle: str, clock: FixedClock, hours: int) -> str:
    claims = {"sub": handle, "exp": int((clock.now() + timedelta(hours=hours)).timestamp())}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


def _handle_of(jwt: str) -> str:
    part = jwt.split(".")[1]
    handle: str = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]
    return handle


def _bad(fault: Fault, clock: FixedClock) -> Response:
    reset = to_text(clock.now() + timedelta(seconds=120))
    epoch = str(int(clock.now().timestamp()) + 120)
    match fault:
        case "429":
            headers = {"X-RateLimit-Reset": reset, "RateLimit-Reset": epoch}
            return reply(429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, headers)
        case "401":
            return reply(401, {"error": "AuthenticationRequired", "message": "The access token is invalid"})
        case "403":
            return reply(403, {"error": "AccountTakedown", "message": "Your login is currently disabled"})
        case "422":
            return reply(422, {"error": "Validation failed: Text can't be blank"})
        case "500":
            return reply(500, {"error": "InternalServerError", "message": "Internal Server Error"})
        case "502_html":
            return reply(502, body=b"<html>Bad Gateway</html>", headers={"Content-Type": "text/html"})
        case "200_error_json":
            return reply(200, {"error": "something odd"})
        case "200_empty":
            return reply(200, body=b"")
        case "redirect":
            return reply(302, headers={"Location": "https://elsewhere.test/"})
    raise AssertionError(f"no such fault: {fault}")
