"""A box whose company hears of outages: a status page that says what a test wants, mails, and the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Lane
from chalicelib.core.work import Handler, Worker
from chalicelib.inbox.outage_answers import OutageAnswers
from chalicelib.platform_changes.changes import Changes
from chalicelib.platform_changes.model import Source, SourceKind
from chalicelib.platform_changes.outage_changes import OutageChanges
from chalicelib.platform_changes.outage_receipts import Receipts
from chalicelib.platform_changes.outage_tellings import OutageTellings
from chalicelib.platform_changes.outages import Outage, Outages
from chalicelib.platform_changes.sources.status import Incident
from chalicelib.publishing.outage_posts import OutagePosts
from chalicelib.subscriptions import SUBSCRIPTIONS
from chalicelib.wiring import Services
from tests.fakes.box import Box
from tests.fakes.stage import Stage

EVENTS = {
    "OutageBegan": ("tell_outage", "note_outage"),
    "OutageEnded": ("tell_outage_over", "note_outage"),
}


def page(key: str = "status", platform: str = "mastodon") -> Source:
    """A status page."""
    every, patience = timedelta(minutes=5), timedelta(hours=6)
    return Source(
        key, platform, SourceKind.STATUS, "Status", "https://status.test/summary.json", every, patience,
        "https://status.test",
    )  # fmt: skip


class OutageServices(Services):
    """The box with this room in it."""

    @cached_property
    def kernel(self) -> Kernel:
        kernel = super().kernel
        return Kernel(kernel.database, kernel.queues, self.clock, {**SUBSCRIPTIONS, **EVENTS})

    @cached_property
    def outages(self) -> Outages:
        return Outages(self.kernel, self.org)

    @cached_property
    def changes(self) -> Changes:
        return Changes(self.kernel, self.org, self.accounts, lambda platform: (), lambda platform: None)

    @cached_property
    def outage_changes(self) -> OutageChanges:
        return OutageChanges(self.kernel, self.changes, self.outages)

    @cached_property
    def outage_posts(self) -> OutagePosts:
        return OutagePosts(self.kernel.database, self.post_store)

    @cached_property
    def outage_receipts(self) -> Receipts:
        rooms = (self.outage_posts.became, OutageAnswers(self.reply_store).became)
        return Receipts(self.kernel.database, self.accounts, self.org, rooms)

    @cached_property
    def outage_tellings(self) -> OutageTellings:
        return OutageTellings(
            self.kernel, self.org, self.accounts, self.outages, self.outage_receipts, self.outage_posts.due,
            self.mailer, self.settings,
        )  # fmt: skip

    @cached_property
    def outage_worker(self) -> Worker:
        handlers: dict[str, Handler] = {
            "tell_outage": self.outage_tellings.tell_begun,
            "tell_outage_over": self.outage_tellings.tell_over,
            "note_outage": self.outage_changes.note,
            "end_outage": self.outages.end_unseen,
        }
        return Worker(self.kernel, Lane.CHORES, handlers)


@dataclass
class OutageDesk:
    """A box, and the services of this room over it."""

    box: Box
    services: OutageServices

    @classmethod
    def open(cls, stage: Stage) -> "OutageDesk":
        box = Box.open(stage)
        made = OutageServices(box.services._cloud, stage.clock, box.services.http, stage.settings.stage)
        box.services = made
        return cls(box, made)

    @property
    def now(self) -> datetime:
        return self.box.now

    def looks(self, source: Source | None = None, /, **impacts: str) -> None:
        """One look at a status page that names these incidents: key and impact, or `over`."""
        self.services.outages.heard(source or page(), self.incidents(impacts))

    def incidents(self, impacts: dict[str, str]) -> Sequence[Incident]:
        began_at = self.now - timedelta(minutes=3)
        return [
            Incident(
                key, f"Posting fails ({key})", f"https://status.test/{key}", began_at, self.now,
                "major" if impact == "over" else impact, ("API",), impact == "over", "We look into it.",
            )
            for key, impact in impacts.items()
        ]  # fmt: skip

    def standing(self) -> Outage | None:
        """The one outage that stands, if any does."""
        on = [outage for outage in self.services.outages.page(50)[0] if outage.is_on]
        assert len(on) <= 1
        return on[0] if on else None

    def work(self, kinds: str = "outage") -> list[str]:
        """Run the room's chores that are due; how they ended."""
        due = self.services.kernel.timetable.due(Lane.CHORES, self.now)
        return [self.services.outage_worker.run(e) for e, _ in list(due) if kinds in e]
