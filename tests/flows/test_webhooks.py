"""Webhooks on the deployed stack, with IAM enforced: what vendors' examples show ends in the inbox.

One stack serves every test of this file, in the order they have.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.inbox.model import conversation_id
from chalicelib.platforms import registry
from chalicelib.platforms.inbound import CONVERSATIONAL, InboundEvent, InboundKind, Piece
from chalicelib.platforms.youtube.websub import secret_of, subscription_id
from chalicelib.webhooks.envelope import unwrap, wrap
from chalicelib.webhooks.ingest import NO_ACCOUNT
from chalicelib.webhooks.polls import POLLED
from infra.local.api import Api, fetch, fetch_json, wait
from infra.local.stack import Machine, Stack
from tests.fakes.machine import Rows, admin, own_machine, queue_url, rows, wait_until_idle, waiting
from tests.platforms.webhooks import (
    FIXTURES,
    KEY,
    STRANGER,
    Signer,
    delivery,
    fixture,
    fixtures_of,
    hex_of,
    linkedin,
    mastodon,
    meta,
    tiktok,
    x,
)

SIGNERS: Mapping[str, Signer] = {
    "facebook": meta,
    "instagram": meta,
    "threads": meta,
    "whatsapp": meta,
    "x": x,
    "linkedin": linkedin,
    "tiktok": tiktok,
    "mastodon": mastodon,
}
VERIFY_TOKEN = "meatyhamhock"
PAGE, CHANNEL = "100064583471102", "UCzolwzolwzolwzolwzolw12"
TOPIC = f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}"
BRAND = "23634"  # who we are in the fixtures of Mastodon
POLLED_ONLY = {"bluesky": "", "mastodon": "notification_"}
"""What no webhook brings, by how its fixtures' names begin: it comes by polls."""


@dataclass(frozen=True)
class Example:
    """One fixture: what its platform sends, and who we are there."""

    platform: str
    name: str
    raw: bytes
    is_polled: bool

    def __str__(self) -> str:
        return f"{self.platform}/{self.name}"

    @property
    def pieces(self) -> list[Piece]:
        if self.is_polled:
            return [{"account": BRAND, "notification": json.loads(self.raw)}]
        split = registry.receiving(self.platform).split(delivery(self.raw, received_at=datetime.now(UTC)))
        return [json.loads(json.dumps(piece)) for piece in split]

    @property
    def events(self) -> list[InboundEvent]:
        scheme = registry.receiving(self.platform)
        return [event for piece in self.pieces for event in scheme.normalise(piece)]


@dataclass
class Porch:
    """The deployed stack with a company, the accounts that the fixtures are about, and their secrets."""

    machine: Machine
    stack: Stack
    lead: Api
    unit_id: str
    lead_id: str
    accounts: dict[tuple[str, str], str]  # ids of ours, by platform and the platform's own id

    def connect(self, platform: str, known_as: str, **fields: Any) -> None:
        """Connect an account that the fixtures know by an id."""
        body = {"platform": platform, "unit_id": self.unit_id, "owner_id": self.lead_id, **fields}
        self.accounts[platform, known_as] = self.lead.post("/v1/accounts", body)["account_id"]

    def post(self, platform: str, raw: bytes, headers: Mapping[str, str]) -> int:
        app = f"/{self.subscription}" if platform == "youtube" else ""
        kind = {"Content-Type": "application/atom+xml" if platform == "youtube" else "application/json"}
        return fetch(f"{self.stack.api_url}/webhooks/{platform}{app}", raw, {**kind, **headers})[0]

    def ask(self, path: str, **query: str) -> tuple[int, bytes]:
        asked = {
            name.replace("_", ".", 1) if name.startswith("hub") else name: v for name, v in query.items()
        }
        return fetch(f"{self.stack.api_url}/webhooks/{path}?{urlencode(asked)}")

    def sign(self, platform: str, key: bytes, raw: bytes) -> Mapping[str, str]:
        if platform != "youtube":
            return SIGNERS[platform](key, raw)
        secret = secret_of(key, self.subscription).encode()
        return {"x-hub-signature": f"sha1={hex_of(secret, raw, 'sha1')}"}

    def send(self, example: Example) -> int:
        """By the door, or for what no webhook brings onto the queue as a poll does; 200 then."""
        if not example.is_polled:
            return self.post(example.platform, example.raw, self.sign(example.platform, KEY, example.raw))
        account_id = self.accounts[example.platform, BRAND]
        bodies = [wrap(example.platform, account_id, datetime.now(UTC), POLLED, p) for p in example.pieces]
        for body in bodies:
            self.queue("inbound", body)
        return 200

    def queue(self, name: str, body: str) -> None:
        self.stack.client("sqs").send_message(QueueUrl=queue_url(self.stack, name), MessageBody=body)

    @property
    def subscription(self) -> str:
        return subscription_id(KEY, self.accounts["youtube", CHANNEL], TOPIC)

    def taken_in(self) -> None:
        """Wait until nothing is on its way."""
        wait(lambda: waiting(self.stack, "inbound") == 0, "the end of the queue")


