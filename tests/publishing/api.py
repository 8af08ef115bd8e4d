"""The whole app in-process over a box: calls as API Gateway makes them, and the mails that they cause."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client

from chalicelib.accounts.model import Account
from chalicelib.core.timetable import Lane
from chalicelib.org.model import Actor, Kind, Language, Person, Unit, operator
from chalicelib.org.roles import Role
from tests.fakes.box import Box
from tests.org.api import Api, serving

LINK = re.compile(r"https://signalbox\.test/a/([A-Za-z0-9_-]{43})")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Desk:
    """A box behind its API. `mails` are those since it was opened."""

    box: Box
    client: Client
    skipped: int
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, box: Box) -> Iterator["Desk"]:
        with serving(box.services) as client:
            yield cls(box, client, len(box.mails()))

    # People and units beside the box's own

    def unit(self, name: str, parent_id: str = "") -> Unit:
        admin = operator("test", self.box.now)
        return self.box.services.org.add_unit(admin, name, Kind.DISTRICT, parent_id or self.box.unit_id)

    def person(
        self, name: str, *roles: Role, unit_id: str = "", language: Language = Language.ENGLISH
    ) -> Person:
        org, admin = self.box.services.org, operator("test", self.box.now)
        email = f"{name.split()[0].lower()}@zorza.test"
        person = org.add_person(admin, name, email, "Europe/Warsaw", language)
        for role in roles:
            org.grant(admin, person.person_id, role, unit_id or self.box.unit_id)
        return person

    def owned(self, owner: Person, *handles: str) -> list[Account]:
        """New accounts that this person looks after."""
        accounts, change = self.box.services.accounts, {"owner_id": owner.person_id}
        return [accounts.change(self.box.lead, self.box.account(h).account_id, change) for h in handles]

    # Calls

    def token(self, who: Actor | Person) -> str:
        if who.person_id not in self.tokens:
            org, admin = self.box.services.org, operator("test", self.box.now)
            self.tokens[who.person_id] = org.issue_token(admin, who.person_id, "test")[0]
        return self.tokens[who.person_id]

    def api(self, who: Actor | Person) -> Api:
        return Api(self.client, self.token(who))

    def body(self, targets: list[Any], text: str = "Dzień dobry!", in_: float = 3600, **more: Any) -> Any:
        """What drafts a post over the API."""
        fields = self.box.fields(targets, text, self.box.now + timedelta(seconds=in_))
        return {**fields, "publish_at": fields["publish_at"].isoformat(), **more}

    # Mails and the page behind their links

    def work(self) -> None:
        """Run the chores that are due, and those that they cause."""
        while self.box.run_due(Lane.CHORES):
            pass

    def mails(self, to: str = "") -> list[Any]:
        return [m for m in self.box.mails()[self.skipped :] if to in str(m["To"])]

    def link(self, to: str) -> str:
        """The token in the latest mail with a link to this address."""
        found = [t for m in self.mails(to) for t in LINK.findall(text_of(m))]
        return str(found[-1])

    def page(self, token: str) -> tuple[int, str]:
        reply = self.client.http.get(f"/a/{token}")
        return reply.status_code, reply.body.decode()

    def press(self, token: str, verdict: str, words: str = "") -> tuple[int, str]:
        """What a browser sends when a button of the page is pressed."""
        hidden = dict(re.findall(r'name="(proof)" value="([^"]*)"', self.page(token)[1]))
        form = urlencode({"verdict": verdict, "words": words, **hidden}).encode()
        reply = self.client.http.post(f"/a/{token}", headers=FORM, body=form)
        return reply.status_code, reply.body.decode()

    def approve(self, post_id: str) -> None:
        """Submit a draft by its author and approve it by the first approver's link."""
        status, answer = self.api(self.box.author)("POST", f"/v1/posts/{post_id}/submit")
        assert status == 200, answer
        self.work()
        status, page = self.press(self.link("agnieszka@zorza.test"), "approve")
        assert status == 200, page


def text_of(mail: Any) -> str:
    """The text part of a mail."""
    return str(mail.get_body(("plain",)).get_content())


def html_of(mail: Any) -> str:
    return str(mail.get_body(("html",)).get_content())


def gateway(method: str, resource: str, path: dict[str, str], **more: Any) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of an event of API Gateway's: whatever arrives there, clients cannot send all.

    `more`: `query`, `headers`, and `body` as bytes.
    """
    import app

    event = {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "r1"},
        "pathParameters": path or None,
        "multiValueQueryStringParameters": more.get("query"),
        "headers": {"Content-Type": "application/json", **more.get("headers", {})},
        "body": base64.b64encode(more.get("body", b"")).decode(),
        "isBase64Encoded": True,
        "stageVariables": None,
    }
    answer = app.app(event, None)
    body = answer["body"]
    kind = answer["headers"].get("Content-Type", "")
    return answer["statusCode"], answer["headers"], json.loads(body) if body and "json" in kind else body
