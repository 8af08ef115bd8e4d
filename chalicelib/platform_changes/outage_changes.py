"""An outage in the register of changes: recorded when it begins, and done when it is over."""

from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Kernel
from chalicelib.core.timetable import Claim
from chalicelib.platform_changes.changes import Changes
from chalicelib.platform_changes.model import Finding, Kind, Status
from chalicelib.platform_changes.outages import Outage, Outages


class OutageChanges:
    def __init__(self, kernel: Kernel, changes: Changes, outages: Outages) -> None:
        self._kernel = kernel
        self._changes = changes
        self._outages = outages

    def note(self, claim: Claim) -> None:
        """Record the outage's change, and make it done once it is over; both once, however often it runs."""
        outage = self._outages.get(claim.entry.ref)
        source, finding = outage.parts[0].source, _finding(outage)  # whoever said it first
        self._changes.record(outage.platform, finding, source, outage.url, BY_JOB)
        if not outage.is_on:
            self._close(self._changes.store.of_finding(outage.platform, source, finding.key))

    def _close(self, change_id: str | None) -> None:
        """What somebody has taken up, or called something else, is theirs to close."""
        before = self._changes.store.find(change_id) if change_id else None
        if before is None or before.kind != Kind.OUTAGE or before.status != Status.NEW:
            return
        change = self._kernel.change(BY_JOB)
        self._changes.correct_in(change, before, before.version, {"status": Status.DONE})
        self._kernel.commit(change)


def _finding(outage: Outage) -> Finding:
    key, url = f"outage#{outage.outage_id}", outage.url
    return Finding(key, outage.title, url=url, at=outage.began_at, hint=Kind.OUTAGE)
