"""What a post is to the approvals: what approvers are shown, and what their decision does.

Wired as the approvals' Subject, so that the deciding transaction itself schedules the variants: there is no
moment at which a post is approved and not on the timetable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.approvals.model import (
    Changed,
    ChannelPreview,
    IfLate,
    MediaPreview,
    Pictured,
    Preview,
    Request,
    Value,
    What,
)
from chalicelib.core.errors import Conflict
from chalicelib.core.history import BY_JOB
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.core.work import Later
from chalicelib.org.service import Org
from chalicelib.publishing.media import MediaLibrary
from chalicelib.publishing.model import MediaUse, Post, PostState, Variant, VariantState, withdrawable
from chalicelib.publishing.service import AT_ONCE
from chalicelib.publishing.store import PostStore


class PostSubject:
    """The approvals' Subject for `post#<id>`."""

    def __init__(
        self, kernel: Kernel, store: PostStore, org: Org, accounts: Accounts, media: MediaLibrary
    ) -> None:
        self._kernel = kernel
        self._store = store
        self._org = org
        self._accounts = accounts
        self._media = media

    def preview(self, subject: str, revision: str) -> Preview:
        """The post as that revision was; what changed since it, if it is not the latest."""
        post = self._store.post(_post_id(subject))
        shown = post
        if post.revision != revision:
            shown = self._store.revision(post.post_id, revision) or post
        before = shown if post.revision != revision else self._asked_before(post)
        after = post if post.revision != revision else shown
        return Preview(
            title=shown.title,
            publish_at=shown.publish_at,
            zone=shown.zone,
            asked_by=self._org.person(post.author_id).name,
            channels=self._channels(shown),
            changes=self._changes(before, after) if before is not None else (),
            current_revision=post.revision,
        )

    def granted(self, change: Change, request: Request) -> None:
        """Sign the post off and put its variants on the timetable; after its time it becomes late instead.

        The history row is the decision's own. Raises Conflict if the post is no longer the revision that was
        decided on.
        """
        post = self._store.post(_post_id(request.subject))
        if post.revision != request.revision or post.state != PostState.IN_REVIEW:
            raise Conflict("this post was changed or withdrawn since it was sent to you")
        is_late = change.now >= post.publish_at
        post = replace(
            post,
            state=PostState.LATE if is_late else PostState.APPROVED,
            signed_revision=post.revision,
            request_id=request.request_id,
        )
        self._store.save_post(change, post)
        if not is_late:
            self._store.sign(change, post)
        if len(post.targets) > AT_ONCE:
            request_id = request.request_id
            change.chore("schedule_variants", post.post_id, key=request_id, request=request_id)
        else:
            self._place(change, post, post.targets, self._rows(post))
        if is_late:
            change.record(f"post#{post.post_id}", "approved too late")
            request_id = request.request_id
            change.chore("tell_outcome", f"post#{post.post_id}", key=f"late#{request_id}", request=request_id)

    def declined(self, change: Change, request: Request, outcome: str, by_name: str, words: str) -> None:
        """Give the post back to its author, with the approver's words."""
        post = self._store.post(_post_id(request.subject))
        if post.revision != request.revision or post.state != PostState.IN_REVIEW:
            return
        said = f"{by_name}: {words}" if words else by_name
        returned = replace(post, state=PostState.DRAFT, returned_with=said, request_id=None)
        self._store.save_post(change, returned)
        change.record(f"post#{post.post_id}", outcome.replace("_", " "), why=words or None)

    # Chores for posts with more variants than one transaction takes

    def schedule_variants(self, claim: Claim) -> bool:
        """Place the next variants of a signed-off post; safe to repeat, and a no-op once it was voided."""
        post = self._store.post(claim.entry.ref)
        if post.signed_revision is None or post.request_id != claim.entry.args["request"]:
            return False
        rows = self._rows(post)
        missing = [a for a in post.targets if not _is_placed(rows.get(a), post)]
        if not missing:
            return False
        change = self._kernel.change(BY_JOB)
        self._place(change, post, missing[:AT_ONCE], rows)
        self._store.still_signed(change, post)
        change.record(f"post#{post.post_id}", "variants placed", count=len(missing[:AT_ONCE]))
        self._kernel.commit(change)
        if len(missing) > AT_ONCE:
            raise Later(self._kernel.clock.now())
        return False

    def withdraw_variants(self, claim: Claim) -> bool:
        """Take back the rows of a voided sign-off, a transaction at a time; safe to repeat."""
        post = self._store.post(claim.entry.ref)
        to, request_id = VariantState(claim.entry.args["to"]), claim.entry.args["request"]
        waiting = withdrawable(self._store.variants(post.post_id), request_id, to)
        if not waiting:
            return False
        change = self._kernel.change(BY_JOB)
        for variant in waiting[:AT_ONCE]:
            self._store.save_variant(change, variant.moved(to, change.now), variant)
            change.unschedule(variant.entry_id)
        change.record(f"post#{post.post_id}", "variants withdrawn", count=len(waiting[:AT_ONCE]))
        self._kernel.commit(change)
        if len(waiting) > AT_ONCE:
            raise Later(self._kernel.clock.now())
        return False

    def _rows(self, post: Post) -> dict[str, Variant]:
        return {v.account_id: v for v in self._store.variants(post.post_id)}

    def _place(
        self, change: Change, post: Post, account_ids: Sequence[str], rows: Mapping[str, Variant]
    ) -> None:
        """Add the accounts' variants; a row of an earlier sign-off is replaced if it is still as seen."""
        accounts, is_late = self._accounts.get_many(account_ids), post.state == PostState.LATE
        state = VariantState.LATE if is_late else VariantState.SCHEDULED
        for account_id in account_ids:
            account, seen = accounts[account_id], rows.get(account_id)
            variant = Variant(
                post.post_id, account_id, account.platform, account.unit_id, post.revision, state,
                post.publish_at, change.now, post.request_id, post.targets.index(account_id),
                reason="approved after its time" if is_late else None,
                fence=seen.fence if seen else 0, version=seen.version if seen else 0,
            )  # fmt: skip
            self._store.save_variant(change, variant, seen)
            if not is_late:
                entry_id, due_at = variant.entry_id, post.publish_at
                change.schedule(Entry(entry_id, Lane.PUBLISH, "publish", variant.variant_id, due_at))

    # What approvers see

    def _asked_before(self, post: Post) -> Post | None:
        asked = post.previous_asked
        return self._store.revision(post.post_id, asked) if asked else None

    def _channels(self, post: Post) -> tuple[ChannelPreview, ...]:
        accounts = self._accounts.get_many(post.targets)
        name_of = cache(lambda unit_id: self._org.unit(unit_id).name)
        return tuple(self._channel(post, accounts[a], name_of(accounts[a].unit_id)) for a in post.targets)

    def _channel(self, post: Post, account: Account, unit_name: str) -> ChannelPreview:
        text, media, options = post.content(account.account_id)
        return ChannelPreview(
            platform=account.platform,
            handle=account.handle,
            display_name=account.display_name,
            unit_name=unit_name,
            text=text,
            language=post.language,
            media=tuple(self._picture(m) for m in media),
            note=_note(options),
        )

    def _picture(self, use: MediaUse) -> MediaPreview:
        return MediaPreview(
            alt=use.alt,
            mime=use.mime,
            url=self._media.view_url(use.digest),
            read=_reader(self._media, use.digest),
            size=use.size,
            width=use.width,
            height=use.height,
        )

    def _changes(self, before: Post, after: Post) -> tuple[Changed, ...]:
        """What differs; what changed alike on several channels is one difference."""
        alike: dict[tuple[What, Value, Value], list[str]] = {}
        targets = dict.fromkeys((*before.targets, *after.targets))
        differences = {account_id: _differences(before, after, account_id) for account_id in targets}
        accounts = self._accounts.get_many(account_id for account_id, found in differences.items() if found)
        for account_id, found in differences.items():
            for difference in found:
                name = f"{accounts[account_id].handle} ({accounts[account_id].platform})"
                alike.setdefault(difference, []).append(name)
        whole: tuple[tuple[What, Value, Value], ...] = (
            (What.TIME, before.publish_at, after.publish_at),
            (What.IF_LATE, _if_late(before), _if_late(after)),
            (What.LANGUAGE, before.language, after.language),
        )
        return (
            *(Changed(what, was, now) for what, was, now in whole if was != now),
            *(Changed(*difference, tuple(channels)) for difference, channels in alike.items()),
        )


