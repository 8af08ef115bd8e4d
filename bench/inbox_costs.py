"""What a message costs in capacity units, and what a reader's page of the inbox reads, few or many there."""

import io
import json
import random
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalice.test import Client

import app
from bench.bulk import AT_ONCE, put_all
from bench.capacity import listed
from bench.company import Company
from bench.crowd import Crowd
from bench.recorder import Recorder
from bench.report import Line, Section
from chalicelib import wiring
from chalicelib.accounts.model import Account
from chalicelib.core.clock import FixedClock, to_text
from chalicelib.core.database import encode_item
from chalicelib.core.history import BY_JOB
from chalicelib.inbox.model import conversation_id
from chalicelib.inbox.store import TABLE
from chalicelib.org.model import Kind

NEW, FOLLOW_UP, DUPLICATE = "a new conversation", "a follow-up message", "a duplicate"
PHASES = (NEW, FOLLOW_UP, DUPLICATE)
MESSAGES = (1_000, 100_000)
MESSAGES_EACH = 4  # of a conversation
UNITS = 5
PAGE = 50


def measure_message(company: Company) -> Section:
    """`company` is where nothing but the bench runs, with its accounts connected."""
    section = Section(
        "Capacity of one message in the inbox",
        "Every request that the ingest worker makes for one Facebook comment, counted by AWS's published "
        "rules as above: for the one that begins a conversation, for the customer's next one in its thread, "
        "and for that one delivered again. Not in it: what Lambda itself asks of SQS.",
    )
    there = company.at(FixedClock(company.services.clock.now()))
    crowd = Crowd(there.services.clock.now(), first=10**6)
    recorder = Recorder(there.cloud, company.stack.client("dynamodb"))

    def take(event: Any, wanted: str) -> None:
        (delivery,) = crowd.deliveries([event])
        (body,) = delivery.queued()
        found = there.services.ingest.take(body)
        if found != wanted:
            raise RuntimeError(f"the event was not taken as it should: {found} instead of {wanted}")

    with redirect_stdout(io.StringIO()):  # the app's own log
        take(crowd.say("facebook"), "done")  # a warm worker, as for all but its first event
        comment = crowd.say("facebook")
        reply = crowd.say("facebook", comment.said)
        for phase, event, wanted in (
            (NEW, comment, "done"),
            (FOLLOW_UP, reply, "done"),
            (DUPLICATE, reply, "seen"),
        ):
            with recorder.during(phase):
                take(event, wanted)
    for phase in PHASES:
        made = recorder.of(phase)
        writes, reads = sum(r.write_units for r in made), sum(r.read_units for r in made)
        section.lines.append(
            Line(f"{phase}: write units, read units, AWS calls", f"{writes:g}, {reads:g} and {len(made)}")
        )
        section.data[phase] = {"write_units": writes, "read_units": reads, "calls": len(made)}
    requests = recorder.of(*PHASES)
    taken = [r for r in requests if not r.refused]  # MiniStack counts no others
    counted, told = sum(r.write_units for r in taken), sum(r.told_units for r in taken)
    section.lines.append(
        Line(
            "write units of what was not refused, as counted here and by MiniStack",
            f"{counted:g} and {told:g}",
            "equal",
            counted == told,
        )
    )
    section.details.append(listed("one message", requests, PHASES))
    return section


