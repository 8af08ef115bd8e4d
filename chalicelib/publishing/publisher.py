"""Publishing one variant: when and whether it goes out, and what its outcome causes.

accounts/fenced.py has the order of the steps, and what makes them safe: at most once, and then proven.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from chalicelib.accounts.fenced import (
    RECONCILE_AFTER,
    FencedSender,
    Go,
    Lost,
    Stop,
    Terms,
    wait_while_quiet,
)
from chalicelib.accounts.model import Account
from chalicelib.accounts.outages import Wait, pauses_read
from chalicelib.accounts.service import Accounts
from chalicelib.core import log as metrics
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.words import mark
from chalicelib.org.service import Org
from chalicelib.platforms.errors import AdapterError, AuthExpired, OutOfCredit, Rejected, VersionGone
from chalicelib.platforms.port import Adapter, Content, Published
from chalicelib.platforms.port import Media as PortMedia
from chalicelib.publishing.access import unit_paths
from chalicelib.publishing.holds import Gate, GateMoved, check_gate, gate_read, hold_keys, receipt_line
from chalicelib.publishing.media import MediaLibrary
from chalicelib.publishing.model import (
    Post,
    Variant,
    VariantState,
    account_of,
    lateness_verdict,
    post_of,
    revision_of,
)
from chalicelib.publishing.store import PostStore, SignoffGone, post_read, variant_read

TELL_AFTER = timedelta(minutes=2)  # an unknown that is found again within it needs no mail
_EVENTS = {
    VariantState.PUBLISHED: "PostPublished",
    VariantState.UNKNOWN: "VariantUnknown",
    VariantState.HELD: "VariantHeld",
    VariantState.LATE: "VariantLate",
    VariantState.CANCELLED: "VariantLate",
    VariantState.REFUSED: "VariantRefused",
}
_COUNTED = (VariantState.PUBLISHED, VariantState.HELD, VariantState.REFUSED)

log = logging.getLogger(__name__)


class Publisher:
    """The `publish` lane's handler, and the Road of variants."""

    terms = Terms(
        waits=VariantState.SCHEDULED,
        calling=VariantState.PUBLISHING,
        out=VariantState.PUBLISHED,
        unknown=VariantState.UNKNOWN,
        things="posts",
        look_again=(GateMoved, SignoffGone),
    )

    def __init__(
        self,
        kernel: Kernel,
        store: PostStore,
        accounts: Accounts,
        org: Org,
        media: MediaLibrary,
        adapters: Callable[[str], Adapter],
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._accounts = accounts
        self._path_of = unit_paths(org)
        self._media = media
        self._sender = FencedSender(kernel, accounts, adapters, self)

    def publish(self, claim: Claim) -> bool:
        """Take the claimed variant as far as it goes now, as FencedSender.send does."""
        return self._sender.send(claim)

    def prefetch(self, variant_ids: list[str]) -> None:
        """Read a batch's credentials with few calls; failing to is logged, as each variant reads its own."""
        try:
            self._accounts.prefetch({account_of(v) for v in variant_ids})
        except Exception:
            log.warning("credentials could not be read ahead", exc_info=True)

    def content(self, post: Post, account_id: str) -> Content:
        """What the account gets, from the approved post; bytes are read by digest when they are needed."""
        text, media, options = post.content(account_id)
        files = tuple(
            PortMedia(
                m.media_id, m.digest, m.mime, m.size, m.width or 0, m.height or 0, m.alt,
                read=partial(self._media.bytes_of, m.digest),
            )
            for m in media
        )  # fmt: skip
        return Content(text, files, post.language, options)

    # The road

    def look(self, ref: str) -> Go[Variant] | Stop[Variant] | Lost[Variant] | Wait | None:
        """Approval, hour, account, holds and outages, in one read."""
        variant: Variant | None
        variant, post, account, gate, pauses = self._kernel.database.read_together(
            variant_read(ref),
            post_read(post_of(ref)),
            self._accounts.to_read(account_of(ref)),
            gate_read(ref),
            pauses_read(),
        )
        if variant is not None and variant.state == VariantState.PUBLISHING:
            return Lost(variant)
        if variant is None or variant.state != VariantState.SCHEDULED:
            return None
        if post.signed_revision != variant.revision or revision_of(post) != variant.revision:
            return None  # the sign-off was withdrawn; the change that did so has its own history
        now = self._kernel.clock.now()
        verdict = lateness_verdict(post.late, variant.due_at, now)
        if verdict is not None:
            return Stop(variant, verdict, variant.reason or mark("its time passed before it could go out"))
        wait_while_quiet(account, now)
        if not account.is_usable:
            return Stop(variant, VariantState.HELD, account.why_not_usable())
        keys = hold_keys(account.platform, account.account_id, self._path_of(account.unit_id), post.tags)
        hold_id = gate.stopping(keys, variant.released_from)
        if hold_id is not None:
            return Stop(variant, VariantState.HELD, mark("a hold covers this channel"), {"hold_id": hold_id})
        pause = pauses.on(account.platform, now)
        if pause is not None:
            return Wait(pause, account.account_id)
        key = f"{variant.variant_id}.{variant.revision}"
        guard = partial(self._guard, variant, post, gate)
        return Go(variant, account, self.content(post, variant.account_id), key, guard)

    def _guard(self, variant: Variant, post: Post, gate: Gate, change: Change) -> None:
        """This revision still signed off, and no hold since the gate was read."""
        self._store.begin_under_signoff(change, post, variant)
        check_gate(change, gate)

    def current(self, record: Variant) -> Variant | None:
        return self._store.variant(record.variant_id)

    def target(self, record: Variant) -> tuple[Account, Content]:
        post = self._store.post(record.post_id)
        return self._accounts.get(record.account_id), self.content(post, record.account_id)

    def refused(self, record: Variant, account: Account, error: AdapterError) -> Stop[Variant] | None:
        """What may yet work is tried until it is late: what happens then is the post's own late policy."""
        match error:
            case Rejected():
                return Stop(record, VariantState.REFUSED, error.message)
            case AuthExpired():
                why = f"the platform refuses the account's credentials; connect it again. {error.message}"
                return Stop(record, VariantState.HELD, why.strip())
            case OutOfCredit() | VersionGone():
                return Stop(record, VariantState.HELD, error.message)
        return None

    def proven(self, record: Variant, published: Published, now: datetime, reason: str | None) -> Variant:
        is_answer = record.state == VariantState.PUBLISHING
        return record.moved(
            VariantState.PUBLISHED, now, reason, external_id=published.external_id, url=published.url,
            published_at=now if is_answer else record.begun_at or record.at,
        )  # fmt: skip

    def join(self, change: Change, before: Variant, after: Variant, what: str) -> None:
        """The row, what the move causes, and the history of the post."""
        self._store.save_variant(change, after, before)
        variant_id, state = after.variant_id, str(after.state)
        was_unknown = before.state == VariantState.UNKNOWN
        if after.state == VariantState.UNKNOWN and not was_unknown:
            # What is found early is proof; what is not found proves nothing before the network's own time.
            change.chore("reconcile", variant_id, due_at=change.now + RECONCILE_AFTER, key=variant_id)
            change.chore("tell_outcome", variant_id, due_at=change.now + TELL_AFTER, state=state)
        elif after.state == VariantState.HELD and after.hold_id is not None:
            # A hold is told once, by its receipt, and not by a mail for each variant.
            change.put("holds", receipt_line(after.hold_id, after, "stopped", change.now))
        elif after.state in _EVENTS:
            change.emit(_EVENTS[after.state], variant_id, state=state)
        elif after.state == VariantState.SCHEDULED and was_unknown:
            change.schedule(Entry(after.entry_id, Lane.PUBLISH, "publish", variant_id, after.due_at))
        change.record(
            f"post#{after.post_id}", what, why=after.reason, account=after.account_id, url=after.url
        )

    def count(self, before: Variant, after: Variant) -> None:
        if after.state in _COUNTED:
            metrics.count(str(after.state))
        if before.state == VariantState.PUBLISHING and after.published_at is not None:
            late_for = (after.published_at - after.due_at).total_seconds()
            metrics.measure_seconds("lateness_seconds", max(0.0, late_for))
