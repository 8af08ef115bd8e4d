"""What a recorded history is: a source's answers, one by one and dated, and what was planted in them."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Look:
    """One answer of a source, when it was there to be read, and what of it is noise."""

    at: datetime
    body: str
    noise: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planted:
    """A change that a history's answer number `look` (from 1) says for the first time.

    `kinds` are those that a reader of it would call right, the best first. Whatever tells of it has one of
    the words `says`. `effective_on` and `touching` are None where no answer would be wrong; "" is that the
    source states no day. `optional`: to find it is right, not to find it too (a release candidate). What has
    only words of `beside` is a part of its telling that is not false, and tells nobody what changes.
    """

    look: int
    what: str
    kinds: tuple[str, ...]
    says: tuple[str, ...]
    effective_on: str | None = None
    touching: bool | None = None
    operations: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    optional: bool = False
    beside: tuple[str, ...] = ()

    @property
    def is_breaking(self) -> bool:
        return self.kinds[0] == "breaking" and not self.optional


@dataclass(frozen=True)
class History:
    """`kind` is a SourceKind; a `held_out` one is looked at only to measure, never to choose by."""

    name: str
    platform: str
    kind: str
    ending: str
    content_type: str
    url: str
    looks: tuple[Look, ...]
    planted: tuple[Planted, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    held_out: bool = False


def at(text: str, hour: int = 6) -> datetime:
    """A day, or a day and a minute, in UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if "T" in text else moment.replace(hour=hour, tzinfo=UTC)


def load(name: str, folder: Path = HERE) -> History:
    """A history as it is kept in its folder."""
    kept: dict[str, Any] = json.loads((folder / name / "truth.json").read_text())
    looks = [
        Look(
            datetime.fromisoformat(look["at"]),
            _text(folder / name / look["file"]),
            tuple(look["noise"]),
        )
        for look in kept.pop("looks")
    ]
    planted = [_planted(one) for one in kept.pop("planted")]
    return History(name=name, looks=tuple(looks), planted=tuple(planted), **kept)


def _planted(kept: Mapping[str, Any]) -> Planted:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in kept.items()}
    return Planted(**fields)


def _text(path: Path) -> str:
    kept = path.read_bytes()
    return (gzip.decompress(kept) if path.suffix == ".gz" else kept).decode()


def names(folder: Path = HERE) -> list[str]:
    """Of all histories that are kept."""
    return sorted(each.parent.name for each in folder.glob("*/truth.json"))
