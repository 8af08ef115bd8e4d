"""The second act, played on the running stack: a comment arrives, is answered, and the answer is out once.

Then a delivery as Facebook sends it comes twice to the deployed door, and is in the inbox once.
"""

import hashlib
import hmac
import html
import json
import time
import urllib.parse
from collections.abc import Callable
from functools import partial
from typing import Any

from infra.local.api import Api, fetch, wait
from infra.local.company import HEARD, webhook_secret

# By channel: the language, what a passer-by asks under the post there, and what is answered.
TALKS = {
    "isfahan_news": ("fa", "شنبه تا چه ساعتی باز هستید؟", "تا ساعت ۲۲. به امید دیدار! 💡"),
    "mazowsze-care.test": ("pl", "Do której otwarte w sobotę?", "Do 22:00. Do zobaczenia! 💡"),
}


def play(stack: Any, post: dict[str, Any], mark: str, say: Callable[[str], None]) -> bool:
    """Play the act under a published post; True only if every answer is out once and nothing came twice."""
    responder = Api(stack.api_url, stack.tokens["responder"])
    variants = {variant["handle"]: variant for variant in post["variants"]}
    talks = [_converse(stack, responder, variants[handle], mark, say) for handle in TALKS]
    told_once = _told_twice(stack, responder, mark, say)
    return all(talks) and told_once


def heard(api: Api, account_id: str, name: str) -> dict[str, Any] | None:
    """The conversation with somebody of that name that is to do in an account's inbox."""
    return next((c for c in _inbox(api, account_id) if c["customer"]["name"] == name), None)


def answered(api: Api, conversation_id: str, text: str, language: str) -> str:
    """Claim the conversation, answer, and wait for the answer's outcome. Raises ApiError or TimeoutError."""
    place = f"/v1/inbox/{conversation_id}"
    version = api.post(f"{place}/claim", {})["version"]
    body = {"version": version, "text": text, "language": language}
    reply_id = api.post(f"{place}/replies", body)["reply_id"]

    def outcome() -> str | None:
        state = str(api.get(f"{place}/replies/{reply_id}")["state"])
        return state if state not in ("queued", "sending") else None

    return str(wait(outcome, "the answer"))


def _converse(stack: Any, api: Api, variant: dict[str, Any], mark: str, say: Callable[[str], None]) -> bool:
    """A passer-by asks under the post, Piotr answers; whether the page then shows the answer once."""
    language, question, answer = TALKS[variant["handle"]]
    name = f"Basia {mark}"
    page = stack.platform_url + urllib.parse.urlsplit(variant["url"]).path  # bsky.app's, shown here
    say(f"{name} passes by and asks under {variant['handle']}'s post on {variant['platform']}: {question}")
    asked_at = time.monotonic()
    _say_under(page, name, question)
    found = wait(partial(heard, api, variant["account_id"], name), "the comment")
    took_for = time.monotonic() - asked_at
    say(f"   {took_for:.1f} s later it is in Piotr's inbox, {_clock(found)}")
    say(f"   he takes it, so that nobody else answers, and writes: {answer}")
    outcome = answered(api, found["conversation_id"], answer, language)
    state = api.get(f"/v1/inbox/{found['conversation_id']}")["conversation"]["state"]
    seen = _times_on_page(page, answer)
    say(f"   the conversation is {state}, the answer is {outcome}")
    say(f"   {'there once' if seen == 1 else f'SEEN {seen} TIMES'}: {page}")
    return seen == 1 and state == "answered"


def _told_twice(stack: Any, api: Api, mark: str, say: Callable[[str], None]) -> bool:
    """Whether a comment that Facebook delivers twice is in the inbox once."""
    page = next(profile for profile in HEARD if profile.platform == "facebook")
    name = f"Krzysztof {mark}"
    raw = json.dumps(_comment(page.external_id, name, mark)).encode()
    signature = hmac.new(webhook_secret("facebook").encode(), raw, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    address = f"{stack.api_url}/webhooks/facebook"
    forged, _ = fetch(address, raw, {**headers, "X-Hub-Signature-256": f"sha256={'0' * 64}"})
    say(f"somebody sends a comment in Facebook's name, unsigned: the door answers {forged}")
    statuses = [fetch(address, raw, headers)[0] for _ in range(2)]
    say(f"Facebook sends it signed, and then again: the door answers {statuses[0]} and {statuses[1]}")
    account_id = next(
        a["account_id"] for a in api.get("/v1/accounts?platform=facebook")["accounts"]
        if a["handle"] == page.handle
    )  # fmt: skip
    wait(partial(heard, api, account_id, name), "the comment")
    wait(partial(_all_taken_in, stack), "the second delivery")
    found = [c for c in _inbox(api, account_id) if c["customer"]["name"] == name]
    messages = sum(c["messages"] for c in found)
    times = "once" if messages == 1 else f"{messages} TIMES"
    say(f"   in the inbox {times}: {name} on Facebook")
    return forged == 401 and statuses == [200, 200] and messages == 1


def _say_under(page: str, name: str, text: str) -> None:
    """As the page's own form does. Raises RuntimeError when it is not taken."""
    form = urllib.parse.urlencode({"name": name, "text": text}).encode()
    status, _ = fetch(page, form, {"Content-Type": "application/x-www-form-urlencoded"})
    if status != 200:  # after the redirect to the page
        raise RuntimeError(f"the reply box of {page} answered {status}")


def _inbox(api: Api, account_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/inbox?account={account_id}&limit=100")["conversations"]
    return found


def _clock(conversation: dict[str, Any]) -> str:
    due_at = min(c["due_at"] for c in conversation["clocks"] if c["due_at"])
    return f"to be answered by {due_at[:16].replace('T', ' ')} UTC"


def _times_on_page(page: str, text: str) -> int:
    return html.unescape(fetch(page)[1].decode()).count(text)


def _all_taken_in(stack: Any) -> bool:
    """Whether no event is on its way from the door to the inbox."""
    sqs = stack.client("sqs")
    url = sqs.get_queue_url(QueueName=f"signalbox-{stack.stage}-inbound")["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(counts[name] == "0" for name in names)


def _comment(page_id: str, name: str, mark: str) -> dict[str, Any]:
    """https://developers.facebook.com/docs/graph-api/webhooks/reference/page"""
    number, seconds = int(mark, 16), int(time.time())
    post_id = f"{page_id}_{number}"
    value = {
        "item": "comment",
        "verb": "add",
        "post_id": post_id,
        "comment_id": f"{number}_{number + 1}",
        "parent_id": post_id,
        "from": {"id": str(10**15 + number), "name": name},
        "message": "Czy ta lampa jest ściemniana?",
        "created_time": seconds,
    }
    changes = [{"field": "feed", "value": value}]
    return {"object": "page", "entry": [{"id": page_id, "time": seconds, "changes": changes}]}
