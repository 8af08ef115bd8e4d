"""HTML as blocks of plain text: headings, rows of tables, paragraphs.

Tags are found with one pass of patterns that cannot be made to take long. A real HTML parser can: selectolax
needs minutes for 200,000 attributes in one tag, or for 300,000 tags that are never closed.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from chalicelib.platform_changes.sources.reader import ChangedShape

MOST_BLOCKS = 20_000
_MOST_TAGS = 100_000
_MOST_BROKEN_TAGS = 500
BLOCK_CHARS_MOST = 4_000
_LEAST_MAIN_CHARS = 200
_LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", None),
    }
)

# Possessive, so that a tag that never ends is given up after one scan.
_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9-]*+)((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE = re.compile(r"""(?<![\w-])(class|id|role|aria-hidden)\s?=\s?["']([^"']{0,500})""", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_MONTH = re.compile(r"\b(jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s(?=\d)")
_AGE = re.compile(r"\b(?:an?|one|\d{1,3})\s(?:second|minute|hour|day|week|month|year)s?\sago\b|\bjust\snow\b")

_RAW = frozenset({"script", "style", "svg", "template", "iframe", "noscript", "textarea", "math", "select"})
_ASIDE = frozenset({"nav", "footer", "aside", "form", "dialog", "button", "menu"})
_ASIDE_NAMES = re.compile(
    r"cookie|consent|breadcrumb|sidebar|side-nav|navbar|page-metadata|feedback|share-|social-share|skip-link",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "blockquote",
            "body",
            "br",
            "caption",
            "center",
            "dd",
            "details",
            "div",
            "dl",
            "dt",
        ),
        *(
            "fieldset",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
        ),
        *("ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_CODE = frozenset({"code", "tt", "kbd", "samp"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)


@dataclass(frozen=True)
class Block:
    """One heading (`level` 1 to 6), one row of a table (`cells`), or one paragraph; spaces are squeezed."""

    text: str
    level: int = 0
    cells: tuple[str, ...] = ()


def squeezed(text: str) -> str:
    """The text with every run of white space as one space, and look-alike characters as one (NFKC)."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def evened(text: str) -> str:
    """The text with one sign for each kind of quote and dash, and without signs that nobody sees."""
    return text.translate(_LOOKALIKES)


def folded(text: str) -> str:
    """The text as it is compared: `evened`, and outside of code in lower case, with short names of months and
    without ages, which grow by themselves.
    """
    parts = evened(text).split("`")
    parts[::2] = (_MONTH.sub(r"\1 ", _AGE.sub("ago", part.lower())) for part in parts[::2])
    return "`".join(parts)


def fingerprint(*parts: str) -> str:
    """20 hex digits that stand for these parts, in this order."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:20]


def decoded(body: bytes, content_type: str) -> str:
    """A body as text. Raises ChangedShape for what is no text in the encoding that it says it is in."""
    charset = re.search(r"charset=[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE | re.ASCII)
    name = charset[1].lower() if charset else "utf-8"
    if name not in ("utf-8", "utf8", "us-ascii", "iso-8859-1", "latin1", "windows-1252", "utf-16"):
        name = "utf-8"
    text = body.decode(name, "replace").removeprefix("\ufeff")
    strange = text.count("\ufffd") + text.count("\0")
    if strange > 10 and strange * 50 > len(text):
        raise ChangedShape(f"It is no text in {name}.")
    return text.replace("\0", "")


def is_html(text: str) -> bool:
    start = text[:2000].lstrip().lower()
    return start.startswith(("<!doctype html", "<html", "<head", "<body", "<!--", "<div", "<main", "<p>"))


def html_blocks(html: str) -> list[Block]:
    """The blocks of a page's main part, or of all of it where it marks none. Raises ChangedShape."""
    page = _Page()
    for count, piece in enumerate(_pieces(html)):
        if count > 2 * _MOST_TAGS:  # each tag, and the text before it
            raise ChangedShape(f"It has more than {_MOST_TAGS} tags.")
        page.take(piece)
    return page.blocks()


def plain(markup: str) -> str:
    """Any text that may hold HTML, as plain text in one line. Raises ChangedShape."""
    if "<" not in markup and "&" not in markup:
        return squeezed(markup)
    return " ".join(block.text for block in html_blocks(markup))


@dataclass(frozen=True)
class _Piece:
    """Text, or a tag when `name` is set."""

    text: str = ""
    name: str = ""
    closes: bool = False
    attributes: str = ""


def _pieces(html: str) -> Iterator[_Piece]:
    place, broken = 0, 0
    while (start := html.find("<", place)) >= 0:
        yield _Piece(html[place:start])
        follows = html[start + 1 : start + 4]
        if follows == "!--":
            place = _after(html, "-->", start + 4)
        elif follows[:1] in ("!", "?"):
            place = _after(html, ">", start + 1)
        elif not (follows[:1] == "/" or (follows[:1].isascii() and follows[:1].isalpha())):
            yield _Piece("<")
            place = start + 1
        elif tag := _TAG.match(html, start):
            name = tag[2].lower()
            place = tag.end()
            if name in _RAW and not tag[1] and not tag[3].endswith("/"):
                ends = re.compile(rf"</{name}", re.IGNORECASE).search(html, place)
                place = _after(html, ">", ends.end()) if ends else len(html)
            else:
                yield _Piece("", name, bool(tag[1]), tag[3])
        else:
            broken += 1
            if broken > _MOST_BROKEN_TAGS:
                raise ChangedShape("Its HTML is broken throughout.")
            place = _after(html, ">", start + 1)
    yield _Piece(html[place:])


def _after(html: str, end: str, place: int) -> int:
    found = html.find(end, place)
    return found + len(end) if found >= 0 else len(html)


class _Region:
    """An element that we are inside of, until its own end tag; elements of its name may stand in it."""

    def __init__(self) -> None:
        self._name, self._depth = "", 0

    def __bool__(self) -> bool:
        return self._depth > 0

    def enter(self, name: str) -> None:
        self._name, self._depth = name, 1

    def see(self, piece: _Piece) -> None:
        if self._depth and piece.name == self._name:
            self._depth += -1 if piece.closes else 1


class _Page:
    def __init__(self) -> None:
        self._all: list[Block] = []
        self._main: list[Block] = []
        self._skipped, self._inside = _Region(), _Region()
        self._words: list[str] = []
        self._cells: list[str] | None = None
        self._level = 0

    def blocks(self) -> list[Block]:
        self._flush()
        if sum(len(block.text) for block in self._main) >= _LEAST_MAIN_CHARS:
            return self._main
        return self._all

    def take(self, piece: _Piece) -> None:
        if self._skipped:
            self._skipped.see(piece)
        elif not piece.name:
            self._words.append(unescape(piece.text))
        elif not piece.closes and self._is_aside(piece):
            self._flush()
            self._skipped.enter(piece.name)
        elif piece.name in _CODE:
            self._words.append("`")
        else:
            self._tag(piece)

    def _tag(self, piece: _Piece) -> None:
        if piece.name in ("td", "th"):
            self._cell(opens=not piece.closes)
        elif self._cells is not None and piece.name not in ("tr", "table", "tbody", "thead", "tfoot"):
            if piece.name in _BLOCKS:
                self._words.append(" ")
        elif piece.name in _BLOCKS:
            self._flush()
            if piece.name == "tr" and not piece.closes:
                self._cells = []
            if len(piece.name) == 2 and piece.name[0] == "h" and piece.name[1] in "123456":
                self._level = 0 if piece.closes else int(piece.name[1])
        was_inside = bool(self._inside)
        self._inside.see(piece)
        if was_inside and not self._inside:
            self._inside = _Region()
        elif not was_inside and not piece.closes and self._is_main(piece):
            self._inside.enter(piece.name)

    def _is_main(self, piece: _Piece) -> bool:
        return piece.name in ("main", "article") or 'role="main"' in piece.attributes[:2000].lower()

    def _is_aside(self, piece: _Piece) -> bool:
        if piece.name in _VOID:
            return False
        if piece.name in _ASIDE or (piece.name == "header" and not self._inside):
            return True
        if piece.name in ("body", "html", "main", "article"):
            return False
        for attribute in _ATTRIBUTE.finditer(piece.attributes[:2000]):
            name, value = attribute[1].lower(), attribute[2].lower()
            if name == "role" and value in ("navigation", "banner", "contentinfo", "search", "dialog"):
                return True
            if name == "aria-hidden" and value == "true":
                return True
            if name in ("class", "id") and _ASIDE_NAMES.search(value):
                return True
        return False

    def _cell(self, opens: bool) -> None:
        if self._cells is None:
            self._flush()
        elif opens:
            self._end_cell()
            self._words.append("\x1f")  # a cell has begun, though it may be empty
        else:
            self._end_cell()

    def _end_cell(self) -> None:
        if self._cells is not None and self._words and self._words[0] == "\x1f":
            self._cells.append(_tidy("".join(self._words[1:])))
        self._words.clear()

    def _flush(self) -> None:
        if self._cells is not None:
            self._end_cell()
            block = Block(" | ".join(self._cells)[:BLOCK_CHARS_MOST], cells=tuple(self._cells[:50]))
            self._cells = None
        else:
            block = Block(_tidy("".join(self._words))[:BLOCK_CHARS_MOST], self._level)
            self._words.clear()
        if not block.text.strip(" |"):
            return
        self._all.append(block)
        if self._inside:
            self._main.append(block)
        if len(self._all) > MOST_BLOCKS:
            raise ChangedShape(f"It has more than {MOST_BLOCKS} paragraphs.")


def _tidy(text: str) -> str:
    return squeezed(text.replace("``", ""))
