"""A company with a lead, an author and an approver, who work through the deployed API and mailed links."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from urllib3 import encode_multipart_formdata

from infra.bluesky.pds import Pds
from infra.local.api import Api, fetch, fetch_json
from infra.local.stack import Stack
from infra.package import ROOT

AHEAD_FOR = timedelta(seconds=15)  # from draft to due: time for the mail and its link
WAIT_FOR = 60.0
POST = "app.bsky.feed.post"
LEAD_MAIL, AUTHOR_MAIL = "maja@zorza.example", "zofia@zorza.example"
APPROVER_MAIL = "shirin@zorza.example"

Json = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Channel:
    """An account on the Bluesky server, and in the app once it was added there."""

    pds: Pds
    did: str
    handle: str
    token: str = field(repr=False)
    app_password: str = field(repr=False)
    account_id: str = ""

    @classmethod
    def on(cls, pds: Pds, name: str) -> "Channel":
        """A new account, with an app password as its owner would make it for the app."""
        made = pds.create_account(f"{name}.test", f"{name}@example.test", uuid.uuid4().hex)
        asked = {"name": "signalbox"}
        password = pds.post("com.atproto.server.createAppPassword", asked, made["accessJwt"])["password"]
        return cls(pds, made["did"], made["handle"], made["accessJwt"], password)

    def records(self) -> list[Json]:
        """The account's posts as the server has them: `uri` and `value` of each."""
        listed = self.pds.get("com.atproto.repo.listRecords", repo=self.did, collection=POST)
        return list(listed["records"])

    def run(self, name: str, asked: Json | None = None) -> None:
        """A procedure in the owner's name, past the app."""
        self.pds.post(name, b"" if asked is None else asked, self.token)


@dataclass(frozen=True)
class Office:
    """The people, by what they may do."""

    stack: Stack
    server: str
    lead: Api
    author: Api
    unit_id: str
    lead_id: str

    @classmethod
    def opened(cls, stack: Stack, folder: Path, server: str) -> "Office":
        """The first lead by the admin command; the others, and their rights, by the API."""
        environment = {**os.environ, "SIGNALBOX_LOCAL_DIR": str(folder)}

        def admin(*arguments: str) -> str:
            command = [sys.executable, "infra/admin.py", "--stage", "local", *arguments]
            return subprocess.run(
                command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
            ).stdout

        said = admin(
            *("first-lead", "--company", "Zorza", "--name", "Maja Orłowska", "--email", LEAD_MAIL),
            *("--zone", "Europe/Warsaw", "--language", "pl"),
        )
        lead_id = said.split()[0]
        lead = Api(stack.api_url, admin("issue-token", lead_id, "--label", "Bluesky").split()[0])
        unit_id = lead.get("/v1/units")["units"][0]["unit_id"]

        def joins(name: str, email: str, zone: str, language: str, role: str) -> str:
            person = {"name": name, "email": email, "zone": zone, "language": language}
            person_id = str(lead.post("/v1/people", person)["person_id"])
            lead.post(f"/v1/people/{person_id}/grants", {"role": role, "unit_id": unit_id})
            return person_id

        joins("شیرین کریمی", APPROVER_MAIL, "Asia/Tehran", "fa", "approver")
        author_id = joins("Zofia Śliwińska", AUTHOR_MAIL, "Europe/Warsaw", "pl", "author")
        token = lead.post(f"/v1/people/{author_id}/tokens", {"label": "Bluesky"})["token"]
        return cls(stack, server, lead, Api(stack.api_url, token), unit_id, lead_id)

    def add(self, channel: Channel, password: str | None = None) -> Channel:
        """The account, added to the app. Raises ApiError."""
        added = self.lead.post(
            "/v1/accounts",
            {
                "platform": "bluesky",
                "server": self.server,
                "handle": channel.handle,
                "unit_id": self.unit_id,
                "owner_id": self.lead_id,
                "credentials": {"password": password or channel.app_password},
            },
        )
        return replace(channel, account_id=added["account_id"])

    def draft(
        self, channel: Channel, text: str, media: list[Json] | None = None, ahead_for: timedelta = AHEAD_FOR
    ) -> Json:
        """The author's post, under a title that no other has."""
        post: Json = self.author.post(
            "/v1/posts",
            {
                "title": f"Wiadomość {uuid.uuid4().hex[:8]}",
                "text": text,
                "language": "pl",
                "targets": [channel.account_id],
                "media": media or [],
                "publish_at": (datetime.now(UTC) + ahead_for).replace(microsecond=0).isoformat(),
                "zone": "Europe/Warsaw",
            },
        )
        return post

    def sign(self, post: Json) -> str:
        """Submit the post, and approve it by the button behind the mailed link; the post's id."""
        self.author.post(f"/v1/posts/{post['post_id']}/submit")
        mail = self.mail(APPROVER_MAIL, post["title"])
        link = re.search(r"https?://\S+/a/[\w-]+", mail["text"])
        assert link, mail["text"]
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, page = fetch(link[0], urllib.parse.urlencode({"verdict": "approve"}).encode(), form)
        assert status == 200, page.decode()
        return str(post["post_id"])

    def publish(self, channel: Channel, text: str, media: list[Json] | None = None) -> Json:
        """The post's variant, published on its second."""
        return self.variant(self.sign(self.draft(channel, text, media)), "published")

    def variant(self, post_id: str, state: str, within: float = WAIT_FOR) -> Json:
        """The post's only variant, as soon as it is in this state."""

        def look() -> Json | None:
            (*_, last) = self.lead.get(f"/v1/posts/{post_id}")["variants"] or [{"state": "not made yet"}]
            seen.append(last)
            return last if last["state"] == state else None

        seen: list[Json] = []
        return wait(look, lambda: f"{state}, but {seen[-1]}", within)

    def history(self, post_id: str) -> list[Json]:
        """What happened to the post, oldest first."""
        return list(self.lead.get(f"/v1/posts/{post_id}/history")["history"])

    def mail(self, to: str, *words: str) -> Json:
        """The newest mail to somebody with all these words in its subject or text."""

        def look() -> Json | None:
            mails = fetch_json(f"{self.stack.mail_url}/api/mails?{urllib.parse.urlencode({'to': to})}")
            found = (m for m in mails if all(word in m["subject"] + m["text"] for word in words))
            return next(found, None)

        return wait(look, lambda: f"a mail to {to} with {words}", WAIT_FOR)

    def upload(self, name: str, content: bytes) -> str:
        """The id of a PNG, uploaded by the presigned form and checked."""
        asked = self.author.post("/v1/media", {"name": name, "mime": "image/png"})
        fields = {**asked["upload"]["fields"], "file": (name, content, "image/png")}
        body, content_type = encode_multipart_formdata(fields)
        status, answer = fetch(asked["upload"]["url"], body, {"Content-Type": content_type})
        assert status < 300, answer.decode()
        checked = self.author.post(f"/v1/media/{asked['media_id']}/check")
        assert checked["state"] == "ready", json.dumps(checked)
        return str(asked["media_id"])


def wait(look: Callable[[], T | None], what: Callable[[], str], within: float) -> T:
    """What `look` finds, looking twice a second."""
    end_at = time.monotonic() + within
    while time.monotonic() < end_at:
        found = look()
        if found is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {within:.0f} s: {what()}")
