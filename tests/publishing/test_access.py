"""Who may publish to an account that nobody has confirmed for too long."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.accounts.model import REVIEW_GRACE_FOR, Account
from chalicelib.core.history import BY_JOB
from tests.fakes.box import Box
from tests.publishing.api import Desk


@pytest.fixture
def desk(box: Box) -> Iterator[Desk]:
    with Desk.open(box) as opened:
        yield opened


def test_what_nobody_confirmed_takes_the_lead_to_publish_to_once_the_grace_is_over(
    desk: Desk, toots: Account
) -> None:
    services = desk.box.services
    now = services.clock.now()
    author, lead = desk.api(desk.box.author), desk.api(desk.box.lead)

    def submitted(api: object, age: timedelta) -> tuple[int, object]:
        change = services.kernel.change(BY_JOB)
        before = services.accounts.get(toots.account_id)
        services.accounts.amend(change, before, under_review_at=now - age)
        services.kernel.commit(change)
        status, post = api("POST", "/v1/posts", desk.body([toots]))  # type: ignore[operator]
        assert status == 201, post
        return api("POST", f"/v1/posts/{post['post_id']}/submit")  # type: ignore[operator, no-any-return]

    assert submitted(author, REVIEW_GRACE_FOR - timedelta(seconds=1))[0] == 200
    status, answer = submitted(author, REVIEW_GRACE_FOR)
    assert status == 400
    assert "was not confirmed in time: its owner confirms it, or a lead submits this post" in str(answer)
    assert submitted(lead, REVIEW_GRACE_FOR + timedelta(days=1))[0] == 200
