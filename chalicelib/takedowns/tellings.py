"""Mails about a case: what happened or what is to do, and the link to its page.

No evidence and no text of the report is in a mail. One may come twice after a crash; a step is made once.
"""

from datetime import datetime, timedelta

from chalicelib.core.errors import NotFound
from chalicelib.core.history import BY_JOB, SYSTEM
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.links import Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.takedowns.model import HARM_MEANS, Case, EvidenceKind, State, said
from chalicelib.takedowns.store import CaseStore, Whole
from chalicelib.takedowns.words import EVIDENCE, KINDS, STATES, TO_DO, line_of, subject_of

PURPOSE = "case"
LINK_WORKS_FOR = timedelta(days=90)

_BY = mark("%(who)s says so.")
_PASSED_UP_AT_ONCE = mark("You get this because the case is critical. Its owner is %(owner)s.")


class CaseTellings:
    def __init__(
        self, kernel: Kernel, org: Org, links: Links, store: CaseStore, mailer: Mailer, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._links = links
        self._store = store
        self._mailer = mailer
        self._settings = settings

    def tell_case(self, claim: Claim) -> None:
        """Mail one person about one change of a case, or about what is to do there.

        A mail about what is to do is left out when the case has moved on, or has ended, since.
        """
        args = claim.entry.args
        whole = self._store.whole(claim.entry.ref)
        case, what = whole.case, args["what"]
        if what == "chased" and (not case.is_open or str(case.steps) != args["step"]):
            return
        person = self._person(args["person"])
        if person is None or person.status == Status.LEFT:
            return
        token = self._mint(case, person)
        url = f"{self._settings.public_url}/c/{token}"
        self._mailer.send(self._letter(person, whole, what, int(args["step"]), args["by"], url))

    def _mint(self, case: Case, person: Person) -> str:
        change = self._kernel.change(BY_JOB)
        expires_at = change.now + LINK_WORKS_FOR
        token, write = self._links.mint(PURPOSE, case.case_id, person.person_id, "", expires_at)
        change.add(write)
        change.record(f"case#{case.case_id}", "link sent", to=person.person_id)
        self._kernel.commit(change)
        return token

    def _letter(self, person: Person, whole: Whole, what: str, place: int, by_id: str, url: str) -> Mail:
        words, case = Words(person.language), whole.case
        named = {"handle": case.handle, "platform": case.platform}
        is_step = what in set(State)
        lines: list[Said] = [(said(whole.steps, place), {})] if is_step else []
        lines += self._lines(words, person, case, what, by_id)
        facts = [
            (mark("Account"), case.url or case.handle),
            (mark("Kind"), words.say(KINDS[case.kind])),
            (mark("Harm"), words.say(HARM_MEANS[case.harm])),
            (mark("Stands at"), words.say(STATES[case.state])),
            (mark("Reference"), case.reference),
            (mark("Next mail"), words.moment(case.chase_at, person.zone) if case.chase_at else ""),
        ]
        return letter(
            words,
            self._settings.company,
            person.email,
            (subject_of(what), named),
            lines,
            facts=facts,
            quote=whole.steps[place - 1].why if is_step else "",
            button=(mark("Open the case"), url),
            after=[(mark("Case number: %(id)s"), {"id": case.case_id})],
        )

    def _lines(self, words: Words, person: Person, case: Case, what: str, by_id: str) -> list[Said]:
        now = self._kernel.clock.now()
        lines: list[Said] = []
        if line_of(what):
            lines.append((line_of(what), self._values(words, case, what, person, now)))
        if by_id != SYSTEM and what != "chased":
            lines.append((_BY, {"who": self._name(by_id)}))
        if case.is_open:
            lines.append((TO_DO[case.state], {}))
        if what == "chased" and person.person_id != case.owner_id and case.owner_id:
            owner = self._name(case.owner_id)
            lines.append(_passed_up(max(0, case.chases - 1), owner))
        return lines

    def _values(
        self, words: Words, case: Case, what: str, person: Person, now: datetime
    ) -> dict[str, object]:
        match what:
            case "chased":
                return {"since": words.moment(case.at, person.zone)}
            case "please_look":
                return {"n": words.number((now - (case.ended_at or now)).days)}
        if what.startswith("evidence_"):
            return {"kind": words.say(EVIDENCE[EvidenceKind(what.removeprefix("evidence_"))])}
        return {}

    def _person(self, person_id: str) -> Person | None:
        try:
            return self._org.person(person_id)
        except NotFound:
            return None

    def _name(self, person_id: str) -> str:
        person = self._person(person_id)
        return person.name if person else person_id


def _passed_up(mails: int, owner: str) -> Said:
    """Why somebody above the owner gets the mail."""
    if not mails:
        return _PASSED_UP_AT_ONCE, {"owner": owner}
    return counted(
        "You get this because the case still waits after %(n)s mail to its owner, %(owner)s.",
        "You get this because the case still waits after %(n)s mails to its owner, %(owner)s.",
        mails,
        owner=owner,
    )
