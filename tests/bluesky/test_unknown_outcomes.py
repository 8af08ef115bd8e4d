"""A call that is lost on its way, or whose answer is, or whose worker dies: one record each, and known."""

import sys

import pytest

from tests.bluesky.conftest import LOST_TEXT, Lost
from tests.bluesky.office import POST, Json, Office
from tests.bluesky.wire import Cut, Wire

pytestmark = pytest.mark.bluesky


def test_a_call_that_never_arrived_is_sent_again_under_the_same_key(
    office: Office, wire: Wire, losses: dict[Cut, Lost]
) -> None:
    lost = losses[Cut.BEFORE_THE_SERVER]

    assert_published_once(office, lost, Cut.BEFORE_THE_SERVER)

    first, second = wire.keys[lost.channel.did]
    assert first == second
    assert steps(office, lost) == [
        "publishing begun",
        "outcome unknown",
        "not found; sent again under the same key",
        "publishing begun",
        "published",
    ]


def test_an_answer_that_was_lost_is_found_on_the_account(
    office: Office, wire: Wire, losses: dict[Cut, Lost]
) -> None:
    lost = losses[Cut.AFTER_THE_SERVER]

    assert_published_once(office, lost, Cut.AFTER_THE_SERVER)

    assert len(wire.keys[lost.channel.did]) == 1
    assert steps(office, lost) == ["publishing begun", "outcome unknown", "published: found by reconcile"]


@pytest.mark.skipif(sys.platform != "linux", reason="the worker is found in Linux's /proc")
def test_a_worker_killed_after_the_server_has_committed_leaves_one_record_and_it_is_found(
    office: Office, wire: Wire, losses: dict[Cut, Lost]
) -> None:
    lost = losses[Cut.WITH_THE_WORKER]

    assert_published_once(office, lost, Cut.WITH_THE_WORKER)

    assert len(wire.keys[lost.channel.did]) == 1
    assert steps(office, lost) == ["publishing begun", "outcome unknown", "published: found by reconcile"]
    (why,) = (row["why"] for row in office.history(lost.post_id) if row["what"] == "outcome unknown")
    assert why == "the worker stopped during the call to the platform"


def assert_published_once(office: Office, lost: Lost, where: Cut) -> Json:
    """One record on the server, and the app says where it is."""
    variant = office.variant(lost.post_id, "published", within=200)
    (listed,) = lost.channel.records()
    assert listed["value"]["text"] == LOST_TEXT.format(where.name.lower())
    assert listed["uri"] == variant["external_id"]
    assert listed["uri"].startswith(f"at://{lost.channel.did}/{POST}/")
    return variant


def steps(office: Office, lost: Lost) -> list[str]:
    """What happened to the post from its time on."""
    happened = [row["what"] for row in office.history(lost.post_id)]
    return happened[happened.index("publishing begun") :]
