"""Who is asked about candidates, and the weekly mail with a link to their page.

A unit's own district manager, else the next one up, else the lead. Nobody is mailed when nothing is new.
A mail may come twice after a crash; each has a link of its own, which works for two weeks.
"""

from datetime import timedelta

from chalicelib.accounts.directory import network_name
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import NotFound, SignalboxError
from chalicelib.core.history import BY_JOB, Way
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import counted, letter
from chalicelib.core.links import Links
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.core.work import Later
from chalicelib.discovery.candidates import Candidates
from chalicelib.discovery.model import Candidate, State
from chalicelib.discovery.store import Place
from chalicelib.org.line import managers
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.service import Org

PURPOSE = "triage"
WORKS_FOR = timedelta(days=14)
AT_ONCE = 25  # candidates on a page
_IN_A_MAIL = 5
_RETRY_FOR = timedelta(minutes=2)

_SMALL_PRINT = mark("Opening the page decides nothing; only its buttons do. Please do not forward this mail.")


class Asking:
    def __init__(
        self,
        kernel: Kernel,
        org: Org,
        accounts: Accounts,
        candidates: Candidates,
        links: Links,
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._candidates = candidates
        self._links = links
        self._mailer = mailer
        self._settings = settings

    def mail_triage(self, claim: Claim) -> None:
        """One mail to everybody who has candidates to decide on. Raises Later while some were not sent."""
        told = set(filter(None, claim.entry.args.get("told", "").split(",")))
        failure: SignalboxError | None = None
        for person_id, places in self._by_person().items():
            if person_id in told:
                continue
            try:
                self._send(person_id, places)
                told.add(person_id)
            except SignalboxError as error:
                failure = error
        if failure is not None:
            args = {**claim.entry.args, "told": ",".join(sorted(told))}
            raise Later(self._kernel.clock.now() + _RETRY_FOR, args) from failure

    def of_link(self, token: str) -> Actor | None:
        """Who a link was sent to, with what they hold now; None for a link that does not work."""
        link = self._links.find(token, PURPOSE)
        if link is None or link.expires_at <= self._kernel.clock.now():
            return None
        person = self._person(link.person_id)
        if person is None:
            return None
        return Actor(person.person_id, person.name, self._org.grants_of(person.person_id), Way.LINK)

    def waiting(self, person_id: str) -> tuple[list[Candidate], int]:
        """The likeliest of the candidates that somebody is asked about, and how many there are in all."""
        places = self._by_person().get(person_id, [])
        likeliest = sorted(places, key=lambda place: (-place.score, place.candidate_id))[:AT_ONCE]
        found = self._candidates.store.get_many(place.candidate_id for place in likeliest)
        shown = [found[p.candidate_id] for p in likeliest if p.candidate_id in found]
        return [c for c in shown if c.state == State.NEW], len(places)

    def _by_person(self) -> dict[str, list[Place]]:
        """The places of all that nobody has decided on, by who is asked."""
        found: dict[str, list[Place]] = {}
        asked: dict[str, list[str]] = {}
        now = self._kernel.clock.now()
        for place in self._candidates.store.places(State.NEW):
            if place.unit_id not in asked:
                people = managers(self._org, place.unit_id, now)
                asked[place.unit_id] = [person.person_id for person in people]
            for person_id in asked[place.unit_id]:
                found.setdefault(person_id, []).append(place)
        return found

    def _send(self, person_id: str, places: list[Place]) -> None:
        person = self._org.person(person_id)
        likeliest = sorted(places, key=lambda place: (-place.score, place.candidate_id))[:_IN_A_MAIL]
        found = self._candidates.store.get_many(place.candidate_id for place in likeliest)
        change = self._kernel.change(BY_JOB)
        ends_at = change.now + WORKS_FOR
        token, write = self._links.mint(PURPOSE, f"person#{person_id}", person_id, "", ends_at)
        change.add(write)
        change.record(f"person#{person_id}", "asked about candidates", candidates=len(places))
        self._kernel.commit(change)
        url = f"{self._settings.public_url}/q/{token}"
        shown = [found[p.candidate_id] for p in likeliest if p.candidate_id in found]
        self._mailer.send(self._mail(person, shown, len(places), url))

    def _mail(self, person: Person, shown: list[Candidate], count: int, url: str) -> Mail:
        words = Words(person.language)
        return letter(
            words,
            self._settings.company,
            person.email,
            counted("%(n)s profile looks like ours", "%(n)s profiles look like ours", count),
            [
                counted(
                    "We found %(n)s profile that looks like ours. Is it?",
                    "We found %(n)s profiles that look like ours. Are they?",
                    count,
                ),
            ],
            facts=[(network_name(c.platform), f"{c.handle}: {strongest(c, words)}") for c in shown],
            button=(mark("Look at them"), url),
            after=[(_SMALL_PRINT, {})],
        )

    def _person(self, person_id: str) -> Person | None:
        try:
            person = self._org.person(person_id)
        except NotFound:
            return None
        return None if person.status == Status.LEFT else person


def strongest(candidate: Candidate, words: Words) -> str:
    """The reason that counts most, as a sentence."""
    return candidate.reasons[0].said(words) if candidate.reasons else ""
