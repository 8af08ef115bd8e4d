"""Platform changes on the deployed stack, with IAM enforced: announced, heard of, outlived, told of.

One stack serves every test of this file, in the order they have.
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local import changes
from infra.local.api import Api, ApiError, fetch, fetch_json, wait
from infra.local.changes import FORM, NEWS, PLACE, STATUS
from infra.local.hurry import entries, hurry, invoke
from infra.local.mails import last_mail_id, link_in, mail_to
from infra.local.stack import Stack
from tests.fakes.machine import admin, own_machine, rows, wait_until_idle

LEAD, OPS, AUTHOR, APPROVER = (f"{name}@zorza.test" for name in ("maja", "reza", "zofia", "agnieszka"))
ZONE, HANDLE = "Europe/Warsaw", "zorza"
CALL, PUBLISH = "POST /api/v2/media", "POST /api/v1/statuses"
BROKEN = "bluesky-blog"
ON = datetime.now(UTC).date() + timedelta(days=200)


@dataclass
class Desk:
    """The deployed stack with a company of one account, which looks at three sources and at no others."""

    stack: Stack
    lead: Api
    ops: Api
    author: Api
    account_id: str

    def link(self, since: Any, who: str, path: str, subject: str = "") -> str:
        """The link below a path in a new mail to somebody."""
        mail = wait(partial(mail_to, self.stack, since, who, subject, path), f"the mail to {who}")
        return link_in(mail, path)

    def change(self, title: str) -> dict[str, Any]:
        found: dict[str, Any] = wait(partial(changes.found, self.ops, title), title)
        return found

    def post(self, name: str, after: int) -> dict[str, Any]:
        """An approved post that is due so many seconds from now."""
        since, at = last_mail_id(self.stack), datetime.now(UTC) + timedelta(seconds=after)
        body = {
            "title": name, "text": f"{name}!", "targets": [self.account_id], "zone": ZONE,
            "publish_at": at.isoformat(),
        }  # fmt: skip
        place = f"/v1/posts/{self.author.post('/v1/posts', body)['post_id']}"
        self.author.post(f"{place}/submit")
        link = self.link(since, APPROVER, "/a/", name)
        assert fetch(link, urlencode({"verdict": "approve"}).encode(), FORM)[0] == 200
        post: dict[str, Any] = self.author.get(place)
        assert post["state"] == "approved"
        return post

    def is_published(self, post: dict[str, Any]) -> bool:
        now = self.author.get(f"/v1/posts/{post['post_id']}")
        return bool(now["summary"].get("published") == 1)

    def page(self) -> str:
        """The account's page, as a visitor sees it."""
        return html.unescape(fetch(f"{self.stack.platform_url}/@{HANDLE}")[1].decode())

    def calls(self) -> int:
        """How often the network was asked to publish."""
        return int(fetch_json(f"{self.stack.platform_url}/_local/stats")["requests"].get(PUBLISH, 0))

    def is_untouched_by(self, link: str) -> bool:
        """Whether a link that is opened as scanners do leaves every row as it is."""
        wait_until_idle(self.stack)
        before = rows(self.stack)
        assert [fetch(link)[0] for _ in range(3)] == [200, 200, 200]
        return rows(self.stack) == before


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with own_machine(tmp_path_factory.mktemp("stack")) as machine:
        stack, _ = machine.up(sample_company=False)
        said = admin(
            machine, "first-lead", "--company", "Zorza", "--name", "Maja", "--email", LEAD,
            "--zone", ZONE, "--language", "en",
        )  # fmt: skip
        token = admin(machine, "issue-token", said.split()[0], "--label", "test").strip()
        lead = Api(stack.api_url, token)
        unit_id = lead.get("/v1/units")["units"][0]["unit_id"]
        joined = {
            role: _join(stack, lead, unit_id, role, email)
            for role, email in (("ops", OPS), ("author", AUTHOR), ("approver", APPROVER))
        }
        made = fetch_json(f"{stack.platform_url}/_local/accounts", {"username": HANDLE})
        account = lead.post("/v1/accounts", {
            "platform": "mastodon", "server": stack.platform_url, "handle": HANDLE, "unit_id": unit_id,
            "owner_id": said.split()[0], "credentials": {"access_token": made["access_token"]},
        })  # fmt: skip
        ops = joined["ops"]
        invoke(stack, "track_platform_changes")
        for source in ops.get(f"{PLACE}/sources")["sources"]:
            if not source["off"] and source["key"] not in (NEWS, STATUS, BROKEN):
                ops.put(f"{PLACE}/sources/{source['key']}", {"version": 0, "off": True})
        yield Desk(stack, lead, ops, joined["author"], account["account_id"])


