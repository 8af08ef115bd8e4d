"""The radar: new platforms are put on it, judged, decided about, and looked at again on their day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.letters import letter
from chalicelib.core.mail import Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.org.line import leads
from chalicelib.org.model import Actor, Person, Status
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platform_changes import briefing_words as plain
from chalicelib.platform_changes.briefing_store import BriefingStore
from chalicelib.platform_changes.radar_model import DECISIONS, UNDECIDED, Decision, Prospect

REMIND = "remind_radar"
_REMINDED_AT = time(8)
_LATEST_FOR = timedelta(days=730)


class Radar:
    def __init__(self, kernel: Kernel, org: Org, mailer: Mailer, settings: Settings) -> None:
        self._kernel = kernel
        self._org = org
        self._mailer = mailer
        self._company = settings.company
        self._store = BriefingStore(kernel.database)

    def all(self) -> list[Prospect]:
        """Every platform on the radar, in the order in which they were added."""
        return self._store.prospects()

    def get(self, prospect_id: str) -> Prospect:
        """Raises NotFound."""
        return self._store.prospect(prospect_id)

    def add(self, actor: Actor, fields: Mapping[str, Any]) -> Prospect:
        """Put a platform on the radar; `fields` are those that a person fills in. Raises InvalidInput."""
        actor.require_on(Right.CHANGES_WRITE)
        owner = self._checked(fields)
        change = self._org.begin(actor, [owner.person_id])
        made = Prospect(
            prospect_id=new_id("prospect", change.now),
            added_at=change.now,
            judged_at=change.now,
            judged_by=actor.person_id,
            **fields,
        )
        return self._save(change, made, owner, 0, "put on the radar")

    def judge(self, actor: Actor, prospect_id: str, fields: Mapping[str, Any], seen: int) -> Prospect:
        """Replace what a person fills in. Raises NotFound, InvalidInput, and Conflict unless `seen` is the
        latest version.
        """
        actor.require_on(Right.CHANGES_WRITE)
        before, owner = self._store.prospect(prospect_id), self._checked(fields)
        if before.version != seen:
            raise Conflict("somebody else changed this meanwhile; look again and repeat your change")
        change = self._org.begin(actor, [owner.person_id])
        judged = replace(before, judged_at=change.now, judged_by=actor.person_id, **fields)
        return self._save(change, judged, owner, seen, "judged")

    def remove(self, actor: Actor, prospect_id: str) -> None:
        """Take it off the radar. Raises NotFound."""
        actor.require_on(Right.CHANGES_WRITE)
        before = self._store.prospect(prospect_id)
        change = self._org.begin(actor)
        self._store.drop_prospect(change, before)
        change.unschedule(f"{REMIND}#{prospect_id}")
        change.record(f"radar#{prospect_id}", "taken off the radar", name=before.name)
        self._kernel.commit(change)

    def remind(self, claim: Claim) -> None:
        """Mail whoever looks after it that its day has come, or the leads where they are not here."""
        try:
            prospect = self._store.prospect(claim.entry.ref)
        except NotFound:
            return
        now = self._kernel.clock.now()
        owner = self._org.stand_in(prospect.owner_id, now)
        for person in [owner] if owner else leads(self._org, self._org.units()[0].unit_id, now):
            self._tell(person, prospect)

    def _save(self, change: Change, prospect: Prospect, owner: Person, seen: int, what: str) -> Prospect:
        saved = self._store.save_prospect(change, prospect, seen)
        if saved.review_on is None:
            change.unschedule(f"{REMIND}#{saved.prospect_id}")
        else:
            due_at = datetime.combine(saved.review_on, _REMINDED_AT, ZoneInfo(owner.zone))
            change.chore(REMIND, saved.prospect_id, due_at.astimezone(UTC), saved.prospect_id)
        change.record(f"radar#{saved.prospect_id}", what, decision=str(saved.decision), name=saved.name)
        self._kernel.commit(change)
        return saved

    def _checked(self, fields: Mapping[str, Any]) -> Person:
        """The owner. Raises InvalidInput with all that is wrong with what a person filled in."""
        problems, owner = [], None
        try:
            owner = self._org.person(fields["owner_id"])
        except NotFound as error:
            problems.append(Problem("owner_id", error.message))
        if owner is not None and owner.status == Status.LEFT:
            problems.append(Problem("owner_id", f"{owner.name} has left; name somebody who is here"))
        now, on = self._kernel.clock.now(), fields["review_on"]
        today = owner.today(now) if owner else now.date()
        if on is None and fields["decision"] in UNDECIDED:
            problems.append(Problem("review_on", "say on which day this is looked at again"))
        elif on is not None and not today < on <= today + _LATEST_FOR:
            problems.append(Problem("review_on", "must be a day to come, within two years"))
        if fields["decision"] == Decision.REFUSE and not fields["why"]:
            problems.append(Problem("why", "say why, for whoever asks again in a year"))
        if problems or owner is None:
            raise InvalidInput(problems)
        return owner

    def _tell(self, person: Person, prospect: Prospect) -> None:
        words, named = Words(person.language), {"name": prospect.name}
        mail = letter(
            words,
            self._company,
            person.email,
            (mark("Look again: %(name)s"), named),
            [
                (mark("Today is the day on which %(name)s is looked at again."), named),
                (mark("Judge its audience, rules, effort and risk anew, and decide."), {}),
            ],
            facts=[
                (mark("Decided so far"), words.say(DECISIONS[prospect.decision])),
                (mark("Reason"), prospect.why),
                (mark("Judged on"), plain.day(words, prospect.judged_at.date())),
                (mark("Address"), prospect.url),
            ],
            after=[(mark("Number on the radar: %(id)s"), {"id": prospect.prospect_id})],
        )
        self._mailer.send(mail)
