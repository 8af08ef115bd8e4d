"""What was proven and means nothing to us (yet): kept raw for 30 days, and counted, so that it is noticed.

pk unknown#<platform>#<type>   sk <received>#<digest>       the message as it stood on the queue
pk counts#<what>               sk <of what>#<shard>         how many, since when and until when

`Counts` also counts the echoes of our own posts. Reactions and shares are the inbox's numbers.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.core import log as metrics
from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, TransactionRefused, Write
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Kernel

TABLE = "inbound"
KEPT_FOR = timedelta(days=30)
SHARDS = 8  # of a counter: a viral day must not queue on one row
_LONGEST_TYPE = 100


@dataclass(frozen=True)
class Counted:
    """How often something came; times as they are stored."""

    name: str
    n: int
    first_at: str
    last_at: str


class Counts:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def once(self, seen: Write, what: str, of: str, *more: Write) -> bool:
        """Count one, together with its seen key; False if it was seen before."""
        shard = zlib.crc32(seen.item_or_key["pk"].encode()) % SHARDS
        now = to_text(self._kernel.clock.now())
        count = Write(
            "Update",
            TABLE,
            {"pk": f"counts#{what}", "sk": f"{of}#{shard}"},
            update=where("SET last_at = :n, first_at = if_not_exists(first_at, :n) ADD n :one", n=now, one=1),
        )
        is_new = wrote_once(self._kernel.database, seen, count, *more)
        if is_new:
            metrics.count(f"inbound_{what}")
        return is_new

    def all(self, what: str) -> list[Counted]:
        """The sums of every counter of a sort, in the order of their names."""
        return sorted(_summed(self._kernel.database, what), key=lambda c: c.name)


class Unknown:
    def __init__(self, kernel: Kernel, counts: Counts) -> None:
        self._kernel = kernel
        self._counts = counts

    def keep(self, seen: Write, platform: str, of_type: str, body: str) -> bool:
        """Keep a message as it came, and count its type; False if it was seen before."""
        kind = f"{platform}#{of_type[:_LONGEST_TYPE]}"
        now = self._kernel.clock.now()
        raw = Write(
            "Put",
            TABLE,
            {
                "pk": f"unknown#{kind}",
                "sk": f"{to_text(now)}#{seen.item_or_key['pk'][-16:]}",
                "body": body,
                "swept_at": int((now + KEPT_FOR).timestamp()),
            },
        )
        return self._counts.once(seen, "unknown", kind, raw)

    def types(self) -> list[Counted]:
        """Every type of event that nothing knew, as `<platform>#<type>`."""
        return self._counts.all("unknown")


def wrote_once(database: Database, seen: Write, *writes: Write) -> bool:
    """Write all of it together with its seen key; False, and nothing is written, if it was seen before."""
    try:
        database.transact([seen, *writes])
    except TransactionRefused:
        return False
    return True


def _summed(database: Database, what: str) -> Iterable[Counted]:
    found: dict[str, Counted] = {}
    for item in database.query_all(TABLE, where("pk = :p", p=f"counts#{what}")):
        name = item["sk"].rpartition("#")[0]
        one = Counted(name, item["n"], item["first_at"], item["last_at"])
        had = found.get(name, one)
        found[name] = one if had is one else _added(had, one)
    return found.values()


def _added(a: Counted, b: Counted) -> Counted:
    first_at, last_at = min(a.first_at, b.first_at), max(a.last_at, b.last_at)
    return Counted(a.name, a.n + b.n, first_at, last_at)
