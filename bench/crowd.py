"""What people say on four platforms: comments, replies, edits, deletions and our own answers, as events.

Each event is told in its platform's own JSON, and knows what must stand in the inbox because of it.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from bench.deliveries import PROFILES, Delivery, packed
from chalicelib.core.clock import to_text

WRITTEN, EDITED, REMOVED = "written", "edited", "removed"
DUPLICATES = 0.2  # of all that is told
REACH, AGAIN_WITHIN = 400, 4_000  # events that an event, and a duplicate, may be late by
TOGETHER = 10  # events that a platform puts into one delivery at most
ALONE = frozenset({"x"})  # sends each event by itself
REPLIED, ANSWERED, CHANGED, GONE = 0.4, 0.3, 0.2, 0.1
SHARES = {"facebook": 45, "linkedin": 25, "whatsapp": 20, "x": 10}  # of the conversations, in percent

Json = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """One message, `n` its number; threads have two levels, as on Facebook and LinkedIn."""

    platform: str
    n: int
    at: datetime
    text: str
    parent: "Said | None" = None
    own: bool = False

    @property
    def external_id(self) -> str:
        match self.platform:
            case "facebook":
                return f"1198837625012734_{self.n}"
            case "linkedin":  # all but the last 22 bits of the number are its time
                number = (int(self.at.timestamp() * 1000) << 22) + self.n
                return f"urn:li:comment:({_POST['linkedin']},{number})"
            case "whatsapp":
                return f"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz{self.n:012d}"
        return str(2_090_000_000_000_000_000 + self.n)

    @property
    def customer(self) -> int:
        """Who began the thread, as a number."""
        return self.parent.n if self.parent else self.n


@dataclass(frozen=True)
class Event:
    """Something happened to a message, which then is as `said`; `piece` is what a delivery holds of it."""

    what: str
    said: Said
    piece: Json

    @property
    def name(self) -> str:
        return f"{self.what} {self.said.external_id}"


class Crowd:
    """Says the same things each time, numbered from `first` on, in the ten minutes before `now`."""

    def __init__(self, now: datetime, first: int = 0) -> None:
        self._random = random.Random(7)
        self._numbers = count(first + 1)
        self._began_at = now - timedelta(minutes=10, milliseconds=20 * first)

    def events(self, wanted: int) -> list[Event]:
        """So many different events, in the order in which they happened."""
        made: list[Event] = []
        while len(made) < wanted:
            made += self._conversation()
        return made[:wanted]

    def told(self, events: list[Event]) -> list[Event]:
        """The events as they are told: out of order, and some of them again."""
        again = round(len(events) * DUPLICATES / (1 - DUPLICATES))
        places = [(n + self._random.random() * REACH, n) for n in range(len(events))]
        repeated = self._random.sample(range(len(events)), again)
        places += [(n + self._random.random() * AGAIN_WITHIN, n) for n in repeated]
        return [events[n] for _, n in sorted(places)]

    def deliveries(self, told: Iterable[Event]) -> Iterator[Delivery]:
        """The same as deliveries, each as full as its platform makes it."""
        waiting: dict[str, list[Event]] = {platform: [] for platform in SHARES}
        for event in told:
            batch = waiting[event.said.platform]
            batch.append(event)
            if len(batch) == self._full(event.said.platform):
                yield _delivery(event.said.platform, batch)
                batch.clear()
        for platform, batch in waiting.items():
            if batch:
                yield _delivery(platform, batch)

    def say(self, platform: str, first: Said | None = None, own: bool = False) -> Event:
        """Something new: it begins a thread, or answers the `first` of one."""
        n = next(self._numbers)
        at = self._began_at + timedelta(milliseconds=n * 20)
        words = " ".join(self._random.choices(WORDS, k=self._random.randint(4, 30)))
        said = Said(platform, n, at, f"{words} {n}", first, own)
        return Event(WRITTEN, said, _PIECES[platform](said, WRITTEN))

    def _full(self, platform: str) -> int:
        return 1 if platform in ALONE else TOGETHER

    def _conversation(self) -> Iterator[Event]:
        (platform,) = self._random.choices(list(SHARES), list(SHARES.values()))
        first = self.say(platform)
        yield first
        said, chance = [first.said], self._random.random
        if chance() < REPLIED:
            reply = self.say(platform, first.said)
            said.append(reply.said)
            yield reply
        if chance() < ANSWERED:
            yield self.say(platform, first.said, own=True)
        if platform in _CHANGES:
            about, fate = self._random.choice(said), chance()
            if fate < CHANGED:
                after = replace(about, text=f"{about.text} (poprawione)")
                yield Event(EDITED, after, _PIECES[platform](after, EDITED))
            elif fate < CHANGED + GONE:
                yield Event(REMOVED, about, _PIECES[platform](about, REMOVED))


WORDS = ("lampa", "światło", "cena", "💡", "kiedy", "dostawa", "zwrot", "سلام", "چراغ", "order", "thanks")
_CHANGES = frozenset({"facebook", "linkedin"})  # tell that a comment was edited or deleted
_POST = {
    "facebook": f"{PROFILES['facebook']}_1198837625012734",
    "linkedin": "urn:li:activity:7094637247890620418",
}
_PHONE = "106540352242922"


def _delivery(platform: str, batch: list[Event]) -> Delivery:
    pieces = [event.piece for event in batch]
    names = tuple(event.name for event in batch)
    body: Mapping[str, Any]
    match platform:
        case "facebook" | "whatsapp":
            topic = "page" if platform == "facebook" else "whatsapp_business_account"
            body = {"object": topic, "entry": pieces}
        case "linkedin":
            body = {"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": pieces}
        case _:
            (body,) = pieces
    return Delivery(platform, packed(body), names)


def _facebook(said: Said, what: str) -> Json:
    seconds = int(said.at.timestamp())
    page = PROFILES["facebook"]
    value = {
        "item": "comment",
        "verb": {WRITTEN: "add", EDITED: "edited", REMOVED: "remove"}[what],
        "post_id": _POST["facebook"],
        "comment_id": said.external_id,
        "parent_id": said.parent.external_id if said.parent else _POST["facebook"],
        "from": {"id": page if said.own else str(10**15 + said.customer), "name": "Zażółć Gęślą"},
        "created_time": seconds,
        **({} if what == REMOVED else {"message": said.text}),
        **({"edited_time": seconds + 60} if what == EDITED else {}),
    }
    return {"id": page, "time": seconds, "changes": [{"field": "feed", "value": value}]}


def _linkedin(said: Said, what: str) -> Json:
    action = {
        WRITTEN: "ADMIN_COMMENT" if said.own else "COMMENT",
        EDITED: "COMMENT_EDIT",
        REMOVED: "COMMENT_DELETE",
    }
    organization, urn = PROFILES["linkedin"], said.external_id
    millis = int(said.at.timestamp() * 1000)
    changed = {WRITTEN: 0, EDITED: 60_000, REMOVED: 90_000}[what]
    about: Json = {
        "notificationId": said.n * 3 + [WRITTEN, EDITED, REMOVED].index(what),
        "organizationalEntity": organization,
        "action": action[what],
        "sourcePost": _POST["linkedin"],
        "generatedActivity": urn.replace("(urn:li:", "("),
        "lastModifiedAt": millis + changed,
        "subscriber": "urn:li:person:zLqTygBP8S",
    }
    if what == REMOVED:
        return about
    comment = {
        "owner": organization if said.own else f"urn:li:person:p{said.customer}",
        "text": said.text,
        "entity": urn,
        "object": said.parent.external_id if said.parent else _POST["linkedin"],
    }
    return {**about, "decoratedGeneratedActivity": {"comment": comment}}


def _whatsapp(said: Said, what: str) -> Json:
    other = str(48_500_000_000 + said.customer)
    message = {
        "id": said.external_id,
        "timestamp": str(int(said.at.timestamp())),
        "type": "text",
        "text": {"body": said.text},
        **({"from": _PHONE, "to": other} if said.own else {"from": other}),
        **({"context": {"id": said.parent.external_id}} if said.parent else {}),
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": _PHONE},
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": other}],
        "message_echoes" if said.own else "messages": [message],
    }
    field = "smb_message_echoes" if said.own else "messages"
    return {"id": PROFILES["whatsapp"], "changes": [{"field": field, "value": value}]}


def _x(said: Said, what: str) -> Json:
    account, other = PROFILES["x"], str(2 * 10**18 + said.customer)
    payload = {
        "id": said.external_id,
        "created_at": to_text(said.at),
        "edit_history_tweet_ids": [said.external_id],
        "conversation_id": (said.parent or said).external_id,
        "text": said.text,
        "author_id": account if said.own else other,
        "lang": "pl",
    }
    if said.parent:
        payload["in_reply_to_tweet_id"] = said.parent.external_id
        payload["in_reply_to_user_id"] = other if said.own else account
    kind = "post.reply.create" if said.parent else "post.mention.create"
    about = {"event_uuid": said.external_id, "filter": {"user_id": account}, "event_type": kind}
    return {"data": {**about, "payload": payload, "includes": {}}}


_PIECES: Mapping[str, Callable[[Said, str], Json]] = {
    "facebook": _facebook,
    "linkedin": _linkedin,
    "whatsapp": _whatsapp,
    "x": _x,
}
