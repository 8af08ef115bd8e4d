"""Whether a person may do this to that post, variant or hold; routes ask here before anything else."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from chalicelib.accounts.model import Account
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import InvalidInput, NotFound, Problem
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org
from chalicelib.platforms import registry
from chalicelib.publishing.model import Post, Variant
from chalicelib.publishing.store import PostStore


def unit_paths(org: Org) -> Callable[[str], tuple[str, ...]]:
    """A unit's path by its id, each read once in a function's life: a unit never moves (org/model.py)."""
    return cache(lambda unit_id: org.unit(unit_id).path)


def unconfirmed_problems(
    actor: Actor, accounts: Iterable[Account], path_of: Callable[[str], tuple[str, ...]], now: datetime
) -> list[Problem]:
    """An account that nobody has confirmed for too long takes the company's lead to publish to."""
    return [
        Problem(
            "targets",
            f"{account.handle} ({account.platform}) was not confirmed in time: its owner confirms it, or a "
            "lead submits this post",
        )
        for account in accounts
        if account.needs_lead(now) and not actor.may(Right.REGISTER_WRITE, path_of(account.unit_id)[:1])
    ]


class Access:
    def __init__(self, store: PostStore, org: Org, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._path_of = unit_paths(org)

    def may_see(self, actor: Actor, post: Post) -> bool:
        """Whether they may read posts of at least one of its units or accounts."""
        return any(actor.may(Right.POSTS_READ, self._path_of(u)) for u in post.unit_ids) or any(
            actor.may(Right.POSTS_READ, (), account_id) for account_id in post.targets
        )

    def visible_post(self, actor: Actor, post_id: str) -> Post:
        """The post; NotFound also for one they may not see, so that ids tell nothing."""
        post = self._store.post(post_id)
        if not self.may_see(actor, post):
            raise NotFound(f"there is no post {post_id}")
        return post

    def require_on_variant(self, actor: Actor, variant_id: str, right: Right) -> Variant:
        """The variant, if they hold the right on its account.

        Raises NotFound, also for one whose posts they may not read, and NotAllowed.
        """
        variant = self._store.variant(variant_id)
        if variant is None or not actor.may(Right.POSTS_READ, self.unit_path(variant), variant.account_id):
            raise NotFound(f"there is no variant {variant_id}")
        actor.require_on(right, self.unit_path(variant), variant.account_id)
        return variant

    def unit_path(self, variant: Variant) -> tuple[str, ...]:
        """The units that the variant's account stands in, from the company down."""
        return self._path_of(variant.unit_id)

    def require_on_scope(self, actor: Actor, scope: str, value: str) -> None:
        """Let a lead hold anything, and others their own part of the tree.

        A platform or a tag reaches into every unit, so it needs the right on the whole company. Raises
        NotAllowed, NotFound, InvalidInput.
        """
        match scope:
            case "unit":
                actor.require_on(Right.HOLDS_WRITE, self._path_of(value))
            case "account":
                account = self._accounts.get(value)
                actor.require_on(Right.HOLDS_WRITE, self._path_of(account.unit_id), value)
            case "platform" if value not in registry.names():
                known = ", ".join(registry.names())
                raise InvalidInput([Problem("value", f"{value} is not a platform; choose one of {known}")])
            case _:
                actor.require_on(Right.HOLDS_WRITE)
