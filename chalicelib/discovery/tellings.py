"""What people tell us: a profile that somebody came upon, or a list of them that was exported elsewhere.

A telling is a row of addresses; a chore looks at each of them, so that whoever tells waits for no network.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.database import Database
from chalicelib.core.errors import InvalidInput, NotFound, Problem
from chalicelib.core.ids import new_id
from chalicelib.core.kernel import Change
from chalicelib.core.records import from_item, to_item
from chalicelib.discovery.model import Source
from chalicelib.discovery.plan import week_of
from chalicelib.discovery.store import TABLE
from chalicelib.platforms.links import Address, recognise

AT_ONCE = 20  # addresses in one telling: as many profiles as one chore reads in its time
MOST_ROWS = 1_000
KEPT_FOR = timedelta(days=180)
_LONGEST_CELL = 4_000


@dataclass(frozen=True)
class Told:
    """`words` are what whoever reported it wrote; nobody's name or address is kept."""

    report_id: str
    source: Source
    urls: tuple[str, ...]
    told_at: datetime
    words: str = ""

    @property
    def addresses(self) -> Iterator[tuple[Address, str]]:
        for url in self.urls:
            address = recognise(url)
            if address is not None:
                yield address, url


def tell_in(change: Change, source: Source, urls: Iterable[str], words: str = "") -> Told:
    """Add a telling, and the look at it, to a change."""
    told = Told(new_id("report", change.now), source, tuple(urls), change.now, words)
    key = {"pk": f"report#{told.report_id}", "sk": "report"}
    swept_at = int((change.now + KEPT_FOR).timestamp())
    change.put(TABLE, {**to_item(told), **key, "swept_at": swept_at})
    change.chore("scan_source", week_of(change.now), source="told", report=told.report_id)
    change.record("discovery", "told", report=told.report_id, source=source, addresses=len(told.urls))
    return told


def told_row(database: Database, report_id: str) -> Told:
    """Raises NotFound."""
    item = database.get(TABLE, {"pk": f"report#{report_id}", "sk": "report"})
    if item is None:
        raise NotFound(f"there is no report {report_id}")
    return from_item(Told, item)


def urls_in(text: str) -> tuple[list[str], int]:
    """The profiles' addresses in a CSV, each profile once, and how many rows had none.

    Any cell of a row may be the address; a web search's export has it among titles and snippets.
    Raises InvalidInput for what is no CSV, or too long a one.
    """
    found: dict[Address, str] = {}
    without = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=False)):
            if number > MOST_ROWS:
                raise InvalidInput([Problem("csv", f"has more than {MOST_ROWS} rows; send it in parts")])
            known = [(a, cell) for cell in row if len(cell) <= _LONGEST_CELL and (a := recognise(cell))]
            if known:
                found.setdefault(*known[0])
            else:
                without += number > 0 and bool("".join(row).strip())  # the first may be the headings
    except csv.Error as error:
        raise InvalidInput([Problem("csv", "is not a table of comma-separated values")]) from error
    return list(found.values()), without
