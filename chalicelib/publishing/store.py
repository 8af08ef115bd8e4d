"""The posts table: keys and conditions, no rules.

pk post#<id>   sk post              the post              listed under `posts` by time
pk post#<id>   sk revision#<hash>   a revision that approvers were shown
pk post#<id>   sk signoff#<k>       the sign-off, spread; `begun` counts variants that began under it
pk post#<id>   sk variant#<acct>    a variant             listed by group and shard
"""

import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.publishing.model import Post, Variant, VariantState

TABLE = "posts"
SHARDS = 8
_GROUPS = {
    VariantState.APPROVED: "open",
    VariantState.SCHEDULED: "open",
    VariantState.PUBLISHING: "open",
    VariantState.UNKNOWN: "attention",
    VariantState.HELD: "attention",
    VariantState.LATE: "attention",
    VariantState.REFUSED: "attention",
    VariantState.PUBLISHED: "published",
}


class PostStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Reads

    def post(self, post_id: str) -> Post:
        """Raises NotFound."""
        item = self._database.get(TABLE, {"pk": f"post#{post_id}", "sk": "post"})
        if item is None:
            raise NotFound(f"there is no post {post_id}")
        return from_item(Post, item)

    def revision(self, post_id: str, revision: str) -> Post | None:
        """The post as approvers were shown it, or None."""
        item = self._database.get(TABLE, {"pk": f"post#{post_id}", "sk": f"revision#{revision}"})
        return from_item(Post, item) if item else None

    def variant(self, variant_id: str) -> Variant | None:
        post_id, _, account_id = variant_id.partition("~")
        item = self._database.get(TABLE, {"pk": f"post#{post_id}", "sk": f"variant#{account_id}"})
        return from_item(Variant, item) if item else None

    def variants(self, post_id: str) -> list[Variant]:
        """The post's variants that exist as rows, by their place among the targets."""
        key = where("pk = :p AND begins_with(sk, :v)", p=f"post#{post_id}", v="variant#")
        found = [from_item(Variant, i) for i in self._database.query_all(TABLE, key)]
        return sorted(found, key=lambda v: v.place)

    def posts(self, limit: int, after: str = "") -> tuple[list[Post], str | None]:
        """A page of posts, the latest publishing time first, and where the next one starts."""
        start = {"pk": f"post#{after.partition('#')[2]}", "sk": "post", "lpk": "posts", "lsk": after}
        page = self._database.query(
            TABLE,
            where("lpk = :l", l="posts"),
            index="listing",
            limit=limit,
            after=start if after else None,
            forward=False,
        )
        keys = [{"pk": i["pk"], "sk": i["sk"]} for i in page.items]
        found = {i["pk"]: from_item(Post, i) for i in self._database.get_many(TABLE, keys)}
        shown = [found[k["pk"]] for k in keys if k["pk"] in found]
        return shown, page.after["lsk"] if page.after else None

    def in_group(self, group: str, since: datetime | None = None) -> Iterator[Variant]:
        """Every variant of a listing group: `open`, `attention`, or `published` since a time."""
        for shard in range(SHARDS):
            key = where("lpk = :l AND lsk >= :s", l=f"{group}#{shard}", s=to_text(since) if since else "0")
            keys: list[Item] = []
            for item in self._database.query_all(TABLE, key, index="listing"):
                keys.append({"pk": item["pk"], "sk": item["sk"]})
                if len(keys) == 100:
                    yield from self._variants(keys)
                    keys = []
            yield from self._variants(keys)

    def _variants(self, keys: list[Item]) -> Iterator[Variant]:
        for item in self._database.get_many(TABLE, keys):
            yield from_item(Variant, item)

    # Writes that join a change

    def save_post(self, change: Change, post: Post) -> None:
        """Put the post, refused if somebody else changed it since it was read."""
        item = {
            **to_item(post),
            "version": post.version + 1,
            "pk": f"post#{post.post_id}",
            "sk": "post",
            "lpk": "posts",
            "lsk": f"{to_text(post.publish_at)}#{post.post_id}",
        }
        when = (
            where("attribute_not_exists(pk)") if post.version == 0 else where("version = :v", v=post.version)
        )
        change.put(TABLE, item, when, Conflict("somebody else changed this post meanwhile; load it again"))

    def keep_revision(self, change: Change, post: Post) -> None:
        """Keep what approvers are shown, to say later what changed."""
        item = {**to_item(post), "pk": f"post#{post.post_id}", "sk": f"revision#{post.revision}"}
        change.put(TABLE, item)

    def save_variant(self, change: Change, variant: Variant, seen: Variant | None) -> None:
        """Put the variant; `seen` is what it replaces and must still be there unchanged (None: nothing)."""
        when = where("attribute_not_exists(pk)")
        if seen is not None:
            when = where(
                "version = :v AND state = :seen AND fence = :f",
                v=seen.version, seen=str(seen.state), f=seen.fence,
            )  # fmt: skip
        change.put(TABLE, variant_item(variant), when, Conflict(f"variant {variant.variant_id} has moved on"))

    def sign(self, change: Change, post: Post) -> None:
        """Write the sign-off of the post's revision, over all its shards."""
        for shard in range(post.signoff_shards):
            change.put(TABLE, {**_signoff(post.post_id, shard), "revision": post.revision})

    def begins(self, post: Post) -> list[int]:
        """How many begins each shard of the sign-off has seen; read it before the variants."""
        keys = [_signoff(post.post_id, shard) for shard in range(post.signoff_shards)]
        seen = {i["sk"]: i.get("begun", 0) for i in self._database.get_many(TABLE, keys)}
        return [seen.get(key["sk"], 0) for key in keys]

    def withdraw_signoff(self, change: Change, post: Post, begins: list[int]) -> None:
        """Take the sign-off back; refused if a variant has begun under it since `begins` was read."""
        refusal = Conflict("publishing has begun; copy the post to change what is not out yet")
        for shard, seen in enumerate(begins):
            when = where("begun = :seen", seen=seen) if seen else where("attribute_not_exists(begun)")
            change.delete(TABLE, _signoff(post.post_id, shard), when, refusal)

    def still_signed(self, change: Change, post: Post) -> None:
        """Refuse the change unless the post stands under this very sign-off at the commit."""
        when = where("signed_revision = :r AND request_id = :q", r=post.signed_revision, q=post.request_id)
        key = {"pk": f"post#{post.post_id}", "sk": "post"}
        change.check(TABLE, key, when, Conflict("the sign-off was withdrawn"))

    def begin_under_signoff(self, change: Change, post: Post, variant: Variant) -> None:
        """Count the variant as begun; refused unless this very revision is signed off at the commit."""
        change.update(
            TABLE,
            _signoff(post.post_id, variant.place % post.signoff_shards),
            where("ADD begun :one", one=1),
            where("revision = :r", r=variant.revision),
            SignoffGone("the sign-off was withdrawn"),
        )


class SignoffGone(Conflict):
    """The approval that a variant was scheduled under no longer stands."""


def variant_item(variant: Variant) -> dict[str, Any]:
    """The stored row, its version one higher; listed only while its state has a group."""
    item: dict[str, Any] = {
        **to_item(variant),
        "version": variant.version + 1,
        "pk": f"post#{variant.post_id}",
        "sk": f"variant#{variant.account_id}",
    }
    group = _GROUPS.get(variant.state)
    if group:
        listed_at = variant.published_at if group == "published" else variant.due_at
        item["lpk"] = f"{group}#{zlib.crc32(variant.variant_id.encode()) % SHARDS}"
        item["lsk"] = f"{to_text(listed_at or variant.at)}#{variant.variant_id}"
    return item


def _signoff(post_id: str, shard: int) -> Item:
    return {"pk": f"post#{post_id}", "sk": f"signoff#{shard}"}
