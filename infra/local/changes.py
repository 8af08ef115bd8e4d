"""The fourth act, played on the running stack: a network announces that a call of ours ends, and somebody
plans it; then it has an outage, which a post outlives; and the week's briefing tells of it.

The looks at the network's pages are brought forward, and so is Monday.
"""

import html
import re
import urllib.parse
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import decode_item, encode_item
from chalicelib.core.records import to_item
from chalicelib.core.timetable import Entry, Lane, due_shard
from chalicelib.platform_changes import briefing_weeks as weeks
from infra.local.api import Api, ApiError, fetch, fetch_json, wait
from infra.local.company import LEAD
from infra.local.hurry import hurry, invoke
from infra.local.mails import last_mail_id, link_in, mail_to

NEWS, STATUS = "mastodon-blog", "mastodon-status"
PAGES = {NEWS: "/developers/changelog.xml", STATUS: "/status/api/v2/summary.json"}
CALL = "POST /api/v1/statuses"
CHANNEL, ANSWERED = "mazowsze_events", "isfahan_news"
KEEPERS, AUTHOR = ("maja.orlowska", "reza.mohammadi"), "zofia.sliwinska"
SECONDS_AHEAD = 25
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PLACE = "/v1/platform-changes"
Say = Callable[[str], None]


def play(stack: Any, mark: str, say: Say) -> bool:
    """Play the act; True only if the change was found, planned and told, and the post is out once."""
    ops = Api(stack.api_url, stack.tokens["ops"])
    for key, path in PAGES.items():
        said = listen(stack, ops, key, stack.platform_url + path)
        say(f"Reza, of operations, has {said['name']} looked at: {said['url']}")
    change = _announced(stack, ops, mark, say)
    planned = _planned(stack, ops, change, say)
    outlived = _outlived(stack, ops, mark, say)
    return _briefed(stack, ops, change["change_id"], say) and planned and outlived


# Used by the tests of the deployed stack, too


def listen(stack: Any, api: Api, key: str, url: str) -> dict[str, Any]:
    """Have a source looked at elsewhere, and wait for the first look there; the source as it then is."""
    before = source(api, key)
    api.put(f"{PLACE}/sources/{key}", {"version": before["version"], "url": url})

    def looked() -> dict[str, Any] | None:
        now = source(api, key)
        return now if now["looks"] > before["looks"] else None

    found: dict[str, Any] = wait(looked, f"the look at {key}")
    return found


def source(api: Api, key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in api.get(f"{PLACE}/sources")["sources"] if s["key"] == key)
    return found


def look_now(stack: Any, key: str) -> None:
    """Bring the next look at a source forward."""
    wait(partial(hurry, stack, f"track_source#{key}"), f"the look at {key}")


def announce(stack: Any, call: str, on: date) -> str:
    """Have the local network say that a call ends on a day; the title that it says it under."""
    title = f"{call} will be removed on {on}"
    text = f"From {on} on {call} is no longer answered. Applications have to move before that day."
    fetch_json(f"{stack.platform_url}/_local/changelog", {"title": title, "text": text})
    return title


def report(stack: Any, name: str, over: bool = False) -> None:
    """Have the local network's status page begin a major incident, or end it."""
    fetch_json(f"{stack.platform_url}/_local/incidents", {"name": name, "impact": "major", "over": over})


def found(api: Api, title: str) -> dict[str, Any] | None:
    """The open change of that title."""
    listed = api.get(f"{PLACE}?limit=100")["changes"]
    return next((change for change in listed if change["title"] == title), None)


def standing(api: Api, platform: str) -> dict[str, Any] | None:
    """The platform's outage that stands now."""
    listed = api.get(f"{PLACE}/outages")["outages"]
    return next((o for o in listed if o["platform"] == platform and o["ended_at"] is None), None)


def waiting(api: Api, outage_id: str) -> dict[str, str]:
    """What has become of each thing that waited for an outage, by its id."""
    lines = api.get(f"{PLACE}/outages/{outage_id}/receipt")["lines"]
    return {line["ref"]: line["became"] for line in lines}


def press_planned(link: str, due_on: date) -> int:
    """Press "I do it by then" on the page of a change; the status of the answer."""
    page = fetch(link)[1].decode()
    seen = re.search(r'name="seen" value="([0-9]+)"', page)
    form = {"move": "planned", "seen": seen[1] if seen else "", "due_on": due_on.isoformat()}
    return fetch(link, urllib.parse.urlencode(form).encode(), FORM)[0]


