"""What a signed-in person does about finding accounts, beside deciding on candidates (triage.py)."""

from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import InvalidInput, Problem
from chalicelib.core.kernel import Kernel
from chalicelib.discovery.duplicates import DuplicatePair, duplicate_pairs
from chalicelib.discovery.model import Source
from chalicelib.discovery.settings import DiscoverySettings
from chalicelib.discovery.tellings import AT_ONCE, tell_in, urls_in
from chalicelib.org.model import Actor
from chalicelib.org.roles import Right
from chalicelib.org.service import Org

_A_CHANGE = 20  # tellings; each is three writes of a transaction's hundred


class Discovery:
    def __init__(self, kernel: Kernel, org: Org, accounts: Accounts, settings: DiscoverySettings) -> None:
        self._kernel = kernel
        self._org = org
        self._accounts = accounts
        self._settings = settings

    def tell(self, actor: Actor, source: Source, table: str) -> tuple[int, int]:
        """Have every profile in a CSV looked at; how many there are, and how many rows name none.

        Raises InvalidInput for a table without any, and NotAllowed.
        """
        actor.require_on(Right.REGISTER_WRITE, self._settings.company().path)
        urls, without = urls_in(table)
        if not urls:
            raise InvalidInput([Problem("csv", "no cell in it is the address of a profile")])
        parts = [urls[start : start + AT_ONCE] for start in range(0, len(urls), AT_ONCE)]
        for start in range(0, len(parts), _A_CHANGE):
            change = self._org.begin(actor)
            for part in parts[start : start + _A_CHANGE]:
                tell_in(change, source, part)
            self._kernel.commit(change)
        return len(urls), without

    def duplicates(self, actor: Actor, limit: int, after: str) -> tuple[list[DuplicatePair], str | None]:
        """A page of the pairs among our accounts of which one may read both, and where the next starts."""
        paths = {unit.unit_id: unit.path for unit in self._org.units()}

        def may_read(unit_id: str, account_id: str) -> bool:
            return actor.may(Right.REGISTER_READ, paths.get(unit_id, ()), account_id)

        ours = [a for a in self._accounts.everyone() if may_read(a.unit_id, a.account_id)]
        pairs = [(_place(pair), pair) for pair in duplicate_pairs(ours)]
        left = [(place, pair) for place, pair in pairs if place > after]
        shown = left[:limit]
        return [pair for _, pair in shown], shown[-1][0] if len(left) > limit else None


def _place(pair: DuplicatePair) -> str:
    return f"{pair.keep.platform}#{pair.keep.account_id}#{pair.other.account_id}"
