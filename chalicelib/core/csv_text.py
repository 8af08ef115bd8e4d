"""A table as CSV (RFC 4180) and back: no cell can become a formula, and every cell comes back as it was.

A spreadsheet computes what begins with certain characters (OWASP, "CSV Injection"). Such a cell gets an
apostrophe, and so does one that begins with an apostrophe, so that exactly one can be taken off again.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from chalicelib.core.errors import InvalidInput, Problem

_STARTS = "=+-@\t\r\n＝＋－＠'"  # the wide forms too: some spreadsheets fold them
_LONGEST_CELL = 20_000


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A line of names, and one for each row, with CRLF ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([_guarded(row[name]) for name in columns] for row in rows)
    return out.getvalue()


def from_csv(raw: bytes) -> list[dict[str, str]]:
    """The rows by column, from UTF-8 with or without a byte order mark; empty lines are left out.

    Raises InvalidInput for what is no table: not UTF-8, a column twice, a row with more or fewer cells.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput([Problem("body", "is not text in UTF-8; save it as 'CSV UTF-8'")]) from None
    csv.field_size_limit(_LONGEST_CELL)
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise InvalidInput([Problem("body", f"is not CSV: {error}")]) from None
    if not lines:
        raise InvalidInput([Problem("body", "is empty; its first line names the columns")])
    columns = [_bare(name).strip() for name in lines[0]]
    problems = [
        Problem("row 1", f"the column {name[:100]!r} comes twice; keep one of them")
        for name in sorted({name for name in columns if columns.count(name) > 1})
    ]
    problems += [
        Problem(f"row {number}", f"has {len(line)} cells, and the first row {len(columns)}; quote its commas")
        for number, line in enumerate(lines[1:], start=2)
        if len(line) != len(columns)
    ]
    if problems:
        raise InvalidInput(problems[:100])
    return [dict(zip(columns, map(_bare, line), strict=True)) for line in lines[1:]]


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell[:1] and cell[0] in _STARTS else cell


def _bare(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in _STARTS else cell
