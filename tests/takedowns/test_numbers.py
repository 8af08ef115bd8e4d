"""Numbers are sums of counters: how many, how old, and how they end, by platform."""

from collections import Counter
from datetime import timedelta

from chalicelib.takedowns.numbers import Numbers
from tests.takedowns.desk import Desk


def counted(desk: Desk, platform: str) -> Numbers:
    found = desk.takedowns.numbers(desk.actor(desk.lead))
    total: Counter[str] = Counter()
    for (_, on), counts in found.items():
        if on == platform:
            total.update(counts)
    return Numbers.of(total, desk.stage.clock.now())


def test_what_is_open_has_a_mean_age(desk: Desk) -> None:
    desk.open(desk.account("a"))
    desk.stage.clock.advance(days=2)
    desk.open(desk.account("b"))
    desk.stage.clock.advance(days=1)
    numbers = counted(desk, "bluesky")
    assert (numbers.open, numbers.opened, numbers.open_for) == (2, 2, timedelta(days=2))
    assert (numbers.success, numbers.removed_for) == (None, None)


def test_success_is_of_what_the_platform_decided(desk: Desk) -> None:
    for n in range(3):
        desk.removed(account=desk.account(f"gone{n}"))
    desk.step(desk.step(desk.submitted(account=desk.account("stays")), "refused"), "closed")
    desk.step(desk.open(desk.account("fan")), "withdrawn")
    desk.removed(account=desk.account("elsewhere", "mastodon"))
    numbers = counted(desk, "bluesky")
    assert (numbers.removed, numbers.refused, numbers.withdrawn, numbers.open) == (3, 1, 1, 0)
    assert numbers.success == 0.75
    assert numbers.removed_for == timedelta(minutes=2)
    assert counted(desk, "mastodon").success == 1


def test_what_is_back_is_no_success_any_more(desk: Desk) -> None:
    case = desk.removed()
    assert counted(desk, "bluesky").success == 1
    desk.step(case, "reopened")
    numbers = counted(desk, "bluesky")
    assert (numbers.opened, numbers.open, numbers.removed, numbers.success) == (1, 1, 0, None)
    assert numbers.removed_for is None


def test_a_report_reads_no_case(desk: Desk) -> None:
    for n in range(5):
        desk.open(desk.account(f"a{n}"))
    read: list[str] = []

    def count(params: dict[str, object], **_: object) -> None:
        read.append(str(params))

    events = desk.stage.dynamodb.meta.events
    events.register("provide-client-params.dynamodb.Query", count)
    events.register("provide-client-params.dynamodb.GetItem", count)
    desk.takedowns.numbers(desk.actor(desk.lead))
    assert len([r for r in read if "takedowns" in r]) == 1
    assert not any("case#" in r for r in read)


def test_of_units_that_one_may_not_see_there_are_no_numbers(desk: Desk) -> None:
    desk.open()
    author = desk.person("Ada")
    assert desk.takedowns.numbers(desk.actor(author)) == {}
