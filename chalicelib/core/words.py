"""What people read, in their language, their time zone and their direction of writing.

The catalogues are gettext's, in chalicelib/locale; infra/messages.py extracts, checks and compiles them.
`say`, `say_n` and `mark` are the words that it looks for in code and templates.
"""

import re
import unicodedata
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "pl", "fa")
LOCALE = Path(__file__).parent.parent / "locale"
DOMAIN = "signalbox"
_RIGHT_TO_LEFT = {"fa"}
_DIGITS = {"fa": str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")}


def mark(message: str) -> str:
    """The message itself: it is translated where it is used, and found by the extraction here."""
    return message


_WEEKDAYS = (
    mark("Monday"), mark("Tuesday"), mark("Wednesday"), mark("Thursday"), mark("Friday"), mark("Saturday"),
    mark("Sunday"),
)  # fmt: skip
# Month names stand after a day's number: in Polish that asks for the genitive.
_MONTHS = (
    mark("January"), mark("February"), mark("March"), mark("April"), mark("May"), mark("June"), mark("July"),
    mark("August"), mark("September"), mark("October"), mark("November"), mark("December"),
)  # fmt: skip


class Words:
    """One reader's language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.direction = "rtl" if language in _RIGHT_TO_LEFT else "ltr"

    def say(self, message: str, **values: object) -> str:
        """The message with its `%(name)s` places filled; values of another direction are isolated."""
        return self.template(message) % self._filled(values)

    def say_n(self, one: str, many: str, n: int, **values: object) -> str:
        """The form of the message that goes with the number `n`, which fills `%(n)s`."""
        return self.template_n(one, many, n) % {**self._filled(values), "n": self.number(n)}

    def template(self, message: str) -> str:
        """The message in this language, its places not yet filled."""
        found: str = _catalogue(self.language).gettext(message)
        return found

    def template_n(self, one: str, many: str, n: int) -> str:
        found: str = _catalogue(self.language).ngettext(one, many, n)
        return found

    def number(self, n: int) -> str:
        return self.digits(str(n))

    def digits(self, text: str) -> str:
        """The text with its digits as this language writes them."""
        return text.translate(_DIGITS.get(self.language, {}))

    def moment(self, at: datetime, zone: str) -> str:
        """`Tuesday 24 November 2026, 09:00 (Warsaw)`: an instant where `zone` is.

        In the hour that a clock set back shows twice, the offset from UTC says which one is meant.
        """
        from zoneinfo import ZoneInfo

        there = at.astimezone(ZoneInfo(zone))
        place = zone.rsplit("/", 1)[-1].replace("_", " ")
        if there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset():
            place = f"{place}, UTC{there.strftime('%z')[:3]}:{there.strftime('%z')[3:]}"
        return self.say(
            "%(weekday)s %(day)s %(month)s %(year)s, %(time)s (%(place)s)",
            weekday=self.say(_WEEKDAYS[there.weekday()]),
            day=self.number(there.day),
            month=self.say(_MONTHS[there.month - 1]),
            year=self.number(there.year),
            time=self.digits(there.strftime("%H:%M")),
            place=place,
        )

    def isolated(self, text: str) -> str:
        """The text between direction isolates, if it is not of the sentence's direction (Unicode TR 9)."""
        wrong = ("L",) if self.direction == "rtl" else ("R", "AL")
        if any(unicodedata.bidirectional(c) in wrong for c in text):
            return f"\u2068{text}\u2069"
        return text

    def _filled(self, values: dict[str, object]) -> dict[str, object]:
        return {k: self.isolated(v) if isinstance(v, str) else v for k, v in values.items()}


def best_language(accept_language: str) -> str:
    """The first of our languages that an Accept-Language header names; English where it names none."""
    for part in accept_language[:200].split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return "en"


# Everything that takes no place or turns the direction: format and control characters and hangul fillers.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ARABIC_BEFORE = re.compile("[\u0620-\u065f\u066e-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f]\\Z")
_ARABIC_AFTER = re.compile("[\u0620-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f]")
_EMOJI_BEFORE = re.compile("[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]\\Z")
_EMOJI_AFTER = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_FLAG_BEFORE = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{0,8}\\Z")


def visible(text: str) -> str:
    """The text with every hidden character shown by its number, `⟨U+202E⟩`: none can pose as another text.

    What Persian and emoji need stays: joiners between Arabic letters or emoji, and the tags of a flag.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def show(match: re.Match[str]) -> str:
        char, before, after = (
            match.group(),
            whole[max(0, match.start() - 10) : match.start()],
            whole[match.end() :][:1],
        )
        joins_letters = (
            char in "\u200c\u200d" and _ARABIC_BEFORE.search(before) and _ARABIC_AFTER.match(after)
        )
        joins_emoji = char == "\u200d" and _EMOJI_BEFORE.search(before) and _EMOJI_AFTER.match(after)
        flags = "\U000e0020" <= char <= "\U000e007f" and _FLAG_BEFORE.search(before)
        return char if joins_letters or joins_emoji or flags else f"⟨U+{ord(char):04X}⟩"

    return _HIDDEN.sub(show, whole.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`visible`, with line breaks and runs of spaces as one space: for subjects, names and handles."""
    return " ".join(visible(" ".join(text.split())).split())


@cache
def _catalogue(language: str) -> Any:
    import gettext  # only when somebody is told something

    return gettext.translation(DOMAIN, LOCALE, [language])
