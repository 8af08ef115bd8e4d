"""What kind of change a finding is, and whether it is ours: by rules, which are data, in order.

The company's own rules come first, then data/rules.json, then what the source itself says. A rule's phrases
are words as people write them: `deprecat*` is any word that begins so, `#` any number, `...` stands for up to
four words of the same sentence.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from chalicelib.core.errors import Problem
from chalicelib.platform_changes.model import Finding, Kind
from chalicelib.platform_changes.operations import is_same_operation

READ_CHARS = 6000  # of a text: what comes later in an entry does not say what it is about
MOST_WORDS = 12  # of a phrase
_TOKEN = re.compile(r"[^\W_](?:[\w'./-]*\w)?|[.!?]+(?=\s|$)|\n")
_NOT = frozenset({
    "no", "not", "non", "isn't", "aren't", "won't", "wasn't", "doesn't", "never", "neither", "cannot",
    "nothing", "nobody", "none",
})  # fmt: skip
_FILLERS = frozenset({"a", "an", "any", "the", "be", "been", "is", "being"})
_URGENCY = list(Kind)
_AROUND = ",;:!?()[]{}\"'`“”„«»"


@dataclass(frozen=True)
class Rule:
    """Any one of `words` and none of `unless` decide, or the `operation`.

    `kind` None and `is_ours` None leave that open. An empty `platform` means all. `title` means that the
    words have to stand there; what forbids it may stand anywhere. `made_by` is empty for a built-in rule.
    """

    rule_id: str
    kind: Kind | None = None
    is_ours: bool | None = None
    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    operation: str = ""
    platform: str = ""
    title: bool = False
    why: str = ""
    made_by: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """`by` is `rule:<id>` of what decided the kind, or `source`."""

    kind: Kind
    is_ours: bool
    by: str


def judged(finding: Finding, platform: str, own: Sequence[Rule]) -> Verdict:
    """What the rules say of a finding.

    What a source itself says of its kind is only made more urgent by a built-in rule, never less; an outage
    is one because the platform's own status page says so.
    """
    title, whole = _said(finding.title), _said(f"{finding.title}\n{finding.text[:READ_CHARS]}")
    fitting = [rule for rule in own if _fits_own(rule, finding, platform, whole)]
    decided = next((rule for rule in fitting if rule.kind is not None), None)
    ours = next((rule.is_ours for rule in fitting if rule.is_ours is not None), None)
    known = [rule for rule in built_in() if _fits(rule, title if rule.title else whole, whole)]
    if ours is None:
        ours = next((rule.is_ours for rule in known if rule.is_ours is not None), True)
    if decided is not None and decided.kind is not None:
        return Verdict(decided.kind, ours, f"rule:{decided.rule_id}")
    rule = next((rule for rule in known if rule.kind is not None), None)
    hint = finding.hint
    if rule is None or rule.kind is None:
        return Verdict(hint or Kind.NEW, ours, "source")
    if hint is not None and (hint == Kind.OUTAGE or more_urgent(hint, rule.kind) == hint):
        return Verdict(hint, ours, "source")
    return Verdict(rule.kind, ours, f"rule:{rule.rule_id}")


def more_urgent(one: Kind, other: Kind) -> Kind:
    return min(one, other, key=_URGENCY.index)


def fits(rule: Rule, finding: Finding, platform: str) -> bool:
    """Whether a rule of the company's own decides about a finding."""
    return _fits_own(rule, finding, platform, _said(f"{finding.title}\n{finding.text[:READ_CHARS]}"))


def phrase_problems(field: str, phrases: Iterable[str]) -> list[Problem]:
    """What is wrong with phrases that somebody wants to make a rule of."""
    problems = []
    for place, phrase in enumerate(phrases):
        words = phrase.split()
        solid = [word for word in words if word != "..." and len(word.rstrip("*")) >= 2]
        if len(words) > MOST_WORDS:
            problems.append(Problem(f"{field}.{place}", f"use {MOST_WORDS} words at most"))
        elif not solid or words[0] == "..." or words[-1] == "...":
            message = "begin and end with a word, and use one of two letters or more"
            problems.append(Problem(f"{field}.{place}", message))
    return problems


@cache
def built_in() -> tuple[Rule, ...]:
    """The rules of data/rules.json, in order."""
    path = Path(__file__).parent / "data" / "rules.json"
    return tuple(
        Rule(
            rule_id=row["id"],
            kind=Kind(row["kind"]) if "kind" in row else None,
            is_ours=row.get("is_ours"),
            words=tuple(row["words"]),
            unless=tuple(row.get("unless", ())),
            title=row.get("title", False),
            why=row["why"],
        )
        for row in json.loads(path.read_text(encoding="utf-8"))
    )


def _fits_own(rule: Rule, finding: Finding, platform: str, whole: str) -> bool:
    if rule.platform not in ("", platform):
        return False
    if rule.operation and not any(is_same_operation(rule.operation, one) for one in finding.operations):
        return False
    return not rule.words or _pattern(rule.words).search(whole) is not None


def _fits(rule: Rule, said: str, whole: str) -> bool:
    if not any(_is_meant(said, match) for match in _pattern(rule.words).finditer(said)):
        return False
    return not rule.unless or _pattern(rule.unless).search(whole) is None


def _is_meant(said: str, match: re.Match[str]) -> bool:
    """Not after a negation: `no breaking changes`, `will not be removed`."""
    sentence = said[: match.start()].rpartition(" . ")[2]
    before = [word for word in sentence.split()[-6:] if word not in _FILLERS][-2:]
    if before[-1:] == ["without"]:  # further off it is of something else: "calls without it are refused"
        return False
    return not _NOT.intersection(before) or "only" in before


def _said(text: str) -> str:
    """Its words in lower case, one space between them and at both ends; a dot ends each sentence."""
    words = _TOKEN.findall(text.lower().replace("’", "'"))
    return " " + " ".join("." if word[0] in ".!?\n" else word for word in words) + " "


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("(?<= )(?:" + "|".join(map(_one, phrases)) + ")(?= )")


def _one(phrase: str) -> str:
    """A phrase as an expression over `_said`: each gap is bounded, so that no text takes long."""
    parts = []
    for word in (word.strip(_AROUND) for word in phrase.lower().replace("’", "'").split()):
        if word == "...":
            parts.append(r"(?:(?! no )(?: (?!\. )\S+){1,4})?")  # "needs no permission" needs none
        elif word == "#":
            parts.append(r" \d\S*")
        elif word.endswith("*"):
            parts.append(" " + re.escape(word[:-1]) + r"\S*")
        else:
            parts.append(" " + re.escape(word))
    return "".join(parts).removeprefix(" ")
