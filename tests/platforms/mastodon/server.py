"""A Mastodon server in memory: statuses by idempotency key, media that take a while, and a timeline."""

import json
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.core.clock import to_text
from chalicelib.core.http import Request, Response
from tests.fakes.transport import reply
from tests.platforms.support import NOW, recorded


class FakeServer:
    """`statuses` newest first; `slow` media answer "processing" that many times.

    `others` are statuses of other people, by id: the visibility of each.
    """

    def __init__(self, slow: int = 0) -> None:
        self.others: dict[str, str] = {}
        self.statuses: list[dict[str, Any]] = []
        self.slow = slow
        self.uploads = 0
        self._keys: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match request.method, parts.path.split("/")[1:]:
            case "POST", ["api", "v1", "statuses"]:
                return self._post(request)
            case "GET", ["api", "v1", "statuses", status_id] if status_id in self.others:
                return recorded("mastodon", "status", id=status_id, visibility=self.others[status_id])
            case "POST", ["api", "v2", "media"]:
                self.uploads += 1
                name = "media_processing" if self.slow else "media_ready"
                return recorded("mastodon", name, id=f"900{self.uploads}")
            case "GET", ["api", "v1", "media", media_id]:
                self.slow -= 1
                name = "media_still_processing" if self.slow > 0 else "media_ready"
                return recorded("mastodon", name, id=media_id)
            case "GET", ["api", "v2", "instance"]:
                return recorded("mastodon", "instance")
            case "GET", ["api", "v1", "accounts", "verify_credentials"]:
                return recorded("mastodon", "account")
            case "GET", ["api", "v1", "accounts", _, "statuses"]:
                before = int(params.get("max_id", 10**18))
                older = [status for status in self.statuses if int(status["id"]) < before]
                return reply(200, older[: int(params["limit"])])
        return recorded("mastodon", "not_found")

    def add(self, text: str, seconds: float = 0, media: int = 0, warning: str = "") -> dict[str, Any]:
        """A status of the account, made so many seconds after noon."""
        number = str(5000 + len(self.statuses))
        status: dict[str, Any] = json.loads(recorded("mastodon", "status").body) | {
            "id": number,
            "created_at": to_text(NOW + timedelta(seconds=seconds)),
            "url": f"https://social.example/@zolw/{number}",
            "content": f"<p>{escape(text)}</p>".replace("\n\n", "</p><p>").replace("\n", "<br />"),
            "spoiler_text": warning,
            "media_attachments": [{"id": str(index)} for index in range(media)],
        }
        self.statuses.insert(0, status)
        return status

    def _post(self, request: Request) -> Response:
        key = request.headers["Idempotency-Key"]
        if key not in self._keys:
            asked = json.loads(request.body)
            warning = asked.get("spoiler_text", "")
            self._keys[key] = self.add(asked["status"], 1, len(asked["media_ids"]), warning)
            self._keys[key]["in_reply_to_id"] = asked.get("in_reply_to_id")
        return reply(200, self._keys[key])
