"""Signed deliveries as platforms send them, the accounts they are for, and clients that post them."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from bench.company import Company
from chalicelib.accounts.model import Account
from chalicelib.core.clock import SystemClock
from chalicelib.platforms import inbound
from chalicelib.platforms.registry import receiving
from chalicelib.webhooks.envelope import wrap
from chalicelib.webhooks.keys import DEFAULT_APP
from tests.platforms.webhooks import Signer, linkedin, meta, x

SECRET = "the secret of the bench's own apps"
SIGNERS: Mapping[str, Signer] = {"facebook": meta, "whatsapp": meta, "linkedin": linkedin, "x": x}
# Each platform's own id of the account that the bench has there.
PROFILES = {
    "facebook": "100064583471102",
    "whatsapp": "102290129340398",
    "linkedin": "urn:li:organization:96072893",
    "x": "1111111111111111111",
}
CLIENTS = 8
NO_ANSWER = 0


@dataclass(frozen=True)
class Delivery:
    """One webhook call; `about` is whatever the sender wants to remember of it."""

    platform: str
    body: bytes
    about: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"/webhooks/{self.platform}"

    @property
    def headers(self) -> dict[str, str]:
        proof = SIGNERS[self.platform](SECRET.encode(), self.body)
        return {"Content-Type": "application/json", **proof}

    def queued(self) -> list[str]:
        """What the door makes of it for the inbound queue."""
        at = SystemClock().now()
        pieces = receiving(self.platform).split(inbound.Delivery(DEFAULT_APP, {}, {}, self.body, at))
        return [wrap(self.platform, DEFAULT_APP, at, inbound.Signed("sha256"), piece) for piece in pieces]


@dataclass(frozen=True)
class Answered:
    """What the door said to a delivery, and when (seconds since 1970); NO_ANSWER for a broken connection."""

    delivery: Delivery
    status: int
    sent_at: float
    answered_at: float


def connect(company: Company) -> dict[str, Account]:
    """An account on each of the platforms, and the secrets that their deliveries are signed with."""
    services = company.services
    for platform in SIGNERS:
        path = services.settings.secret_path("webhooks", platform, DEFAULT_APP)
        services.secrets.put(path, {"secret": SECRET})
    return {platform: _account(company, platform) for platform in SIGNERS}


def _account(company: Company, platform: str) -> Account:
    """It has no credentials, so nobody asks the real platform after its subscription."""
    fields: dict[str, Any] = {
        "platform": platform,
        "handle": f"zorza_{platform}",
        "external_id": PROFILES[platform],
        "unit_id": company.unit_id,
        "owner_id": company.lead.person_id,
        "credentials": {},
    }
    return company.services.accounts.add(company.lead, fields)


def comments(first: int, count: int, size: int = 0) -> Delivery:
    """So many comments on a Facebook page in one delivery, numbered; filled up to `size` bytes."""
    now = int(time.time())
    post = f"{PROFILES['facebook']}_1198837625012735"

    def entry(n: int, text: str) -> dict[str, Any]:
        value = {
            "item": "comment",
            "verb": "add",
            "post_id": post,
            "comment_id": f"1198837625012735_{n}",
            "parent_id": post,
            "from": {"id": "6321557154518", "name": "Zażółć Gęślą"},
            "message": text,
            "created_time": now,
        }
        return {"id": PROFILES["facebook"], "time": now, "changes": [{"field": "feed", "value": value}]}

    def body(text: str) -> bytes:
        return packed({"object": "page", "entry": [entry(first + n, text) for n in range(count)]})

    question = "Ile to kosztuje? 💡"
    return Delivery("facebook", body(question + "." * max(0, size - len(body(question)))))


def packed(body: Mapping[str, Any]) -> bytes:
    """As platforms send JSON: escaped to ASCII."""
    return json.dumps(body).encode("ascii")


def post_all(api_url: str, deliveries: Iterable[Delivery], clients: int = CLIENTS) -> list[Answered]:
    """Post them through the deployed door, each client over one connection that stays open."""
    waiting, lock, place = iter(deliveries), Lock(), urlsplit(api_url)

    def run(_: int) -> list[Answered]:
        connection = HTTPConnection(place.netloc, timeout=60)
        try:
            return list(_posted(connection, place.path, _shared(waiting, lock)))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=clients) as pool:
        return [answered for one in pool.map(run, range(clients)) for answered in one]


def _shared(waiting: Iterator[Delivery], lock: Lock) -> Iterator[Delivery]:
    while True:
        with lock:
            delivery = next(waiting, None)
        if delivery is None:
            return
        yield delivery


def _posted(connection: HTTPConnection, prefix: str, deliveries: Iterator[Delivery]) -> Iterator[Answered]:
    for delivery in deliveries:
        headers, sent_at = delivery.headers, time.time()
        try:
            connection.request("POST", prefix + delivery.path, delivery.body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (HTTPException, OSError):
            connection.close()
            status = NO_ANSWER
        yield Answered(delivery, status, sent_at, time.time())
