"""The part of the object graph that is about posts and answers: approvals, publishing, inbox.

wiring.py says what the graph is for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_finding import FindingServices

if TYPE_CHECKING:
    from chalicelib.analytics.weeks import Weeks
    from chalicelib.approvals.model import Subject
    from chalicelib.approvals.service import Approvals
    from chalicelib.inbox.clocks import Clocks
    from chalicelib.inbox.handing import Handing
    from chalicelib.inbox.numbers import Numbers
    from chalicelib.inbox.numbers_report import Reports
    from chalicelib.inbox.replies import Replies
    from chalicelib.inbox.reply_sender import ReplySender
    from chalicelib.inbox.reply_store import ReplyStore
    from chalicelib.inbox.reply_subject import ReplySubject
    from chalicelib.inbox.reply_tellings import ReplyTellings
    from chalicelib.inbox.rules import Rules
    from chalicelib.inbox.saved import SavedReplies
    from chalicelib.inbox.service import Inbox
    from chalicelib.inbox.settings import InboxSettings
    from chalicelib.inbox.store import InboxStore
    from chalicelib.inbox.tellings import Tellings
    from chalicelib.platforms.port import Adapter
    from chalicelib.publishing.access import Access
    from chalicelib.publishing.holds import Holds
    from chalicelib.publishing.media import MediaLibrary
    from chalicelib.publishing.publisher import Publisher
    from chalicelib.publishing.reconcile import Reconciler
    from chalicelib.publishing.service import Posts
    from chalicelib.publishing.signoff import PostSubject
    from chalicelib.publishing.stops import Stops
    from chalicelib.publishing.store import PostStore
    from chalicelib.publishing.tidings import Tidings
    from chalicelib.publishing.variants import Variants


class PostingServices(FindingServices):
    """Approvals, publishing and the inbox."""

    # Approvals and publishing

    @cached_property
    def approvals(self) -> Approvals:
        from chalicelib.approvals.service import Approvals

        return Approvals(self.kernel, self.org, self.links, self.mailer, self.settings, self._subject_of)

    def _subject_of(self, subject: str) -> Subject:
        return self.reply_subject if subject.startswith("reply#") else self.post_subject

    @cached_property
    def post_store(self) -> PostStore:
        from chalicelib.publishing.store import PostStore

        return PostStore(self.kernel.database)

    @cached_property
    def media(self) -> MediaLibrary:
        from chalicelib.core.objects import Objects
        from chalicelib.publishing.media import MediaLibrary

        return MediaLibrary(self.kernel, Objects(self._cloud.s3, self.settings.media_bucket))

    @cached_property
    def publisher(self) -> Publisher:
        from chalicelib.publishing.publisher import Publisher

        return Publisher(self.kernel, self.post_store, self.accounts, self.org, self.media, self.adapters)

    @cached_property
    def reconciler(self) -> Reconciler:
        from chalicelib.publishing.reconcile import Reconciler

        return Reconciler(self.kernel, self.post_store, self.accounts, self.publisher, self.adapters)

    @cached_property
    def post_subject(self) -> PostSubject:
        from chalicelib.publishing.signoff import PostSubject

        return PostSubject(self.kernel, self.post_store, self.org, self.accounts, self.media)

    @cached_property
    def posts(self) -> Posts:
        from chalicelib.publishing.service import Posts

        return Posts(
            self.kernel,
            self.history,
            self.post_store,
            self.org,
            self.accounts,
            lambda: self.approvals,
            self.media,
            self.publisher,
            self.adapters,
        )

    @cached_property
    def variants(self) -> Variants:
        from chalicelib.publishing.variants import Variants

        return Variants(self.kernel, self.post_store)

    @cached_property
    def holds(self) -> Holds:
        from chalicelib.publishing.holds import Holds

        return Holds(self.kernel, self.post_store)

    @cached_property
    def access(self) -> Access:
        from chalicelib.publishing.access import Access

        return Access(self.post_store, self.org, self.accounts)

    @cached_property
    def tidings(self) -> Tidings:
        from chalicelib.publishing.tidings import Tidings

        return Tidings(self.kernel, self.post_store, self.org, self.accounts, self.mailer, self.settings)

    # Inbox

    @cached_property
    def inbox(self) -> Inbox:
        from chalicelib.inbox.service import Inbox

        return Inbox(
            self.kernel, self.org, self.accounts, self.inbox_clocks, self.inbox_rules, self.inbox_numbers
        )

    @cached_property
    def inbox_store(self) -> InboxStore:
        from chalicelib.inbox.store import InboxStore

        return InboxStore(self.kernel.database)

    @cached_property
    def inbox_settings(self) -> InboxSettings:
        from chalicelib.inbox.settings import InboxSettings

        return InboxSettings(self.kernel, self.org, lambda: self.accounts)

    @cached_property
    def inbox_rules(self) -> Rules:
        from chalicelib.inbox.rules import Rules

        return Rules(self.inbox_settings)

    @cached_property
    def inbox_numbers(self) -> Numbers:
        from chalicelib.inbox.numbers import Numbers

        return Numbers(self.kernel.database, self.inbox_settings)

    @cached_property
    def inbox_reports(self) -> Reports:
        from chalicelib.inbox.numbers_report import Reports

        return Reports(self.inbox_numbers, self.inbox_store, self.org, lambda: self.accounts, self.clock)

    @cached_property
    def inbox_clocks(self) -> Clocks:
        from chalicelib.inbox.clocks import Clocks
        from chalicelib.inbox.tellings import UnitLine

        line = UnitLine(self.org, self.inbox_settings)
        return Clocks(self.kernel, self.inbox_store, self.inbox_settings, self.inbox_numbers, line)

    @cached_property
    def inbox_tellings(self) -> Tellings:
        from chalicelib.inbox.tellings import Tellings

        return Tellings(self.kernel, self.inbox_store, self.org, self.accounts, self.mailer, self.settings)

    @cached_property
    def handing(self) -> Handing:
        from chalicelib.inbox.handing import Handing
        from chalicelib.inbox.tellings import UnitLine

        line = UnitLine(self.org, self.inbox_settings)
        return Handing(self.inbox_store, self.org, self.accounts, self.mailer, self.settings, line)

    @cached_property
    def reply_store(self) -> ReplyStore:
        from chalicelib.inbox.reply_store import ReplyStore

        return ReplyStore(self.kernel.database)

    @cached_property
    def saved_replies(self) -> SavedReplies:
        from chalicelib.inbox.saved import SavedReplies

        return SavedReplies(self.kernel, self.reply_store, self.org)

    @cached_property
    def replies(self) -> Replies:
        from chalicelib.inbox.replies import Replies
        from chalicelib.platforms import registry

        def adapter(name: str) -> Adapter | None:
            return self.adapters(name) if name in registry.names() else None

        return Replies(
            self.kernel,
            self.inbox_store,
            self.reply_store,
            self.inbox.access,
            self.org,
            self.accounts,
            self.saved_replies,
            self.inbox_clocks,
            lambda unit_id: self.inbox_settings.of(unit_id).replies,
            lambda: self.approvals,
            adapter,
        )

    @cached_property
    def reply_sender(self) -> ReplySender:
        from chalicelib.inbox.reply_sender import ReplySender

        return ReplySender(self.kernel, self.reply_store, self.inbox, self.accounts, self.adapters)

    @cached_property
    def reply_subject(self) -> ReplySubject:
        from chalicelib.inbox.reply_subject import ReplySubject

        return ReplySubject(self.inbox_store, self.reply_store, self.org, self.accounts)

    @cached_property
    def reply_tellings(self) -> ReplyTellings:
        from chalicelib.inbox.reply_tellings import ReplyTellings

        return ReplyTellings(self.reply_store, self.org, self.accounts, self.mailer, self.settings)

    @cached_property
    def stops(self) -> Stops:
        from chalicelib.publishing.stops import Stops

        return Stops(self.kernel, self.post_store, self.accounts)

    @cached_property
    def audience_weeks(self) -> Weeks:
        from chalicelib.analytics.weeks import Weeks

        return Weeks(self.kernel, self.accounts, self.inbox_numbers, self.variants)
