"""The posts table: keys and conditions, no rules.

pk post#<id>   sk post              the post              listed under `posts` by time
pk post#<id>   sk revision#<hash>   a revision that approvers were shown, once it is not the post's any more
pk post#<id>   sk signoff#<k>       the sign-off, spread; `begun` counts variants that began under it
pk post#<id>   sk variant#<acct>    a variant             listed by group and shard

pk told#<acct>#<platform's id>   sk variant   whose post, or publishing job, has that id on the account
in `inbound`, for 30 days        sk word      what the platform says became of that job
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item, Read
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.publishing.model import Post, Variant, VariantState, account_of, post_of

TABLE = "posts"
WORDS = "inbound"
WORDS_KEPT_FOR = timedelta(days=30)
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


@dataclass(frozen=True)
class Word:
    """What a platform says became of a publishing job: `outcome` is published or failed."""

    outcome: str
    reason: str = ""
    post_id: str = ""
    url: str = ""


def post_read(post_id: str) -> Read[Post]:
    """The post, to be read together with other rows. Raises NotFound then."""

    def made(item: Item | None) -> Post:
        if item is None:
            raise NotFound(f"there is no post {post_id}")
        return from_item(Post, item)

    return Read(TABLE, {"pk": f"post#{post_id}", "sk": "post"}, made)


def variant_read(variant_id: str) -> Read[Variant | None]:
    """The variant's row, if it has one, to be read together with other rows."""
    key = {"pk": f"post#{post_of(variant_id)}", "sk": f"variant#{account_of(variant_id)}"}
    return Read(TABLE, key, lambda item: from_item(Variant, item) if item else None)


class PostStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    # Reads

    def post(self, post_id: str) -> Post:
        """Raises NotFound."""
        return self._database.read(post_read(post_id))

    def revision(self, post_id: str, revision: str) -> Post | None:
        """The post as approvers were shown it, or None."""
        item = self._database.get(TABLE, {"pk": f"post#{post_id}", "sk": f"revision#{revision}"})
        return from_item(Post, item) if item else None

    def variant(self, variant_id: str) -> Variant | None:
        return self._database.read(variant_read(variant_id))

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

    def open_on(self, account_id: str) -> Iterator[Variant]:
        """The variants of one account that wait or are under way."""
        for shard in range(SHARDS):
            listed = self._database.query_all(TABLE, where("lpk = :l", l=f"open#{shard}"), index="listing")
            sk = f"variant#{account_id}"
            yield from self._variants([{"pk": i["pk"], "sk": sk} for i in listed if i["sk"] == sk])

    def told_variant(self, account_id: str, external_id: str) -> Variant | None:
        """The variant whose post, or publishing job, has this id on the account."""
        item = self._database.get(TABLE, {"pk": _told(account_id, external_id), "sk": "variant"})
        return self.variant(item["variant_id"]) if item else None

    def word(self, variant: Variant) -> Word | None:
        """What the platform has said of the variant's publishing job, if that has an id."""
        job = _publish_id(variant)
        key = {"pk": _told(variant.account_id, job), "sk": "word"} if job else None
        item = self._database.get(WORDS, key) if key else None
        return from_item(Word, item) if item else None

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
        """Keep what approvers were shown, as another revision takes its place: to say what changed."""
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
        for external_id in sorted(_told_ids(variant) - (_told_ids(seen) if seen else set())):
            key = {"pk": _told(variant.account_id, external_id), "sk": "variant"}
            change.put(TABLE, {**key, "variant_id": variant.variant_id})

    def keep_word(self, change: Change, account_id: str, external_id: str, word: Word) -> None:
        """Keep what the platform says: it may come before we know that the job is ours."""
        swept_at = int((change.now + WORDS_KEPT_FOR).timestamp())
        key = {"pk": _told(account_id, external_id), "sk": "word"}
        change.put(WORDS, {**to_item(word), **key, "swept_at": swept_at})

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


def _publish_id(variant: Variant) -> str | None:
    """The platform's id of the job that publishes the variant, where its adapter kept one as `publish_id`."""
    found = json.loads(variant.checkpoint).get("publish_id") if variant.checkpoint else None
    return found if isinstance(found, str) else None


def _told_ids(variant: Variant) -> set[str]:
    return {told for told in (variant.external_id, _publish_id(variant)) if told}


def _told(account_id: str, external_id: str) -> str:
    """The key for a platform's id; what is longer than a key may be is told apart by its digest."""
    if len(external_id.encode()) > 500:
        external_id = "sha256:" + hashlib.sha256(external_id.encode()).hexdigest()
    return f"told#{account_id}#{external_id}"


def _signoff(post_id: str, shard: int) -> Item:
    return {"pk": f"post#{post_id}", "sk": f"signoff#{shard}"}
