"""A briefing in plain words: what a leader can say in a minute, and each thing to do in three lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from chalicelib.accounts.directory import network_name
from chalicelib.core.errors import InvalidInput
from chalicelib.core.letters import Said, counted
from chalicelib.core.words import Words, mark, one_line
from chalicelib.platform_changes.briefing_model import (
    Briefing,
    Down,
    Ending,
    OnRadar,
    Silent,
    Task,
    Told,
)
from chalicelib.platform_changes.model import Kind

KINDS: Mapping[Kind, str] = {
    Kind.BREAKING: mark("something breaks"),
    Kind.OUTAGE: mark("outage"),
    Kind.DEPRECATION: mark("will go away"),
    Kind.LIMIT: mark("new limit"),
    Kind.POLICY: mark("new rules"),
    Kind.METRIC: mark("numbers change"),
    Kind.NEW: mark("something new"),
}
TO_DO: Mapping[Kind, str] = {
    Kind.BREAKING: mark("Have our calls changed before this day. After it they fail."),
    Kind.OUTAGE: mark("Nothing: what is due goes out when it is over."),
    Kind.DEPRECATION: mark("Plan the replacement. It works for now, and will not for ever."),
    Kind.LIMIT: mark("Check whether what we send still fits, and spread it out if not."),
    Kind.POLICY: mark("Read the new rules, and tell everybody who posts or answers there."),
    Kind.METRIC: mark("Expect the numbers to jump, and say so in the reports."),
    Kind.NEW: mark("Look whether it helps us, and decide."),
}
ABILITIES: Mapping[str, str] = {
    "publish": mark("publishing"),
    "reply": mark("answering"),
    "read": mark("reading profiles and numbers"),
    "search": mark("searching"),
    "poll": mark("fetching what comes in"),
    "webhook": mark("hearing what comes in"),
    "subscription": mark("hearing what comes in"),
    "connect": mark("connecting accounts"),
}
MOST_SENTENCES = 6


@dataclass(frozen=True)
class Line:
    """A thing to do as people read it; `name` is what it is about, in the platform's own words."""

    task: Task
    platform: str
    name: str
    to_do: str
    means: str
    who: str
    is_late: bool


def said(w: Any, line: Said) -> Any:
    """A message with its values, by `Words` as text or by `HtmlWords` for a page."""
    message, given = line
    values = dict(given)
    many = values.pop("_many", None)
    return w.say(message, **values) if many is None else w.say_n(message, many, values.pop("n"), **values)


def platform_name(platform: str) -> str:
    """What people call a platform; its own name for one that we are not on."""
    try:
        return network_name(platform)
    except InvalidInput:
        return one_line(platform)


def day(words: Words, on: date) -> str:
    """`30 November 2026`."""
    # Python formats in the C locale, whatever the machine's: its English names are the catalogue's messages.
    return words.say(
        "%(day)s %(month)s %(year)s",
        day=words.number(on.day),
        month=words.say(f"{on:%B}"),
        year=words.number(on.year),
    )


def listed(words: Words, parts: Iterable[str]) -> str:
    return words.say(", ").join(dict.fromkeys(parts))


def accounts(words: Words, n: int) -> str:
    return words.say_n("%(n)s account", "%(n)s accounts", n)


def length(words: Words, lasted_for: timedelta) -> str:
    """Whole minutes below two hours, whole hours below two days, then days."""
    minutes = max(1, round(lasted_for / timedelta(minutes=1)))
    if minutes < 120:
        return words.say_n("%(n)s minute", "%(n)s minutes", minutes)
    if minutes < 48 * 60:
        return words.say_n("%(n)s hour", "%(n)s hours", round(minutes / 60))
    return words.say_n("%(n)s day", "%(n)s days", round(minutes / 1440))


def means(words: Words, told: Told) -> str:
    """What a change means for us: which of our work, on how many accounts, of how many units."""
    if not told.touches:
        return words.say("It touches nothing of ours that we know of.")
    return words.say(
        "For us: %(surfaces)s, %(accounts)s, %(units)s.",
        surfaces=_surfaces(words, told),
        accounts=accounts(words, told.accounts),
        units=words.say_n("%(n)s unit", "%(n)s units", told.units),
    )


def _surfaces(words: Words, told: Told) -> str:
    known = tuple(words.say(ABILITIES[a]) for a in told.abilities if a in ABILITIES)
    return listed(words, known) or words.say("something we use")


def lines(words: Words, briefing: Briefing) -> list[Line]:
    """The things to do, by date."""
    return [_line(words, briefing, task) for task in briefing.tasks]


def _line(words: Words, briefing: Briefing, task: Task) -> Line:
    about, meaning = task.about, ""
    match about:
        case Told():
            platform, name = platform_name(about.platform), one_line(about.title)
            to_do, meaning = words.say(TO_DO[about.kind]), means(words, about)
        case Ending():
            platform = platform_name(about.platform)
            name = words.say("Version %(version)s ends", version=about.version)
            to_do = words.say("Move to a newer version before this day, and try it out.")
            if about.set_in:
                to_do = words.say("Set a newer version in %(setting)s before this day.", setting=about.set_in)
            affected = accounts(words, about.accounts)
            meaning = words.say("Otherwise this stops: %(accounts)s.", accounts=affected)
        case OnRadar():
            platform, name = words.say("New platform"), one_line(about.name)
            to_do = words.say("Look at its evaluation again, and decide.")
        case Silent():
            platform, name = platform_name(about.platform), one_line(about.name)
            to_do = words.say("Read it by hand, and correct its address or switch it off.")
            meaning = words.say("Until then we may hear late what changes there.")
    is_late = task.on is not None and task.on < briefing.on
    return Line(task, platform, name, to_do, meaning, one_line(task.owner), is_late)


