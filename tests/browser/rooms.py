"""Links of every kind, come by as people come by them: something happens, and somebody is mailed.

What would happen over hours is put on the stack's timetable for now; what works on it is deployed.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from chalicelib.core.clock import to_text
from chalicelib.core.database import encode_item
from chalicelib.core.records import to_item
from chalicelib.core.timetable import Entry, Lane, due_shard
from chalicelib.platform_changes import briefing_weeks as weeks
from infra.local.api import fetch, fetch_json
from infra.local.hurry import invoke
from infra.local.large import every
from infra.local.mails import last_mail_id, link_in, mail_to
from tests.browser.stack import Office, wait_for

ZONE = "Europe/Warsaw"
MANAGER = "grazyna.zoltowska@zorza.example"  # of Pomorze
PERSIAN_MANAGER = "nasrin.ahmadi@zorza.example"  # of Isfahan
LEAD = "maja.orlowska@zorza.example"
SILENT = "isfahan_history"
COPIES = ("pomorze_offers_pl", "pomorze_offers_konkurs")
LURE = "Konkurs! Wygraj lampę: napisz na WhatsApp i podaj numer karty."
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def inventory_round(office: Office) -> str:
    """The manager's link of a new round in Pomorze."""
    lead = office.as_role("lead")
    unit_id = next(u["unit_id"] for u in lead.get("/v1/units")["units"] if u["name"] == "Pomorze")
    body = {"name": "Przegląd kont, zima", "due_on": _in_days(14), "unit_ids": [unit_id]}
    return _link(office, MANAGER, "/r/", lambda: lead.post("/v1/inventory/rounds", body))


def review(office: Office) -> str:
    """The owner's link of a review: an account in Isfahan has been silent for two hundred days."""
    lead = office.as_role("lead")
    account = next(a for a in every(lead, "/v1/register", "accounts") if a["handle"] == SILENT)
    last_post_at = (datetime.now(UTC) - timedelta(days=200)).isoformat()
    planted = {"network": "mastodon", "username": SILENT, "last_post_at": last_post_at}
    fetch_json(f"{office.stack.platform_url}/_local/profiles", {"profiles": [planted]})
    happens = partial(_begin, office, "read_account", account["account_id"])
    return _link(office, PERSIAN_MANAGER, "/d/", happens)


def triage(office: Office) -> str:
    """The link of whoever is asked about two copies of a channel of Pomorze that a search finds."""
    made_at = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    copy = {
        "network": "mastodon",
        "display_name": "Zorza Pomorze: Okazje",
        "note": LURE,
        "followers": 0,
        "created_at": made_at,
    }
    profiles = [{**copy, "username": username} for username in COPIES]
    fetch_json(f"{office.stack.platform_url}/_local/profiles", {"profiles": profiles})
    look = {"source": "search", "platform": "mastodon", "server": office.stack.platform_url}
    _begin(office, "scan_source", "now", **look, words="Zorza Pomorze: Okazje")
    wait_for(lambda: set(COPIES) <= set(candidates(office)), "the search did not find the copies")
    return _link(office, MANAGER, "/q/", partial(_begin, office, "mail_triage", "now"))


def candidates(office: Office) -> dict[str, Any]:
    """What nobody has said yet what it is, by its handle."""
    listed = office.as_role("lead").get("/v1/discovery/candidates")["candidates"]
    return {found["handle"]: found for found in listed}


def case(office: Office, triage_link: str) -> str:
    """The link of the takedown case that is opened when the first copy is told to be an impostor."""
    candidate_id = candidates(office)[COPIES[0]]["candidate_id"]
    form = urlencode({"candidate": candidate_id, "verdict": "impostor"}).encode()
    return _link(office, MANAGER, "/c/", lambda: fetch(triage_link, form, FORM))


def change(office: Office) -> str:
    """The lead's link of a change that cannot wait."""
    body = {
        "platform": "mastodon",
        "kind": "breaking",
        "title": "Polls and media can no longer stand in one post",
        "text": "From the next major version on, a post with both is answered with 422. Send two posts.",
        "url": "https://docs.joinmastodon.org/methods/statuses/",
        "operations": ["POST /api/v1/statuses"],
        "effective_on": _in_days(24),
    }
    ops = office.as_role("ops")
    return _link(office, LEAD, "/p/", lambda: ops.post("/v1/platform-changes", body))


def briefing(office: Office) -> str:
    """The lead's link of the latest briefing, which tells of what was heard of in the week before it."""
    planned = {
        "platform": "bluesky",
        "kind": "deprecation",
        "title": "App passwords give way to OAuth",
        "operations": ["POST /xrpc/com.atproto.server.createSession"],
        "effective_on": _in_days(120),
    }
    office.as_role("ops").post("/v1/platform-changes", planned)
    week = weeks.latest(datetime.now(UTC), ZONE)
    _heard_of(office, weeks.written_at(week, ZONE) - timedelta(days=2))
    return _link(office, LEAD, "/b/", partial(_begin, office, "write_briefing", week))


def _heard_of(office: Office, at: datetime) -> None:
    """Have every change be one that was heard of at that time."""
    table, dynamodb = f"signalbox-{office.stack.stage}-platform_changes", office.stack.client("dynamodb")
    for item in dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]:
        if item["sk"]["S"] == "change":
            _, _, rest = item["lsk"]["S"].partition("#")
            moved = {"seen_at": {"S": to_text(at)}, "lsk": {"S": f"{to_text(at)}#{rest}"}}
            dynamodb.put_item(TableName=table, Item={**item, **moved})


def _in_days(days: int) -> str:
    return str((datetime.now(UTC) + timedelta(days=days)).date())


def _link(office: Office, who: str, path: str, happens: Callable[[], Any]) -> str:
    """The link below a path that somebody is mailed once that has happened."""
    since = last_mail_id(office.stack)
    happens()
    mail = wait_for(partial(mail_to, office.stack, since, who, "", path), f"no {path} for {who}")
    return link_in(mail, path)


def _begin(office: Office, kind: str, ref: str, **args: str) -> None:
    """Put a chore on the timetable, as if its time had come."""
    entry = Entry(f"{kind}#{ref}#now", Lane.CHORES, kind, ref, datetime.now(UTC), args)
    prefix = f"signalbox-{office.stack.stage}-"
    item = {**to_item(entry), "due_shard": due_shard(entry)}
    office.stack.client("dynamodb").put_item(TableName=f"{prefix}timetable", Item=encode_item(item))
    invoke(office.stack, "dispatch_due")
