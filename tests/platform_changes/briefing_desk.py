"""Briefings over moto: what the other rooms know stands in lists, and a postbox stands where SES stands."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from chalicelib.core.mail import Mailer
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.org.model import Actor, Language, Person
from chalicelib.org.roles import Role
from chalicelib.platform_changes.briefing import MAIL, WRITE, Briefings, Inputs
from chalicelib.platform_changes.briefing_mails import BriefingMails
from chalicelib.platform_changes.briefing_model import Down, Ending
from chalicelib.platform_changes.briefing_page import BriefingPage
from chalicelib.platform_changes.briefing_store import BriefingStore
from chalicelib.platform_changes.model import (
    Kind,
    PlatformChange,
    Sighting,
    Source,
    SourceKind,
    SourceState,
    Touching,
)
from chalicelib.platform_changes.radar import REMIND, Radar
from chalicelib.platform_changes.radar_model import Decision, Judged
from tests.fakes.postbox import Postbox
from tests.fakes.stage import Stage
from tests.org.company import Company

MONDAY = datetime(2026, 11, 30, 6, tzinfo=UTC)  # 07:00 in Warsaw, a week after NOON's
WEEK = "2026-W49"
LINK = re.compile(r"https://signalbox\.test/b/([A-Za-z0-9_-]{43})")
SOURCE = Source(
    "li-changes", "linkedin", SourceKind.PAGE, "LinkedIn: recent changes", "https://learn.example/changes",
    timedelta(hours=6), timedelta(days=2),
)  # fmt: skip


@dataclass
class Desk:
    """The lead lives in Warsaw and reads Polish; `ola` reads English, `hooman` Persian."""

    company: Company
    changes: list[PlatformChange] = field(default_factory=list)
    versions: list[Ending] = field(default_factory=list)
    outages: list[Down] = field(default_factory=list)
    failing: list[SourceState] = field(default_factory=list)
    postbox: Postbox = field(default_factory=Postbox)

    def __post_init__(self) -> None:
        stage, org = self.company.stage, self.company.org
        stage.subscriptions = {"ReachChanged": ()}
        self.inputs = Inputs(
            changes_since=lambda since: [c for c in self.changes if c.seen_at >= since],
            open_changes=lambda: [c for c in self.changes if c.is_open],
            versions=lambda: self.versions,
            outages_since=lambda since: self.outages,
            failing=lambda: self.failing,
            source=lambda key: SOURCE if key == SOURCE.key else None,
            ability=lambda platform, surface: {"create a post": "publish"}.get(surface, ""),
        )
        mailer = cast(Mailer, self.postbox)
        self.store = BriefingStore(stage.database)
        self.briefings = Briefings(stage.kernel, org, self.inputs)
        self.mails = BriefingMails(stage.kernel, org, stage.links, mailer, stage.settings)
        self.page = BriefingPage(stage.kernel, org, self.briefings, stage.links, stage.settings)
        self.radar = Radar(stage.kernel, org, mailer, stage.settings)
        self.ola = self.person("Ola Ość", Role.OPS, "en")
        self.hooman = self.person("هومن", Role.AUTHOR, "fa")

    @property
    def stage(self) -> Stage:
        return self.company.stage

    @property
    def lead(self) -> Actor:
        lead = self.company.lead
        return Actor(lead.person_id, lead.name, self.company.org.grants_of(lead.person_id))

    def person(self, name: str, role: Role, language: str) -> Person:
        made = self.company.person(name, (role, self.company.root))
        fields = {"language": Language(language), "zone": "Europe/Warsaw"}
        return self.company.org.change_person(self.company.operator, made.person_id, **fields)

    def change(self, title: str, **more: Any) -> PlatformChange:
        """A breaking change of LinkedIn that touches twelve accounts, seen now, unless told otherwise."""
        fields: dict[str, Any] = {
            "kind": Kind.BREAKING,
            "text": "",
            "platform": "linkedin",
            "seen_at": self.stage.clock.now(),
            "touching": Touching(("create a post",), 12, 3),
            **more,
        }
        seen = Sighting(SOURCE.key, title, "https://learn.example/changes#one", fields["seen_at"])
        made = PlatformChange(f"change_{len(self.changes)}", title=title, sightings=(seen,), **fields)
        self.changes.append(made)
        return made

    def prospect(self, **more: Any) -> dict[str, Any]:
        """What a person fills in of a new platform."""
        return {
            "name": "Flip", "url": "https://flip.example", "what": "Short videos for teenagers.",
            "audience": Judged(), "policy": Judged(), "effort": Judged(), "risk": Judged(),
            "decision": Decision.WATCH, "why": "", "review_on": date(2026, 12, 7),
            "owner_id": self.ola.person_id, **more,
        }  # fmt: skip

    # Time

    def monday(self) -> None:
        """What the job does now, and the work of next Monday morning."""
        self.briefings.ensure()
        self.stage.clock.set(MONDAY)
        self.work()

    def work(self, **instead: Callable[..., Any]) -> list[str]:
        """Run what is due now; `instead` takes the place of a chore's handler."""
        handlers: dict[str, Handler] = {
            WRITE: self.briefings.write,
            MAIL: self.mails.mail,
            REMIND: self.radar.remind,
            "check_inventory_reach": lambda claim: None,
            **instead,
        }
        worker, ended = Worker(self.stage.kernel, Lane.CHORES, handlers), []
        for _ in range(2):  # a briefing that is written causes its mails
            due = list(self.stage.kernel.timetable.due(Lane.CHORES, self.stage.clock.now()))
            ended += [worker.run(entry_id) for entry_id, _ in due]
        return ended

    # What people have

    def token(self, person: Person) -> str:
        """That of the latest briefing they got."""
        found = [LINK.search(mail.text) for mail in self.postbox.to(person)]
        return str(next(match[1] for match in reversed(found) if match))

    def shown(self, person: Person, **asked: str) -> str:
        return self.page.show(self.token(person), asked, "en").html