def minute(words: Words, briefing: Briefing) -> list[Said]:
    """What a leader can say in a minute: three to six sentences; two of a quiet week."""
    if briefing.is_quiet:
        return [
            (mark("It was a quiet week: nothing changed at our platforms that concerns us."), {}),
            _next(words, briefing),
        ]
    top = briefing.touching[0] if briefing.touching else None
    sentences = [_first(briefing)]
    if top is not None:
        sentences += _top(words, top)
    sentences += _ending(words, briefing, top)
    sentences += _outages(words, briefing)
    sentences += _who(words, briefing)
    if briefing.silent:
        sentences.append(
            counted(
                "%(n)s of the places where platforms announce changes cannot be read.",
                "%(n)s of the places where platforms announce changes cannot be read.",
                len(briefing.silent),
            )
        )
    if len(sentences) < 3:
        sentences.append(_next(words, briefing))
    return sentences[:MOST_SENTENCES]


def _first(briefing: Briefing) -> Said:
    if not briefing.touching:
        return mark("No new change at our platforms concerns us this week."), {}
    return counted(
        "%(n)s change at our platforms concerns us this week.",
        "%(n)s changes at our platforms concern us this week.",
        len(briefing.touching),
    )


def _top(words: Words, top: Told) -> Iterator[Said]:
    named = {"platform": platform_name(top.platform), "title": one_line(top.title)}
    yield mark("The most important one is from %(platform)s: “%(title)s”."), named
    values = {"surfaces": _surfaces(words, top), "accounts": accounts(words, top.accounts)}
    if top.effective_on is None:
        yield mark("It has no date yet; it is about %(surfaces)s on %(accounts)s."), values
    else:
        values["day"] = day(words, top.effective_on)
        yield mark("It takes effect on %(day)s and is about %(surfaces)s on %(accounts)s."), values


def _ending(words: Words, briefing: Briefing, top: Told | None) -> Iterator[Said]:
    """The first of our versions to end, unless it has just been spoken of."""
    for ending in briefing.versions:
        is_told = top is not None and top.platform == ending.platform and ending.version in top.versions
        if is_told:
            continue
        values = {
            "platform": platform_name(ending.platform),
            "version": ending.version,
            "day": day(words, ending.ends_on),
            "accounts": accounts(words, ending.accounts),
        }
        said_of_it = mark("Version %(version)s of %(platform)s ends on %(day)s; we use it for %(accounts)s.")
        if ending.ends_on <= briefing.on:
            said_of_it = mark(
                "Version %(version)s of %(platform)s ended on %(day)s; we use it: %(accounts)s."
            )
        yield said_of_it, values
        return


def _outages(words: Words, briefing: Briefing) -> Iterator[Said]:
    if not briefing.outages:
        return
    lasting = [down for down in briefing.outages if down.ended_at is None]
    worst = lasting[0] if lasting else max(briefing.outages, key=lambda d: _lasted(briefing, d))
    values = {"platform": platform_name(worst.platform), "length": length(words, _lasted(briefing, worst))}
    if lasting:
        yield mark("%(platform)s is down, for %(length)s so far."), values
    elif len(briefing.outages) == 1:
        yield mark("%(platform)s was down for %(length)s; that is over."), values
    else:
        yield counted(
            "There was %(n)s outage, of %(length)s at %(platform)s.",
            "There were %(n)s outages, the longest at %(platform)s: %(length)s.",
            len(briefing.outages),
            **values,
        )


def _lasted(briefing: Briefing, down: Down) -> timedelta:
    return (down.ended_at or briefing.until) - down.began_at


def _who(words: Words, briefing: Briefing) -> Iterator[Said]:
    """How many things nobody does yet, and who does the next of the others."""
    dated = [line for line in lines(words, briefing) if line.task.on is not None]
    free = sum(not line.who for line in dated)
    if free:
        yield counted(
            "%(n)s thing with a date has nobody yet: who takes it?",
            "%(n)s things with a date have nobody yet: who takes them?",
            free,
        )
    mine = next((line for line in dated if line.who), None)
    if mine is not None and mine.task.on is not None:
        values = {"person": mine.who, "title": mine.name, "day": day(words, mine.task.on)}
        yield mark("By %(day)s, %(person)s takes care of “%(title)s”."), values


def _next(words: Words, briefing: Briefing) -> Said:
    for line in lines(words, briefing):
        if line.task.on is not None:
            values = {"day": day(words, line.task.on), "platform": line.platform, "title": line.name}
            return mark("The next date is %(day)s, for %(platform)s: “%(title)s”."), values
    return mark("No date lies ahead that we know of."), {}