@pytest.fixture(scope="module")
def porch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Porch]:
    with own_machine(tmp_path_factory.mktemp("stack")) as machine:
        stack, _ = machine.up(sample_company=False)
        porch = company(machine, stack)
        for platform in sorted({*SIGNERS, "youtube"}):
            values = {"secret": KEY.decode(), "verify_token": VERIFY_TOKEN}
            stack.client("ssm").put_parameter(
                Name=f"/signalbox/local/webhooks/{platform}/default",
                Value=json.dumps(values),
                Type="SecureString",
            )
            known = {event.account for example in examples(platform) for event in example.events}
            for n, known_as in enumerate(sorted(known - {""}) if platform != "mastodon" else ()):
                porch.connect(platform, known_as, handle=f"zorza{n}", external_id=known_as)
        yield porch


def company(machine: Machine, stack: Stack) -> Porch:
    said = admin(
        machine, "first-lead", "--company", "Zorza", "--name", "Maja", "--email", "maja@zorza.test",
        "--zone", "Europe/Warsaw", "--language", "pl",
    )  # fmt: skip
    lead_id = said.split()[0]
    lead = Api(stack.api_url, admin(machine, "issue-token", lead_id, "--label", "test").strip())
    unit_id = lead.get("/v1/units")["units"][0]["unit_id"]
    return Porch(machine, stack, lead, unit_id, lead_id, {})


def examples(platform: str) -> list[Example]:
    """Every fixture of a platform."""
    polled = POLLED_ONLY.get(platform)
    names = fixtures_of(platform) or sorted(path.name for path in (FIXTURES / platform).iterdir())
    return [
        Example(platform, name, fixture(platform, name), polled is not None and name.startswith(polled))
        for name in names
    ]


def test_each_platform_is_answered_that_checks_the_address(porch: Porch) -> None:
    asked = {"hub_mode": "subscribe", "hub_challenge": "1158201444"}
    for platform in ("facebook", "instagram", "threads", "whatsapp"):
        assert porch.ask(platform, **asked, hub_verify_token=VERIFY_TOKEN) == (200, b"1158201444")
        assert porch.ask(platform, **asked, hub_verify_token="guess")[0] == 403
    status, said = porch.ask("x", crc_token="MjAy")
    signed = base64.b64encode(bytes.fromhex(hex_of(KEY, b"MjAy"))).decode()
    assert (status, json.loads(said)) == (200, {"response_token": f"sha256={signed}"})
    challenge = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    status, said = porch.ask("linkedin", challengeCode=challenge)
    assert (status, json.loads(said)["challengeResponse"]) == (200, hex_of(KEY, challenge.encode()))


def test_a_hub_is_answered_for_topics_we_asked_for_and_its_lease_is_kept(porch: Porch) -> None:
    asked = {"hub_mode": "subscribe", "hub_challenge": "zażółć", "hub_lease_seconds": "432000"}
    place = f"youtube/{porch.subscription}"
    assert porch.ask(place, **asked, hub_topic=f"{TOPIC}x")[0] == 404
    assert porch.ask("youtube/guessed-0", **asked, hub_topic=TOPIC)[0] == 404
    assert porch.ask(place, **asked, hub_topic=TOPIC) == (200, "zażółć".encode())
    porch.taken_in()
    account_id = porch.accounts["youtube", CHANNEL]
    kept = {(row["pk"], row["sk"]): row for row in rows(porch.stack)["inbound"]}
    assert kept[f"watch#{account_id}", "lease"]["state"] == "live"


