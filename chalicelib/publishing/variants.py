"""What people do to single variants: release what is held, cancel, or say what became of an unknown one."""

from datetime import datetime

from chalicelib.core.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.core.history import By
from chalicelib.core.kernel import Change, Kernel
from chalicelib.core.timetable import Entry, Lane
from chalicelib.publishing.holds import hold_keys, read_gate
from chalicelib.publishing.model import FURTHEST_FOR, PostState, Variant, VariantState
from chalicelib.publishing.store import PostStore


class Variants:
    def __init__(self, kernel: Kernel, store: PostStore) -> None:
        self._kernel = kernel
        self._store = store

    def get(self, variant_id: str) -> Variant:
        """Raises NotFound."""
        variant = self._store.variant(variant_id)
        if variant is None:
            raise NotFound(f"there is no variant {variant_id}")
        return variant

    def holds_on(self, variant: Variant, unit_path: tuple[str, ...]) -> dict[str, str]:
        """Every active hold that covers the variant now, by id: its key, as in holds.py."""
        tags = self._store.post(variant.post_id).tags
        keys = hold_keys(variant.platform, variant.account_id, unit_path, tags)
        gate = read_gate(self._kernel.database, variant.variant_id)
        return {hold_id: key for hold_id, key in sorted(gate.holds.items()) if key in keys}

    def release(
        self, by: By, variant_id: str, action: str, at: datetime | None, why: str, hold_ids: tuple[str, ...]
    ) -> Variant:
        """Decide one held variant: `publish` now, `reschedule` to a time, or `drop`.

        `hold_ids` are the holds it is released from. The content stays the one that was signed off;
        raises Conflict when that sign-off no longer stands, InvalidInput for a time that has passed.
        """
        variant = self.get(variant_id)
        if variant.state != VariantState.HELD:
            raise Conflict(f"this variant is {variant.state}, not held")
        change = self._kernel.change(by)
        if action == "drop":
            return self._moved(change, variant, VariantState.CANCELLED, "dropped", why)
        post = self._store.post(variant.post_id)
        if post.state != PostState.APPROVED or post.signed_revision != variant.revision:
            raise Conflict("the sign-off of this post no longer stands; submit it again")
        due_at = change.now if action == "publish" else at
        if due_at is None or not change.now <= due_at <= change.now + FURTHEST_FOR:
            raise InvalidInput([Problem("at", "say a time that has not passed, within a year")])
        released = tuple(dict.fromkeys((*variant.released_from, *hold_ids)))
        scheduled = variant.moved(
            VariantState.SCHEDULED, change.now, None, due_at=due_at, released_from=released, hold_id=None
        )
        self._store.save_variant(change, scheduled, variant)
        change.schedule(Entry(variant.entry_id, Lane.PUBLISH, "publish", variant_id, due_at))
        change.record(f"post#{variant.post_id}", f"released to {action}", why=why, account=variant.account_id)
        self._kernel.commit(change)
        return scheduled

    def settle_unknown(self, by: By, variant_id: str, is_there: bool, url: str, why: str) -> Variant:
        """A person looked: the post is there (at `url`), or not. Raises Conflict if it is not unknown."""
        variant = self.get(variant_id)
        if variant.state != VariantState.UNKNOWN:
            raise Conflict(f"this variant is {variant.state}; only an unknown one can be settled by hand")
        change = self._kernel.change(by)
        change.unschedule(f"reconcile#{variant_id}")
        if is_there:
            published_at = variant.begun_at or variant.at
            change.emit("PostPublished", variant_id)
            return self._moved(
                change, variant, VariantState.PUBLISHED, "published: a person found it", why,
                url=url, published_at=published_at,
            )  # fmt: skip
        return self._moved(change, variant, VariantState.REFUSED, "a person says it is not there", why)

    def _moved(
        self, change: Change, variant: Variant, to: VariantState, what: str, why: str, **changes: object
    ) -> Variant:
        moved = variant.moved(to, change.now, why, **changes)
        self._store.save_variant(change, moved, variant)
        change.record(f"post#{variant.post_id}", what, why=why, account=variant.account_id)
        self._kernel.commit(change)
        return moved
