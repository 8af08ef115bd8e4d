"""Posts, as people handle them: draft, change, submit, cancel, look.

Whatever happens to a post's content, media, targets or time goes through `change`, so there is one place
where a sign-off is voided.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.approvals.service import Approvals
from chalicelib.core.errors import Conflict, InvalidInput, Misconfigured, Problem
from chalicelib.core.history import By, History, Way
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.records import to_item
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry
from chalicelib.platforms.port import Adapter, Limits
from chalicelib.platforms.port import Problem as ContentProblem
from chalicelib.publishing.access import unconfirmed_problems, unit_paths
from chalicelib.publishing.media import MediaLibrary
from chalicelib.publishing.model import (
    FURTHEST_FOR,
    LatePolicy,
    MediaUse,
    Override,
    Post,
    PostState,
    Variant,
    VariantState,
    fields_of,
    withdrawable,
)
from chalicelib.publishing.publisher import Publisher
from chalicelib.publishing.store import PostStore

AT_ONCE = 20  # variants that fit into one transaction with all that goes with them
SOONEST_FOR = timedelta(minutes=1)
MOST_BYTES = 350_000  # of a post's content; DynamoDB takes 400 KB in one row


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
        self._accounts = accounts
        self._approvals = approvals
        self._media = media
        self._publisher = publisher
        self._adapters = adapters
        self._path_of = unit_paths(org)

    # Writing

    def draft(self, actor: Actor, fields: Mapping[str, Any]) -> Post:
        """A new draft. Raises InvalidInput with every problem of its references and time, NotAllowed."""
        by = By(actor.person_id, Way.API)
        now = self._kernel.clock.now()
        accounts, content = self._checked(actor, fields, now)
        post = Post(
            post_id=new_id("post", now),
            author_id=actor.person_id,
            contributors=(actor.person_id,),
            created_at=now,
            unit_ids=_units(accounts),
            **content,
        ).with_revision()
        _require_fit(post)
        change = self._kernel.change(by)
        self._store.save_post(change, post)
        change.record(f"post#{post.post_id}", "drafted", targets=len(post.targets))
        self._kernel.commit(change)
        return replace(post, version=1)

    def change(
        self, actor: Actor, post_id: str, fields: Mapping[str, Any], seen_version: int | None = None
    ) -> Post:
        """Change some fields. A change to content, media, targets or time voids a request or a sign-off.

        Raises Conflict when publishing has begun, or when `seen_version` is not the latest.
        """
        post, _ = self._post_to_write(actor, post_id)
        if seen_version is not None and seen_version != post.version:
            raise Conflict("somebody else changed this post meanwhile; load it again")
        now = self._kernel.clock.now()
        merged = {**fields_of(post), **fields}
        if "overrides" not in fields:  # those of accounts that are taken off go with them
            merged["overrides"] = {a: own for a, own in merged["overrides"].items() if a in merged["targets"]}
        accounts, content = self._checked(actor, merged, now, check_time="publish_at" in fields)
        changed = replace(
            post,
            unit_ids=_units(accounts),
            contributors=tuple(dict.fromkeys((*post.contributors, actor.person_id))),
            **content,
        ).with_revision()
        _require_fit(changed)
        change = self._kernel.change(By(actor.person_id, Way.API))
        if changed.revision != post.revision:
            if post.revision == post.asked_revision:
                self._store.keep_revision(change, post)
            changed = self._void(change, post, changed, _what_changed(post, changed))
        self._store.save_post(change, changed)
        change.record(f"post#{post_id}", "changed", fields=sorted(fields))
        self._kernel.commit(change)
        return replace(changed, version=changed.version + 1)

    def submit(self, actor: Actor, post_id: str) -> Post:
        """Ask for approval of the post as it stands. Raises InvalidInput listing every variant's problems."""
        post, accounts = self._post_to_write(actor, post_id)
        if post.state != PostState.DRAFT:
            raise Conflict(f"this post is {post.state.replace('_', ' ')}; only a draft can be submitted")
        problems: list[Problem] = [*self.problems(post, accounts)]
        now = self._kernel.clock.now()
        problems += _time_problems(post.publish_at, now)
        problems += unconfirmed_problems(actor, accounts.values(), self._path_of, now)
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
        asked_before = post.previous_asked if post.asked_revision == post.revision else post.asked_revision
        submitted = replace(
            post,
            state=PostState.IN_REVIEW,
            request_id=request.request_id,
            returned_with=None,
            asked_revision=post.revision,
            previous_asked=asked_before,
        )
        self._store.save_post(change, submitted)
        change.record(f"post#{post_id}", "submitted", request=request.request_id)
        self._kernel.commit(change)
        return replace(submitted, version=submitted.version + 1)

    def cancel(self, actor: Actor, post_id: str, why: str) -> Post:
        """Take the post back for good. Raises Conflict if publishing has begun."""
        post, _ = self._post_to_write(actor, post_id)
        if post.state == PostState.CANCELLED:
            return post
        change = self._kernel.change(By(actor.person_id, Way.API))
        voided = self._void(change, post, post, why, VariantState.CANCELLED)
        cancelled = replace(voided, state=PostState.CANCELLED)
        self._store.save_post(change, cancelled)
        change.record(f"post#{post_id}", "cancelled", why=why)
        self._kernel.commit(change)
        return replace(cancelled, version=cancelled.version + 1)

    def _void(
        self, change: Change, post: Post, changed: Post, why: str, to: VariantState = VariantState.DRAFT
    ) -> Post:
        """Join what withdraws a request or a sign-off; refused when a variant has begun under it."""
        if post.state == PostState.IN_REVIEW and post.request_id:
            self._approvals().void(change, post.request_id, why)
        if post.signed_revision is not None:
            begins = self._store.begins(post)
            variants = self._store.variants(post.post_id)
            if any(v.has_begun for v in variants):
                raise Conflict("publishing has begun; copy the post to change what is not out yet")
            if post.state == PostState.APPROVED:
                self._store.withdraw_signoff(change, post, begins)
            self._withdraw(change, post, variants, to)
            revision = post.signed_revision[:12]
            change.record(f"post#{post.post_id}", "sign-off voided", why=why, revision=revision)
        return replace(changed, state=PostState.DRAFT, signed_revision=None, request_id=None)

    def _withdraw(self, change: Change, post: Post, variants: list[Variant], to: VariantState) -> None:
        waiting = withdrawable(variants, post.request_id, to)
        if len(waiting) > AT_ONCE:
            # Without the sign-off none of them can begin; the chore tidies them up, a transaction at a time.
            change.chore("withdraw_variants", post.post_id, to=str(to), request=post.request_id or "")
            return
        for variant in waiting:
            self._store.save_variant(change, variant.moved(to, change.now), variant)
            if variant.state == VariantState.SCHEDULED:
                change.unschedule(variant.entry_id)

    # Looking

    def get(self, post_id: str) -> Post:
        """Raises NotFound."""
        return self._store.post(post_id)

    def accounts(self, *posts: Post) -> dict[str, Account]:
        """The accounts of the posts' targets, by id, in one request for every hundred."""
        return self._accounts.get_many(account_id for post in posts for account_id in post.targets)

    def variants(self, post: Post, accounts: Mapping[str, Account] | None = None) -> list[Variant]:
        """Every variant of the post: its row, or what it is before it has one.

        `accounts` are those of its targets, from whoever has read them already; so in what follows.
        """
        accounts = self.accounts(post) if accounts is None else accounts
        # Without a sign-off there are no rows, or such as were taken back: what has begun is never voided.
        rows = {v.account_id: v for v in self._store.variants(post.post_id)} if post.signed_revision else {}
        shown = []
        for place, account_id in enumerate(post.targets):
            row = rows.get(account_id)
            if row is not None and (row.has_begun or row.request_id == post.request_id):
                shown.append(row)
                continue
            account = accounts[account_id]
            state = VariantState(str(post.state))
            shown.append(
                Variant(
                    post.post_id, account_id, account.platform, account.unit_id, post.revision, state,
                    post.publish_at, post.created_at, place=place,
                )
            )  # fmt: skip
        return shown

    def preview(self, post: Post, accounts: Mapping[str, Account] | None = None) -> list[Preview]:
        """Each variant as it would go out, counted and checked as its platform does."""
        accounts = self.accounts(post) if accounts is None else accounts
        shown = []
        for account_id in post.targets:
            account = accounts[account_id]
            adapter = self._adapters(account.platform)
            content, limits, problems = self._publisher.content(post, account_id), adapter.traits.limits, []
            try:
                limits = adapter.limits(self._accounts.ref(account))
            except Misconfigured:
                problems.append(ContentProblem("account", "it has no credentials; connect it again"))
            problems += adapter.problems(content, limits)
            if why := account.why_not_usable():
                problems.append(ContentProblem("account", why))
            text, media, _ = post.content(account_id)
            counted = adapter.count(content, limits)
            shown.append(
                Preview(account, text, media, counted, limits, adapter.traits.counted_in, tuple(problems))
            )
        return shown

    def problems(self, post: Post, accounts: Mapping[str, Account] | None = None) -> list[ContentProblem]:
        """What the platforms would refuse, in every variant, each under its channel's name."""
        return [
            replace(problem, field=f"{shown.account.platform} {shown.account.handle}: {problem.field}")
            for shown in self.preview(post, accounts)
            for problem in shown.problems
        ]

    def show(self, post_id: str) -> dict[str, Any]:
        """All that is known of a post, for ops: the post, its variants, their entries, and history."""
        from chalicelib.core.listings import HistoryRow
        from chalicelib.publishing.views import post_view

        post, rows = self._store.post(post_id), self._history.of(f"post#{post_id}")
        accounts = self.accounts(post)
        return {
            **post_view(post, self.variants(post, accounts), accounts).model_dump(mode="json"),
            "history": [HistoryRow.of(row).model_dump(mode="json") for row in rows],
        }

    # Checking what was sent

    def _post_to_write(self, actor: Actor, post_id: str) -> tuple[Post, dict[str, Account]]:
        """The post and its accounts; the person must be allowed to write for every one of them."""
        post = self._store.post(post_id)
        accounts = self.accounts(post)
        self._require(actor, accounts.values())
        return post, accounts

    def _checked(
        self, actor: Actor, fields: Mapping[str, Any], now: datetime, check_time: bool = True
    ) -> tuple[list[Account], dict[str, Any]]:
        """The accounts and content of what was sent. Raises InvalidInput with every problem, NotAllowed."""
        problems: list[Problem] = []
        accounts = self._accounts_of(fields["targets"], problems)
        content = self._content(fields, now, check_time, problems)
        if problems:
            raise InvalidInput(problems)
        self._require(actor, accounts)
        return accounts, content

    def _accounts_of(self, account_ids: Sequence[str], problems: list[Problem]) -> list[Account]:
        found, there = [], self._accounts.get_many(account_ids)
        for account_id in dict.fromkeys(account_ids):
            account = there.get(account_id)
            if account is None:
                problems.append(Problem("targets", f"there is no account {account_id}"))
            elif (known := registry.inbound_only(account.platform)) is not None:
                message = f"Signalbox cannot publish to {known.name} yet; leave {account.handle} out"
                problems.append(Problem("targets", message))
            else:
                found.append(account)
        return found

    def _require(self, actor: Actor, accounts: Iterable[Account]) -> None:
        for account in accounts:
            actor.require_on(Right.POSTS_WRITE, self._path_of(account.unit_id), account.account_id)

    def _content(
        self, fields: Mapping[str, Any], now: datetime, check_time: bool, problems: list[Problem]
    ) -> dict[str, Any]:
        from chalicelib.publishing.forms import local_instant  # loads pydantic, which workers do not need

        targets = fields["targets"]
        if len(set(targets)) != len(targets):
            problems.append(Problem("targets", "names an account twice"))
        media = self._uses(fields["media"], "media", problems)
        overrides = {}
        for account_id, own in fields["overrides"].items():
            if account_id not in targets:
                problems.append(Problem(f"overrides.{account_id}", "this account is not among the targets"))
            where = f"overrides.{account_id}.media"
            uses = None if own["media"] is None else self._uses(own["media"], where, problems)
            overrides[account_id] = Override(own["text"], uses, dict(own["options"]))
        publish_at = fields["publish_at"]
        if publish_at.tzinfo is None:
            publish_at, unclear = local_instant(publish_at, fields["zone"])
            problems += [Problem("publish_at", unclear)] if unclear else []
        if check_time:
            problems += _time_problems(publish_at, now)
        late = fields["late"]
        return {
            "title": fields["title"],
            "text": fields["text"],
            "language": fields["language"],
            "media": media,
            "targets": tuple(targets),
            "overrides": overrides,
            "publish_at": publish_at,
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


def _require_fit(post: Post) -> None:
    size = len(json.dumps(to_item(post), ensure_ascii=False, default=str).encode())
    if size > MOST_BYTES:
        words = f"with all its overrides this post takes {size} bytes; the most is {MOST_BYTES}"
        raise InvalidInput([Problem("text", words)])


def _time_problems(publish_at: datetime, now: datetime) -> list[Problem]:
    if publish_at < now - SOONEST_FOR:
        return [Problem("publish_at", "this time has passed; choose a later one")]
    if publish_at > now + FURTHEST_FOR:
        return [Problem("publish_at", "this is more than a year away")]
    return []


def _units(accounts: list[Account]) -> tuple[str, ...]:
    return tuple(sorted({a.unit_id for a in accounts}))


def _what_changed(before: Post, after: Post) -> str:
    """The fields that differ, in words."""
    names = ("text", "language", "media", "targets", "overrides", "publish_at", "late")
    changed = [n.replace("_", " ") for n in names if getattr(before, n) != getattr(after, n)]
    return f"changed: {', '.join(changed)}"
