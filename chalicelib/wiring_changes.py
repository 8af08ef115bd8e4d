"""The part of the object graph that is about what changes at the platforms: sources, signals, versions,
outages, briefings.

wiring.py says what the graph is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_posting import PostingServices

if TYPE_CHECKING:
    from chalicelib.core.objects import Objects
    from chalicelib.core.work import Handler
    from chalicelib.platform_changes.briefing import Briefings
    from chalicelib.platform_changes.briefing_mails import BriefingMails
    from chalicelib.platform_changes.briefing_page import BriefingPage
    from chalicelib.platform_changes.changes import Changes
    from chalicelib.platform_changes.model import Source
    from chalicelib.platform_changes.outage_changes import OutageChanges
    from chalicelib.platform_changes.outage_receipts import Receipts
    from chalicelib.platform_changes.outage_tellings import OutageTellings
    from chalicelib.platform_changes.outages import Outages
    from chalicelib.platform_changes.page import ChangePage
    from chalicelib.platform_changes.radar import Radar
    from chalicelib.platform_changes.rulebook import Rulebook
    from chalicelib.platform_changes.signals import Signals
    from chalicelib.platform_changes.source_settings import Sources
    from chalicelib.platform_changes.source_tellings import SourceTellings
    from chalicelib.platform_changes.tellings import ChangeTellings
    from chalicelib.platform_changes.tracker import Tracker
    from chalicelib.platform_changes.version_tellings import VersionTellings
    from chalicelib.platform_changes.versions import VersionRegister
    from chalicelib.platforms.signals import Signal
    from chalicelib.webhooks.unknown import Counts


class ChangesServices(PostingServices):
    """Platform changes."""

    # The register, and what fills it

    @cached_property
    def changes(self) -> Changes:
        from chalicelib.platform_changes.changes import Changes
        from chalicelib.platforms import registry

        def version_of(platform: str) -> str | None:
            traits = registry.versioned(platform)
            return traits.version if traits else None

        return Changes(self.kernel, self.org, self.accounts, registry.surfaces, version_of)

    @cached_property
    def change_rules(self) -> Rulebook:
        from chalicelib.platform_changes.rulebook import Rulebook

        return Rulebook(self.kernel, self.org)

    @cached_property
    def change_sources(self) -> Sources:
        from chalicelib.platform_changes.source_settings import Sources
        from chalicelib.platform_changes.sources.catalogue import sources

        def servers(platform: str) -> list[str]:
            return [a.server for a in self.accounts.everyone() if a.platform == platform]

        return Sources(self.kernel, self.org, sources(), servers, self.settings.allowed_hosts)

    @cached_property
    def change_tracker(self) -> Tracker:
        from chalicelib.platform_changes.sources.reader import reader
        from chalicelib.platform_changes.sources.status import incidents
        from chalicelib.platform_changes.tracker import Tracker

        return Tracker(
            self.kernel,
            self.org,
            self.change_sources,
            self.changes,
            self._snapshots,
            self.http,
            reader,
            incidents,
            self.outages.heard,
        )

    @cached_property
    def change_tellings(self) -> ChangeTellings:
        from chalicelib.platform_changes.tellings import ChangeTellings

        return ChangeTellings(
            self.kernel,
            self.org,
            self.links,
            self.changes,
            self.mailer,
            self.settings,
            self.platform_versions.counts_down,
        )

    @cached_property
    def source_tellings(self) -> SourceTellings:
        from chalicelib.platform_changes.source_tellings import SourceTellings

        return SourceTellings(self.kernel, self.org, self.change_sources, self.mailer, self.settings)

    @cached_property
    def change_page(self) -> ChangePage:
        from chalicelib.platform_changes.page import ChangePage

        return ChangePage(self.kernel, self.org, self.links, self.changes, self.settings)

    @cached_property
    def _snapshots(self) -> Objects:
        from chalicelib.core.objects import Objects

        return Objects(self._cloud.s3, self.settings.media_bucket)

    # Our own traffic

    @cached_property
    def counts(self) -> Counts:
        from chalicelib.webhooks.unknown import Counts

        return Counts(self.kernel)

    @cached_property
    def platform_signals(self) -> Signals:
        from chalicelib.platform_changes.signals import Signals

        return Signals(self.kernel, self.changes.record, lambda: self.counts.all("unknown"))

    def heard(self, signal: Signal) -> None:
        self.platform_signals.heard(signal)

    # Versions

    @cached_property
    def platform_versions(self) -> VersionRegister:
        from chalicelib.platform_changes.version_tables import VersionTables
        from chalicelib.platform_changes.versions import VersionRegister
        from chalicelib.platforms import registry

        tables = VersionTables(self._snapshots, self.change_sources.all, registry.version_family)
        return VersionRegister(
            self.kernel,
            self.org,
            self.accounts,
            registry.all_names(),
            registry.versioned,
            tables.rows,
            self.changes.record,
        )

    @cached_property
    def version_tellings(self) -> VersionTellings:
        from chalicelib.platform_changes.version_tellings import VersionTellings

        return VersionTellings(self.kernel, self.org, self.platform_versions, self.mailer, self.settings)

    # Outages

    @cached_property
    def outages(self) -> Outages:
        from chalicelib.platform_changes.outages import Outages

        return Outages(self.kernel, self.org)

    @cached_property
    def outage_changes(self) -> OutageChanges:
        from chalicelib.platform_changes.outage_changes import OutageChanges

        return OutageChanges(self.kernel, self.changes, self.outages)

    @cached_property
    def outage_receipts(self) -> Receipts:
        from chalicelib.inbox.outage_answers import OutageAnswers
        from chalicelib.platform_changes.outage_receipts import Receipts
        from chalicelib.publishing.outage_posts import OutagePosts

        posts, answers = OutagePosts(self.kernel.database, self.post_store), OutageAnswers(self.reply_store)
        return Receipts(self.kernel.database, self.accounts, self.org, (posts.became, answers.became))

    @cached_property
    def outage_tellings(self) -> OutageTellings:
        from chalicelib.platform_changes.outage_tellings import OutageTellings
        from chalicelib.publishing.outage_posts import OutagePosts

        return OutageTellings(
            self.kernel,
            self.org,
            self.accounts,
            self.outages,
            self.outage_receipts,
            OutagePosts(self.kernel.database, self.post_store).due,
            self.mailer,
            self.settings,
        )

    # What the team reads

    @cached_property
    def briefings(self) -> Briefings:
        from chalicelib.core.errors import NotFound
        from chalicelib.platform_changes.briefing import Briefings, Inputs
        from chalicelib.platforms import registry

        def source(key: str) -> Source | None:
            try:
                return self.change_sources.get(key).source
            except NotFound:
                return None

        def ability(platform: str, name: str) -> str:
            return next((s.ability for s in registry.surfaces(platform) if s.name == name), "")

        inputs = Inputs(
            changes_since=self.changes.since,
            open_changes=self.changes.open,
            versions=self.platform_versions.lines,
            outages_since=self.outages.since,
            failing=self.change_tracker.failing,
            source=source,
            ability=ability,
        )
        return Briefings(self.kernel, self.org, inputs)

    @cached_property
    def briefing_mails(self) -> BriefingMails:
        from chalicelib.platform_changes.briefing_mails import BriefingMails

        return BriefingMails(self.kernel, self.org, self.links, self.mailer, self.settings)

    @cached_property
    def briefing_page(self) -> BriefingPage:
        from chalicelib.platform_changes.briefing_page import BriefingPage

        return BriefingPage(self.kernel, self.org, self.briefings, self.links, self.settings)

    @cached_property
    def radar(self) -> Radar:
        from chalicelib.platform_changes.radar import Radar

        return Radar(self.kernel, self.org, self.mailer, self.settings)

    def track_changes(self) -> dict[str, int]:
        """What the job does: everything of this room that must be on the timetable is on it."""
        return {
            **self.change_tracker.ensure(),
            **self.platform_versions.ensure(),
            **self.platform_signals.look_at_events(),
            **self.briefings.ensure(),
        }

    def changes_chores(self) -> Mapping[str, Callable[[], Handler]]:
        """What handles each chore of this room, by its kind."""
        return {
            "track_source": lambda: self.change_tracker.track_source,
            "tell_source": lambda: self.source_tellings.tell_source,
            "tell_change": lambda: self.change_tellings.tell_change,
            "warn_of_change": lambda: self.change_tellings.warn_of_change,
            "note_signal": lambda: self.platform_signals.note_signal,
            "check_versions": lambda: self.platform_versions.check_versions,
            "tell_version": lambda: self.version_tellings.tell_version,
            "note_outage": lambda: self.outage_changes.note,
            "tell_outage": lambda: self.outage_tellings.tell_begun,
            "tell_outage_over": lambda: self.outage_tellings.tell_over,
            "end_outage": lambda: self.outages.end_unseen,
            "write_briefing": lambda: self.briefings.write,
            "mail_briefing": lambda: self.briefing_mails.mail,
            "remind_radar": lambda: self.radar.remind,
        }
