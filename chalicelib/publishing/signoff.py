"""What a post is to the approvals: what approvers are shown, and what their decision does.

Wired as the approvals' Subject, so that the deciding transaction itself schedules the variants: there is no
moment at which a post is approved and not on the timetable.
"""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.accounts.service import Accounts
from chalicelib.approvals.model import Changed, ChannelPreview, MediaPreview, Preview, Request
from chalicelib.core.clock import to_text
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
        shown = self._store.revision(post.post_id, revision) or post
        before = shown if post.revision != revision else self._asked_before(post)
        after = post if post.revision != revision else shown
        return Preview(
            title=shown.title,
            publish_at=shown.publish_at,
            zone=shown.zone,
            asked_by=self._org.person(post.author_id).name,
            channels=tuple(self._channel(shown, account_id) for account_id in shown.targets),
            changes=self._changes(before, after) if before is not None else (),
            current_revision=post.revision,
        )

    def granted(self, change: Change, request: Request) -> None:
        """Sign the post off and put its variants on the timetable; after its time it becomes late instead.

        Raises Conflict if the post is no longer the revision that was decided on.
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
            rows = {v.account_id: v for v in self._store.variants(post.post_id)}
            for account_id in post.targets:
                self._place(change, post, account_id, rows.get(account_id))
        change.record(f"post#{post.post_id}", "approved too late" if is_late else "approved",
                      revision=post.revision[:12])  # fmt: skip

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
        rows = {v.account_id: v for v in self._store.variants(post.post_id)}
        missing = [a for a in post.targets if not _is_placed(rows.get(a), post)]
        if not missing:
            return False
        change = self._kernel.change(BY_JOB)
        for account_id in missing[:AT_ONCE]:
            self._place(change, post, account_id, rows.get(account_id))
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

    def _place(self, change: Change, post: Post, account_id: str, seen: Variant | None) -> None:
        """Add the account's variant; one of an earlier sign-off is replaced if it is still as seen."""
        account = self._accounts.get(account_id)
        place, is_late = post.targets.index(account_id), post.state == PostState.LATE
        state = VariantState.LATE if is_late else VariantState.SCHEDULED
        variant = Variant(
            post.post_id, account.account_id, account.platform, account.unit_id, post.revision, state,
            post.publish_at, change.now, post.request_id, place,
            reason="approved after its time" if is_late else None,
            fence=seen.fence if seen else 0, version=seen.version if seen else 0,
        )  # fmt: skip
        self._store.save_variant(change, variant, seen)
        if is_late:
            if place == 0:
                change.emit("VariantLate", variant.variant_id, state=str(state))
            return
        entry = Entry(variant.entry_id, Lane.PUBLISH, "publish", variant.variant_id, post.publish_at)
        change.schedule(entry)

    # What approvers see

    def _asked_before(self, post: Post) -> Post | None:
        asked = post.previous_asked
        return self._store.revision(post.post_id, asked) if asked else None

    def _channel(self, post: Post, account_id: str) -> ChannelPreview:
        account = self._accounts.get(account_id)
        text, media, options = post.content(account_id)
        note = ", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in sorted(options.items()))
        return ChannelPreview(
            platform=account.platform,
            handle=account.handle,
            display_name=account.display_name,
            unit_name=self._org.unit(account.unit_id).name,
            text=text,
            language=post.language,
            media=tuple(self._picture(m) for m in media),
            note=note,
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
        changes = []
        if before.publish_at != after.publish_at:
            changes.append(Changed("time", to_text(before.publish_at), to_text(after.publish_at)))
        for account_id in dict.fromkeys((*before.targets, *after.targets)):
            name = self._accounts.get(account_id).handle
            if account_id not in after.targets:
                changes.append(Changed(f"channel {name}", "included", "taken off"))
                continue
            if account_id not in before.targets:
                changes.append(Changed(f"channel {name}", "not included", "added"))
                continue
            old_text, old_media, old_options = before.content(account_id)
            new_text, new_media, new_options = after.content(account_id)
            if old_text != new_text:
                changes.append(Changed(f"text for {name}", old_text, new_text))
            if [(m.digest, m.alt) for m in old_media] != [(m.digest, m.alt) for m in new_media]:
                changes.append(Changed(f"pictures for {name}", _alts(old_media), _alts(new_media)))
            if old_options != new_options:
                changes.append(Changed(f"options for {name}", str(old_options), str(new_options)))
        return tuple(changes)


def _is_placed(row: Variant | None, post: Post) -> bool:
    """Whether this sign-off has its variant already; one that has begun is never replaced."""
    return row is not None and (row.request_id == post.request_id or row.has_begun)


def _reader(library: MediaLibrary, digest: str) -> Callable[[], bytes]:
    return lambda: library.bytes_of(digest)


def _alts(media: tuple[MediaUse, ...]) -> str:
    return "; ".join(m.alt or "a picture without a description" for m in media) or "none"


def _post_id(subject: str) -> str:
    return subject.removeprefix("post#")