def _join(stack: Stack, lead: Api, unit_id: str, role: str, email: str) -> Api:
    """Somebody with a role on the company; the API with their token."""
    person = {"name": email.partition("@")[0], "email": email, "zone": ZONE, "language": "en"}
    person_id = lead.post("/v1/people", person)["person_id"]
    lead.post(f"/v1/people/{person_id}/grants", {"role": role, "unit_id": unit_id})
    return Api(stack.api_url, lead.post(f"/v1/people/{person_id}/tokens", {"label": "test"})["token"])


def test_a_source_that_answers_with_a_page_is_listed_as_failing_and_harms_no_other(desk: Desk) -> None:
    url = desk.stack.platform_url
    paths = {BROKEN: "/", **changes.PAGES}
    found = {key: changes.listen(desk.stack, desk.ops, key, url + path) for key, path in paths.items()}
    assert {key: bool(s["failing_since"]) for key, s in found.items()} == {
        BROKEN: True, NEWS: False, STATUS: False,
    }  # fmt: skip
    assert "web page" in found[BROKEN]["wrong"]
    assert found[NEWS]["wrong"] == found[STATUS]["wrong"] == ""


def test_only_who_keeps_the_register_sets_a_source_and_only_to_an_address_that_is_called(desk: Desk) -> None:
    own = {"version": 1, "url": f"{desk.stack.platform_url}/elsewhere"}
    refused = []
    for api, body in ((desk.author, own), (desk.ops, {**own, "url": desk.stack.mail_url})):
        with pytest.raises(ApiError) as refusal:
            api.put(f"{PLACE}/sources/{NEWS}", body)
        refused.append(refusal.value.status)
    assert refused == [403, 400]


def test_a_call_that_ends_is_found_and_counted_and_planned_by_the_mailed_link(desk: Desk) -> None:
    title = changes.announce(desk.stack, CALL, ON)
    changes.look_now(desk.stack, NEWS)
    change = desk.change(title)
    assert (change["kind"], change["effective_on"], change["status"]) == ("breaking", ON.isoformat(), "new")
    assert (change["touching"]["accounts"], change["touching"]["units"]) == (1, 1)
    links = [desk.link(None, who, "/p/", title) for who in (LEAD, OPS)]
    assert desk.is_untouched_by(links[1])

    due_on = ON - timedelta(days=30)
    assert changes.press_planned(links[1], due_on) == 200
    planned = desk.ops.get(f"{PLACE}/{change['change_id']}")["change"]
    assert (planned["status"], planned["due_on"]) == ("planned", due_on.isoformat())
    assert desk.lead.get(f"/v1/people/{planned['owner_id']}")["email"] == OPS


def test_what_is_announced_once_is_found_once(desk: Desk) -> None:
    looks = changes.source(desk.ops, NEWS)["looks"]
    changes.look_now(desk.stack, NEWS)
    wait(lambda: changes.source(desk.ops, NEWS)["looks"] > looks, "another look")
    assert len(desk.ops.get(PLACE)["changes"]) == 1


def test_a_header_of_an_answer_becomes_a_change(desk: Desk) -> None:
    rule = {"mode": "deprecated", "route": "statuses", "times": 1}
    fetch_json(f"{desk.stack.platform_url}/_local/misbehave", rule)
    post = desk.post("Nowe lampy", after=5)
    wait(lambda: desk.is_published(post), "the post")
    change = desk.change(f"{PUBLISH} answers that it is deprecated")
    assert (change["kind"], change["touching"]["accounts"]) == ("deprecation", 1)
    assert [sighting["source"] for sighting in change["sightings"]] == ["signal"]


