"""Random schedules of crashes, in each an outage that begins before one call and is over before another."""

import random
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.accounts.outages import waited_for
from tests.fakes.box import Box
from tests.fakes.downtime import comes_back, goes_down
from tests.publishing.crashes import Turns, no_schedule_doubles_or_loses


@pytest.mark.parametrize("platform", ["mastodon", "bluesky"])
def test_no_crash_around_an_outage_publishes_twice_or_loses_a_post(box: Box, platform: str) -> None:
    account = box.account("zorza" if platform == "mastodon" else "zorza.test", platform)
    names: list[str] = []

    def turns(chance: random.Random) -> Turns:
        """It ends before a later call, or by its time, in less than the post's grace."""
        names.append(f"n{len(names)}")
        begins, lasts_for = chance.randint(1, 14), timedelta(minutes=chance.uniform(0.1, 20))
        down = partial(goes_down, box, platform, lasts_for, names[-1])
        return {begins: down, begins + chance.randint(1, 14): partial(comes_back, box, platform)}

    no_schedule_doubles_or_loses(box, account, part=0, parts=6, turns=turns)
    met = [name for name in names if waited_for(box.services.kernel.database, f"outage_{name}")]
    assert len(met) > len(names) / 5, f"only {len(met)} of {len(names)} schedules waited for their outage"
