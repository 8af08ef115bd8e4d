"""Posts, as people handle them: draft, change, submit, cancel, look.

Whatever happens to a post's content, media, targets or time goes through `change`, so there is one place
where a sign-off is voided.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.service import Accounts
from chalicelib.approvals.service import Approvals
from chalicelib.core.errors import Conflict, InvalidInput, Problem
from chalicelib.core.history import By, History, Way
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms.port import Adapter, Limits
from chalicelib.platforms.port import Problem as ContentProblem
from chalicelib.publishing.media import MediaLibrary
from chalicelib.publishing.model import (
    BEGUN,
    LatePolicy,
    MediaUse,
    Override,
    Post,
    PostState,
    Variant,
    VariantState,
)
from chalicelib.publishing.publisher import Publisher
from chalicelib.publishing.store import PostStore

AT_ONCE = 20  # variants that fit into one transaction with all that goes with them
SOONEST_FOR = timedelta(minutes=1)
FURTHEST_FOR = timedelta(days=366)


@dataclass(frozen=True)
class Preview:
    """One variant as it would go out, with what its platform says of it."""

    account: Account
    text: str
    media: tuple[MediaUse, ...]
    characters: int
    limits: Limits
    counted_in: str
    problems: tuple[ContentProblem, ...]


class Posts:
    def __init__(
        self,
        kernel: Kernel,
        history: History,
        store: PostStore,
        org: Org,
        accounts: Accounts,
        approvals: Callable[[], Approvals],
        media: MediaLibrary,
        publisher: Publisher,
        adapters: Callable[[str], Adapter],
    ) -> None:
        self._kernel = kernel
        self._history = history
        self._store = store
        self._org = org
        self._accounts = accounts
        self._approvals = approvals
        self._media = media
        self._publisher = publisher
        self._adapters = adapters

    # Writing

    def draft(self, actor: Actor, fields: Mapping[str, Any]) -> Post:
        """A new draft. Raises InvalidInput with every problem of its references and time, NotAllowed."""
        by = By(actor.person_id, Way.API)
        now = self._kernel.clock.now()
        accounts = self._targets(actor, fields["targets"])
        post = Post(
            post_id=new_id("post", now),
            author_id=actor.person_id,
            contributors=(actor.person_id,),
            created_at=now,
            unit_ids=_units(accounts),
            **self._content(fields, now),
        ).with_revision()
        change = self._kernel.change(by)
        self._store.save_post(change, post)
        change.record(f"post#{post.post_id}", "drafted", targets=len(post.targets))
        self._kernel.commit(change)
        return replace(post, version=1)

    def change(self, actor: Actor, post_id: str, fields: Mapping[str, Any], seen_version: int | None = None) -> Post:
        """Change some fields. A change to content, media, targets or time voids a request or a sign-off.

        Raises Conflict when publishing has begun, or when `seen_version` is not the latest.
        """
        post = self._store.post(post_id)
        if seen_version is not None and seen_version != post.version:
            raise Conflict("somebody else changed this post meanwhile; load it again")
        now = self._kernel.clock.now()
        merged = {**_fields(post), **fields}
        accounts = self._targets(actor, (*post.targets, *merged["targets"]))
        accounts = [a for a in accounts if a.account_id in merged["targets"]]
        changed = replace(
            post,
            unit_ids=_units(accounts),
            contributors=tuple(dict.fromkeys((*post.contributors, actor.person_id))),
            **self._content(merged, now, check_time="publish_at" in fields),
        ).with_revision()
        change = self._kernel.change(By(actor.person_id, Way.API))
        if changed.revision != post.revision:
            changed = self._void(change, post, changed, _what_changed(post, changed))
        self._store.save_post(change, changed)
        change.record(f"post#{post_id}", "changed", fields=sorted(fields))
        self._kernel.commit(change)
        return replace(changed, version=changed.version + 1)

    def submit(self, actor: Actor, post_id: str) -> Post:
        """Ask for approval of the post as it stands. Raises InvalidInput listing every variant's problems."""
        post = self._store.post(post_id)
        self._targets(actor, post.targets)
        if post.state not in (PostState.DRAFT, PostState.LATE):
            raise Conflict(f"this post is {post.state.replace('_', ' ')}; only a draft can be submitted")
        problems = [
            Problem(f"{p.account.platform} {p.account.handle}: {q.field}", q.message)
            for p in self.preview(post)
            for q in p.problems
        ]
        problems += self._time_problems(post.publish_at, self._kernel.clock.now())
        if problems:
            raise InvalidInput(problems)
        change = self._kernel.change(By(actor.person_id, Way.API))
        request = self._approvals().open(
            change,
            subject=f"post#{post_id}",
            revision=post.revision,
            unit_ids=post.unit_ids,
            asked_by=actor.person_id,
            contributors=frozenset(post.contributors) | {actor.person_id},
            publish_at=post.publish_at,
        )
        submitted = replace(
            post, state=PostState.IN_REVIEW, request_id=request.request_id, returned_with=None,
            asked_revision=post.revision,
            previous_asked=post.previous_asked if post.asked_revision == post.revision else post.asked_revision,
        )  # fmt: skip
        self._store.save_post(change, submitted)
        self._store.keep_revision(change, submitted)
        change.record(f"post#{post_id}", "submitted", request=request.request_id)
        self._kernel.commit(change)
        return replace(submitted, version=submitted.version + 1)

    def cancel(self, actor: Actor, post_id: str, why: str) -> Post:
        """Take the post back for good. Raises Conflict if publishing has begun."""
        post = self._store.post(post_id)
        self._targets(actor, post.targets)
        if post.state == PostState.CANCELLED:
            return post
        change = self._kernel.change(By(actor.person_id, Way.API))
        cancelled = self._void(change, post, replace(post, state=PostState.CANCELLED), why, VariantState.CANCELLED)
        self._store.save_post(change, replace(cancelled, state=PostState.CANCELLED))
        change.record(f"post#{post_id}", "cancelled", why=why)
        self._kernel.commit(change)
        return replace(cancelled, state=PostState.CANCELLED, version=cancelled.version + 1)

    def _void(
        self, change: Change, post: Post, changed: Post, why: str, to: VariantState = VariantState.DRAFT
    ) -> Post:
        """Join what withdraws a request or a sign-off; refused when a variant has begun under it."""
        if post.state == PostState.IN_REVIEW and post.request_id:
            self._approvals().void(change, post.request_id, why)
        if post.signed_revision is not None:
            variants = self._store.variants(post.post_id)
            if any(v.state in BEGUN for v in variants):
                raise Conflict("publishing has begun; copy the post to change what is not out yet")
            if post.state == PostState.APPROVED:
                self._store.withdraw_signoff(change, post)
            self._withdraw(change, post, variants, to)
            change.record(f"post#{post.post_id}", "sign-off voided", why=why, revision=post.signed_revision[:12])
        return replace(changed, state=PostState.DRAFT, signed_revision=None, request_id=None)

    def _withdraw(self, change: Change, post: Post, variants: list[Variant], to: VariantState) -> None:
        waiting = [v for v in variants if v.state not in (VariantState.DRAFT, VariantState.CANCELLED)]
        if len(waiting) > AT_ONCE:
            # Without the sign-off none of them can begin; the chore tidies them up, a transaction at a time.
            change.chore("withdraw_variants", post.post_id, to=str(to), revision=post.signed_revision or "")
            return
        for variant in waiting:
            self._store.save_variant(change, variant.moved(to, change.now), variant)
            if variant.state == VariantState.SCHEDULED:
                change.unschedule(variant.entry_id)

    # Looking

    def get(self, post_id: str) -> Post:
        """Raises NotFound."""
        return self._store.post(post_id)

    def variants(self, post: Post) -> list[Variant]:
        """Every variant of the post: its row, or what it is before it has one."""
        rows = {v.account_id: v for v in self._store.variants(post.post_id)}
        shown = []
        for place, account_id in enumerate(post.targets):
            row = rows.get(account_id)
            if row is not None and (row.state in BEGUN or row.revision == post.signed_revision):
                shown.append(row)
                continue
            account = self._accounts.get(account_id)
            state = VariantState(str(post.state))
            shown.append(
                Variant(
                    post.post_id, account_id, account.platform, account.unit_id, post.revision, state,
                    post.publish_at, post.created_at, place,
                )
            )  # fmt: skip
        return shown

    def preview(self, post: Post) -> list[Preview]:
        """Each variant as it would go out, counted and checked as its platform does."""
        shown = []
        for account_id in post.targets:
            account = self._accounts.get(account_id)
            adapter = self._adapters(account.platform)
            limits = adapter.limits(self._accounts.ref(account))
            content = self._publisher.content(post, account_id)
            problems = list(adapter.problems(content, limits))
            if account.status == AccountStatus.RETIRED:
                problems.append(ContentProblem("account", "it is retired; take it off the targets"))
            text, media, _ = post.content(account_id)
            counted = adapter.count(content, limits)
            shown.append(
                Preview(account, text, media, counted, limits, adapter.traits.counted_in, tuple(problems))
            )
        return shown

    def show(self, post_id: str) -> dict[str, Any]:
        """All that is known of a post, for ops: the post, its variants, their entries, and history."""
        from chalicelib.publishing.views import post_view, row_view

        post = self._store.post(post_id)
        return {
            **post_view(post, self.variants(post), self._accounts).model_dump(mode="json"),
            "history": [row_view(r).model_dump(mode="json") for r in self._history.of(f"post#{post_id}")],
        }

    # Checking what was sent

    def _targets(self, actor: Actor, account_ids: Any) -> list[Account]:
        """The accounts; the person must be allowed to write posts for every one of them."""
        found, problems = [], []
        for account_id in dict.fromkeys(account_ids):
            account = self._accounts.find(account_id)
            if account is None:
                problems.append(Problem("targets", f"there is no account {account_id}"))
            else:
                found.append(account)
        if problems:
            raise InvalidInput(problems)
        for account in found:
            path = self._org.unit(account.unit_id).path
            actor.require_on(Right.POSTS_WRITE, path, account.account_id)
        return found

    def _content(self, fields: Mapping[str, Any], now: datetime, check_time: bool = True) -> dict[str, Any]:
        problems: list[Problem] = []
        media = self._uses(fields["media"], "media", problems)
        overrides = {}
        for account_id, own in fields["overrides"].items():
            if account_id not in fields["targets"]:
                continue
            where = f"overrides.{account_id}.media"
            uses = None if own["media"] is None else self._uses(own["media"], where, problems)
            overrides[account_id] = Override(own["text"], uses, dict(own["options"]))
        if check_time:
            problems += self._time_problems(fields["publish_at"], now)
        if problems:
            raise InvalidInput(problems)
        late = fields["late"]
        return {
            "title": fields["title"],
            "text": fields["text"],
            "language": fields["language"],
            "media": media,
            "targets": tuple(fields["targets"]),
            "overrides": overrides,
            "publish_at": fields["publish_at"],
            "zone": fields["zone"],
            "tags": tuple(fields["tags"]),
            "late": LatePolicy(late["action"], late["grace_minutes"]),
        }

    def _uses(self, uses: Any, where: str, problems: list[Problem]) -> tuple[MediaUse, ...]:
        found = []
        for use in uses:
            media = self._media.find(use["media_id"])
            if media is None:
                problems.append(Problem(where, f"there is no file {use['media_id']}"))
            elif media.state != "ready":
                problems.append(Problem(where, f"file {media.name} is {media.state}; check its upload first"))
            else:
                found.append(media.use(use["alt"]))
        return tuple(found)

    def _time_problems(self, publish_at: datetime, now: datetime) -> list[Problem]:
        if publish_at < now - SOONEST_FOR:
            return [Problem("publish_at", "this time has passed; choose a later one")]
        if publish_at > now + FURTHEST_FOR:
            return [Problem("publish_at", "this is more than a year away")]
        return []


def _fields(post: Post) -> dict[str, Any]:
    """The post in the form that `_content` reads."""

    def uses(media: tuple[MediaUse, ...]) -> list[dict[str, str]]:
        return [{"media_id": m.media_id, "alt": m.alt} for m in media]

    return {
        "title": post.title,
        "text": post.text,
        "language": post.language,
        "media": uses(post.media),
        "targets": list(post.targets),
        "overrides": {
            account_id: {
                "text": own.text,
                "media": None if own.media is None else uses(own.media),
                "options": own.options,
            }
            for account_id, own in post.overrides.items()
        },
        "publish_at": post.publish_at,
        "zone": post.zone,
        "tags": list(post.tags),
        "late": {"action": post.late.action, "grace_minutes": post.late.grace_minutes},
    }


def _units(accounts: list[Account]) -> tuple[str, ...]:
    return tuple(sorted({a.unit_id for a in accounts}))


def _what_changed(before: Post, after: Post) -> str:
    """The fields that differ, in words."""
    names = ("text", "language", "media", "targets", "overrides", "publish_at", "late")
    changed = [n.replace("_", " ") for n in names if getattr(before, n) != getattr(after, n)]
    return f"changed: {', '.join(changed)}"

