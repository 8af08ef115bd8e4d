"""DynamoDB expressions written with plain attribute names.

DynamoDB has some 570 reserved words, `owner` and `state` among them; a reserved word fails only at run
time. So every name is aliased, always: `where("state = :s", s="held")` becomes `#state = :s`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WORDS = {"AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE"}
# What stands before a bracket is a function: `size(media)`, but an attribute in `size = :s`.
_NAME = re.compile(r"(?<![:#\w])[A-Za-z_]\w*\b(?!\s*\()")


@dataclass(frozen=True)
class Expression:
    """The text with its names aliased, and the values it needs."""

    text: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


def where(text: str, **values: Any) -> Expression:
    """A condition, key condition or update whose values are `:name` placeholders for `values`."""
    names: dict[str, str] = {}

    def alias(match: re.Match[str]) -> str:
        word = match.group()
        if word in _WORDS:
            return word
        names[f"#{word}"] = word
        return f"#{word}"

    return Expression(_NAME.sub(alias, text), names, {f":{k}": v for k, v in values.items()})
