"""Each server's own limits: read, kept for an hour, and never an obstacle."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.http import MaybeSent, NotSent
from chalicelib.platforms.mastodon.limits import DEFAULTS
from chalicelib.platforms.port import Content, Limits
from tests.fakes.transport import Answer, reply
from tests.platforms.support import NOW, PHOTO, Bench, recorded


def limits(*answers: Answer) -> Limits:
    bench = Bench("mastodon", list(answers))
    return bench.adapter.limits(bench.account)


def test_a_servers_limits_are_read() -> None:
    found = limits(recorded("mastodon", "instance"))
    assert (found.characters, found.media, found.link_characters, found.alt_characters) == (1000, 6, 23, 1500)
    pictures, videos = found.media_rules
    assert pictures.mimes == {"image/jpeg", "image/png", "image/webp"}
    assert (pictures.most_bytes, pictures.most_pixels) == (16_777_216, 33_177_600)
    assert videos.mimes == {"video/mp4"}
    assert videos.alone
    assert found.read_at == NOW


def test_limits_are_asked_for_without_the_accounts_token() -> None:
    bench = Bench("mastodon", [recorded("mastodon", "instance")])
    bench.adapter.limits(bench.account)
    assert bench.calls() == ["GET /api/v2/instance"]
    assert "Authorization" not in bench.transport.requests[0].headers


def test_limits_are_kept_for_an_hour_and_per_server() -> None:
    bench = Bench("mastodon", lambda request: recorded("mastodon", "instance"))
    elsewhere = replace(bench.account, server="https://elsewhere.example")
    for _ in range(10):
        bench.adapter.limits(bench.account)
        bench.adapter.limits(elsewhere)
    assert len(bench.transport.requests) == 2
    bench.clock.advance(minutes=61)
    bench.adapter.limits(bench.account)
    assert len(bench.transport.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        NotSent("…"),
        MaybeSent("…"),
        reply(404, {"error": "Not Found"}),
        reply(500),
        reply(429),
        reply(200, []),
        reply(302),
    ],
)
def test_a_server_that_cannot_say_has_the_defaults(answer: Answer) -> None:
    assert replace(limits(answer), read_at=None) == DEFAULTS


def test_a_server_out_of_reach_is_asked_again_after_a_while_and_keeps_its_old_limits() -> None:
    down = False
    bench = Bench("mastodon", lambda request: reply(503) if down else recorded("mastodon", "instance"))
    assert bench.adapter.limits(bench.account).characters == 1000
    down = True
    bench.clock.advance(hours=2)
    assert bench.adapter.limits(bench.account).characters == 1000
    asked = len(bench.transport.requests)
    bench.adapter.limits(bench.account)
    assert len(bench.transport.requests) == asked
    down = False
    bench.clock.advance(minutes=6)
    assert bench.adapter.limits(bench.account).read_at == bench.clock.now()


@pytest.mark.parametrize("strange", [None, [], "x", -1, 0, True, 1.5, 10**15, {"a": 1}])
def test_strange_numbers_are_not_believed(strange: Any) -> None:
    configuration = {
        "statuses": {"max_characters": strange, "characters_reserved_per_url": strange},
        "media_attachments": {"supported_mime_types": strange, "image_size_limit": strange},
    }
    for body in (
        {"configuration": configuration},
        {"configuration": strange},
        {"configuration": {"statuses": strange}},
    ):
        assert replace(limits(reply(200, body)), read_at=None) == replace(
            DEFAULTS,
            media_rules=limits(reply(200, body)).media_rules if strange == [] else DEFAULTS.media_rules,
        )


def test_problems_use_the_servers_own_numbers() -> None:
    bench = Bench("mastodon", [recorded("mastodon", "instance")])
    own = bench.adapter.limits(bench.account)
    assert bench.adapter.problems(Content("x" * 1000), own) == []
    (problem,) = bench.adapter.problems(Content("x" * 1001), own)
    assert problem.over == 1
    gif = replace(PHOTO, mime="image/gif")
    assert [found.field for found in bench.adapter.problems(Content("x", (gif,)), own)] == ["media[0]"]
    assert bench.adapter.problems(Content("x", (gif,)), DEFAULTS) == []


def test_many_servers_do_not_fill_the_memory() -> None:
    bench = Bench("mastodon", lambda request: recorded("mastodon", "instance"))
    for number in range(300):
        bench.adapter.limits(replace(bench.account, server=f"https://s{number}.example"))
    bench.adapter.limits(replace(bench.account, server="https://s299.example"))
    assert len(bench.transport.requests) == 300
    bench.adapter.limits(replace(bench.account, server="https://s0.example"))
    assert len(bench.transport.requests) == 301
