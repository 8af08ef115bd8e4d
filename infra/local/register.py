"""The third act, played on the running stack: a manager answers for their accounts; a profile that pretends
to be the company is found, another is reported, people say by emailed link what they are, and a takedown case
is open about each.

The weekly scan is begun as its rule would; only one of its searches and its mail are brought forward.
"""

import html
import re
import time
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.core.timetable import Entry
from infra.local.api import Api, fetch, fetch_json, wait
from infra.local.hurry import hurry, invoke
from infra.local.large import every
from infra.local.mails import last_mail_id, link_in, mail_to

COMPANY, OURS = "Zorza", "mazowsze_news"
ASKED_UNIT = "Pomorze"
LURE = "Konkurs! Wygraj lampę: napisz na WhatsApp i podaj numer karty."
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Say = Callable[[str], None]


def play(stack: Any, mark: str, say: Say) -> bool:
    """Play the act; True only if a list is answered for, and both are found, decided on, and have a case."""
    lead = Api(stack.api_url, stack.tokens["lead"])
    if not _inventory(stack, lead, mark, say):
        return False
    since = last_mail_id(stack)
    copy, told = f"zorza_konkurs_{mark}", f"zorza.lampy.{mark}"
    page = _impostor(stack, copy)
    say(f"somebody opens {page}: {COMPANY} by name, and a prize for whoever sends a card's number")
    if not _reported(stack, told, say):
        return False
    invoke(stack, "scan_for_lookalikes")
    wait(partial(hurry, stack, "scan_source#", True, _searches_our_name), "the scan's search for our name")
    found = [wait(partial(_candidate, lead, handle), handle) for handle in (copy, told)]
    for candidate in found:
        say(f"   found, {candidate['score']} of 100: {candidate['handle']}")
        for reason in candidate["reasons"][:2]:
            say(f"      {reason['says']}")
    hurry(stack, "mail_triage#", again=True)
    decided = [_decided(stack, lead, since, candidate, say) for candidate in found]
    return all(decided) and _anybody_can_check(stack, copy, say)


def _inventory(stack: Any, lead: Api, mark: str, say: Say) -> bool:
    """Ask one district for its list; its manager confirms the first page of it by the mailed link."""
    since = last_mail_id(stack)
    unit_id = next(u["unit_id"] for u in lead.get("/v1/units")["units"] if u["name"] == ASKED_UNIT)
    due_on = str((datetime.now(UTC) + timedelta(days=14)).date())
    body = {"name": f"Inventory {mark}", "due_on": due_on, "unit_ids": [unit_id]}
    place = f"/v1/inventory/rounds/{lead.post('/v1/inventory/rounds', body)['round_id']}"
    who = _asked(lead, unit_id)
    mail = wait(partial(mail_to, stack, since, who, path="/r/"), f"the mail to {who}")
    link = link_in(mail, "/r/")
    say(f"mail to {who}: {mail['subject']}")
    page = [fetch(link)[1].decode() for _ in range(3)][-1]
    scanned = lead.get(place)["counts"]
    say(f"   a mail scanner opens its link three times: {scanned['unanswered']} accounts have no answer yet")
    left = re.search(r'name="left" value="([^"]+)"', page)
    answers = {"do": "confirm_all", "left": html.unescape(left[1]) if left else ""}, {"do": "finish"}
    statuses = [fetch(link, urllib.parse.urlencode(form).encode(), FORM)[0] for form in answers]
    lead.post(f"{place}/close")
    counts = lead.get(f"{place}/report")["counts"]
    told = ", ".join(f"{n} {answer}" for answer, n in counts.items() if n)
    say(f"   the manager confirms what is on the page and finishes ({statuses}); the report: {told}")
    return scanned["confirmed"] == 0 < counts["confirmed"] and statuses == [200, 200]