def _differences(before: Post, after: Post, account_id: str) -> list[tuple[What, Value, Value]]:
    """What differs on one channel of either revision."""
    if account_id not in after.targets:
        return [(What.TAKEN_OFF, "", "")]
    if account_id not in before.targets:
        return [(What.ADDED, "", "")]
    was, now = _content(before, account_id), _content(after, account_id)
    return [(what, was[what], now[what]) for what in was if was[what] != now[what]]


def _content(post: Post, account_id: str) -> dict[What, Value]:
    text, media, options = post.content(account_id)
    pictures = tuple(Pictured(m.digest, m.alt) for m in media)
    return {What.TEXT: text, What.PICTURES: pictures, What.OPTIONS: _note(options)}


def _if_late(post: Post) -> IfLate:
    return IfLate(post.late.action, post.late.grace_minutes)


def _note(options: dict[str, str]) -> str:
    return ", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in sorted(options.items()))


def _is_placed(row: Variant | None, post: Post) -> bool:
    """Whether this sign-off has its variant already; one that has begun is never replaced."""
    return row is not None and (row.request_id == post.request_id or row.has_begun)


def _reader(library: MediaLibrary, digest: str) -> Callable[[], bytes]:
    return lambda: library.bytes_of(digest)


def _post_id(subject: str) -> str:
    return subject.removeprefix("post#")
