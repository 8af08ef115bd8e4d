"""What people read of a case, in mails and on its page; messages for the catalogue."""

from collections.abc import Mapping

from chalicelib.core.words import mark
from chalicelib.takedowns.model import EvidenceKind, Kind, State

KINDS: Mapping[Kind, str] = {
    Kind.IMPERSONATION: mark("impersonation"),
    Kind.TRADEMARK: mark("trademark"),
    Kind.FRAUD: mark("fraud"),
    Kind.ABANDONED: mark("abandoned account"),
}
STATES: Mapping[State, str] = {
    State.OPENED: mark("opened"),
    State.SUBMITTED: mark("handed in"),
    State.ANSWERED: mark("platform answered"),
    State.REFUSED: mark("refused"),
    State.REOPENED: mark("opened again"),
    State.REMOVED: mark("removed"),
    State.WITHDRAWN: mark("withdrawn"),
    State.CLOSED: mark("closed"),
}
TO_DO: Mapping[State, str] = {
    State.OPENED: mark(
        "Hand the report in: the page has the platform's form, filled in. Then note its number there."
    ),
    State.REOPENED: mark("It is back. Hand the report in again, and note the new number on the page."),
    State.SUBMITTED: mark(
        "The platform has had its usual time. Ask it again, and note on the page what it answers."
    ),
    State.ANSWERED: mark("The platform waits for us. Send it what it asked for, and note that on the page."),
    State.REFUSED: mark("Hand it in again, with more evidence or by another way, or close the case."),
    State.REMOVED: mark("Nothing. It is looked at again by itself."),
    State.WITHDRAWN: mark("Nothing."),
    State.CLOSED: mark("Nothing."),
}
EVIDENCE: Mapping[EvidenceKind, str] = {
    EvidenceKind.SCREEN: mark("picture of the screen"),
    EvidenceKind.PROFILE: mark("profile as it was"),
    EvidenceKind.LINK: mark("link"),
    EvidenceKind.NOTE: mark("note"),
}
SUBJECTS: Mapping[str, str] = {
    "opened": mark("New takedown case: %(handle)s on %(platform)s"),
    "submitted": mark("Report handed in: %(handle)s on %(platform)s"),
    "answered": mark("The platform answered: %(handle)s on %(platform)s"),
    "refused": mark("The platform refused: %(handle)s on %(platform)s"),
    "reopened": mark("It is back: %(handle)s on %(platform)s"),
    "removed": mark("Removed: %(handle)s on %(platform)s"),
    "withdrawn": mark("Case withdrawn: %(handle)s on %(platform)s"),
    "closed": mark("Case closed: %(handle)s on %(platform)s"),
    "amended": mark("Case changed: %(handle)s on %(platform)s"),
    "chased": mark("Please act: %(handle)s on %(platform)s"),
    "please_look": mark("Please look whether it is back: %(handle)s on %(platform)s"),
    "still_there": mark("Still there: %(handle)s on %(platform)s"),
}
_EVIDENCE_SUBJECT = mark("New evidence: %(handle)s on %(platform)s")
_LINES: Mapping[str, str] = {
    "amended": mark("The case's harm, owner or details were changed."),
    "chased": mark("This case has waited since %(since)s."),
    "please_look": mark(
        "This profile was removed %(n)s days ago. We cannot read profiles there, so please open its address "
        "and say on the page whether it is back."
    ),
    "still_there": mark(
        "The platform refused to remove it, and it is still there. Open the case again if it does harm."
    ),
}
_EVIDENCE_LINE = mark("Something was added to the evidence: %(kind)s.")


def subject_of(what: str) -> str:
    """The message of a mail's subject, with places for handle and platform."""
    return SUBJECTS.get(what, _EVIDENCE_SUBJECT)


def line_of(what: str) -> str:
    """The message of a mail's first line; empty where the step itself says it."""
    return _EVIDENCE_LINE if what.startswith("evidence_") else _LINES.get(what, "")
