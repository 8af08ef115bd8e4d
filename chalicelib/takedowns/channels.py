"""By which form or mail a platform takes a report, and the text to paste into it.

channels.json holds what each form asks, where that is known from and when it was looked up; a company can
replace any of it (settings.py). Forms are filled in the language that the platform takes, not the reader's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.core.clock import to_text
from chalicelib.core.words import Words, mark, one_line, visible
from chalicelib.org.model import Person
from chalicelib.takedowns.model import Case, Evidence, Harm, Kind

USUAL_DAYS = 5  # where a platform is not in the file


class How(StrEnum):
    FORM = "form"
    MAIL = "mail"
    IN_APP = "in_app"  # from the profile itself, signed in
    MODERATORS = "moderators"  # of the server that the account is on


class Known(StrEnum):
    """Where a fact about a channel is from; `memory` is to be confirmed before anybody relies on it."""

    PAGE = "page"
    THIRD_PARTY = "third_party"
    MEMORY = "memory"
    COMPANY = "company"


@dataclass(frozen=True)
class Asked:
    """One field of a form: its label there, and the fact that fills it."""

    label: str
    fact: str


@dataclass(frozen=True)
class Channel:
    """`url` may hold `{profile_url}` and `{server}`; `path` is what to click, `category` what to choose.

    `known` says for `url`, `fields` and `answer_days` where they are from. `languages`: what is read there.
    """

    how: How
    url: str = ""
    address: str = ""
    path: tuple[str, ...] = ()
    fields: tuple[Asked, ...] = ()
    category: str = ""
    languages: tuple[str, ...] = ("en",)
    answer_days: int = USUAL_DAYS
    source: str = ""
    checked_on: date | None = None
    known: dict[str, str] | None = None

    @property
    def answers_for(self) -> timedelta:
        """The time that the platform usually takes."""
        return timedelta(days=self.answer_days)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """What of it nobody has read on a page."""
        known = self.known or {}
        return tuple(name for name, where in sorted(known.items()) if where == Known.MEMORY)

    def language(self, wanted: str) -> str:
        """The wanted language if it is read there, else the first that is."""
        return wanted if wanted in self.languages else self.languages[0]


@dataclass(frozen=True)
class Trademark:
    name: str
    number: str = ""
    country: str = ""
    url: str = ""
    goods: str = ""


@dataclass(frozen=True)
class Company:
    """Who reports, as forms ask it: set once for the company."""

    legal_name: str = ""
    postal_address: str = ""
    website: str = ""
    contact_name: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    relationship: str = ""
    trademarks: tuple[Trademark, ...] = ()
    version: int = 0


@dataclass(frozen=True)
class Form:
    """A form ready to paste: where it goes, each field with its value, and the whole as one text.

    `missing` are the labels of what nobody has told us yet.
    """

    channel: Channel
    url: str
    language: str
    filled: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    text: str


_WHAT = {
    Kind.IMPERSONATION: mark(
        "The account %(handle)s (%(url)s) poses as %(company)s. It is not ours and nobody of ours runs it."
    ),
    Kind.TRADEMARK: mark(
        "The account %(handle)s (%(url)s) uses our trademark %(mark)s without our permission, so that people "
        "take it for an account of %(company)s."
    ),
    Kind.FRAUD: mark(
        "The account %(handle)s (%(url)s) uses the name of %(company)s to deceive people and to get at their "
        "money or data. It is not ours."
    ),
    Kind.ABANDONED: mark(
        "The account %(handle)s (%(url)s) bears the name of %(company)s. Whoever made it does not work for "
        "us any more, and nobody of ours can sign in to it. Please remove it, or hand it over to us."
    ),
}
_OURS = mark("Our own account is %(ours)s.")
_URGENT = mark("People are being harmed while it is there. Please treat this as urgent.")
_EVIDENCE = mark("We keep this evidence; each item is named by its digest:")
_STATEMENTS = mark(
    "We believe in good faith that this use is not authorised by the owner of the rights, its agent or the "
    "law. What is said here is accurate, and we are authorised to act for the owner."
)
_BLANK = mark("[please fill in]")


@cache
def _file() -> Mapping[str, Any]:
    import json

    text = (Path(__file__).parent / "channels.json").read_text(encoding="utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


def platforms() -> tuple[str, ...]:
    """The platforms that the file knows."""
    return tuple(_file()["platforms"])


def channel_of(platform: str, kind: Kind) -> Channel:
    """What the file knows of a platform's way for this kind; by the profile itself where it knows nothing."""
    kinds = _file()["platforms"].get(platform, {})
    entry = kinds.get(kind)
    if entry is None:
        return Channel(How.IN_APP, "{profile_url}", known={"url": Known.MEMORY})
    if "as" in entry:
        entry = {**kinds[entry["as"]], **{name: v for name, v in entry.items() if name != "as"}}
    return Channel(
        how=How(entry["how"]),
        url=entry.get("url", ""),
        address=entry.get("address", ""),
        path=tuple(entry.get("path", ())),
        fields=tuple(Asked(label, fact) for label, fact in _file()["fields"][entry["fields"]]),
        category=entry.get("category", ""),
        languages=tuple(entry.get("languages", ("en",))),
        answer_days=entry["answer_days"],
        source=entry["source"],
        checked_on=date.fromisoformat(_file()["checked_on"]),
        known=dict(entry["known"]),
    )


