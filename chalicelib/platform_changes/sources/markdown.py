"""Markdown and MDX as blocks of plain text: headings, rows of tables, paragraphs and items of lists."""

import re
from collections.abc import Sequence
from html import unescape

from chalicelib.platform_changes.sources.reader import ChangedShape
from chalicelib.platform_changes.sources.text import BLOCK_CHARS_MOST, MOST_BLOCKS, Block, squeezed

_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~$])")
_PICTURE = re.compile(r"!\[[^\[\]]{0,300}\]\([^()\s]{0,2000}\)")
_LINK = re.compile(r"\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,200})?\)")
_INLINE_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_LABELLED = re.compile(r"""<[A-Z]\w{0,30}\s[^<>]{0,300}?label="([^"<>]{1,200})"[^<>]{0,500}>""")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(\S.*)")
_ITEM = re.compile(r"\s{0,20}(?:[-*+]|\d{1,3}[.)])\s+(.*)")
_RULED = re.compile(r"[\s|:-]+")
_UNDERLINE = re.compile(r"\s{0,3}(?:=+|-{2,})\s*")
_BREAK = re.compile(r"(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}")
_REMARK = re.compile(r"<!--(?:(?!-->).){0,500}-->|\{/\*(?:(?!\*/\}).){0,500}\*/\}")
_REMARKS = (("<!--", "-->"), ("{/*", "*/}"))
_HEADING_CHARS_MOST = 200
_EMPHASIS = re.compile(r"(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)|\*{1,3}")


def markdown_blocks(text: str) -> list[Block]:
    """The blocks of a Markdown or MDX page; a component's `label` is a heading. Raises ChangedShape.

    Headings are marked or underlined (https://spec.commonmark.org/0.31.2/#setext-heading).
    """
    found: list[Block] = []
    paragraph: list[str] = []
    fenced = is_item = False
    lines = _without_remarks(text.splitlines())
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:60]):
        lines = lines[next(n for n, line in enumerate(lines[1:60], 1) if line.strip() == "---") + 1 :]

    def end() -> None:
        if words := squeezed(" ".join(paragraph)):
            found.append(Block(words[:BLOCK_CHARS_MOST]))
        paragraph.clear()
        if len(found) > MOST_BLOCKS:
            raise ChangedShape(f"It has more than {MOST_BLOCKS} paragraphs.")

    for line in lines:
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            end()
            fenced = not fenced
        elif fenced:
            paragraph.append(bare)
        elif not bare:
            end()
        elif paragraph and not is_item and _is_underline(line, paragraph):
            found.append(Block(squeezed(" ".join(paragraph)), 1 if bare[0] == "=" else 2))
            paragraph.clear()
        elif _BREAK.fullmatch(bare[:200]):
            end()
        elif heading := _HEADING.fullmatch(line[:2000]):
            end()
            found.append(Block(squeezed(_inline(heading[2]).rstrip("# ")), len(heading[1])))
        elif label := _LABELLED.match(bare[:2000]):
            end()
            found.append(Block(squeezed(unescape(label[1])), 2))
        elif bare.startswith("|"):
            end()
            if not _RULED.fullmatch(bare[:2000]):
                cells = tuple(squeezed(_inline(cell)) for cell in bare[:8000].strip("|").split("|"))
                found.append(Block(" | ".join(cells), cells=cells))
        elif item := _ITEM.fullmatch(line[:8000]):
            end()
            is_item = True
            paragraph.append(_inline(item[1]))
        else:
            is_item = is_item and bool(paragraph)
            paragraph.append(_inline(bare[:8000]))
    end()
    return [block for block in found if block.text]


def _without_remarks(lines: list[str]) -> list[str]:
    """The lines without those of remarks that nobody sees; what is never closed, or stands in code, stays."""
    last = {
        ends: max((n for n, line in enumerate(lines) if ends in line), default=-1) for _, ends in _REMARKS
    }
    kept: list[str] = []
    until, fenced = "", False
    for number, line in enumerate(lines):
        bare = line.strip()
        if not until:
            fenced ^= bare.startswith(("```", "~~~"))
            begun = next((pair for pair in _REMARKS if bare.startswith(pair[0])), None)
            if fenced or begun is None or number > last[begun[1]]:
                kept.append(line)
                continue
            until = begun[1]
        if until in line:
            kept.append(line.partition(until)[2])
            until = ""
    return kept


def _is_underline(line: str, paragraph: Sequence[str]) -> bool:
    """Whether a line makes a heading of the words over it; a whole passage over a rule stays one."""
    return bool(_UNDERLINE.fullmatch(line[:300])) and sum(map(len, paragraph)) <= _HEADING_CHARS_MOST


def _inline(text: str) -> str:
    text = _LINK.sub(r"\1", _PICTURE.sub("", text))
    outside = text.split("`")
    for place in range(0, len(outside), 2):
        outside[place] = _REMARK.sub(" ", outside[place])
        outside[place] = _EMPHASIS.sub("", _ESCAPED.sub(r"\1", _INLINE_TAG.sub(" ", outside[place])))
    return unescape("`".join(outside))
