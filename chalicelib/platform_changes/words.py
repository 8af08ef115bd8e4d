"""What people read of a change, in mails and on its page; messages for the catalogue."""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.words import Words, mark
from chalicelib.platform_changes.briefing_words import KINDS, accounts, day
from chalicelib.platform_changes.model import Kind, PlatformChange, Status

MEANS: Mapping[Kind, str] = {
    Kind.BREAKING: mark("What we do there now stops working, unless our code changes before."),
    Kind.OUTAGE: mark("The platform does not work as usual at the moment."),
    Kind.DEPRECATION: mark(
        "It still works. The platform has said that it will end, so our code has to change in time."
    ),
    Kind.LIMIT: mark("How much or how often we may send or read changes."),
    Kind.POLICY: mark("What we are allowed to do there changes: somebody has to read the new terms."),
    Kind.METRIC: mark("A number is counted differently, so that it cannot be compared with the time before."),
    Kind.NEW: mark("Something can be used that could not be used before."),
}
STATUSES: Mapping[Status, str] = {
    Status.NEW: mark("nobody has looked at it yet"),
    Status.TRIAGED: mark("ours, not planned yet"),
    Status.PLANNED: mark("planned"),
    Status.DONE: mark("done"),
    Status.NOT_OURS: mark("does not concern us"),
}


def surfaces(words: Words, change: PlatformChange) -> str:
    """The calls of ours that it touches, by their names."""
    return ", ".join(words.say(name) for name in change.touching.surfaces)


def facts(words: Words, change: PlatformChange, network: str, owner: str) -> list[tuple[str, Any]]:
    """What stands in the facts of a mail and of the page: a message and its value, which may be empty."""
    return [
        (mark("Network"), network),
        (mark("Kind"), words.say(KINDS[change.kind])),
        (mark("Takes effect"), day(words, change.effective_on) if change.effective_on else ""),
        (mark("Concerns"), surfaces(words, change)),
        (mark("Accounts behind it"), accounts(words, change.touching.accounts) if change.touching else ""),
        (mark("Stands at"), words.say(STATUSES[change.status])),
        (mark("Who does it"), owner),
        (mark("Planned for"), day(words, change.due_on) if change.due_on and change.is_open else ""),
    ]
