"""Rules in plain data: which messages they are about, and what is done with them.

No patterns and no code, so that no rule can take long. Texts are compared folded: without case, without
diacritics, and with the letters that Persian and Arabic keyboards write differently as one.
"""

import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from chalicelib.accounts.model import Account
from chalicelib.inbox.model import Priority
from chalicelib.platforms.inbound import InboundEvent

if TYPE_CHECKING:
    from chalicelib.inbox.settings import InboxSettings

SAMPLE_TAG = "spam_sample"
_LONGEST_TEXT = 20_000  # characters that keywords are looked for in
_ACCENTS = 9  # combining classes above: accents, harakat, tone marks; below: what makes another letter
_SAME = str.maketrans({
    "ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ە": "ه", "ـ": "",
    "ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ħ": "h",
})  # fmt: skip


@dataclass(frozen=True)
class Conditions:
    """All that are given must hold, and of each its any; none given holds always.

    `every_keyword` asks for all keywords, `whole_words` for words of their own. `languages` are primary
    subtags (`pl`), `authors` are handles.
    """

    account_ids: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    every_keyword: bool = False
    whole_words: bool = True


@dataclass(frozen=True)
class Actions:
    """`sample_every`: of what is ignored as spam one in so many stays, tagged `spam_sample`; 0 keeps none."""

    tags: tuple[str, ...] = ()
    assignee_id: str | None = None
    priority: Priority | None = None
    ignore: bool = False
    sample_every: int = 0
    crisis: bool = False


@dataclass(frozen=True)
class Rule:
    name: str
    when: Conditions
    then: Actions


@dataclass(frozen=True)
class RuleOutcome:
    """What the rules say together; `ignore` is the reason, with the rule's name."""

    tags: tuple[str, ...] = ()
    ignore: str | None = None
    assignee_id: str | None = None
    priority: Priority | None = None
    crisis: bool = False


class Rules:
    """The rules as the inbox asks for them."""

    def __init__(self, settings: "InboxSettings") -> None:
        self._settings = settings

    def of(self, unit_path: tuple[str, ...]) -> tuple[Rule, ...]:
        """A unit's own rules, then those of the units above it, nearest first."""
        return self._settings.of_path(unit_path).rules

    def apply(self, rules: Iterable[Rule], event: InboundEvent, account: Account) -> RuleOutcome:
        return outcome_of(rules, event, account.account_id)


def outcome_of(rules: Iterable[Rule], event: InboundEvent, account_id: str) -> RuleOutcome:
    """What is to be done with an event of this account: the same however often it is asked.

    Tags add up; of assignee, priority and ignoring the first rule that says one wins. What may be a crisis
    is never ignored.
    """
    text = folded(event.text[:_LONGEST_TEXT])
    found = RuleOutcome()
    sampled = False
    for rule in rules:
        if not _holds(rule.when, event, account_id, text):
            continue
        then = rule.then
        if then.ignore and found.ignore is None and not sampled:
            sampled = _is_sample(event.key, then.sample_every)
            found = replace(found, ignore=None if sampled else f"spam: {rule.name}")
        found = replace(
            found,
            tags=tuple(dict.fromkeys((*found.tags, *then.tags, *((SAMPLE_TAG,) if sampled else ())))),
            assignee_id=found.assignee_id or then.assignee_id,
            priority=found.priority or then.priority,
            crisis=found.crisis or then.crisis,
        )
    return replace(found, ignore=None) if found.crisis else found


def folded(text: str) -> str:
    """The text as it is compared: two spellings of one word that people would call the same are the same."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (c for c in parts if unicodedata.combining(c) <= _ACCENTS and unicodedata.category(c) != "Cf")
    return " ".join("".join(kept).translate(_SAME).split())


def plain_author(handle: str) -> str:
    """A handle as it is compared: without a leading @ and without case."""
    return handle.strip().removeprefix("@").casefold()


def _holds(when: Conditions, event: InboundEvent, account_id: str, text: str) -> bool:
    if when.account_ids and account_id not in when.account_ids:
        return False
    if when.platforms and event.platform not in when.platforms:
        return False
    if when.kinds and str(event.kind) not in when.kinds:
        return False
    if when.languages and event.language.partition("-")[0].casefold() not in when.languages:
        return False
    handle = plain_author(event.author.handle) if event.author else ""
    if when.authors and handle not in map(plain_author, when.authors):
        return False
    if not when.keywords:
        return True
    said = (_says(text, _folded_keyword(k), when.whole_words) for k in when.keywords)
    return all(said) if when.every_keyword else any(said)


def _says(text: str, keyword: str, whole_words: bool) -> bool:
    """Whether the folded text has the folded keyword in it; one that folds to nothing is in no text."""
    at = text.find(keyword) if keyword else -1
    while at >= 0:
        before, after = text[at - 1 : at] if at else "", text[at + len(keyword) :][:1]
        if not whole_words or not (before.isalnum() or after.isalnum()):
            return True
        at = text.find(keyword, at + 1)
    return False


def _is_sample(key: str, every: int) -> bool:
    """One in `every`, told by the event's own key, so that the same event is always the same choice."""
    return every > 0 and zlib.crc32(key.encode("utf-8", "surrogatepass")) % every == 0


@lru_cache(maxsize=4096)
def _folded_keyword(keyword: str) -> str:
    return folded(keyword)
