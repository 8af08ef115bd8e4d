"""The words of data/vocabulary.txt, which says what each list is for."""

from pathlib import Path

from chalicelib.core.wordlists import word_lists

_LISTS = word_lists(Path(__file__).parent / "data" / "vocabulary.txt")
ADDED, FAN, LURE, COMMON = (_LISTS[name] for name in ("added", "fan", "lure", "common"))
