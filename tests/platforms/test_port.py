"""The values of the port, and the errors that adapters raise."""

from datetime import timedelta

from chalicelib.core.errors import InvalidInput
from chalicelib.platforms.errors import NotReady, RateLimited, Rejected
from chalicelib.platforms.port import Problem
from tests.platforms.support import NOW


def test_a_problem_says_by_how_much_where_there_is_a_number() -> None:
    long = Problem("text", "Too long.", 12)
    assert long.as_dict() == {"field": "text", "message": "Too long.", "over": 12}
    assert Problem("media[0]", "No.").as_dict() == {"field": "media[0]", "message": "No."}
    assert InvalidInput([long]).as_dict()["problems"] == [long.as_dict()]


def test_errors_say_when_to_come_back_in_a_form_that_can_be_sent() -> None:
    limited = RateLimited(NOW + timedelta(minutes=5))
    assert limited.as_dict() == {
        "error": "platform_rate_limited",
        "message": "Too many calls for now; the next is allowed at 2026-11-22T12:05:00.000Z.",
        "until": "2026-11-22T12:05:00.000Z",
    }
    assert not limited.whole_app
    waiting = NotReady(NOW, {"media": {}})
    assert (waiting.until, waiting.checkpoint) == (NOW, {"media": {}})
    assert Rejected("No.").checkpoint is None
