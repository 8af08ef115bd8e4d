"""What the holder of a link is shown: one of a few situations, and the facts that its page tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.approvals.model import Preview, Request
from chalicelib.org.model import Person


class Seen(StrEnum):
    """What a link leads to, for its holder."""

    DEAD = "dead"  # used, expired, unknown, revoked or for something else: nobody is told which
    OPEN = "open"
    DECIDED = "decided"  # just now, by this very request
    ALREADY = "already"  # by this person, before
    SETTLED = "settled"  # by others
    STALE = "stale"  # the post was changed since
    CODE_WANTED = "code_wanted"
    CODE_WRONG = "code_wrong"


@dataclass(frozen=True)
class View:
    """What the page shows. Everything but `seen` is None for a dead link.

    `names` are of everybody who decided; `newer` is the request that took over from a stale one, and
    `asked_again` whether this person was asked in it.
    """

    seen: Seen
    person: Person | None = None
    request: Request | None = None
    preview: Preview | None = None
    proof: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    newer: Request | None = None
    asked_again: bool = False
    code_sent: bool = False
    tries_left: int = 0


DEAD = View(Seen.DEAD)