def bring_monday_forward(stack: Any, change_id: str, zone: str) -> str:
    """Have the latest Monday's briefing written now, as if the change had been seen before it; its week.

    The time of the change's row is another one, as root; all else is as on a Monday.
    """
    now, table = datetime.now(UTC), f"signalbox-{stack.stage}-"
    week = weeks.latest(now, zone)
    seen_at = to_text(weeks.written_at(week, zone) - timedelta(days=1))
    dynamodb, key = stack.client("dynamodb"), encode_item({"pk": f"change#{change_id}", "sk": "change"})
    row = dynamodb.get_item(TableName=f"{table}platform_changes", Key=key, ConsistentRead=True)
    place = decode_item(row["Item"])["lsk"].partition("#")[2]
    dynamodb.update_item(
        TableName=f"{table}platform_changes",
        Key=key,
        UpdateExpression="SET seen_at = :s, lsk = :l",
        ExpressionAttributeValues=encode_item({":s": seen_at, ":l": f"{seen_at}#{place}"}),
    )
    entry = Entry(f"write_briefing#{week}", Lane.CHORES, "write_briefing", week, now)
    item = encode_item({**to_item(entry), "due_shard": due_shard(entry)})
    dynamodb.put_item(TableName=f"{table}timetable", Item=item)
    invoke(stack, "dispatch_due")
    return week


# The act


def _announced(stack: Any, ops: Api, mark: str, say: Say) -> dict[str, Any]:
    """The network announces the end of a call; the change that Signalbox makes of it."""
    days = 45 + int(mark, 16) % 400  # another day in each run: another change
    on = datetime.now(UTC).date() + timedelta(days=days)
    title = announce(stack, CALL, on)
    say(f"the network announces: {title}")
    look_now(stack, NEWS)
    change: dict[str, Any] = wait(partial(found, ops, title), "the change")
    touched = change["touching"]
    say(f"   found: {change['kind']}, takes effect on {change['effective_on']}, status {change['status']}")
    say(f"   it concerns {', '.join(touched['surfaces'])}: {touched['accounts']} accounts in "
        f"{touched['units']} units")  # fmt: skip
    return change


def _planned(stack: Any, ops: Api, change: dict[str, Any], say: Say) -> bool:
    """Open the mails' link as a scanner does, then press as a person does; whether it is planned by that."""
    mails = [wait(partial(mail_to, stack, None, who, change["title"], "/p/"), f"the mail to {who}")
             for who in KEEPERS]  # fmt: skip
    for mail in mails:
        say(f"mail to {', '.join(mail['to'])}: {mail['subject']}")
    link, place = link_in(mails[-1], "/p/"), f"{PLACE}/{change['change_id']}"
    for _ in range(3):
        fetch(link)
    still = ops.get(place)["change"]
    say(f"   a mail scanner opens its link three times: it is still {still['status']}")
    due_on = date.fromisoformat(change["effective_on"]) - timedelta(days=14)
    status = press_planned(link, due_on)
    planned = ops.get(place)["change"]
    say(f'   "I do it by then" is pressed (the page answers {status}): {planned["status"]} for '
        f"{planned['due_on']}, by {_name(ops, planned['owner_id'])}")  # fmt: skip
    is_whole = change["kind"] == "breaking" and change["touching"]["accounts"] > 0
    moved = (still["version"], planned["status"], planned["due_on"])
    return is_whole and moved == (change["version"], "planned", due_on.isoformat())


def _outlived(stack: Any, ops: Api, mark: str, say: Say) -> bool:
    """An outage begins before a post is due, and ends; whether the post waited, and is out once."""
    author, name = Api(stack.api_url, stack.tokens["author"]), f"Nothing can be posted ({mark})"
    since = last_mail_id(stack)
    post = _approved(stack, author, since, mark, say)
    if post is None:
        return False
    calls = _calls(stack)
    report(stack, name)
    look_now(stack, STATUS)
    outage = wait(partial(standing, ops, "mastodon"), "the outage")
    say(f"the network's status page says: {name}; work on it pauses")
    told = wait(partial(mail_to, stack, since, AUTHOR, "Mastodon"), f"the mail to {AUTHOR}")
    say(f"   mail to {', '.join(told['to'])}: {told['subject']}")
    marked = _is_marked(stack, outage["outage_id"], say)
    variant = post["variants"][0]["variant_id"]
    wait(lambda: waiting(ops, outage["outage_id"]).get(variant) == "waits", "the post's hour")
    waited = _calls(stack) == calls and _seen(stack, mark) == 0
    say(f"   the post's hour has come: {'it waits, and nothing was tried' if waited else 'IT WAS TRIED'}")
    report(stack, name, over=True)
    look_now(stack, STATUS)
    wait(lambda: standing(ops, "mastodon") is None, "the end of the outage")
    say("the network says that it is over; what waited is brought forward")
    wait(partial(hurry, stack, f"publish#{variant}"), "the post")
    place = f"/v1/posts/{post['post_id']}"
    wait(lambda: author.get(place)["summary"].get("published") == 1, "the post")
    seen, became = _seen(stack, mark), waiting(ops, outage["outage_id"])[variant]
    say(f"   {'there once' if seen == 1 else f'SEEN {seen} TIMES'}: {stack.platform_url}/@{CHANNEL}")
    say(f"   the outage's receipt says of it: {became}")
    return marked and waited and (seen, became, _calls(stack) - calls) == (1, "out", 1)


