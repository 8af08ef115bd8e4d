"""The sources that we know, from data/sources.json, which says where each address is from."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.platform_changes.model import Source, SourceKind

_FILE = Path(__file__).parents[1] / "data" / "sources.json"


@cache
def sources() -> Mapping[str, Source]:
    """Every source by its key; `{server}` in an address stands for the server of an account."""
    told = json.loads(_FILE.read_text(encoding="utf-8"))["sources"]
    return {key: _source(key, source) for key, source in told.items()}


def _source(key: str, told: Mapping[str, Any]) -> Source:
    return Source(
        key=key,
        platform=told["platform"],
        kind=SourceKind(told["kind"]),
        name=told["name"],
        url=told["url"],
        every_for=timedelta(minutes=told["every_minutes"]),
        patience_for=timedelta(hours=told["patience_hours"]),
        page_url=told.get("page_url", ""),
        known=told["known"],
        options=told.get("options"),
    )
