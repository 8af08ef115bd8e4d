"""What an account can be to us and become, and addresses in the one spelling that they are compared in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.accounts.model import (
    MOVES,
    REVIEW_GRACE_FOR,
    Account,
    AccountClass,
    AccountStatus,
    RogueKind,
    changed,
    plain_handle,
    problems_of,
    server_address,
)
from chalicelib.core.errors import InvalidInput
from chalicelib.core.records import from_item, to_item

HOSTS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}(\.[A-Za-z]{2,6}){1,2}", fullmatch=True)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("HTTPS://Mastodon.Example/", "https://mastodon.example"),
        ("https://mastodon.example:443", "https://mastodon.example"),
        ("http://127.0.0.1:4571", "http://127.0.0.1:4571"),
        ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443"),
    ],
)
def test_a_server_has_one_spelling(said: str, kept: str) -> None:
    assert server_address(said) == kept


@pytest.mark.parametrize(
    "text",
    [
        "mastodon.example", "ftp://mastodon.example", "https://", "https://:443", "https://a.example/users/x",
        "https://a.example?x=1", "https://a.example#x", "https://user:pass@a.example", "https://a.example:99999",
        "https://a.example:port", "https://łódź.example", "https://a.example\r\nHost: b", "https://[::1", "",
    ],
)  # fmt: skip
def test_what_is_not_just_a_server_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be the address of a server"):
        server_address(text)


@given(st.text(max_size=80) | st.from_regex(r"https?://[a-zA-Z0-9.:/\[\]@?#_-]{0,40}", fullmatch=True))
def test_any_text_is_refused_or_comes_out_stable(text: str) -> None:
    try:
        server = server_address(text)
    except ValueError:
        return
    assert server_address(server) == server == server.lower()


@given(name=st.sampled_from(["zorza", "Zażółć", "صبا"]), host=HOSTS, other=HOSTS)
def test_a_handle_loses_its_own_server_and_keeps_another(name: str, host: str, other: str) -> None:
    server = server_address(f"https://{host}")
    for spelling in (name, f"@{name}", f" @{name}@{host} ", f"{name}@{host.upper()}"):
        assert plain_handle(spelling, server) == name
    if other.casefold() != host.casefold():
        assert plain_handle(f"{name}@{other}", server) == f"{name}@{other}"


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCOUNT = Account(
    account_id="account_1", platform="x", server="https://social.test", handle="zorza", display_name="Zorza",
    external_id="7", url="https://social.test/@zorza", followers=None, api_version=None, unit_id="unit_1",
    owner_id="person_1", backup_id=None, purpose="", audience="", credentials_path="/s", credentials_at=NOW,
    created_at=NOW,
)  # fmt: skip


def of_class(to: AccountClass) -> Account:
    status = AccountStatus.RETIRED if to == AccountClass.RETIRED else AccountStatus.LISTED
    return replace(ACCOUNT, account_class=to, status=status, **mark_of(to))


def mark_of(to: AccountClass) -> dict[str, Any]:
    marks: dict[AccountClass, dict[str, Any]] = {
        AccountClass.ROGUE: {"rogue_kind": RogueKind.IMPOSTOR},
        AccountClass.DUPLICATE: {"same_as": "account_2"},
    }
    return marks.get(to, {})


@pytest.mark.parametrize("was", AccountClass)
@pytest.mark.parametrize("to", AccountClass)
def test_an_account_moves_between_classes_as_the_table_says_and_not_else(
    was: AccountClass, to: AccountClass
) -> None:
    change = {"account_class": to, **mark_of(to)}
    if was == to or (was, to) in MOVES:
        after = changed(of_class(was), change)
        assert after.account_class == to
        assert problems_of(after) == []
        return
    with pytest.raises(InvalidInput, match=f"that is {was} cannot become {to}; it can become: "):
        changed(of_class(was), change)


def test_every_move_has_its_reason_and_no_class_is_a_dead_end() -> None:
    assert all(reason for reason in MOVES.values())
    assert {was for was, _ in MOVES} == set(AccountClass)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "account_class": st.sampled_from(AccountClass),
        "status": st.sampled_from(AccountStatus),
        "rogue_kind": st.none() | st.sampled_from(RogueKind),
        "same_as": st.sampled_from([None, "account_1", "account_2"]),
        "owner_id": st.sampled_from(["", "person_2"]),
        "under_review_at": st.sampled_from([None, NOW]),
    },
)


@given(st.lists(CHANGES, max_size=8))
def test_no_changes_in_any_order_make_a_record_that_cannot_be(changes: list[dict[str, Any]]) -> None:
    account = ACCOUNT
    for change in changes:
        try:
            account = changed(account, change)
        except InvalidInput:
            continue
        is_retired = account.account_class == AccountClass.RETIRED
        assert is_retired == (account.status == AccountStatus.RETIRED)
        assert account.is_usable == (account.why_not_usable() == "")
        if account.account_class in (AccountClass.CANDIDATE, AccountClass.ROGUE):
            assert account.status == AccountStatus.LISTED
        else:
            assert account.owner_id
        if not account.is_standing:
            assert account.under_review_at is None
            assert not account.is_usable


def test_retired_in_class_and_in_status_are_one_change_whichever_is_asked_for() -> None:
    for asked in ({"status": AccountStatus.RETIRED}, {"account_class": AccountClass.RETIRED}):
        retired = changed(ACCOUNT, asked)
        assert (retired.account_class, retired.status) == (AccountClass.RETIRED, AccountStatus.RETIRED)
        back = changed(retired, {"account_class": AccountClass.OFFICIAL})
        assert back.status == AccountStatus.LISTED
        connected = changed(retired, {"status": AccountStatus.ACTIVE})
        assert connected.account_class == AccountClass.OFFICIAL


def test_an_account_that_we_hold_the_credentials_of_is_no_strangers() -> None:
    with pytest.raises(InvalidInput, match="we hold its credentials, so it is ours and not candidate"):
        changed(ACCOUNT, {"account_class": AccountClass.CANDIDATE})


def test_a_duplicate_says_of_what_and_never_of_itself() -> None:
    with pytest.raises(InvalidInput, match="names the account that it repeats"):
        changed(ACCOUNT, {"account_class": AccountClass.DUPLICATE})
    with pytest.raises(InvalidInput, match="duplicate of itself"):
        changed(ACCOUNT, {"account_class": AccountClass.DUPLICATE, "same_as": ACCOUNT.account_id})
    again = changed(of_class(AccountClass.DUPLICATE), {"account_class": AccountClass.OFFICIAL})
    assert again.same_as is None


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (ACCOUNT, ""),
        (replace(ACCOUNT, account_class=AccountClass.DORMANT), ""),
        (replace(ACCOUNT, status=AccountStatus.LISTED), "listed without credentials; connect it first"),
        (replace(ACCOUNT, account_class=AccountClass.DUPLICATE, same_as="account_2"), "duplicate of another"),
        (of_class(AccountClass.CANDIDATE), "nobody has said yet whether it is ours"),
        (of_class(AccountClass.ROGUE), "it is not ours"),
        (of_class(AccountClass.RETIRED), "it is retired; take it off the targets"),
        (replace(ACCOUNT, status=AccountStatus.RESTRICTED), "the platform has restricted it"),
    ],
)
def test_what_cannot_be_published_to_says_why_and_what_to_do(account: Account, why: str) -> None:
    assert why in account.why_not_usable()
    assert account.is_usable == (why == "")


def test_the_lead_is_needed_once_the_grace_of_a_review_is_over() -> None:
    reviewed = replace(ACCOUNT, under_review_at=NOW)
    assert not ACCOUNT.needs_lead(NOW)
    assert not reviewed.needs_lead(NOW + REVIEW_GRACE_FOR - timedelta(seconds=1))
    assert reviewed.needs_lead(NOW + REVIEW_GRACE_FOR)


def test_a_row_from_before_the_register_reads_as_an_official_account() -> None:
    then: tuple[str, ...] = Account.__match_args__[:20]  # the fields that accounts had
    old = {name: value for name, value in to_item(ACCOUNT).items() if name in then}
    assert from_item(Account, old) == ACCOUNT
