"""What an outage did to us: what waited for it, and what has become of that. Each room says it of its own."""

from collections.abc import Callable, Sequence

from chalicelib.accounts.outages import Became, Line, Waited, waited_for
from chalicelib.accounts.service import Accounts
from chalicelib.core.database import Database
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

Room = Callable[[Sequence[Waited]], list[Line]]
"""What became of those of the entries that are the room's."""

RIGHTS = {"post": Right.POSTS_READ, "answer": Right.INBOX_READ}


class Receipts:
    def __init__(self, database: Database, accounts: Accounts, org: Org, rooms: Sequence[Room]) -> None:
        self._database = database
        self._accounts = accounts
        self._org = org
        self._rooms = rooms

    def of(self, outage_id: str) -> list[Line]:
        """A line for each post's part and each answer that waited, by when it was due, as it stands now."""
        waited = waited_for(self._database, outage_id)
        return sorted((line for room in self._rooms for line in room(waited)), key=_by_time)

    def seen_by(self, actor: Actor, lines: Sequence[Line]) -> list[Line]:
        """Those of the lines that a person may read, by their rights on the accounts."""
        accounts = self._accounts.get_many({line.account_id for line in lines})
        units = {account.unit_id for account in accounts.values()}
        paths = {unit_id: self._org.unit(unit_id).path for unit_id in units}
        return [
            line
            for line in lines
            if actor.may(RIGHTS[line.what], paths[accounts[line.account_id].unit_id], line.account_id)
        ]


def counts(lines: Sequence[Line]) -> dict[Became, int]:
    """How many became what, in the order of Became."""
    return {became: sum(line.became == became for line in lines) for became in Became}


def _by_time(line: Line) -> tuple[str, str]:
    return line.due_at.isoformat(), line.ref
