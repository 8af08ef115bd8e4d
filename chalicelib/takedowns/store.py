"""The `takedowns` table: what stands under which key, every read, and the writes that changes share.

pk               sk                  listing (lpk / lsk)
case#<id>        case                open, ended / <time>#<Place>
case#<id>        step#<place>        -                     the log, written once
case#<id>        evidence#<place>    -                     written once
case#<id>        upload#<id>         -                     a picture under way, swept by TTL
account#<id>     <kind>              -                     the latest case about an account, one of each kind
numbers          <unit>#<platform>   -                     counters (numbers.py)
settings         company             -                     who reports (settings.py)
settings         <platform>#<kind>   -                     what the company knows better of a channel

The time in a listing is when an open case is due to be chased, and when an ended one ended.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib.core.clock import to_text
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.takedowns.chain import hash_of
from chalicelib.takedowns.model import Case, Evidence, EvidenceKind, Step

TABLE = "takedowns"
MEANWHILE = "somebody else changed this case just now; look again and repeat your step"
_UPLOAD_KEPT_FOR = timedelta(days=2)  # as long as the bucket keeps what was uploaded


@dataclass(frozen=True)
class Upload:
    """A picture that somebody was given a form for; its bytes are not evidence before they were checked."""

    upload_id: str
    case_id: str
    mime: str
    name: str
    by_id: str


@dataclass(frozen=True)
class Place:
    """What a listing's key says of a case, without a read of it."""

    unit_id: str
    platform: str
    kind: str
    harm: str
    state: str
    account_id: str
    case_id: str


def case_key(case_id: str) -> Item:
    return {"pk": f"case#{case_id}", "sk": "case"}


def _item(case: Case) -> Item:
    at = case.ended_at or case.chase_at or case.opened_at
    place = (case.unit_id, case.platform, case.kind, case.harm, case.state, case.account_id, case.case_id)
    listing = {"lpk": "open" if case.is_open else "ended", "lsk": "#".join((to_text(at), *place))}
    return {**to_item(case), **case_key(case.case_id), **listing}


def put_new(change: Change, case: Case) -> None:
    change.put(TABLE, _item(case), where("attribute_not_exists(pk)"))


def save(change: Change, before: Case, after: Case) -> Case:
    """The case as saved. The commit raises Conflict if it was changed since `before` was read."""
    saved = replace(after, version=before.version + 1)
    change.put(TABLE, _item(saved), where("version = :seen", seen=before.version), Conflict(MEANWHILE))
    return saved


def claim_account(change: Change, case: Case, latest: str | None) -> None:
    """Make this the account's latest case of its kind, in place of `latest`.

    The commit raises Conflict when another case has become it meanwhile.
    """
    item = {"pk": f"account#{case.account_id}", "sk": str(case.kind), "case_id": case.case_id}
    still = (
        where("attribute_not_exists(pk)")
        if latest is None
        else where("case_id = :latest", latest=latest)
    )  # fmt: skip
    change.put(
        TABLE, item, still, Conflict("another case about this account was opened just now; look there")
    )


def log(change: Change, case: Case, reference: str, why: str) -> Case:
    """Add a line to the log that says where the case stands now; the case with the new head."""
    by = change.by
    place, head = case.steps + 1, case.log_head
    step = Step(case.case_id, place, case.state, change.now, by.person_id, str(by.way), reference, why, head)
    linked = replace(step, chain=hash_of(step))
    item = {**to_item(linked), "pk": f"case#{case.case_id}", "sk": f"step#{place:05d}"}
    change.put(TABLE, item, where("attribute_not_exists(pk)"))
    return replace(case, steps=place, log_head=linked.chain)


def keep(change: Change, case: Case, kind: EvidenceKind, digest: str, **about: Any) -> tuple[Case, Evidence]:
    """Add an item to the evidence; the case with the new head, and the item with its hash."""
    place, by_id = case.evidence + 1, change.by.person_id
    kept = Evidence(case.case_id, place, kind, digest, change.now, by_id, case.evidence_head, **about)
    linked = replace(kept, chain=hash_of(kept))
    item = {**to_item(linked), "pk": f"case#{case.case_id}", "sk": f"evidence#{place:05d}"}
    change.put(TABLE, item, where("attribute_not_exists(pk)"))
    return replace(case, evidence=place, evidence_head=linked.chain), linked


def put_upload(change: Change, upload: Upload) -> None:
    swept_at = int((change.now + _UPLOAD_KEPT_FOR).timestamp())
    key = {"pk": f"case#{upload.case_id}", "sk": f"upload#{upload.upload_id}"}
    change.put(TABLE, {**to_item(upload), **key, "swept_at": swept_at})


def drop_upload(change: Change, upload: Upload) -> None:
    """An upload becomes evidence once. The commit raises Conflict if it did already."""
    key = {"pk": f"case#{upload.case_id}", "sk": f"upload#{upload.upload_id}"}
    first = Conflict("this picture was checked just now; look at the case")
    change.delete(TABLE, key, where("attribute_exists(pk)"), first)


@dataclass(frozen=True)
class Whole:
    """A case with its log and its evidence, both in order."""

    case: Case
    steps: tuple[Step, ...]
    evidence: tuple[Evidence, ...]


class CaseStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, case_id: str) -> Case | None:
        item = self._database.get(TABLE, case_key(case_id))
        return from_item(Case, item) if item else None

    def get(self, case_id: str) -> Case:
        """Raises NotFound."""
        case = self.find(case_id)
        if case is None:
            raise NotFound(f"there is no case {case_id}")
        return case

    def get_many(self, case_ids: Iterable[str]) -> dict[str, Case]:
        """Those that exist, by id."""
        items = self._database.get_many(TABLE, [case_key(c) for c in case_ids])
        return {item["case_id"]: from_item(Case, item) for item in items}

    def whole(self, case_id: str) -> Whole:
        """Raises NotFound."""
        items = list(self._database.query_all(TABLE, where("pk = :p", p=f"case#{case_id}")))
        case = next((from_item(Case, i) for i in items if i["sk"] == "case"), None)
        if case is None:
            raise NotFound(f"there is no case {case_id}")
        return Whole(case, _rows(Step, "step#", items), _rows(Evidence, "evidence#", items))

    def upload(self, case_id: str, upload_id: str) -> Upload:
        """Raises NotFound."""
        key = {"pk": f"case#{case_id}", "sk": f"upload#{upload_id}"}
        item = self._database.get(TABLE, key)
        if item is None:
            raise NotFound(f"there is no upload {upload_id} of this case; begin again")
        return from_item(Upload, item)

    def latest_of(self, account_id: str, kind: str) -> str | None:
        """The latest case of this kind about an account."""
        item = self._database.get(TABLE, {"pk": f"account#{account_id}", "sk": kind})
        return item["case_id"] if item else None

    def places(self, is_open: bool, after: str = "") -> Iterator[tuple[str, Place]]:
        """(sort key, what it says) of each case in a listing, from the one after `after` on."""
        key = where("lpk = :l", l="open" if is_open else "ended")
        if after:
            key = where("lpk = :l AND lsk > :a", l="open" if is_open else "ended", a=after)
        for item in self._database.query_all(TABLE, key, index="listing"):
            yield item["lsk"], Place(*item["lsk"].split("#")[1:])


def _rows(cls: type[Any], prefix: str, items: list[Item]) -> tuple[Any, ...]:
    return tuple(from_item(cls, i) for i in items if i["sk"].startswith(prefix))
