"""The part of the object graph that looks for what nobody listed, and acts against it: discovery, takedowns.

`wiring.Services` is made of it; what it stands on is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from chalicelib.wiring_register import RegisterServices

if TYPE_CHECKING:
    from chalicelib.core.work import Handler
    from chalicelib.discovery.appkeys import AppKeys
    from chalicelib.discovery.asking import Asking
    from chalicelib.discovery.candidates import Candidates
    from chalicelib.discovery.gallery import Galleries
    from chalicelib.discovery.looks import Looks as DiscoveryLooks
    from chalicelib.discovery.page import TriagePage
    from chalicelib.discovery.plan import Plan
    from chalicelib.discovery.report_page import ReportPage
    from chalicelib.discovery.service import Discovery
    from chalicelib.discovery.settings import DiscoverySettings
    from chalicelib.discovery.triage import Triage
    from chalicelib.platforms.port import Searching
    from chalicelib.takedowns.chasing import Chasing
    from chalicelib.takedowns.evidence import EvidenceRoom
    from chalicelib.takedowns.looks import Looks
    from chalicelib.takedowns.page import CasePage
    from chalicelib.takedowns.service import Takedowns
    from chalicelib.takedowns.settings import TakedownSettings
    from chalicelib.takedowns.tellings import CaseTellings


class FindingServices(RegisterServices):
    """The services that look for accounts that nobody listed, and act against impostors."""

    # Finding what nobody listed

    @cached_property
    def discovery(self) -> Discovery:
        from chalicelib.discovery.service import Discovery

        return Discovery(self.kernel, self.org, self.accounts, self.discovery_settings)

    @cached_property
    def discovery_settings(self) -> DiscoverySettings:
        from chalicelib.discovery.settings import DiscoverySettings

        return DiscoverySettings(self.kernel, self.org)

    @cached_property
    def galleries(self) -> Galleries:
        from chalicelib.discovery.gallery import Galleries

        return Galleries(self.accounts, self.discovery_settings, self.clock)

    @cached_property
    def candidates(self) -> Candidates:
        from chalicelib.discovery.candidates import Candidates

        return Candidates(self.kernel, self.accounts, self.discovery_settings)

    @cached_property
    def triage(self) -> Triage:
        from chalicelib.discovery.triage import Triage

        return Triage(self.kernel, self.org, self.accounts, self.candidates)

    @cached_property
    def app_keys(self) -> AppKeys:
        from chalicelib.discovery.appkeys import AppKeys

        return AppKeys(self.secrets, self.settings)

    @cached_property
    def scan_plan(self) -> Plan:
        from chalicelib.discovery.plan import Plan

        return Plan(self.kernel, self.accounts, self.discovery_settings, self.app_keys)

    @cached_property
    def discovery_looks(self) -> DiscoveryLooks:
        from chalicelib.discovery.looks import Looks
        from chalicelib.platforms import registry

        def searcher(name: str) -> Searching | None:
            return registry.searching(name, self.hearing(name), self.clock, self.sessions)

        return Looks(
            self.kernel,
            self.accounts,
            self.candidates,
            self.galleries,
            self.app_keys,
            self.http,
            cache(searcher),
            self.readers,
        )

    @cached_property
    def discovery_asking(self) -> Asking:
        from chalicelib.discovery.asking import Asking

        return Asking(
            self.kernel,
            self.org,
            self.accounts,
            self.candidates,
            self.links,
            self.mailer,
            self.settings,
        )

    @cached_property
    def triage_page(self) -> TriagePage:
        from chalicelib.discovery.page import TriagePage

        return TriagePage(self.discovery_asking, self.triage, self.org, self.accounts, self.settings)

    @cached_property
    def report_page(self) -> ReportPage:
        from chalicelib.discovery.report_page import ReportPage

        return ReportPage(self.kernel, self.settings)

    # Takedown cases

    @cached_property
    def takedown_settings(self) -> TakedownSettings:
        from chalicelib.takedowns.settings import TakedownSettings

        return TakedownSettings(self.kernel, self.org)

    @cached_property
    def takedowns(self) -> Takedowns:
        from chalicelib.takedowns.service import Takedowns

        return Takedowns(self.kernel, self.org, self.accounts, self.settings, self.takedown_settings)

    @cached_property
    def takedown_looks(self) -> Looks:
        from chalicelib.takedowns.looks import Looks

        return Looks(self.readers, self.secrets, self.settings)

    @cached_property
    def takedown_evidence(self) -> EvidenceRoom:
        from chalicelib.core.objects import Objects
        from chalicelib.takedowns.evidence import EvidenceRoom

        objects = Objects(self._cloud.s3, self.settings.media_bucket)
        return EvidenceRoom(
            self.kernel, self.org, self.accounts, self.takedowns, objects, self.takedown_looks
        )

    @cached_property
    def takedown_chasing(self) -> Chasing:
        from chalicelib.takedowns.chasing import Chasing
        from chalicelib.takedowns.ladder import Ladder

        return Chasing(self.kernel, self.accounts, self.takedowns, Ladder(self.org), self.takedown_looks)

    @cached_property
    def takedown_tellings(self) -> CaseTellings:
        from chalicelib.takedowns.tellings import CaseTellings

        return CaseTellings(
            self.kernel, self.org, self.links, self.takedowns.store, self.mailer, self.settings
        )

    @cached_property
    def case_page(self) -> CasePage:
        from chalicelib.takedowns.page import CasePage

        return CasePage(
            self.kernel, self.org, self.links, self.takedowns, self.takedown_evidence, self.settings
        )

    # Chores

    def finding_chores(self) -> Mapping[str, Callable[[], Handler]]:
        """What handles each chore of these rooms, by its kind."""
        return {
            "plan_scan": lambda: self.scan_plan.plan,
            "scan_source": lambda: self.discovery_looks.look,
            "mail_triage": lambda: self.discovery_asking.mail_triage,
            "chase_case": lambda: self.takedown_chasing.chase_case,
            "recheck_case": lambda: self.takedown_chasing.recheck_case,
            "capture_profile": lambda: self.takedown_chasing.capture_profile,
            "open_case_for_impostor": lambda: self.takedown_chasing.open_case_for_impostor,
            "tell_case": lambda: self.takedown_tellings.tell_case,
        }