def test_a_post_waits_for_an_outage_and_is_out_once_after_it(desk: Desk) -> None:
    since, calls = last_mail_id(desk.stack), desk.calls()
    post = desk.post("Lampy wracają", after=15)
    variant = post["variants"][0]["variant_id"]
    changes.report(desk.stack, "Nothing can be posted")
    changes.look_now(desk.stack, STATUS)
    outage_id = wait(partial(changes.standing, desk.ops, "mastodon"), "the outage")["outage_id"]
    for who in (AUTHOR, LEAD, OPS):
        wait(partial(mail_to, desk.stack, since, who, "Outage"), f"the mail to {who}")
    wait(lambda: changes.waiting(desk.ops, outage_id).get(variant) == "waits", "the post's hour")
    assert (desk.calls(), "Lampy wracają!" in desk.page()) == (calls, False)

    changes.report(desk.stack, "Nothing can be posted", over=True)
    changes.look_now(desk.stack, STATUS)
    wait(lambda: changes.standing(desk.ops, "mastodon") is None, "the end of the outage")
    wait(partial(hurry, desk.stack, f"publish#{variant}"), "the post")
    wait(lambda: desk.is_published(post), "the post")
    assert (desk.calls(), desk.page().count("Lampy wracają!")) == (calls + 1, 1)
    assert changes.waiting(desk.ops, outage_id) == {variant: "out"}
    recorded = desk.ops.get(f"{PLACE}?status=done")["changes"]
    assert [(c["kind"], c["title"]) for c in recorded] == [("outage", "Nothing can be posted")]


def test_the_briefing_is_written_and_mailed_to_everybody_and_its_link_only_shows(desk: Desk) -> None:
    title, since = f"{CALL} will be removed on {ON}", last_mail_id(desk.stack)
    now = desk.author.get(f"{PLACE}/briefing?platform=mastodon")
    assert title in [told["title"] for told in now["changed"]]
    week = changes.bring_monday_forward(desk.stack, desk.change(title)["change_id"], ZONE)
    links = {desk.link(since, who, "/b/").removesuffix("/feed.xml") for who in (LEAD, OPS, AUTHOR, APPROVER)}
    assert len(links) == 4
    link = links.pop()
    assert desk.is_untouched_by(link)
    assert title in html.unescape(fetch(link)[1].decode())
    assert title in html.unescape(html.unescape(fetch(f"{link}/feed.xml")[1].decode()))
    written = desk.author.get(f"{PLACE}/briefing?week={week}")
    assert [told["title"] for told in written["changed"]] == [title]


def test_what_is_missing_on_the_timetable_is_put_back(desk: Desk) -> None:
    whole = {entry.entry_id for entry in _rounds(desk)}
    assert {f"track_source#{key}" for key in (NEWS, STATUS, BROKEN)} < whole
    lost = f"track_source#{BROKEN}"
    desk.stack.client("dynamodb").delete_item(
        TableName=f"signalbox-{desk.stack.stage}-timetable", Key={"entry_id": {"S": lost}}
    )
    said = invoke(desk.stack, "track_platform_changes")
    assert (said["sources"], said["put_back"], said["version_checks_put_back"]) == (3, 1, 0)
    assert {entry.entry_id for entry in _rounds(desk)} == whole


def test_versions_are_checked_and_listed(desk: Desk) -> None:
    (before,) = entries(desk.stack, "check_versions#")
    hurry(desk.stack, before.entry_id)

    def is_checked() -> bool:
        (now,) = entries(desk.stack, before.entry_id)
        return now.fence > before.fence and now.owner is None

    wait(is_checked, "the check")
    listed = desk.author.get(f"{PLACE}/versions")["versions"]
    assert {(line["accounts"], line["disagree"]) for line in listed} == {(0, False)}


def test_nothing_that_was_done_on_the_way_was_refused(desk: Desk) -> None:
    wait_until_idle(desk.stack)
    failed = {entry.entry_id: entry.last_error for entry in entries(desk.stack, "") if entry.last_error}
    assert failed == {}


def _rounds(desk: Desk) -> list[Any]:
    """The entries that come again for ever, as long as they are not done."""
    listed = [e for kind in ("track_source#", "check_versions#") for e in entries(desk.stack, kind)]
    return [entry for entry in listed if entry.done_at is None]
