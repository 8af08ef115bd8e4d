"""The door with its platforms, over the whole box: signed deliveries, and what stands behind them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.accounts.model import Account
from chalicelib.core.kernel import Change
from chalicelib.core.timetable import Claim
from chalicelib.platforms.inbound import InboundEvent
from tests.fakes.box import Box
from tests.fakes.stage import Stage
from tests.org.api import serving

SECRET, OLD_SECRET = "zażółć gęślą jaźń", "stary sekret"
PAGE = "112233445566"


@dataclass
class FakeInbox:
    """Takes events as the inbox does: it only adds to the change, and each message has one row."""

    taken: list[InboundEvent] = field(default_factory=list)
    stale: list[bool] = field(default_factory=list)
    broken: bool = False

    def take(
        self, change: Change, event: InboundEvent, account: Account, received_at: datetime, stale: bool
    ) -> None:
        if self.broken:
            raise ZeroDivisionError("the inbox has a bug")
        key = {"pk": f"conv#{account.account_id}", "sk": f"message#{event.external_id}"}
        change.put("inbox", {**key, "text": event.text[:1000]})
        change.record(f"account#{account.account_id}", "told", kind=str(event.kind))
        self.taken.append(event)
        self.stale.append(stale)

    def tally(self, change: Change, event: InboundEvent, account: Account) -> None:
        change.put("inbox", {"pk": f"numbers#{account.account_id}", "sk": str(event.kind)})


@dataclass
class Porch:
    """Sends deliveries as platforms do, and looks at the queue and the tables behind the door."""

    box: Box
    client: Client
    inbox: FakeInbox
    mailed_before: int  # moto keeps every mail of the session

    def mails(self) -> list[Any]:
        return self.box.mails()[self.mailed_before :]

    @property
    def stage(self) -> Stage:
        return self.box.stage

    def secret(self, platform: str, app: str = "default", **values: str) -> None:
        path = self.stage.settings.secret_path("webhooks", platform, app)
        self.stage.secrets.put(path, {"secret": SECRET, "verify_token": "słowo", **values})

    def account(self, platform: str = "facebook", external_id: str = PAGE, handle: str = "zorza") -> Account:
        return self.box.services.accounts.add(
            self.box.lead,
            {
                "platform": platform,
                "handle": handle,
                "external_id": external_id,
                "unit_id": self.box.unit_id,
                "owner_id": self.box.lead.person_id,
                "backup_id": None,
                "credentials": {},
            },
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.http.get(path, headers=headers)

    def post(self, path: str, raw: bytes, headers: dict[str, str]) -> Any:
        return self.client.http.post(path, headers={"Content-Type": "application/json", **headers}, body=raw)

    def page(self, body: Any, key: str = SECRET, path: str = "/webhooks/facebook") -> Any:
        """A delivery of Facebook's, signed."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.post(path, raw, {"X-Hub-Signature-256": meta_signature(raw, key)})

    def queued(self) -> list[str]:
        """The bodies on the inbound queue; they are taken off it."""
        return self.stage.wakes("inbound")

    def ingest(self, bodies: list[str] | None = None) -> list[str]:
        return [self.box.services.ingest.take(b) for b in (self.queued() if bodies is None else bodies)]

    def rows(self, table: str, prefix: str = "") -> list[dict[str, Any]]:
        pages = self.stage.dynamodb.get_paginator("scan").paginate(TableName=self.stage.settings.table(table))
        found = [{k: next(iter(v.values())) for k, v in i.items()} for page in pages for i in page["Items"]]
        return [i for i in found if i["pk"].startswith(prefix)]

    def claim(self, entry_id: str) -> Claim:
        from chalicelib.core.work import LEASE_FOR

        kernel = self.box.services.kernel
        claim = kernel.timetable.claim(entry_id, self.stage.clock.now(), LEASE_FOR)
        assert isinstance(claim, Claim), claim
        return claim


def meta_signature(raw: bytes, key: str = SECRET) -> str:
    return "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def x_signature(raw: bytes, key: str = SECRET) -> str:
    return "sha256=" + base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()


def comment(
    text: str = "Dzień dobry 🌞", number: int = 1, page: str = PAGE, verb: str = "add"
) -> dict[str, Any]:
    """A page's `feed` change, as Meta's reference has it."""
    value = {
        "item": "comment",
        "verb": verb,
        "comment_id": f"{page}_7_{number}",
        "post_id": f"{page}_7",
        "parent_id": f"{page}_7",
        "created_time": 1_795_000_000 + number,
        "from": {"id": "99", "name": "Zofia"},
        "message": text,
    }
    return {"field": "feed", "value": value}


def delivery(*changes: dict[str, Any], page: str = PAGE) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": page, "time": 1_795_000_100, "changes": list(changes)}]}


@pytest.fixture
def porch(stage: Stage) -> Iterator[Porch]:
    box = Box.open(stage)
    inbox = FakeInbox()
    box.services.__dict__["inbox"] = inbox
    with serving(box.services) as client:
        yield Porch(box, client, inbox, len(box.mails()))
