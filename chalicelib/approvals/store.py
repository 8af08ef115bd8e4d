"""The `approvals` table: what stands under which key, and every read of it.

pk              sk                 listing (lpk / lsk)
policy#<unit>   policy             -
request#<id>    request            <subject> / <request id>     ids sort by creation
request#<id>    code#<person id>   -                            a mailed six-digit code, swept by TTL
asked#<person>  <request id>       -                            who was to be mailed about what, swept by TTL
"""

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.approvals.model import Policy, Request, State
from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item

TABLE = "approvals"


def policy_key(unit_id: str) -> Item:
    return {"pk": f"policy#{unit_id}", "sk": "policy"}


def request_key(request_id: str) -> Item:
    return {"pk": f"request#{request_id}", "sk": "request"}


def code_key(request_id: str, person_id: str) -> Item:
    return {"pk": f"request#{request_id}", "sk": f"code#{person_id}"}


def put_asked(change: Change, request: Request, person_id: str) -> None:
    """Note that somebody is to be mailed about a request, for `Store.asked_of`."""
    key = {"pk": f"asked#{person_id}", "sk": request.request_id}
    change.put(TABLE, {**key, "swept_at": int(request.expires_at.timestamp())})


def put_new(change: Change, request: Request) -> None:
    change.put(TABLE, _item(request), where("attribute_not_exists(pk)"))


def put_next(change: Change, seen: Request, after: Request) -> Request:
    """Replace the request as it was seen; refused if somebody else was faster, or it is settled."""
    after = replace(after, version=seen.version + 1)
    still = where("version = :seen AND state = :open", seen=seen.version, open=State.OPEN)
    change.put(
        TABLE, _item(after), still, Conflict("somebody else decided on this at the same moment; look again")
    )
    return after


def _item(request: Request) -> Item:
    return {
        **to_item(request),
        **request_key(request.request_id),
        "lpk": request.subject,
        "lsk": request.request_id,
    }


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self, request_id: str) -> Request:
        """Raises NotFound."""
        item = self._database.get(TABLE, request_key(request_id))
        if item is None:
            raise NotFound(f"there is no approval request {request_id}")
        return from_item(Request, item)

    def asked_of(self, person_id: str) -> list[Request]:
        """What somebody was asked about and may not have ended yet, oldest first."""
        keys = self._database.query_all(TABLE, where("pk = :p", p=f"asked#{person_id}"))
        items = self._database.get_many(TABLE, [request_key(k["sk"]) for k in keys])
        return sorted((from_item(Request, i) for i in items), key=lambda r: r.request_id)

    def of_subject(self, subject: str) -> list[Request]:
        """Every request about a subject, oldest first."""
        keys = self._database.query_all(TABLE, where("lpk = :s", s=subject), index="listing")
        items = self._database.get_many(TABLE, [{"pk": k["pk"], "sk": k["sk"]} for k in keys])
        return sorted((from_item(Request, i) for i in items), key=lambda r: r.request_id)

    def policies(self, unit_ids: Iterable[str]) -> dict[str, tuple[Policy, int]]:
        """The units' own policies with their versions, where they have one."""
        items = self._database.get_many(TABLE, [policy_key(u) for u in dict.fromkeys(unit_ids)])
        return {i["pk"].removeprefix("policy#"): (from_item(Policy, i), i["version"]) for i in items}

    def code(self, request_id: str, person_id: str) -> Item | None:
        return self._database.get(TABLE, code_key(request_id, person_id))