def test_what_is_forged_leaves_no_row_and_no_message(porch: Porch) -> None:
    wait_until_idle(porch.stack)
    queues = ("inbound", "inbound-dlq", "chores", "publish")
    before = rows(porch.stack), [waiting(porch.stack, queue) for queue in queues]
    for platform in (*SIGNERS, "youtube"):
        raw = next(example.raw for example in examples(platform) if example.events and not example.is_polled)
        right = porch.sign(platform, KEY, raw)
        wanted = 200 if platform == "youtube" else 401  # WebSub: ignored, and guessing is useless
        for headers in (porch.sign(platform, STRANGER, raw), {}, {name: v[:-1] for name, v in right.items()}):
            assert porch.post(platform, raw, headers) == wanted, platform
        assert porch.post(platform, raw + b" ", right) == wanted, platform
    assert porch.ask("facebook", hub_mode="subscribe", hub_challenge="1", hub_verify_token="guess")[0] == 403
    porch.taken_in()
    assert (rows(porch.stack), [waiting(porch.stack, queue) for queue in queues]) == before


def test_every_example_of_the_vendors_arrives(porch: Porch) -> None:
    found = [example for folder in sorted(FIXTURES.iterdir()) for example in examples(folder.name)]
    ours = connect_local(porch)
    found = [
        Example(e.platform, e.name, e.raw.replace(f'"{BRAND}"'.encode(), f'"{ours}"'.encode()), e.is_polled)
        if e.platform == "mastodon" and not e.is_polled else e
        for e in found
    ]  # fmt: skip
    with ThreadPoolExecutor(max_workers=4) as pool:
        refused = [
            str(e) for e, status in zip(found, pool.map(porch.send, found), strict=True) if status != 200
        ]
    assert refused == []
    porch.taken_in()
    assert waiting(porch.stack, "inbound-dlq") == 0
    now = rows(porch.stack)
    lost = [
        f"{e}: {event.kind}"
        for e in found
        for event in concerned(porch, e)
        if not is_there(porch, now, e, event)
    ]
    assert lost == []
    assert len(porch.lead.get("/v1/inbox?limit=100")["conversations"]) > 20


def connect_local(porch: Porch) -> str:
    """Accounts of the local platform for what is polled; the Mastodon one's own id."""
    for network, username in (("bluesky", "zorza.test"), ("mastodon", "zorza")):
        wanted = {
            "username": username,
            "network": network,
            "password": "secret",
            "access_token": f"t-{username}",
        }
        made = fetch_json(f"{porch.stack.platform_url}/_local/accounts", wanted)
        tokens = {"access_token": made["access_token"]} if network == "mastodon" else {}
        porch.connect(
            network,
            BRAND,
            server=porch.stack.platform_url,
            handle=username,
            credentials=tokens or {"identifier": username, "password": "secret"},
        )
    ours = str(made["id"])
    porch.accounts["mastodon", ours] = porch.accounts["mastodon", BRAND]
    return ours


def concerned(porch: Porch, example: Example) -> list[InboundEvent]:
    """The events that have an effect: of those for several accounts the ones of ours, if there are any."""
    ours = [event for event in example.events if our_account(porch, example, event)]
    return ours or example.events


def our_account(porch: Porch, example: Example, event: InboundEvent) -> str | None:
    return porch.accounts.get((event.platform, BRAND if example.is_polled else event.account))