def measure_page(company: Company, account: Account) -> Section:
    section = Section(
        "Capacity of a page of the inbox",
        f"GET /v1/inbox for somebody who reads the company and its {UNITS} departments: the first {PAGE} "
        f"conversations, by when they are due. The table holds conversations of {MESSAGES_EACH} messages, "
        "put there in the store's own form, due in turn of the departments. Read units and AWS calls are all "
        "that the app asks for the page.",
    )
    dynamodb = company.stack.client("dynamodb")
    token = company.token(company.lead)
    forms, table = _forms(company, account), company.services.settings.table(TABLE)
    there_are: dict[int, int] = {}
    found: list[tuple[float, int]] = []
    for wanted in MESSAGES:
        places = _places(wanted // MESSAGES_EACH, MESSAGES[-1] // MESSAGES_EACH)
        _fill(table, forms, {n: unit for n, unit in places.items() if n not in there_are})
        there_are |= places
        there = company.at(FixedClock(company.services.clock.now()))
        recorder = Recorder(there.cloud, dynamodb)
        wiring.use(there.services)
        try:
            with Client(app.app) as client, redirect_stdout(io.StringIO()):
                _page(client, token)
                with recorder.during("page"):
                    _page(client, token)
        finally:
            wiring.use(None)
        found.append((sum(r.read_units for r in recorder.of("page")), len(recorder.of("page"))))
        (reads, calls), met = found[-1], found[-1] == found[0]
        want = f"{found[0][0]:g} in {found[0][1]}"
        section.lines.append(
            Line(f"of {wanted:,} messages: read units, AWS calls", f"{reads:g} in {calls}", want, met)
        )
        section.data[str(wanted)] = {"read_units": reads, "calls": calls}
    return section


def _page(client: Client, token: str) -> None:
    answer = client.http.get(f"/v1/inbox?limit={PAGE}", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != 200 or len(json.loads(answer.body)["conversations"]) != PAGE:
        raise RuntimeError(f"no page of {PAGE}: {answer.status_code} {answer.body[:500]!r}")


@dataclass(frozen=True)
class Form:
    """A conversation with its messages as the store puts them, as JSON, and what in it is its own.

    Those made of it are due a day before it, and so before all else in the table.
    """

    text: str
    conversation_id: str
    external_id: str
    due_at: datetime

    def filled(self, n: int) -> list[dict[str, Any]]:
        """The items of another conversation, the `n`th that is due."""
        account, prefix = "bench", self.external_id.rpartition("_")[0]
        text = self.text.replace(self.conversation_id, conversation_id(account, str(n)))
        text = text.replace(self.external_id, f"{prefix}_{10**8 + n}")
        due_at = self.due_at - timedelta(days=1) + timedelta(seconds=n)
        items: list[dict[str, Any]] = json.loads(text.replace(to_text(self.due_at), to_text(due_at)))
        return items


def _forms(company: Company, account: Account) -> list[Form]:
    """What the ingest worker made of a real comment, as a conversation of each unit."""
    services = company.services
    crowd = Crowd(services.clock.now(), first=2 * 10**6)
    comment = crowd.say("facebook")
    (delivery,) = crowd.deliveries([comment])
    (body,) = delivery.queued()
    with redirect_stdout(io.StringIO()):
        services.ingest.take(body)
    store, external_id = services.inbox_store, comment.said.external_id
    made = store.get(conversation_id(account.account_id, external_id))
    ((message,), _) = store.messages(made, 1)
    due_at = min(clock.due_at for clock in made.clocks if clock.due_at)
    forms = []
    for n in range(UNITS):
        unit = services.org.add_unit(company.lead, f"Oddział {n}", Kind.DEPARTMENT, company.unit_id)
        change = services.kernel.change(BY_JOB)
        store.save(change, replace(made, unit_id=unit.unit_id, version=0))
        for k in range(MESSAGES_EACH):
            store.save_message(change, replace(message, external_id=f"{external_id}_{k}"))
        items = [encode_item(write.item_or_key) for write in change.writes]
        forms.append(Form(json.dumps(items), made.conversation_id, external_id, due_at))
    return forms


def _places(wanted: int, of: int) -> dict[int, int]:
    """`wanted` of `of` conversations: when each is due among them, and the number of its department.

    Evenly over the time and the departments, so that each has as many on the first page whatever `wanted` is.
    """
    return {n * (of // wanted): n % UNITS for n in range(wanted)}


def _fill(table: str, forms: list[Form], places: dict[int, int]) -> None:
    waiting = list(places.items())
    random.Random(7).shuffle(waiting)
    step = AT_ONCE // (MESSAGES_EACH + 1)

    def items(start: int) -> Iterator[dict[str, Any]]:
        for n, unit in waiting[start : start + step]:
            yield from forms[unit].filled(n)

    put_all(table, range(0, len(waiting), step), items)