def _impostor(stack: Any, username: str) -> str:
    """Make the profile on the local platform; its page."""
    now = datetime.now(UTC)
    profile = {
        "network": "mastodon",
        "username": username,
        "display_name": COMPANY,
        "note": LURE,
        "followers": 12,
        "created_at": (now - timedelta(days=3)).isoformat(),
        "last_post_at": (now - timedelta(hours=5)).isoformat(),
        "post": LURE,
    }
    fetch_json(f"{stack.platform_url}/_local/profiles", {"profiles": [profile]})
    return f"{stack.platform_url}/@{username}"


def _reported(stack: Any, handle: str, say: Say) -> bool:
    """Report an Instagram profile by the public form, as a colleague who came upon it."""
    address = f"https://www.instagram.com/{handle}/"
    form = {"address": address, "words": "Pisze do naszych klientów o kartę"}
    # Reports from one address of the internet are few a day; each run of this is another colleague.
    headers = {**FORM, "X-Forwarded-For": f"203.0.113.{time.time_ns() % 256}"}
    status, _ = fetch(f"{stack.api_url}/report", urllib.parse.urlencode(form).encode(), headers)
    say(f"a colleague reports {address} at {stack.api_url}/report: it answers {status}")
    return status == 200


def _searches_our_name(entry: Entry) -> bool:
    is_name = entry.args.get("words", "").casefold() == COMPANY.casefold()
    return is_name and entry.args["platform"] == "mastodon"


def _candidate(api: Api, handle: str) -> dict[str, Any] | None:
    listed = every(api, "/v1/discovery/candidates", "candidates")
    return next((c for c in listed if c["handle"] == handle), None)


def _decided(stack: Any, api: Api, since: Any, candidate: dict[str, Any], say: Say) -> bool:
    """Open the mail's link as a scanner does, press Impostor as a person does, and look for the case."""
    who, handle = _asked(api, candidate["unit_id"]), candidate["handle"]
    mail = wait(partial(mail_to, stack, since, who, path="/q/"), f"the mail to {who}")
    link, place = link_in(mail, "/q/"), f"/v1/discovery/candidates/{candidate['candidate_id']}"
    say(f"mail to {who}: {mail['subject']}")
    for _ in range(3):
        fetch(link)
    before = api.get(place)["state"]
    say(f"   a mail scanner opens its link three times: {handle} is still {before}")
    form = {"candidate": candidate["candidate_id"], "verdict": "impostor"}
    status, _ = fetch(link, urllib.parse.urlencode(form).encode(), FORM)
    after = api.get(place)["state"]
    say(f"   Impostor is pressed (the page answers {status}): {handle} is {after}")
    case = wait(partial(_case, api, candidate["account_id"]), f"the case about {handle}")
    told = wait(partial(mail_to, stack, since, "", handle, "/c/"), f"the mail about the case of {handle}")
    status, page = fetch(link_in(told, "/c/"))
    shown = status == 200 and handle in html.unescape(page.decode("utf-8", "replace"))
    say(f"   a case is open: {case['kind']}, harm {case['harm']}, {case['state']}; {told['to'][0]} is told")
    say(f"   {'its page has the form to send' if shown else 'ITS PAGE IS NOT THERE'}: {link_in(told, '/c/')}")
    return (before, after, shown) == ("new", "impostor", True)


def _asked(api: Api, unit_id: str) -> str:
    """Who is mailed about a unit's candidates: its lead."""
    person_id = api.get(f"/v1/units/{unit_id}")["lead_id"]
    return str(api.get(f"/v1/people/{person_id}")["email"])


def _case(api: Api, account_id: str) -> dict[str, Any] | None:
    return next(iter(api.get(f"/v1/takedowns?account={account_id}")["cases"]), None)


def _anybody_can_check(stack: Any, copy: str, say: Say) -> bool:
    """Whether the public list knows ours, and not the copy."""
    said = {}
    for handle in (OURS, copy):
        place = f"{stack.api_url}/registry.json?{urllib.parse.urlencode({'q': handle})}"
        said[handle] = fetch_json(place)["real"]
        say(f"anybody can ask the public list whether {handle} is ours: {said[handle]}")
    return said == {OURS: "yes", copy: "unknown"}
