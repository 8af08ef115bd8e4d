"""Matrix rows 1 to 4, 7 and 9 on a Bluesky-style network: 1,000 random schedules."""

import pytest

from chalicelib.accounts.model import Account
from tests.fakes.box import Box
from tests.publishing.crashes import no_schedule_doubles_or_loses


@pytest.mark.parametrize("part", range(4))
def test_no_crash_at_any_call_publishes_twice_or_loses_a_post(box: Box, skies: Account, part: int) -> None:
    no_schedule_doubles_or_loses(box, skies, part, parts=4)