def _approved(stack: Any, author: Api, since: Any, mark: str, say: Say) -> dict[str, Any] | None:
    """A post that is due soon and may go out; None if nobody could approve it."""
    listed = author.get("/v1/accounts?limit=200")["accounts"]
    account_id = next(a["account_id"] for a in listed if a["handle"] == CHANNEL)
    publish_at = (datetime.now(UTC) + timedelta(seconds=SECONDS_AHEAD)).replace(microsecond=0)
    body = {
        "title": f"Lamp workshop ({mark})",
        "text": f"W sobotę składamy lampy z dziećmi. Zapraszamy! {mark}",
        "language": "pl",
        "targets": [account_id],
        "publish_at": publish_at.isoformat(),
        "zone": "Europe/Warsaw",
    }
    place = f"/v1/posts/{author.post('/v1/posts', body)['post_id']}"
    author.post(f"{place}/submit")
    mail = wait(partial(mail_to, stack, since, "", mark, "/a/"), "the mail to the approver")
    fetch(link_in(mail, "/a/"), urllib.parse.urlencode({"verdict": "approve"}).encode(), FORM)
    post: dict[str, Any] = author.get(place)
    say(f"Zofia's post to {CHANNEL}, due at {publish_at:%H:%M:%S} UTC, is {post['state']}")
    return post if post["state"] == "approved" else None


def _is_marked(stack: Any, outage_id: str, say: Say) -> bool:
    """Whether the inbox says at the network's conversations that it has an outage."""
    responder = Api(stack.api_url, stack.tokens["responder"])
    listed = responder.get("/v1/accounts?limit=200")["accounts"]
    account_id = next(a["account_id"] for a in listed if a["handle"] == ANSWERED)
    groups = (responder.get(f"/v1/inbox?account={account_id}&group={g}") for g in ("todo", "done"))
    conversations = [c for group in groups for c in group["conversations"]]
    marked = [c for c in conversations if (c["outage"] or {}).get("outage_id") == outage_id]
    say(f"   Piotr's inbox says so at {len(marked)} of {ANSWERED}'s {len(conversations)} conversations")
    return 0 < len(marked) == len(conversations)


def _briefed(stack: Any, ops: Api, change_id: str, say: Say) -> bool:
    """Whether the briefing of now has the change, and the one that is written and mailed, and its feed."""
    now = ops.get(f"{PLACE}/briefing?platform=mastodon")
    told = next((c for c in now["changed"] if c["change_id"] == change_id), None)
    say("what there is to say of Mastodon now, in a minute:")
    for sentence in now["minute"]:
        say(f"   {sentence}")
    if told is None or _is_written(ops, weeks.latest(datetime.now(UTC), LEAD[2])):
        say("   the week's briefing was written in an earlier run; the next comes on Monday")
        return told is not None
    since = last_mail_id(stack)
    week = bring_monday_forward(stack, change_id, LEAD[2])
    mail = wait(partial(mail_to, stack, since, AUTHOR, path="/b/"), "the week's briefing")
    link = link_in(mail, "/b/").removesuffix("/feed.xml")
    say(f"the briefing of {week} is written, and mailed to everybody: {mail['subject']}")
    for name, address in (("its page", link), ("its feed", f"{link}/feed.xml")):
        status, body = fetch(address)
        has = status == 200 and told["title"] in html.unescape(html.unescape(body.decode()))
        say(f"   {name} {'has the change' if has else 'LACKS THE CHANGE'}: {address}")
        if not has:
            return False
    return True


def _is_written(api: Api, week: str) -> bool:
    try:
        api.get(f"{PLACE}/briefing?week={week}")
    except ApiError as missing:
        if missing.status != 404:
            raise
        return False
    return True


def _name(api: Api, person_id: str) -> str:
    return str(api.get(f"/v1/people/{person_id}")["name"])


def _calls(stack: Any) -> int:
    """How often the network was asked to publish."""
    return int(fetch_json(f"{stack.platform_url}/_local/stats")["requests"].get(CALL, 0))


def _seen(stack: Any, mark: str) -> int:
    return fetch(f"{stack.platform_url}/@{CHANNEL}")[1].decode().count(mark)
