"""What one approved and published variant costs: every request of the way from draft to platform, by name.

The app runs in this process over the bench stage's tables: the API and the approval page through Chalice's
test client, the chores and the publishing through their workers, at times that a fixed clock says.
"""

import io
import json
import re
from collections.abc import Iterable
from contextlib import redirect_stdout
from datetime import timedelta
from typing import Any

from chalice.test import Client

import app
from bench.company import Company, draft_fields
from bench.recorder import Recorder, Request, calls, mail_text
from bench.report import Line, Section
from chalicelib import wiring
from chalicelib.core.clock import FixedClock
from chalicelib.publishing.model import VariantState

MOST_WRITE_UNITS = 50
TEXT = "Zapalamy światła! 💡 Nowa kolekcja lamp już w sobotę. https://zorza.example/swiatlo #zorza"
TICK = "tick"
PHASES = ("draft", "submit", "ask by mail", "look at the page", "approve", TICK, "publish")


def measure(company: Company) -> Section:
    section = Section(
        "Capacity of one approved and published variant",
        "Every request that the app made from draft to platform, counted by AWS's published rules from the "
        "items before and after: a transaction's writes twice on the table, index entries when they change, "
        "refused conditions too, a ConditionCheck as a write. Not in it: the tick's reads, the same for any "
        "number of entries (see the idle tick), and what Lambda itself asks of SQS.",
    )
    made: dict[int, list[Request]] = {}
    for channels in (1, 4):
        with redirect_stdout(io.StringIO()):  # the app's own log
            recorder = publish_one(company, channels)
        made[channels] = [r for r in recorder.requests if r.phase in PHASES]
    each = (_written(made[4]) - _written(made[1])) / 3
    shares = f"{_written(made[1]) - each:g} write units are the post's and {each:g} each channel's"
    for channels, requests in made.items():
        own = [r for r in requests if r.phase != TICK]
        writes, reads = _written(requests), sum(r.read_units for r in own)
        told, met = sum(r.told_units for r in own), writes / channels <= MOST_WRITE_UNITS
        name = f"a post of {channels} channel{'s' if channels > 1 else ''}"
        section.lines += [
            Line(
                f"{name}: write units per variant", f"{writes / channels:.1f}", f"at most {MOST_WRITE_UNITS}",
                met, "" if met else f"{shares}; {_dearest(requests)}",
            ),
            Line(
                f"{name}: write units in all, as counted here and by MiniStack", f"{writes:g} and {told:g}",
                "equal", writes == told,
            ),
            Line(f"{name}: read units per variant", f"{reads / channels:.1f}"),
            Line(f"{name}: AWS calls per variant", f"{len(own) / channels:.1f}"),
        ]  # fmt: skip
        section.details.append(listed(name, requests, PHASES))
        section.data[str(channels)] = {
            "write_units": writes, "read_units": reads, "told_units": told, "calls": len(own),
            "by_phase": {p: _summed([r for r in requests if r.phase == p]) for p in PHASES},
        }  # fmt: skip
    return section


def publish_one(company: Company, channels: int) -> Recorder:
    """One post all the way, as people and the deployed functions would take it."""
    clock = FixedClock(company.services.clock.now())
    author = company.token(company.author)
    there = company.at(clock)
    services, accounts = there.services, company.accounts[:channels]
    # Before the recorder listens: a function reads the settings when it starts, not for each post.
    publish_at = services.kernel.clock.now() + timedelta(hours=1)
    recorder = Recorder(there.cloud, company.stack.client("dynamodb"))
    wiring.use(services)
    try:
        with Client(app.app) as client:
            with recorder.during("draft"):
                fields = {**draft_fields(accounts, TEXT, publish_at), "publish_at": publish_at.isoformat()}
                post_id = _call(client, author, "/v1/posts", fields, clock.now().isoformat())["post_id"]
            with recorder.during("submit"):
                request_id = _call(client, author, f"/v1/posts/{post_id}/submit", {})["request_id"]
            with recorder.during("ask by mail"):
                _expect(services.chores_worker.run(f"ask_approvers#{request_id}"), "later")
            clock.advance(minutes=5)
            (path,) = set(re.findall(r"/a/[\w-]{43}", mail_text(recorder.mails[-1])))
            with recorder.during("look at the page"):
                _expect(client.http.get(path).status_code, 200)
            with recorder.during("approve"):
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                _expect(client.http.post(path, headers=form, body=b"verdict=approve").status_code, 200)
        clock.set(publish_at - timedelta(seconds=30))
        with recorder.during(TICK):
            services.dispatcher.dispatch()
        clock.set(publish_at)
        variant_ids = [f"{post_id}~{account.account_id}" for account in accounts]
        with recorder.during("publish"):
            services.publisher.prefetch(variant_ids)
            for variant_id in variant_ids:
                _expect(services.publish_worker.run(f"publish#{variant_id}"), "done")
        for variant_id in variant_ids:
            _expect(services.variants.get(variant_id).state, VariantState.PUBLISHED)
    finally:
        wiring.use(None)
    return recorder


def _call(client: Client, token: str, path: str, body: Any, key: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    answer = client.http.post(path, headers=headers, body=json.dumps(body).encode())
    if answer.status_code >= 300:
        raise RuntimeError(f"POST {path} answered {answer.status_code}: {answer.body!r}")
    return json.loads(answer.body)


def _expect(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise RuntimeError(f"the post did not get as far as it should: {found} instead of {wanted}")


def _summed(requests: list[Request]) -> dict[str, Any]:
    return {
        "write_units": _written(requests),
        "read_units": sum(r.read_units for r in requests),
        "calls": [
            {"call": f"{r.service} {r.operation}", "items": r.items, "write": r.write_units,
             "read": r.read_units, "refused": r.refused}
            for r in requests
        ],
    }  # fmt: skip


def _written(requests: list[Request]) -> float:
    return sum(r.write_units for r in requests)


def _dearest(requests: list[Request]) -> str:
    dearest = sorted(requests, key=lambda r: -r.write_units)[:3]
    return "the dearest: " + "; ".join(f"{r.phase} {r.write_units:g} ({', '.join(r.items)})" for r in dearest)


def listed(name: str, requests: list[Request], phases: Iterable[str]) -> str:
    """What was asked in each phase, as a table."""
    rows = [f"Calls of {name}:", "", "| step | write units | read units | calls |", "|---|---|---|---|"]
    for phase in phases:
        made = [r for r in requests if r.phase == phase]
        listed = "<br>".join(f"{n} x {call}" for call, n in calls(made).items())
        writes, reads = _written(made), sum(r.read_units for r in made)
        rows.append(f"| {phase} | {writes:g} | {reads:g} | {listed} |")
    return "\n".join(rows)
