"""What a server of a federated network says of itself, through a year."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tests.platform_changes.histories.history import History, Look, Planted, at

_INSTANCE: dict[str, Any] = {
    "domain": "social.example",
    "title": "Social",
    "version": "4.4.3",
    "source_url": "https://github.com/mastodon/mastodon",
    "description": "A server for everybody.",
    "usage": {"users": {"active_month": 31_204}},
    "api_versions": {"mastodon": 6},
    "languages": ["en", "pl"],
    "thumbnail": {"url": "https://social.example/t.png", "blurhash": "UeKUpF"},
    "configuration": {
        "urls": {"streaming": "wss://social.example", "status": "https://status.social.example"},
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
        "media_attachments": {
            "supported_mime_types": [
                "image/jpeg",
                "image/png",
                "image/gif",
                "image/heic",
                "video/mp4",
                "video/webm",
            ],
            "image_size_limit": 16_777_216,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": 103_809_024,
            "video_frame_rate_limit": 120,
            "description_limit": 1_500,
        },
        "polls": {"max_options": 4, "max_characters_per_option": 50},
        "translation": {"enabled": True},
    },
    "registrations": {"enabled": True, "approval_required": False, "message": None},
    "contact": {
        "email": "ops@social.example",
        "account": {"id": "1", "followers_count": 900, "statuses_count": 120, "last_status_at": "2026-01-04"},
    },
    "rules": [{"id": "1", "text": "Be kind."}, {"id": "2", "text": "No spam."}],
}
_NEW, _LIMIT, _BREAK = ("new", "limit"), ("limit", "policy"), ("limit", "breaking", "deprecation")
# Day, what is noise, what of the server is set to what, what was planted.
_SERVER_LOOKS: tuple[tuple[str, str, dict[str, Any], tuple[Planted, ...]], ...] = (
    ("2026-01-05", "", {}, ()),
    ("2026-01-12", "counts", {}, ()),
    (
        "2026-02-01",
        "counts, order",
        {"rules": [{"id": "2", "text": "No spam."}, {"id": "1", "text": "Be kind to all."}]},
        (),
    ),
    (
        "2026-02-14",
        "registrations",
        {"registrations.enabled": False, "registrations.message": "<p>Closed for a week.</p>"},
        (),
    ),
    (
        "2026-03-10",
        "counts",
        {"configuration.statuses.max_characters": 1_000},
        (Planted(0, "1,000 characters", ("limit", "new"), ("max_characters",), None, True),),
    ),
    (
        "2026-04-02",
        "thumbnail",
        {"version": "4.4.4", "thumbnail.blurhash": "Uabcde"},
        (Planted(0, "4.4.4", _NEW, ("4.4.4",), optional=True),),
    ),
    (
        "2026-05-20",
        "counts",
        {"version": "4.5.0", "api_versions.mastodon": 7},
        (Planted(0, "4.5.0", _NEW, ("4.5.0", "api_versions")),),
    ),
    (
        "2026-06-11",
        "order",
        {"configuration.media_attachments.image_size_limit": 10_485_760},
        (Planted(0, "Pictures of 10 MB at most", _LIMIT, ("image_size_limit",), None, True),),
    ),
    ("2026-07-01", "build", {"version": "4.5.0+build.20260630"}, ()),
    (
        "2026-07-22",
        "build, counts",
        {"version": "4.5.0+build.20260721", "description": "A server for all."},
        (),
    ),
    (
        "2026-08-18",
        "order",
        {
            "configuration.media_attachments.supported_mime_types": [
                "image/png",
                "image/jpeg",
                "image/gif",
                "video/webm",
                "video/mp4",
            ]
        },
        (Planted(0, "No HEIC any more", _BREAK, ("heic", "supported_mime_types"), None, True),),
    ),
    (
        "2026-09-30",
        "counts",
        {"version": "4.6.0", "api_versions.mastodon": 8, "configuration.statuses.max_media_attachments": 3},
        (
            Planted(0, "4.6.0", _NEW, ("4.6.0", "api_versions")),
            Planted(0, "Three media at most", _LIMIT, ("max_media_attachments",), None, True),
        ),
    ),
)


def _server() -> History:
    state, looks, planted = deepcopy(_INSTANCE), [], []
    for number, (when, noise, sets, told) in enumerate(_SERVER_LOOKS, 1):
        chance = random.Random(number)
        for path, value in sets.items():
            *parents, name = path.split(".")
            place = state
            for parent in parents:
                place = place[parent]
            place[name] = value
        if "counts" in noise:
            state["usage"]["users"]["active_month"] += chance.randrange(-500, 900)
            state["contact"]["account"] |= {"followers_count": chance.randrange(999), "last_status_at": when}
        shown = dict(chance.sample(list(state.items()), len(state))) if "order" in noise else state
        looks.append(Look(at(when), json.dumps(shown, indent=1) + "\n", (noise,) if noise else ()))
        planted += [
            Planted(number, p.what, p.kinds, p.says, p.effective_on, p.touching, optional=p.optional)
            for p in told
        ]
    url = "https://social.example/api/v2/instance"
    return History(
        "server",
        "mastodon",
        "server",
        "json",
        "application/json; charset=utf-8",
        url,
        tuple(looks),
        tuple(planted),
    )


def histories() -> Iterator[History]:
    yield _server()
