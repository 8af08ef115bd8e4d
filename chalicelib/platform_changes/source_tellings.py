"""Mails about a source that has failed for longer than its patience, and about one that works again."""

from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.mail import Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.org.model import Status
from chalicelib.org.service import Org
from chalicelib.platform_changes.briefing_words import platform_name
from chalicelib.platform_changes.source_settings import Looked, Sources


class SourceTellings:
    def __init__(
        self, kernel: Kernel, org: Org, sources: Sources, mailer: Mailer, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._sources = sources
        self._mailer = mailer
        self._settings = settings

    def tell_source(self, claim: Claim) -> None:
        """Mail one person that a source fails, if it still does, or that it works again, if it still does."""
        try:
            found = self._sources.get(claim.entry.ref)
            person = self._org.person(claim.entry.args["person"])
        except NotFound:
            return
        fails = claim.entry.args["what"] == "fails"
        if person.status == Status.LEFT or fails != (found.state.failing_since is not None):
            return
        words, source = Words(person.language), found.source
        named = {"source": source.name, "network": platform_name(source.platform)}
        if fails:
            subject: Said = (mark("We hear nothing new of %(network)s: %(source)s"), named)
            lines = self._fails(found)
        else:
            subject = (mark("We hear of %(network)s again: %(source)s"), named)
            lines = [
                (mark("%(source)s can be read again."), named),
                (mark("What was published there meanwhile has been found with this look."), {}),
            ]
        self._mailer.send(
            letter(
                words,
                self._settings.company,
                person.email,
                subject,
                lines,
                facts=[
                    (mark("Network"), named["network"]),
                    (mark("Address"), source.url),
                    (mark("Reason"), found.state.failing_why if fails else ""),
                ],
            )
        )

    def _fails(self, found: Looked) -> list[Said]:
        since = found.state.failing_since
        assert since is not None, "it fails"
        hours = max(1, int((self._kernel.clock.now() - since).total_seconds() // 3600))
        return [
            counted(
                "%(source)s could not be read for %(n)s hour.",
                "%(source)s could not be read for %(n)s hours.",
                hours,
                source=found.source.name,
            ),
            (mark("What changes there is not found by itself until this is mended."), {}),
            (mark("Open the address. If it has moved, set the new one; if it is gone, set it off."), {}),
        ]
