"""Matrix rows 1 to 4, 7 and 9 on a Mastodon-style network: 1,000 random schedules, and each call."""

from contextlib import suppress

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.accounts.model import Account
from tests.fakes.box import Box
from tests.fakes.networks import Killed
from tests.publishing.crashes import Outside, no_schedule_doubles_or_loses, run_with_crashes


@pytest.mark.parametrize("part", range(4))
def test_no_crash_at_any_call_publishes_twice_or_loses_a_post(box: Box, toots: Account, part: int) -> None:
    no_schedule_doubles_or_loses(box, toots, part, parts=4)


def test_a_crash_at_each_single_call_of_the_publish_path_ends_as_one_post(box: Box, toots: Account) -> None:
    """Not random: every call number, each way to die, one after the other."""
    outside = Outside(box)
    for number in range(1, 26):
        for seed in range(3):
            text = f"call {number}, way {seed}."
            post = box.signed([toots], text, in_=1)
            box.stage.clock.advance(seconds=1)
            with outside.armed({number: ""}, seed), suppress(Killed, ReadTimeoutError):
                run_with_crashes(box, post)
            run_with_crashes(box, post)
            assert (box.states(post), len(box.networks.posts(text))) == (["published"], 1), text
