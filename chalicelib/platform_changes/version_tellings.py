"""Mails about a version that ends: 90, 30, 7 and 1 days before, and on the day."""

from chalicelib.core.errors import NotFound
from chalicelib.core.kernel import Kernel
from chalicelib.core.letters import Said, counted, letter
from chalicelib.core.mail import Mail, Mailer
from chalicelib.core.settings import Settings
from chalicelib.core.timetable import Claim
from chalicelib.core.words import Words, mark
from chalicelib.org.model import Person, Status
from chalicelib.org.service import Org
from chalicelib.platform_changes.briefing_words import day, listed, platform_name
from chalicelib.platform_changes.versions import State, VersionLine, VersionRegister


class VersionTellings:
    def __init__(
        self, kernel: Kernel, org: Org, versions: VersionRegister, mailer: Mailer, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._org = org
        self._versions = versions
        self._mailer = mailer
        self._settings = settings

    def tell_version(self, claim: Claim) -> None:
        """Mail one person about one version; nothing if nobody calls it any more, or it ends another day."""
        args = claim.entry.args
        line = self._versions.line(claim.entry.ref, args["version"])
        try:
            person = self._org.person(args["person"])
        except NotFound:
            return
        if line is None or line.days_left is None or person.status == Status.LEFT:
            return
        if line.days_left > int(args["mark"]):  # it was prolonged since
            return
        self._mailer.send(self._letter(person, line))

    def _letter(self, person: Person, line: VersionLine) -> Mail:
        words = Words(person.language)
        named = {"network": platform_name(line.platform), "version": line.version}
        is_over = line.state == State.ENDED
        subject = mark("Ended: version %(version)s of %(network)s")
        if not is_over:
            subject = mark("Version %(version)s of %(network)s ends soon")
        return letter(
            words,
            self._settings.company,
            person.email,
            (subject, named),
            [*self._lines(line)],
            facts=[
                (mark("Network"), named["network"]),
                (mark("Version that we call"), line.version),
                (mark("Ends on"), day(words, line.ends_on) if line.ends_on else ""),
                (mark("Newest version"), line.newest or ""),
                (mark("Setting to change"), line.set_in or ""),
                (mark("Accounts on it"), _accounts(words, line)),
                (
                    mark("Our code says"),
                    day(words, line.ends_on_here) if line.ends_on_here and line.disagree else "",
                ),
                (
                    mark("The platform says"),
                    day(words, line.ends_on_there) if line.ends_on_there and line.disagree else "",
                ),
            ],
        )

    def _lines(self, line: VersionLine) -> list[Said]:
        lines: list[Said] = []
        if line.state == State.ENDED:
            lines.append(
                (mark("We still call it. The platform refuses it, or serves another in its place."), {})
            )
        else:
            lines.append(
                counted("There is %(n)s day left.", "There are %(n)s days left.", line.days_left or 0)
            )
        lines.append(
            counted(
                "%(n)s account stops working as it does now.",
                "%(n)s accounts stop working as they do now.",
                line.accounts,
            )
            if line.accounts
            else (mark("No account of ours is on this platform now."), {})
        )
        if line.is_own:
            lines.append((mark("These accounts ask for it themselves, in their credentials."), {}))
        if line.disagree:
            lines.append(
                (mark("Our code and the platform name different days; the earlier one counts here."), {})
            )
        return lines


def _accounts(words: Words, line: VersionLine) -> str:
    more = line.accounts - len(line.named)
    parts = [handle for _, handle in line.named]
    if more > 0:
        parts.append(words.say("and %(n)s more", n=words.number(more)))
    return listed(words, parts)
