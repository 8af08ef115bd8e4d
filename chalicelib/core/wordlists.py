"""Lists of words that are data: a file of them says what each is for."""

from functools import cache
from pathlib import Path


@cache
def word_lists(file: Path) -> dict[str, frozenset[str]]:
    """The lists of a file by their names: a line `[name]`, then words; lines with `#` are remarks."""
    found: dict[str, set[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            words.update(line.split())
    return {name: frozenset(words) for name, words in found.items()}