def filled(
    case: Case,
    channel: Channel,
    company: Company,
    owner: Person | None,
    original: Account | None,
    evidence: Iterable[Evidence],
    brand: str,
) -> Form:
    """The form of a case, filled with what is known; `brand` is the company's name as people know it."""
    words = Words(channel.language(owner.language if owner else "en"))
    chosen = [t for t in company.trademarks if t.name == case.mark_name] or list(company.trademarks)
    trademark = chosen[0] if chosen else Trademark(case.mark_name)
    ours = original.url if original else ""
    facts = {
        "contact_name": company.contact_name or (owner.name if owner else ""),
        "contact_email": company.contact_email or (owner.email if owner else ""),
        "contact_phone": company.contact_phone,
        "relationship": company.relationship,
        "legal_name": company.legal_name or brand,
        "postal_address": company.postal_address,
        "website": company.website,
        "profile_url": case.url,
        "handle": case.handle,
        "our_profile_url": ours or company.website,
        "trademark": trademark.name,
        "registration_number": trademark.number,
        "registration_country": trademark.country,
        "registration_url": trademark.url,
        "goods": trademark.goods,
        "category": channel.category,
        "what_happened": _what_happened(words, case, brand, trademark.name, ours, list(evidence)),
        "evidence": "\n".join(_hashes(evidence)),
        "statements": words.say(_STATEMENTS),
        "signature": company.contact_name or (owner.name if owner else ""),
    }
    url = channel.url.replace("{profile_url}", case.url).replace("{server}", case.server)
    pairs = tuple((asked.label, facts[asked.fact]) for asked in channel.fields)
    missing = tuple(label for label, value in pairs if not value)
    blank = words.say(_BLANK)
    text = "\n\n".join(f"{label}:\n{value or blank}" for label, value in pairs)
    return Form(channel, url, words.language, pairs, missing, text)


def overridden(channel: Channel, changes: Mapping[str, Any]) -> Channel:
    """The channel with what the company knows better; those facts are then the company's."""
    known = {**(channel.known or {}), **dict.fromkeys(changes, Known.COMPANY)}
    return replace(channel, **changes, known={n: str(w) for n, w in known.items() if n in _KNOWN_OF})


_KNOWN_OF = ("url", "fields", "answer_days")


def _what_happened(
    words: Words, case: Case, brand: str, trademark: str, ours: str, evidence: list[Evidence]
) -> str:
    named = {"handle": case.handle, "url": case.url, "company": brand, "mark": trademark or brand}
    parts = [words.say(_WHAT[case.kind], **{name: one_line(value) for name, value in named.items()})]
    if ours:
        parts.append(words.say(_OURS, ours=ours))
    if case.harm in (Harm.HIGH, Harm.CRITICAL):
        parts.append(words.say(_URGENT))
    if case.why:
        parts.append(visible(case.why))
    if evidence:
        parts.append("\n".join([words.say(_EVIDENCE), *_hashes(evidence)]))
    return "\n\n".join(parts)


def _hashes(evidence: Iterable[Evidence]) -> list[str]:
    return [f"{e.place}. {e.kind}, {to_text(e.captured_at)}, SHA-256 {e.sha256}" for e in evidence]
