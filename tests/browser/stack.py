"""A one-machine stack of the browser tests' own, and what they need around the deployed API."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from infra.local.api import Api, fetch_json
from infra.local.stack import Machine, Stack
from infra.package import ROOT

T = TypeVar("T")


@contextmanager
def own_stack(folder: Path) -> Iterator[Stack]:
    """The stack with the sample company in `folder`, on ports that a developer's stack does not have."""
    # Below the ports that the system gives to clients; `up` says so should one be taken.
    base = 20000 + os.getpid() % 1000 * 10
    place = {"SIGNALBOX_LOCAL_DIR": str(folder), "SIGNALBOX_PORT_BASE": str(base)}
    others = {name: value for name, value in os.environ.items() if not name.startswith("SIGNALBOX_")}

    def make(command: str) -> None:
        started = [sys.executable, "-m", "infra.local.stack", command]
        subprocess.run(started, cwd=ROOT, env={**others, **place}, check=True)

    try:
        make("up")
        stack = Machine(folder, place).stack()
        assert stack is not None
        yield stack
    finally:
        make("down")


@dataclass(frozen=True)
class Office:
    """What the sample company's people do through the API and their mailboxes."""

    stack: Stack
    folder: Path  # where the stack's state is

    def as_role(self, role: str) -> Api:
        return Api(self.stack.api_url, self.stack.tokens[role])

    def draft(self, title: str, publish_at: datetime, texts: dict[str, str], picture: bytes, alt: str) -> str:
        """The lead's draft for the accounts that `texts` names by handle, one text each; the post's id."""
        lead = self.as_role("lead")
        ids = {a["handle"]: a["account_id"] for a in lead.get("/v1/accounts?limit=200")["accounts"]}
        post = lead.post(
            "/v1/posts",
            {
                "title": title,
                "targets": [ids[handle] for handle in texts],
                "overrides": {ids[handle]: {"text": text} for handle, text in texts.items()},
                "media": [{"media_id": self._kept(lead, picture), "alt": alt}],
                "publish_at": publish_at.isoformat(),
                "zone": "Europe/Warsaw",
            },
        )
        assert post["problems"] == []
        return str(post["post_id"])

    def submit(self, post_id: str) -> None:
        self.as_role("lead").post(f"/v1/posts/{post_id}/submit")

    def post(self, post_id: str) -> Any:
        return self.as_role("lead").get(f"/v1/posts/{post_id}")

    def mail(self, to: str, about: str) -> Any:
        """The newest mail to that address whose subject holds `about`, once it is there."""
        address = f"{self.stack.mail_url}/api/mails?to={to}"
        return wait_for(
            lambda: next((m for m in fetch_json(address) if about in m["subject"]), None),
            f"no mail about {about} to {to}",
        )

    def link(self, mail: Any) -> str:
        """The address of a mail's one button."""
        return next(str(u) for u in mail["links"] if "/a/" in u)

    def _kept(self, api: Api, picture: bytes) -> str:
        media_id = str(api.post("/v1/media", {"name": "picture.png", "mime": "image/png"})["media_id"])
        s3 = self.stack.client("s3")
        bucket = next(b["Name"] for b in s3.list_buckets()["Buckets"] if "-media-" in b["Name"])
        s3.put_object(Bucket=bucket, Key=f"uploads/{media_id}", Body=picture)
        assert api.post(f"/v1/media/{media_id}/check")["state"] == "ready"
        return media_id


def wait_for(look: Callable[[], T | None], otherwise: str, patience: float = 90.0) -> T:
    """What `look` finds, asked twice a second. Raises TimeoutError."""
    end_at = time.monotonic() + patience
    while time.monotonic() < end_at:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{otherwise} within {patience:.0f} seconds")
