"""Posts in an outage: what is due on the platform, and what became of what waited."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from chalicelib.accounts.outages import Became, Line, Waited
from chalicelib.core.database import Database
from chalicelib.publishing.model import Post, Variant, VariantState, lateness_verdict
from chalicelib.publishing.store import PostStore, post_read, variant_read

KINDS = frozenset({"publish", "reconcile"})
_WAITS = frozenset({VariantState.APPROVED, VariantState.SCHEDULED, VariantState.PUBLISHING})
_BECAME = {VariantState.PUBLISHED: Became.OUT, VariantState.UNKNOWN: Became.UNKNOWN}


class OutagePosts:
    def __init__(self, database: Database, store: PostStore) -> None:
        self._database = database
        self._store = store

    def due(self, platform: str, until: datetime) -> list[Line]:
        """What is still to go out on a platform by a time."""
        waiting = (v for v in self._store.in_group("open") if v.platform == platform)
        return self._lines(v for v in waiting if v.due_at <= until)

    def became(self, waited: Sequence[Waited]) -> list[Line]:
        """What became of the variants among what waited, once each, however many of its entries waited."""
        refs = dict.fromkeys(one.ref for one in waited if one.kind in KINDS)
        found = self._database.read_together(*map(variant_read, refs))
        return self._lines(variant for variant in found if variant is not None)

    def _lines(self, variants: Iterable[Variant]) -> list[Line]:
        listed = list(variants)
        post_ids = dict.fromkeys(v.post_id for v in listed)
        posts = dict(zip(post_ids, self._database.read_together(*map(post_read, post_ids)), strict=True))
        return [_line(v, posts[v.post_id]) for v in listed]


def _line(variant: Variant, post: Post) -> Line:
    return Line(
        "post", variant.variant_id, post.title, variant.account_id, post.author_id, variant.due_at,
        _became(variant, post), variant.url or "",
    )  # fmt: skip


def _became(variant: Variant, post: Post) -> Became:
    if variant.state in _WAITS:
        return Became.WAITS
    if variant.state in _BECAME:
        return _BECAME[variant.state]
    # Held and cancelled are also what people and holds make of it: what its hour made of it is its policy's.
    by_its_hour = lateness_verdict(post.late, variant.due_at, variant.at)
    return Became.LATE if variant.state == by_its_hour else Became.STOPPED
