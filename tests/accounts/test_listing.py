"""The record: noted once for an address, amended with its history, read, retired and brought back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.accounts.model import CONFIRMED_FOR, MOVES, AccountClass, AccountStatus, RogueKind
from chalicelib.accounts.service import Accounts
from chalicelib.core.errors import Conflict, InvalidInput, Misconfigured, NotAllowed
from chalicelib.org.roles import Role
from chalicelib.platforms.port import AccountRef, Activity, Profile
from tests.accounts.conftest import Desk, profile
from tests.fakes.networks import MASTODON
from tests.org.company import hasty_kernel


def test_a_listed_account_is_known_by_its_address_and_stands_there_once(desk: Desk) -> None:
    account = desk.listed("@Zorza@social.test")
    assert (account.handle, account.status) == ("Zorza", AccountStatus.LISTED)
    assert desk.service.at_address("mastodon", MASTODON, "@zorza") == account
    assert desk.service.get(account.account_id) == account
    again = desk.listed("ZORZA", AccountClass.CANDIDATE, purpose="something else")
    assert again == account
    (row,) = desk.stage.history.of(f"account#{account.account_id}")
    assert (row.what, row.details["account_class"], row.details["handle"]) == ("listed", "official", "Zorza")


def test_a_profile_that_is_known_under_another_name_is_not_listed_twice(desk: Desk) -> None:
    first = desk.listed("zorza", profile=profile("zorza", "77"))
    assert desk.listed("zorza_nowa", profile=profile("zorza_nowa", "77")) == first


def test_of_two_who_list_the_same_at_once_both_get_the_one(desk: Desk) -> None:
    first: list[Any] = []
    slower = desk.service_on(hasty_kernel(desk.stage, lambda: first.append(desk.listed("zorza"))))
    fields: dict[str, Any] = {"unit_id": desk.company.warsaw.unit_id, "owner_id": desk.owner.person_id}
    second = slower.note(
        desk.admin.by, "mastodon", MASTODON, "zorza", account_class=AccountClass.OFFICIAL, **fields
    )
    assert [second] == first
    assert [a.account_id for a in desk.service.everyone()] == [second.account_id]


def test_a_record_that_cannot_be_is_not_listed(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="owner_id"):
        desk.listed("zorza", owner_id="")
    with pytest.raises(InvalidInput, match="rogue_kind"):
        desk.listed("zorza", AccountClass.ROGUE, owner_id="")
    assert desk.service.at_address("mastodon", MASTODON, "zorza") is None


def test_every_change_of_a_field_is_in_history_as_it_was_and_as_it_is(desk: Desk) -> None:
    account = desk.listed("zorza", languages=("pl",), contact="stary@zorza.test")
    after = desk.amend(account, languages=("pl", "fa"), contact="", handle="zorza2", why="moved")
    row = desk.company.row(f"account#{account.account_id}", "changed")
    assert row.why == "moved"
    assert row.details["before"] == {
        "languages": ["pl"], "contact": "stary@zorza.test", "handle": "zorza",
    }  # fmt: skip
    assert row.details["after"] == {"languages": ["pl", "fa"], "contact": "", "handle": "zorza2"}
    assert desk.service.at_address("mastodon", MASTODON, "zorza") is None
    assert desk.service.at_address("mastodon", MASTODON, "zorza2") == after


def test_nothing_is_written_where_nothing_differs(desk: Desk) -> None:
    account = desk.listed("zorza", purpose="news")
    change = desk.stage.kernel.change(desk.admin.by)
    assert desk.service.amend(change, account, purpose="news") is account
    assert change.writes == []


def test_an_address_is_one_accounts_alone_in_every_class(desk: Desk) -> None:
    desk.listed("zorza", AccountClass.ROGUE, rogue_kind=RogueKind.FAN, owner_id="")
    with pytest.raises(Conflict, match="among the accounts already"):
        desk.add("zorza")
    other = desk.listed("inna")
    with pytest.raises(Conflict, match="among the accounts already"):
        desk.amend(other, handle="ZORZA")


def test_a_move_between_classes_says_why_even_if_nobody_did(desk: Desk) -> None:
    found = desk.listed("zorza", AccountClass.CANDIDATE, owner_id="")
    assert desk.entry(found) is None
    claimed = desk.amend(found, account_class=AccountClass.OFFICIAL, owner_id=desk.owner.person_id)
    row = desk.company.row(f"account#{found.account_id}", "changed")
    assert row.why == MOVES[AccountClass.CANDIDATE, AccountClass.OFFICIAL]
    assert claimed.confirm_by_at == desk.now + CONFIRMED_FOR
    assert desk.entry(found) is not None


def test_each_class_is_listed_where_it_belongs(desk: Desk) -> None:
    ours, found = desk.listed("ours"), desk.listed("found", AccountClass.CANDIDATE, owner_id="")
    rogue = desk.listed("rogue", AccountClass.ROGUE, rogue_kind=RogueKind.IMPOSTOR, owner_id="")
    twin = desk.listed("twin", AccountClass.DUPLICATE, same_as=ours.account_id)
    quiet, gone = desk.listed("quiet"), desk.listed("gone")
    quiet = desk.amend(quiet, account_class=AccountClass.DORMANT)
    gone = desk.amend(gone, account_class=AccountClass.RETIRED)
    assert {a.handle for a in desk.service.everyone()} == {"ours", "twin", "quiet"}
    accounts, _ = desk.service.page(desk.admin, 50)
    assert {a.handle for a in accounts} == {"ours", "twin", "quiet", "gone"}
    whole, _ = desk.service.register_page(desk.admin, 50)
    assert whole == sorted([ours, found, rogue, twin, quiet, gone], key=lambda a: a.account_id)
    for account in whole:
        of_class, _ = desk.service.register_page(desk.admin, 50, account_class=account.account_class)
        assert of_class == [account]
    within = [a.handle for a in desk.service.in_units([desk.company.region.unit_id])]
    assert sorted(within) == ["ours", "quiet", "twin"]
    assert list(desk.service.in_units([desk.company.tehran.unit_id])) == []


def test_what_is_under_review_can_be_asked_for(desk: Desk) -> None:
    account, _ = desk.listed("zorza"), desk.listed("inna")
    reviewed = desk.amend(account, under_review_at=desk.now)
    assert desk.service.register_page(desk.admin, 50, under_review=True) == ([reviewed], None)
    assert len(desk.service.register_page(desk.admin, 50, under_review=False)[0]) == 1


def test_a_page_of_the_register_costs_what_it_shows(desk: Desk) -> None:
    for number in range(7):
        desk.listed(f"rogue{number}", AccountClass.ROGUE, rogue_kind=RogueKind.FAN, owner_id="")
    desk.listed("ours")
    first, after = desk.service.register_page(desk.admin, 4, account_class=AccountClass.ROGUE)
    second, end = desk.service.register_page(desk.admin, 4, after or "", account_class=AccountClass.ROGUE)
    assert (len(first), len(second), end) == (4, 3, None)
    assert len({a.account_id for a in first + second}) == 7


def test_strangers_accounts_are_shown_to_who_reads_the_register_and_to_nobody_else(desk: Desk) -> None:
    found = desk.listed("zorza", AccountClass.CANDIDATE, owner_id="")
    author = desk.company.actor(desk.company.person("Autor", (Role.AUTHOR, desk.company.root)))
    analyst = desk.company.actor(desk.company.person("Analityk", (Role.ANALYST, desk.company.root)))
    with pytest.raises(NotAllowed):
        desk.service.visible(author, found.account_id)
    assert desk.service.visible(analyst, found.account_id) == found
    assert desk.service.register_page(author, 50)[0] == []
    assert desk.service.register_page(analyst, 50)[0] == [found]


# What a read says


def test_what_a_read_says_is_kept_and_only_what_is_new_has_history(desk: Desk) -> None:
    account = desk.listed("zorza")
    read_at = desk.stage.clock.advance(days=1)
    said = profile("zorza", followers=70, verified=True, last_post_at=desk.now, description="Bank")
    seen = desk.service.seen(account, said, read_at)
    assert (seen.followers, seen.verified, seen.last_post_at, seen.description) == (70, True, read_at, "Bank")
    assert (seen.external_id, seen.last_seen_at) == ("id-zorza", read_at)
    assert desk.service.of_external("mastodon", "id-zorza") == seen
    rows = len(desk.stage.history.of(f"account#{account.account_id}"))
    later = desk.stage.clock.advance(days=1)
    again = desk.service.seen(seen, Activity(read_at, 70, "active"), later)
    assert again.last_seen_at == later
    assert desk.service.get(account.account_id) == again
    assert len(desk.stage.history.of(f"account#{account.account_id}")) == rows
    desk.service.seen(seen, Activity(read_at, 70, "active"), read_at)  # an earlier read that comes late
    assert desk.service.get(account.account_id).last_seen_at == later


def test_a_handle_that_somebody_else_took_is_not_believed_to_be_ours(desk: Desk) -> None:
    account = desk.listed("zorza", profile=profile("zorza", "77"))
    with pytest.raises(Conflict, match="is another one now"):
        desk.service.seen(account, profile("zorza", "99"), desk.now)
    assert desk.service.get(account.account_id).external_id == "77"


def test_an_account_that_cannot_be_read_says_since_when_until_it_can(desk: Desk) -> None:
    account = desk.listed("zorza")
    since = desk.now
    unread = desk.service.unreadable(account, "the network is busy", since)
    assert (unread.unreadable_since, unread.unreadable_why) == (since, "the network is busy")
    desk.stage.clock.advance(days=1)
    assert desk.service.unreadable(unread, "the network is busy", desk.now) is unread
    why = desk.service.unreadable(unread, "it is private", desk.now)
    assert (why.unreadable_since, why.unreadable_why) == (since, "it is private")
    readable = desk.service.seen(why, Activity(None, None, "active"), desk.now)
    assert (readable.unreadable_since, readable.unreadable_why) == (None, "")


# Credentials


def test_a_listed_account_gets_credentials_and_is_active(desk: Desk) -> None:
    account = desk.listed("zorza")
    with pytest.raises(Misconfigured, match="listed without credentials"):
        desk.service.ref(account)
    with pytest.raises(InvalidInput, match="it has no credentials; send some"):
        desk.service.change(desk.admin, account.account_id, {"status": AccountStatus.ACTIVE})
    with pytest.raises(InvalidInput, match="belong to obca, not to zorza"):
        desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-obca"})
    active = desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    assert (active.status, active.external_id) == (AccountStatus.ACTIVE, "id-zorza")
    assert desk.service.ref(active).credentials == {"access_token": "token-zorza"}
    assert desk.service.of_external("mastodon", "id-zorza") == active


def test_what_is_not_ours_gets_no_credentials(desk: Desk) -> None:
    found = desk.listed("zorza", AccountClass.CANDIDATE, owner_id="")
    with pytest.raises(InvalidInput, match="say first that it is official"):
        desk.service.replace_credentials(desk.admin, found.account_id, {"access_token": "token-zorza"})


def test_one_that_comes_back_without_credentials_loses_the_old_ones_all_the_same(desk: Desk) -> None:
    account = desk.add("zorza")
    desk.service.change(desk.admin, account.account_id, {"account_class": AccountClass.RETIRED})
    back = desk.amend(account, account_class=AccountClass.OFFICIAL)
    assert back.status == AccountStatus.LISTED
    desk.work()
    assert desk.secret_names() == []
    desk.stage.clock.advance(minutes=5)
    desk.work()
    active = desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    desk.stage.clock.advance(hours=1)
    desk.work()
    assert desk.service.ref(active).credentials == {"access_token": "token-zorza"}


def test_what_a_connected_account_is_called_is_for_its_network_to_say(desk: Desk) -> None:
    connected, listed = desk.add("zorza"), desk.listed("inna")
    with pytest.raises(InvalidInput, match="as its network says it"):
        desk.service.change(desk.admin, connected.account_id, {"handle": "nowa"})
    renamed = desk.service.change(desk.admin, listed.account_id, {"handle": "nowa", "display_name": "Nowa"})
    assert (renamed.handle, renamed.display_name) == ("nowa", "Nowa")


class Reader:
    """Reads one profile of a network that is only heard from."""

    def __init__(self, said: Profile) -> None:
        self.said = said
        self.asked: list[AccountRef] = []

    def profile(self, account: AccountRef) -> Profile:
        self.asked.append(account)
        return self.said

    def activity(self, account: AccountRef) -> Activity:
        return Activity(None, None, "active")


def reading_service(desk: Desk, said: Profile) -> tuple[Accounts, Reader]:
    reader = Reader(said)
    stage, org = desk.stage, desk.company.org

    def adapters(name: str) -> Any:
        raise AssertionError(name)

    return Accounts(stage.kernel, org, stage.secrets, adapters, stage.settings, lambda _: reader), reader


def test_the_profile_of_a_network_that_is_only_heard_from_is_read_with_its_credentials(desk: Desk) -> None:
    service, reader = reading_service(desk, profile("zorza", "112233", url="https://www.example.test/zorza"))
    fields = desk.fields("zorza", platform="linkedin", server=None)
    account = service.add(desk.admin, {**fields, "credentials": {"access_token": "t"}})
    assert (account.external_id, account.url, account.followers) == (
        "112233", "https://www.example.test/zorza", 7,
    )  # fmt: skip
    assert [ref.credentials for ref in reader.asked] == [{"access_token": "t"}]


def test_an_id_that_was_told_must_be_the_one_that_is_read(desk: Desk) -> None:
    service, _ = reading_service(desk, profile("zorza", "112233"))
    fields = desk.fields("zorza", platform="linkedin", server=None, external_id="999")
    with pytest.raises(InvalidInput, match="belong to another profile"):
        service.add(desk.admin, {**fields, "credentials": {"access_token": "t"}})
    assert service.add(desk.admin, {**fields, "external_id": "112233"}).external_id == "112233"


def test_without_credentials_a_told_id_is_believed_and_nothing_is_read(desk: Desk) -> None:
    service, reader = reading_service(desk, profile("zorza", "112233"))
    fields = desk.fields("zorza", platform="linkedin", server=None, credentials={})
    assert service.add(desk.admin, {**fields, "external_id": "999"}).external_id == "999"
    assert reader.asked == []
    with pytest.raises(InvalidInput, match="give LinkedIn's own id"):
        service.add(desk.admin, {**fields, "handle": "inna"})


def test_a_review_goes_on_counting_while_an_account_is_changed(desk: Desk) -> None:
    account = desk.amend(desk.listed("zorza"), under_review_at=desk.now)
    desk.stage.clock.advance(days=31)
    after = desk.amend(account, purpose="other")
    assert after.needs_lead(desk.now)
    assert not desk.confirm(after, desk.owner).needs_lead(desk.now + timedelta(days=90))


def test_four_weeks_of_days_and_moments_of_one_post_are_one_row_of_news(desk: Desk) -> None:
    posted_at = desk.now.replace(hour=9, minute=41)
    day = posted_at.replace(hour=0, minute=0)
    account = desk.listed("zorza", profile=profile("zorza", "77", last_post_at=day))
    for n in range(57):
        desk.stage.clock.advance(days=1)
        said: Profile | Activity = Activity(posted_at, 7, "active")
        if n % 28 == 0:
            # A profile counts answers and boosts too: of the second month's there is one of yesterday.
            last = day if n < 50 else desk.now.replace(hour=0, minute=0, second=0)
            said = profile("zorza", "77", last_post_at=last)
        account = desk.service.seen(account, said, desk.now)
        assert account.last_seen_at == desk.now
    assert account.last_post_at == posted_at
    assert [row.what for row in desk.stage.history.of(f"account#{account.account_id}")].count("read") == 1


def test_a_later_day_a_later_moment_and_a_first_day_are_news(desk: Desk) -> None:
    account = desk.listed("zorza", profile=profile("zorza", "77"))
    day = desk.now.replace(hour=0, minute=0)
    told: list[tuple[Profile | Activity, datetime]] = [
        (profile("zorza", "77", last_post_at=day - timedelta(days=2)), day - timedelta(days=2)),
        (profile("zorza", "77", last_post_at=day), day),
        (profile("zorza", "77", last_post_at=day + timedelta(hours=1)), day + timedelta(hours=1)),
        (profile("zorza", "77", last_post_at=day + timedelta(hours=2)), day + timedelta(hours=2)),
        (Activity(day - timedelta(hours=2), 7, "active"), day - timedelta(hours=2)),
        (Activity(day, 7, "active"), day),
        (Activity(day + timedelta(hours=3), 7, "active"), day + timedelta(hours=3)),
        (Activity(day, 7, "active"), day + timedelta(hours=3)),
    ]
    for said, known in told:
        account = desk.service.seen(account, said, desk.now)
        assert account.last_post_at == known
