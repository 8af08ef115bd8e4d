"""A mail of a few lines, some facts, and at most one button, said in the reader's language.

A room says what; the layout, the escaping and the direction of writing are here, once.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chalicelib.core.mail import Mail
from chalicelib.core.pages import HtmlWords, Templates
from chalicelib.core.words import Words, one_line

TEMPLATES = Templates(Path(__file__).parent / "templates")

Said = tuple[str, Mapping[str, object]]
"""A message of the catalogue, and what fills its places. `n` among them chooses the form: see `counted`."""


def counted(one: str, many: str, n: int, **values: object) -> Said:
    """A message whose form goes with a number, which fills `%(n)s`."""
    return one, {**values, "n": n, "_many": many}


def letter(
    words: Words,
    company: str,
    to: str,
    subject: Said,
    lines: Iterable[Said],
    *,
    facts: Iterable[tuple[str, str]] = (),
    quote: str = "",
    button: tuple[str, str] | None = None,
    after: Iterable[Said] = (),
) -> Mail:
    """The mail; `facts` are a message and a value, `button` a message and an address, `after` small print.

    Raises jinja2.UndefinedError and KeyError for a place that is not filled.
    """
    lines, facts, after = tuple(lines), tuple(facts), tuple(after)

    def values(w: Any) -> dict[str, Any]:
        return {
            "company": one_line(company),
            "subject": line,
            "lines": [_say(w, said) for said in lines],
            "facts": [(words.say(name), _on_one_line(value)) for name, value in facts if value],
            "quote": quote,
            "button": (words.say(button[0]), button[1]) if button else None,
            "after": [_say(w, said) for said in after],
        }

    line = str(_say(words, subject))  # its values are on one line each
    text = TEMPLATES.text("letter.txt", words, **values(words))
    html = TEMPLATES.html("letter.html", words, **values(HtmlWords(words)))
    return Mail(to, line, text.strip() + "\n", html)


def _say(w: Any, said: Said) -> Any:
    message, given = said
    values = {name: _on_one_line(value) if isinstance(value, str) else value for name, value in given.items()}
    many = values.pop("_many", None)
    return w.say(message, **values) if many is None else w.say_n(message, many, values.pop("n"), **values)


def _on_one_line(value: str) -> str:
    """As `one_line`, which shows marks of direction, but keeps the pairs that isolate of `Words.moment`."""
    depth = 0
    for char in value:
        depth += (char == "\u2068") - (char == "\u2069")
        if depth < 0:
            return one_line(value)
    bare = value.replace("\u2068", "").replace("\u2069", "")
    return value if depth == 0 and one_line(bare) == bare else one_line(value)
