"""The `discovery` table: what stands under which key, and every read.

pk                                      sk         listing (lpk / lsk)
candidate#<id>                          candidate  candidates#<state> / <unit id>#<1000 - score>#<id>
seen#<platform>#<host>#<handle>         seen       -          the candidate at an address, decided or not
seen#<platform>#<host>#id#<network id>  seen       -          and by the network's own id
report#<id>                             report     -          what somebody told us, swept after half a year
settings                                settings   -
scan#<week>                             scan       -          what a week's scan did
limit#<day>                             <whose>    -          how often the public form was used, swept soon
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlsplit

from chalicelib.core.database import Database, Item
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.expressions import where
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.discovery.model import Candidate, State

TABLE = "discovery"


@dataclass(frozen=True)
class Place:
    """Where a candidate stands in its state's list: sorted out by unit without being read."""

    text: str
    unit_id: str
    score: int
    candidate_id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        unit_id, rest, candidate_id = text.split("#")
        return cls(text, unit_id, 1000 - int(rest), candidate_id)


def candidate_key(candidate_id: str) -> Item:
    return {"pk": f"candidate#{candidate_id}", "sk": "candidate"}


def seen_keys(platform: str, server: str, handle: str, external_id: str) -> list[Item]:
    """Under which keys a profile is known: its address, and the network's id of it where there is one."""
    host = urlsplit(server).netloc
    keys = [{"pk": f"seen#{platform}#{host}#{handle.casefold()}", "sk": "seen"}]
    if external_id:
        keys.append({"pk": f"seen#{platform}#{host}#id#{external_id}", "sk": "seen"})
    return keys


def put_new(change: Change, candidate: Candidate) -> None:
    """Add a new candidate to a change. The commit raises Conflict if its address or id is known by now."""
    change.put(TABLE, _item(candidate), where("attribute_not_exists(pk)"))
    for key in _keys_of(candidate):
        known = Conflict(f"{candidate.handle} on {candidate.platform} was found by somebody else just now")
        change.put(
            TABLE, {**key, "candidate_id": candidate.candidate_id}, where("attribute_not_exists(pk)"), known
        )


def save(change: Change, before: Candidate, after: Candidate) -> Candidate:
    """Add a changed candidate to a change. The commit raises Conflict if somebody's change came between."""
    saved = replace(after, version=before.version + 1)
    meanwhile = Conflict("somebody else decided on this just now; look again")
    change.put(TABLE, _item(saved), where("version = :v", v=before.version), meanwhile)
    known = [key["pk"] for key in _keys_of(before)]
    for key in _keys_of(saved):
        if key["pk"] not in known:
            change.put(TABLE, {**key, "candidate_id": saved.candidate_id})
    return saved


def _keys_of(candidate: Candidate) -> list[Item]:
    return seen_keys(candidate.platform, candidate.server, candidate.handle, candidate.external_id)


def _item(candidate: Candidate) -> Item:
    place = f"{candidate.unit_id}#{1000 - candidate.score:04d}#{candidate.candidate_id}"
    key = candidate_key(candidate.candidate_id)
    return {**to_item(candidate), **key, "lpk": f"candidates#{candidate.state}", "lsk": place}


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, candidate_id: str) -> Candidate:
        """Raises NotFound."""
        found = self.get_many([candidate_id])
        if not found:
            raise NotFound(f"there is no candidate {candidate_id}")
        return found[candidate_id]

    def get_many(self, candidate_ids: Iterable[str]) -> dict[str, Candidate]:
        """Those that exist, by id."""
        items = self._database.get_many(TABLE, [candidate_key(c) for c in candidate_ids])
        return {item["candidate_id"]: from_item(Candidate, item) for item in items}

    def known(self, platform: str, server: str, handle: str, external_id: str) -> Candidate | None:
        """The candidate that a profile is already; by the network's id first, since handles change hands."""
        keys = seen_keys(platform, server, handle, external_id)
        found = {item["pk"]: item["candidate_id"] for item in self._database.get_many(TABLE, keys)}
        candidate_id = next((found[key["pk"]] for key in reversed(keys) if key["pk"] in found), "")
        return self.get_many([candidate_id]).get(candidate_id) if candidate_id else None

    def places(self, state: State) -> Iterator[Place]:
        """Where every candidate of a state stands, by unit, the likeliest of each first."""
        key = where("lpk = :l", l=f"candidates#{state}")
        for item in self._database.query_all(TABLE, key, index="listing"):
            yield Place.parse(item["lsk"])

    def row(self, pk: str, sk: str) -> Item | None:
        return self._database.get(TABLE, {"pk": pk, "sk": sk})
