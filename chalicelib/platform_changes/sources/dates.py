"""The day on which a text says that its change takes effect: not just any day that it names.

A day counts when the words before it say that something happens on it ("effective", "will be sunset on",
"available until"). What can be read in two ways is not read at all.
"""

import re
from calendar import monthrange
from datetime import date, timedelta

_MOST_CHARS = 20_000
_LEADING_CHARS = 20
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?<![\w/.-])(?:"
    r"(?P<year_1>20\d\d)-(?P<month_1>[01]\d)-(?P<day_1>[0-3]\d)(?=$|[^\w-]|T\d)"
    rf"|{_MONTH.format('month_2')}\s{_DAY.format('day_2')}(?:,?\s(?P<year_2>20\d\d))?(?![\w/-])"
    rf"|(?:the\s)?{_DAY.format('day_3')}\s(?:of\s)?{_MONTH.format('month_3')}(?:,?\s(?P<year_3>20\d\d))?(?![\w/-])"
    rf"|{_MONTH.format('month_4')},?\s(?P<year_4>20\d\d)(?![\w/-])"
    r"|(?P<day_5>[0-3]?\d)\.(?P<month_5>[01]?\d)\.(?P<year_5>20\d\d)(?![\w/-]|\.\d)"
    r")",
    re.IGNORECASE | re.ASCII,
)
# What stands right before the day, the strongest first: the day itself is named as the one that counts; ...
_NAMED = re.compile(
    r"(?:\beffective|\b(?:takes?|taking|took|goes|going|go|comes?|coming)\s(?:into\s)?(?:effect|force)"
    r"|\b(?:sunset|removal|end[\s-]of[\s-]life|retirement|shut-?down|expir(?:y|ation)|cut-?off|effective)\s(?:date|day)?"
    r"|\bdeadline|\bavailable\suntil|\bsupported\suntil|\bunavailable)"
    r"(?:\s(?:is|of|as|from|on|by|starting|will|be|set|to|for|since)){0,4}[\s:(\u2013-]{0,4}(?:the\s)?$",
    re.IGNORECASE,
)
# ... or the day follows a word of time, and the sentence says that something happens.
_FROM = re.compile(
    r"\b(?:starting|beginning|begin|start|from|by|before|until|till|through|as\sof|after|on|in|since)"
    r"(?:\s(?:on|from|or|and|after|about|around|the|end|of|in)){0,3}[\s:(]{0,3}$",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\b(?:sunset|remov|retir|shut|discontinu|no\slonger|stop|end[\s-]of[\s-]life|ends?\b|expir|turned?\soff|"
    r"unavailable|disabl|cease|drop|block|reject|fail|break|delet|deactivat|phas)",
    re.IGNORECASE,
)
_HAPPENS = re.compile(
    r"\b(?:will\b|deprecat|migrat|requir|must\b|chang|enforc|mandatory|appl(?:y|ies)\b|move|replac|upgrad|updat|"
    r"switch|restrict|limit|introduc|launch|roll|needs?\b|have\sto|availab|support|access|pric|charg|begin|start)",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"\b(?:last\s(?:updated|modified|reviewed)|updated|published|posted|written|released|announced|introduced|dated|"
    r"copyright)(?:\s(?:on|in|at|by|since)){0,2}[\s:]{0,2}$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[a-z0-9)`\"'][.!?])\s+(?=[A-Z`\"'(])|\s*[\n\u2022|]\s*")


def effective_on(text: str, published_on: date | None = None) -> date | None:
    """When the change that a text tells of takes effect, or None where that is not said, or not surely.

    A day without a year is the next such day after `published_on`, or 60 days before it at most. Of a month
    without a day it is the first day. Where several days are given, the end of something counts before its
    announcement, and of two ends the earlier.
    """
    found: list[tuple[int, date]] = []
    for sentence in _SENTENCE.split(text[:_MOST_CHARS]):
        matches = list(_DATE.finditer(sentence))
        ends = [0, *(match.end() for match in matches)]
        starts = [*(match.start() for match in matches[1:]), len(sentence)]
        for match, since, until in zip(matches, ends, starts, strict=False):
            weight = _weight(match, sentence[since : match.start()], sentence[match.end() : until])
            day = _day(match, published_on) if weight else None
            if day:
                found.append((weight, day))
    if not found:
        return None
    strongest = max(weight for weight, _ in found)
    return min(day for weight, day in found if weight == strongest)


def stated_date(text: str) -> date | None:
    """The one whole date that a cell of a table states, with its year and its day; None for anything else."""
    days = {_day(match, None) for match in _DATE.finditer(text[:300]) if match["month_4"] is None}
    return days.pop() if len(days) == 1 else None


def dates_in(text: str) -> tuple[date, ...]:
    """Every date that a text names with its year; of a month without a day, its last day."""
    found = []
    for match in _DATE.finditer(text[:_MOST_CHARS]):
        if day := _day(match, None):
            month_for = timedelta(days=monthrange(day.year, day.month)[1] - 1)
            found.append(day + month_for if match["month_4"] else day)
    return tuple(found)


def without_dates(text: str) -> str:
    """The text with a space in place of each date in it."""
    return _DATE.sub(" ", text[:_MOST_CHARS])


def _weight(match: re.Match[str], before: str, after: str) -> int:
    """How surely a day is one of effect, by the words between it and the days around it; 0 when it is not."""
    before = before[-300:]
    if _TOLD.search(before[-80:]):
        return 0
    if _NAMED.search(before[-80:]):
        return 3
    if not _FROM.search(before[-80:]):
        return 0
    if match["month_4"]:  # a month alone is too vague, but for what ends in it
        return 2 if _ENDS.search(before[-60:]) else 0
    # "From 15 June 2026 it is no longer answered": only what begins with its day is told after it.
    told = before + after[:300] if len(before.strip()) <= _LEADING_CHARS else before
    return 2 if _ENDS.search(told) else 1 if _HAPPENS.search(told + after[:300]) else 0


def _day(match: re.Match[str], published_on: date | None) -> date | None:
    part = {name[:-2]: value for name, value in match.groupdict().items() if value is not None}
    month = part["month"]
    number = int(month) if month.isdecimal() else _MONTHS.index(month[:3].lower()) + 1
    if match["month_5"] and int(part["day"]) <= 12 and int(part["day"]) != number:
        return None  # 03.04.2026 is March or April
    try:
        if "year" in part:
            return date(int(part["year"]), number, int(part.get("day", "1")))
        if published_on is None:
            return None
        days = [date(published_on.year + ahead, number, int(part["day"])) for ahead in (-1, 0, 1)]
    except ValueError:
        return None
    return next((day for day in days if (day - published_on).days >= -60), None)
