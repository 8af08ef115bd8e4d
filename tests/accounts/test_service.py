"""Accounts: credentials that are tried out before they are kept, and never seen again."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.accounts.model import Account, AccountStatus
from chalicelib.accounts.sessions import SsmSessions
from chalicelib.core.errors import Conflict, InvalidInput, Misconfigured, NotAllowed, NotFound
from chalicelib.core.history import BY_JOB, Way
from chalicelib.core.secrets import Secrets
from chalicelib.core.timetable import Claim, Entry, Lane
from chalicelib.org.model import Person
from chalicelib.org.roles import Role
from chalicelib.platforms.errors import RateLimited, Unavailable
from tests.accounts.conftest import Desk
from tests.fakes.networks import BLUESKY, MASTODON
from tests.org.company import hasty_kernel, outcome


def problems_of(refusal: pytest.ExceptionInfo[InvalidInput]) -> set[str]:
    return {p.field for p in refusal.value.problems}


def assert_nothing_was_left(desk: Desk) -> None:
    assert desk.service.page(desk.admin, 10) == ([], None)
    assert desk.secret_names() == []
    tables = desk.company.everything_stored()
    assert "address#" not in tables
    assert "'account#" not in tables


def test_an_account_is_kept_with_what_the_network_says_of_it(desk: Desk) -> None:
    account = desk.add("@zorza@social.test", credentials={"access_token": "token-zorza"})
    assert desk.service.get(account.account_id) == account
    assert (account.handle, account.external_id, account.followers) == ("zorza", "id-zorza", 7)
    assert (account.display_name, account.url) == ("zorza", f"{MASTODON}/@zorza")
    assert account.status == AccountStatus.ACTIVE
    ref = desk.service.ref(account)
    assert (ref.external_id, dict(ref.credentials)) == ("id-zorza", {"access_token": "token-zorza"})
    assert desk.secret_names() == [account.credentials_path]


def test_trying_credentials_out_leaves_no_session_behind(desk: Desk) -> None:
    credentials = {"identifier": "zorza.test", "password": "app-password"}
    account = desk.add("zorza.test", platform="bluesky", server=BLUESKY, credentials=credentials)
    assert account.external_id.startswith("did:plc:")
    assert desk.secret_names() == [account.credentials_path]


@pytest.mark.parametrize("fault", ["401", "403"])
def test_credentials_that_do_not_work_leave_nothing_behind(desk: Desk, fault: str) -> None:
    desk.networks.fault = lambda request: fault
    with pytest.raises(InvalidInput, match="Mastodon does not take them for zorza") as refusal:
        desk.add("zorza", credentials={"access_token": "zły-token".encode().hex()})
    assert problems_of(refusal) == {"credentials"}
    assert_nothing_was_left(desk)


@pytest.mark.parametrize(
    ("fault", "error"), [("429", RateLimited), ("500", Unavailable), ("drop", Unavailable)]
)
def test_a_network_that_is_busy_is_named_and_nothing_is_left_behind(
    desk: Desk, fault: str, error: type[Exception]
) -> None:
    desk.networks.fault = lambda request: fault
    with pytest.raises(error) as refusal:
        desk.add("zorza")
    said = refusal.value.as_dict()["message"]  # type: ignore[attr-defined]
    assert said.startswith("The profile of zorza on social.test could not be read, so nothing was changed: ")
    assert_nothing_was_left(desk)


def test_credentials_of_another_profile_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="belong to obcy, not to zorza"):
        desk.add("zorza", credentials={"access_token": "token-obcy"})
    assert_nothing_was_left(desk)


@pytest.mark.parametrize(
    ("platform", "server", "credentials", "handle", "word"),
    [
        ("mastodon", MASTODON, {"access_token": "token-zorza"}, "zorza", "suspended"),
        ("mastodon", MASTODON, {"access_token": "token-zorza"}, "zorza", "moved"),
        ("bluesky", BLUESKY, {"identifier": "zorza.test", "password": "app"}, "zorza.test", "deactivated"),
    ],
)
def test_a_profile_that_its_network_calls_inactive_is_refused_with_the_networks_word(
    desk: Desk, platform: str, server: str, credentials: dict[str, str], handle: str, word: str
) -> None:
    desk.networks.wrong[handle] = word
    said = f"says that the profile {handle} is {word}, so nothing can be published there"
    with pytest.raises(InvalidInput, match=said) as refusal:
        desk.add(handle, platform=platform, server=server, credentials=credentials)
    assert problems_of(refusal) == {"credentials"}
    assert_nothing_was_left(desk)


def test_new_credentials_of_a_suspended_profile_change_nothing(desk: Desk) -> None:
    account = desk.add("zorza")
    desk.service.credentials_refused(BY_JOB, account.account_id, "revoked")
    marked = desk.service.get(account.account_id)
    desk.networks.wrong["zorza"] = "suspended"
    bearer = {"access_token": "token-zorza", "note": "nowy"}
    with pytest.raises(InvalidInput, match="zorza is suspended"):
        desk.service.replace_credentials(desk.admin, account.account_id, bearer)
    assert desk.service.get(account.account_id) == marked
    assert desk.service.ref(marked).credentials == {"access_token": "token-zorza"}


def test_every_problem_is_told_at_once_and_the_network_is_not_asked(desk: Desk) -> None:
    gone = desk.company.person("Rościsława")
    desk.company.org.mark_left(desk.admin, gone.person_id)
    with pytest.raises(InvalidInput) as refusal:
        desk.add(
            "zorza",
            server="http://10.0.0.1",
            owner_id=gone.person_id,
            backup_id="person_nobody",
            credentials={"access_token": "x" * 4096},
        )
    assert problems_of(refusal) == {"server", "owner_id", "backup_id", "credentials"}
    assert desk.networks.requests == []
    with pytest.raises(InvalidInput, match="platform"):
        desk.add("zorza", platform="fidonet")
    with pytest.raises(InvalidInput, match="unit_id"):
        desk.add("zorza", unit_id="unit_nobody")


@pytest.mark.parametrize(
    "server", ["http://social.test", "https://social.test:8443", "http://127.0.0.1:4571"]
)
def test_only_https_on_its_port_is_called_unless_the_stage_allows_more(desk: Desk, server: str) -> None:
    with pytest.raises(InvalidInput, match="only https"):
        desk.add("zorza", server=server)


def test_the_same_address_in_another_spelling_is_the_same_account(desk: Desk) -> None:
    desk.add("zorza")
    desk.networks.fault = lambda request: None
    with pytest.raises(Conflict, match=r"ZORZA on social\.test \(mastodon\)"):
        desk.add("@ZORZA", credentials={"access_token": "token-zorza"})
    assert len(desk.service.page(desk.admin, 10)[0]) == 1


def test_of_two_who_add_the_same_account_at_once_one_wins_and_one_hears_why(desk: Desk) -> None:
    first: list[Account] = []
    slower = desk.service_on(hasty_kernel(desk.stage, lambda: first.append(desk.add("zorza"))))
    with pytest.raises(Conflict, match="among the accounts already"):
        slower.add(desk.admin, desk.fields("zorza"))
    assert desk.service.page(desk.admin, 10) == (first, None)
    assert desk.secret_names() == [first[0].credentials_path]


def test_an_owner_who_leaves_meanwhile_does_not_get_the_account(desk: Desk) -> None:
    owner = desk.company.person("بهرام")
    kernel = hasty_kernel(desk.stage, lambda: desk.company.org.mark_left(desk.admin, owner.person_id))
    with pytest.raises(NotAllowed, match="not among the people here"):
        desk.service_on(kernel).add(desk.admin, desk.fields("zorza", owner_id=owner.person_id))
    assert_nothing_was_left(desk)


def test_when_ssm_fails_the_account_is_there_and_says_how_to_go_on(desk: Desk) -> None:
    def refuse(**_: Any) -> None:
        raise ConnectionError("no way to SSM")

    broken = Secrets(SimpleNamespace(put_parameter=refuse), desk.stage.settings, desk.stage.clock)
    with pytest.raises(Misconfigured, match=r"zorza was added, .* /v1/accounts/account_\w+/credentials"):
        desk.service_on(desk.stage.kernel, broken).add(desk.admin, desk.fields("zorza"))
    ((account,), _) = desk.service.page(desk.admin, 10)
    with pytest.raises(Misconfigured, match=account.credentials_path):
        desk.service.ref(account)
    desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    assert desk.service.ref(account).credentials == {"access_token": "token-zorza"}


# Who may


def test_a_district_manager_looks_after_the_accounts_of_their_part(desk: Desk) -> None:
    company = desk.company
    manager = company.actor(company.person("نسرین احمدی", (Role.DISTRICT_MANAGER, company.tehran)))
    own = desk.service.add(manager, desk.fields("teheran", unit_id=company.tehran.unit_id))
    other = desk.add("warszawa")
    desk.service.change(manager, own.account_id, {"purpose": "خبر"})
    bearer = {"access_token": "token-warszawa"}
    attempts: list[Callable[[], object]] = [
        lambda: desk.service.add(manager, desk.fields("obca")),
        lambda: desk.service.change(manager, other.account_id, {"purpose": "moje"}),
        lambda: desk.service.change(manager, own.account_id, {"unit_id": company.warsaw.unit_id}),
        lambda: desk.service.replace_credentials(manager, other.account_id, bearer),
        lambda: desk.service.visible(manager, other.account_id),
    ]
    assert [outcome(attempt) for attempt in attempts] == ["not_allowed"] * len(attempts)
    assert desk.service.page(manager, 10)[0] == [desk.service.get(own.account_id)]


def test_whoever_holds_a_role_on_one_account_sees_that_one(desk: Desk) -> None:
    company = desk.company
    one, other = desk.add("jedno"), desk.add("drugie")
    person = company.person("Jagoda")
    company.org.grant(desk.admin, person.person_id, Role.AUTHOR, one.unit_id, one.account_id)
    me = company.actor(person)
    assert desk.service.page(me, 10)[0] == [one]
    assert desk.service.visible(me, one.account_id) == one
    with pytest.raises(NotAllowed, match="on this account or its unit"):
        desk.service.visible(me, other.account_id)


def test_accounts_are_listed_by_unit_and_platform_page_by_page(desk: Desk) -> None:
    company = desk.company
    in_warsaw = [desk.add(f"warszawa{n}") for n in range(3)]
    in_region = desk.add("region", unit_id=company.region.unit_id)
    on_bluesky = desk.add(
        "zorza.test",
        platform="bluesky",
        server=BLUESKY,
        credentials={"password": "app"},
        unit_id=company.tehran.unit_id,
    )

    def ids(**wanted: Any) -> set[str]:
        found: list[Account] = []
        after: str | None = ""
        while after is not None:
            page, after = desk.service.page(desk.admin, 2, after, **wanted)
            assert 1 <= len(page) <= 2
            found += page
        assert len({a.account_id for a in found}) == len(found)
        return {a.handle for a in found}

    warsaw = {a.handle for a in in_warsaw}
    assert ids() == warsaw | {in_region.handle, on_bluesky.handle}
    assert ids(unit_id=company.region.unit_id) == ids()
    assert ids(unit_id=company.warsaw.unit_id) == warsaw
    assert ids(platform="bluesky") == {"zorza.test"}
    assert desk.service.page(desk.admin, 2, unit_id=company.warsaw.unit_id, platform="bluesky") == ([], None)
    with pytest.raises(NotFound):
        desk.service.page(desk.admin, 2, unit_id="unit_nobody")


# Changing


def test_an_account_moves_and_changes_hands_and_history_says_so(desk: Desk) -> None:
    account, owner = desk.add("zorza"), desk.company.person("Wanda")
    changes = {"unit_id": desk.company.tehran.unit_id, "owner_id": owner.person_id, "purpose": ""}
    changed = desk.service.change(desk.admin, account.account_id, changes)
    assert desk.service.get(account.account_id) == changed
    assert (changed.owner_id, changed.purpose, changed.version) == (owner.person_id, "", 2)
    assert desk.service.page(desk.admin, 5, unit_id=desk.company.tehran.unit_id)[0] == [changed]
    row = desk.company.row(f"account#{account.account_id}", "changed")
    assert row.details["before"]["owner_id"] == desk.company.lead.person_id
    assert set(row.details["after"]) == {"unit_id", "owner_id", "purpose"}
    assert desk.service.change(desk.admin, account.account_id, {"purpose": ""}) == changed
    with pytest.raises(InvalidInput, match="backup_id"):
        desk.service.change(desk.admin, account.account_id, {"backup_id": "person_nobody"})


def test_two_changes_at_once_do_not_overwrite_each_other(desk: Desk) -> None:
    account = desk.add("zorza")
    kernel = hasty_kernel(
        desk.stage, lambda: desk.service.change(desk.admin, account.account_id, {"purpose": "A"})
    )
    with pytest.raises(Conflict, match="look again"):
        desk.service_on(kernel).change(desk.admin, account.account_id, {"purpose": "B"})


def test_a_change_does_not_undo_the_networks_wish_for_quiet(desk: Desk) -> None:
    account = desk.add("zorza")
    until = desk.stage.clock.now() + timedelta(minutes=5)
    kernel = hasty_kernel(desk.stage, lambda: desk.service.quiet(account.account_id, until))
    desk.service_on(kernel).change(desk.admin, account.account_id, {"purpose": "B"})
    kept = desk.service.get(account.account_id)
    assert (kept.purpose, kept.quiet_until) == ("B", until)


def test_a_later_wish_for_quiet_stands_and_a_shorter_one_does_not_end_it(desk: Desk) -> None:
    account, now = desk.add("zorza"), desk.stage.clock.now()
    for minutes in (5, 2, 9, 9):
        desk.service.quiet(account.account_id, now + timedelta(minutes=minutes))
    assert desk.service.get(account.account_id).quiet_until == now + timedelta(minutes=9)
    rows = desk.company.history(f"account#{account.account_id}")
    assert rows == ["added", "asked to wait", "asked to wait"]


def test_refused_credentials_are_marked_and_told_once(desk: Desk) -> None:
    account = desk.add("zorza")
    for _ in range(3):
        desk.service.credentials_refused(BY_JOB, account.account_id, "The token was revoked.")
    assert desk.service.get(account.account_id).status == AccountStatus.CREDENTIALS_REFUSED
    row = desk.company.row(f"account#{account.account_id}", "credentials refused")
    assert (row.why, row.way) == ("The token was revoked.", Way.JOB)
    due = [e for e, _ in desk.stage.kernel.timetable.due(Lane.CHORES, desk.stage.clock.now())]
    assert [desk.stage.kernel.timetable.get(e).ref for e in due] == [account.account_id]


def test_new_credentials_make_it_active_again_and_are_read_at_once(desk: Desk) -> None:
    account = desk.add("zorza")
    other_function = Secrets(desk.stage.ssm, desk.stage.settings, desk.stage.clock)
    elsewhere = desk.service_on(desk.stage.kernel, other_function)
    desk.stage.clock.advance(minutes=6)
    assert elsewhere.ref(account).credentials == {"access_token": "token-zorza"}
    desk.service.credentials_refused(BY_JOB, account.account_id, "revoked")
    bearer = {"access_token": "token-zorza", "note": "nowy"}
    replaced = desk.service.replace_credentials(desk.admin, account.account_id, bearer)
    assert replaced.status == AccountStatus.ACTIVE
    assert desk.service.get(account.account_id) == replaced
    assert elsewhere.ref(desk.service.get(account.account_id)).credentials == bearer


def test_credentials_that_fail_or_are_anothers_do_not_replace_the_old_ones(desk: Desk) -> None:
    account = desk.add("zorza")
    with pytest.raises(InvalidInput, match="another profile, obcy"):
        desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-obcy"})
    with pytest.raises(InvalidInput, match="4096"):
        desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "x" * 5000})
    desk.networks.fault = lambda request: "401"
    with pytest.raises(InvalidInput, match="does not take them"):
        desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza2"})
    assert desk.service.get(account.account_id) == account
    assert desk.service.ref(account).credentials == {"access_token": "token-zorza"}


def test_a_retired_account_stays_retired_until_it_gets_credentials(desk: Desk) -> None:
    account = desk.add("zorza")
    desk.service.change(desk.admin, account.account_id, {"status": AccountStatus.RETIRED})
    desk.service.credentials_refused(BY_JOB, account.account_id, "revoked")
    assert desk.service.get(account.account_id).status == AccountStatus.RETIRED
    back = desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    assert back.status == AccountStatus.ACTIVE


# Retiring


def retired(desk: Desk, session: bool = True) -> Account:
    account = desk.add("zorza")
    if session:
        SsmSessions(desk.stage.secrets, desk.stage.settings).put(account.account_id, {"jwt": "tajne"})
    return desk.service.change(desk.admin, account.account_id, {"status": AccountStatus.RETIRED})


def test_a_retired_account_leaves_neither_credentials_nor_session(desk: Desk) -> None:
    kept = desk.add("inna")
    account = retired(desk)
    assert len(desk.secret_names()) == 3
    desk.work()
    assert desk.secret_names() == [kept.credentials_path]
    with pytest.raises(Misconfigured, match=account.credentials_path):
        desk.service.ref(account)


def test_a_retirement_that_is_committed_deletes_them_whoever_dies(desk: Desk) -> None:
    class Dead(Exception):
        pass

    def die(**_: Any) -> None:
        raise Dead

    client = SimpleNamespace(delete_parameter=die, exceptions=desk.stage.ssm.exceptions)
    account = retired(desk)
    broken = Secrets(client, desk.stage.settings, desk.stage.clock)
    assert desk.work(desk.service_on(desk.stage.kernel, broken)) == ["failed"]
    assert account.credentials_path in desk.secret_names()
    desk.stage.clock.advance(minutes=2)
    desk.work()
    assert desk.secret_names() == []


def test_a_session_that_a_late_worker_stores_is_deleted_too(desk: Desk) -> None:
    account = retired(desk)
    assert desk.work() == ["later"]
    SsmSessions(desk.stage.secrets, desk.stage.settings).put(account.account_id, {"jwt": "tajne"})
    assert desk.work() == []
    desk.stage.clock.advance(minutes=2)
    assert desk.work() == ["done"]
    assert desk.secret_names() == []


def test_an_account_that_comes_back_keeps_its_new_credentials(desk: Desk) -> None:
    for first_works in (True, False):
        account = desk.add(f"zorza{first_works}")
        desk.service.change(desk.admin, account.account_id, {"status": AccountStatus.RETIRED})
        if first_works:
            desk.work()
        bearer = {"access_token": f"token-zorza{first_works}"}
        back = desk.service.replace_credentials(desk.admin, account.account_id, bearer)
        assert back.status == AccountStatus.ACTIVE
        desk.stage.clock.advance(minutes=10)
        assert desk.work() == []
        assert desk.service.ref(back).credentials == bearer


def test_an_account_does_not_come_back_while_its_old_credentials_are_being_deleted(desk: Desk) -> None:
    account = retired(desk)
    entry = f"forget_credentials#{account.account_id}"
    desk.stage.kernel.timetable.claim(entry, desk.stage.clock.now(), timedelta(minutes=2))
    with pytest.raises(Conflict, match="old credentials of zorza are being deleted"):
        desk.service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    assert desk.service.get(account.account_id) == account
    desk.stage.clock.advance(minutes=5)
    desk.work()
    desk.stage.clock.advance(minutes=5)
    desk.work()
    assert desk.secret_names() == []


def test_a_stray_chore_deletes_nothing_of_an_account_in_use(desk: Desk) -> None:
    account, now = desk.add("zorza"), desk.stage.clock.now()
    entry = Entry("stray", Lane.CHORES, "forget_credentials", account.account_id, now)
    desk.service.forget_credentials(Claim(entry, "owner", now))
    assert desk.secret_names() == [account.credentials_path]


def test_an_account_that_is_back_without_its_credentials_says_how_to_go_on(desk: Desk) -> None:
    account = retired(desk)
    desk.work()

    def refuse(**_: Any) -> None:
        raise ConnectionError("no way to SSM")

    broken = Secrets(SimpleNamespace(put_parameter=refuse), desk.stage.settings, desk.stage.clock)
    service = desk.service_on(desk.stage.kernel, broken)
    with pytest.raises(Misconfigured, match=r"zorza is active again, but .*/account_\w+/credentials"):
        service.replace_credentials(desk.admin, account.account_id, {"access_token": "token-zorza"})
    assert desk.service.get(account.account_id).status == AccountStatus.ACTIVE


def test_no_row_of_any_table_and_no_printed_account_has_a_credential(desk: Desk) -> None:
    secret = "token-tajne"
    account = desk.add("tajne", credentials={"access_token": secret})
    desk.service.replace_credentials(
        desk.admin, account.account_id, {"access_token": secret, "extra": "hasło-ćma"}
    )
    desk.service.change(desk.admin, account.account_id, {"purpose": "inne"})
    desk.service.credentials_refused(BY_JOB, account.account_id, "revoked")
    stored = desk.company.everything_stored()
    assert account.account_id in stored
    for text in (stored, repr(account), repr(desk.service.ref(account))):
        assert secret not in text
        assert "hasło" not in text
    subject = f"account#{account.account_id}"
    assert desk.company.history(subject) == [
        "added",
        "changed",
        "credentials refused",
        "credentials replaced",
    ]


def test_a_batch_reads_its_secrets_ten_to_a_call(desk: Desk) -> None:
    accounts = [desk.add(f"konto{n}") for n in range(10)]
    desk.stage.clock.advance(minutes=6)
    calls: list[list[str]] = []

    def get_parameters(Names: list[str], WithDecryption: bool) -> Any:  # noqa: N803 - boto3's names
        calls.append(Names)
        return desk.stage.ssm.get_parameters(Names=Names, WithDecryption=WithDecryption)

    secrets = Secrets(SimpleNamespace(get_parameters=get_parameters), desk.stage.settings, desk.stage.clock)
    service = desk.service_on(desk.stage.kernel, secrets)
    service.prefetch({a.account_id for a in accounts})
    assert [len(names) for names in calls] == [10, 10]  # credentials, then sessions
    assert [service.ref(a).credentials["access_token"] for a in accounts] == [
        f"token-konto{n}" for n in range(10)
    ]
    assert len(calls) == 2


def test_a_person_who_was_marked_left_adds_no_account_with_what_they_began(desk: Desk) -> None:
    person: Person = desk.company.person("Halszka", (Role.LEAD, desk.company.root))
    me = desk.company.actor(person)
    kernel = hasty_kernel(desk.stage, lambda: desk.company.org.mark_left(desk.admin, person.person_id))
    with pytest.raises(NotAllowed):
        desk.service_on(kernel).add(me, desk.fields("zorza"))
    assert_nothing_was_left(desk)