def is_there(porch: Porch, now: Rows, example: Example, event: InboundEvent) -> bool:
    """Whether the event can be seen: as a message, as its effect, or as kept because it is unknown."""
    account_id = our_account(porch, example, event)
    keys = [(row["pk"], row["sk"]) for row in now["inbound"]]
    if account_id is None and event.is_server_wide and event.account:
        return not any(event.account in pk.split("#") for pk, _ in keys)  # of strangers nothing is kept
    if account_id is None or event.kind == InboundKind.UNKNOWN:
        of_type = event.details["type"] if event.kind == InboundKind.UNKNOWN else NO_ACCOUNT
        return any(pk == f"unknown#{event.platform}#{of_type}" for pk, _ in keys)
    if event.kind in (InboundKind.REACTION, InboundKind.SHARE):
        metric = "reactions_" if event.kind == InboundKind.REACTION else "shares_"
        return any(
            row["pk"] == f"numbers#account#{account_id}" and any(name.startswith(metric) for name in row)
            for row in now["inbox"]
        )
    if event.kind in CONVERSATIONAL or event.kind == InboundKind.CONTENT_DELETED:
        mine = f"external#{account_id}#"
        return any(
            row["pk"].startswith(mine) and event.external_id in row["pk"] + row["sk"] for row in now["inbox"]
        )
    told = {
        InboundKind.PUBLISH_RESULT: ("publish result",),
        InboundKind.PROFILE_CHANGED: ("changed on the platform",),
    }.get(event.kind, ("stopped: ", "told again that it is stopped"))
    return any(
        row["subject"] == f"account#{account_id}" and row["what"].startswith(told) for row in now["history"]
    )


def test_a_broken_record_reaches_the_dead_letters_whole_and_is_redriven_without_a_second_effect(
    porch: Porch,
) -> None:
    account_id = porch.accounts["facebook", PAGE]
    raw = comments("good-1", "poison", "good-2")
    poison = next(e for e in Example("facebook", "", raw, False).events if e.external_id == "7_poison")
    # A row that cannot be read, as a bug may leave it: whoever takes the comment in dies of it.
    home = {"pk": {"S": f"conv#{conversation_id(account_id, poison.thread)}"}, "sk": {"S": "conv"}}
    dynamodb, sqs = porch.stack.client("dynamodb"), porch.stack.client("sqs")
    dynamodb.put_item(TableName="signalbox-local-inbox", Item={**home, "state": {"S": "odd"}})
    patience = {"VisibilityTimeout": "1"}
    sqs.set_queue_attributes(QueueUrl=queue_url(porch.stack, "inbound"), Attributes=patience)

    assert porch.post("facebook", raw, meta(KEY, raw)) == 200

    wait(lambda: waiting(porch.stack, "inbound-dlq") == 1, "the dead letter")
    assert told(porch, account_id) == {"7_good-1": 1, "7_good-2": 1}
    dead = queue_url(porch.stack, "inbound-dlq")
    (letter,) = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"]
    sent = next(change for change in json.loads(raw)["entry"][0]["changes"] if "7_poison" in str(change))
    assert unwrap(letter["Body"]).piece["change"] == sent

    dynamodb.delete_item(TableName="signalbox-local-inbox", Key=home)
    for _ in range(2):
        assert "1 messages are back on inbound" in admin(porch.machine, "redrive", "inbound")
        porch.taken_in()
        assert told(porch, account_id) == {"7_good-1": 1, "7_good-2": 1, "7_poison": 1}
        porch.queue("inbound-dlq", letter["Body"])  # a redrive that dies half way leaves it there too


def comments(*names: str) -> bytes:
    """A delivery of Facebook's with a comment of each name."""
    body = json.loads(fixture("facebook", "comment"))
    (change,) = body["entry"][0]["changes"]
    body["entry"][0]["changes"] = [
        {
            **change,
            "value": {**change["value"], "comment_id": f"7_{name}", "from": {"id": name, "name": name}},
        }
        for name in names
    ]
    return json.dumps(body).encode()


def told(porch: Porch, account_id: str) -> dict[str, int]:
    """How often each comment of `comments` is in the inbox."""
    found = [row for row in rows(porch.stack)["inbox"] if row["sk"].startswith("message#")]
    ids = [row["external_id"] for row in found if row["external_id"].startswith("7_")]
    return {external_id: ids.count(external_id) for external_id in ids}
