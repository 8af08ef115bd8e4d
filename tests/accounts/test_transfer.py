"""The register as a file and back: nothing computes, nothing is lost, and nothing is written by halves."""

import csv
import io
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.accounts.exchange import COLUMNS, Exchange, Report, as_csv, rows_of_csv, rows_of_json
from chalicelib.accounts.model import Account, AccountClass, RogueKind
from chalicelib.accounts.views import RecordView
from chalicelib.core.clock import FixedClock
from chalicelib.core.csv_text import from_csv, to_csv
from chalicelib.core.errors import Conflict, InvalidInput, SignalboxError, TooLarge
from chalicelib.org.roles import Role
from tests.accounts.conftest import Desk
from tests.conftest import NOON, TEMPLATE
from tests.fakes.networks import MASTODON, Networks
from tests.fakes.stage import Stage
from tests.org.company import Company, hasty_kernel

CELLS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "=1+1",
        "+a",
        "-a",
        "@a",
        "\ta",
        "\ra",
        "\na",
        "'",
        "''",
        "'=1",
        "''=1",
        '"',
        'a"b,c',
        "a\r\nb",
        "＝1",
        "\ufeff",
        "",
    ]
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_every_cell_comes_back_as_it_was(table: list[list[str]]) -> None:
    columns = ("name", "=bad", "notes")
    rows = [dict(zip(columns, cells, strict=True)) for cells in table]
    assert from_csv(to_csv(columns, rows).encode()) == rows
    assert from_csv(b"\xef\xbb\xbf" + to_csv(columns, rows).encode()) == rows


@given(CELLS)
def test_no_cell_of_a_file_begins_as_a_formula(cell: str) -> None:
    text = to_csv(("name",), [{"name": cell}])
    (_, (written,)) = csv.reader(io.StringIO(text, newline=""))
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert text.endswith("\r\n")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"a,b\r\n1\r\n", "row 2: has 1 cells, and the first row 2"),
        (b"a,a\r\n1,2\r\n", "comes twice"),
        ("zażółć".encode("cp1250"), "is not text in UTF-8"),
        (b'a\r\n"open', "is not CSV"),
        (b"a\r\n" + b"x" * 30_000, "is not CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_plain_words(raw: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        from_csv(raw)


@given(st.binary(max_size=200))
def test_no_bytes_are_worse_than_a_refusal(raw: bytes) -> None:
    for read in (rows_of_csv, rows_of_json):
        try:
            assert isinstance(read(raw), list)
        except InvalidInput:
            continue


def file(desk: Desk, *rows: dict[str, str]) -> bytes:
    """A CSV of new accounts, as somebody would write it."""
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    usual = {"unit_id": desk.company.warsaw.unit_id, "owner_id": desk.owner.person_id, "server": MASTODON}
    names = (*columns, *(n for n in ("platform", *usual) if n not in columns))
    full = ({**dict.fromkeys(columns, ""), "platform": "mastodon", **usual, **row} for row in rows)
    return to_csv(names, full).encode()


def take(desk: Desk, raw: bytes, dry_run: bool = False, actor: Any = None) -> Report:
    return desk.exchange.take(actor or desk.admin, rows_of_csv(raw), dry_run, 2)


def counts(report: Report) -> tuple[int, int, int]:
    return report.added, report.changed, report.unchanged


def test_a_file_adds_what_is_new_changes_what_differs_and_the_second_time_nothing(desk: Desk) -> None:
    known = desk.listed("znana", purpose="old")
    raw = file(desk, {"handle": "@nowa", "purpose": "=SUM(A1)"}, {"handle": "znana", "purpose": "new"})
    assert counts(take(desk, raw, dry_run=True)) == (1, 1, 0)
    assert desk.service.get(known.account_id) == known
    assert counts(take(desk, raw)) == (1, 1, 0)
    assert desk.service.get(known.account_id).purpose == "new"
    new = desk.service.at_address("mastodon", MASTODON, "nowa")
    assert new is not None
    assert (new.purpose, new.account_class, new.confirm_by_at) == (
        "=SUM(A1)", AccountClass.OFFICIAL, desk.now + timedelta(days=182),
    )  # fmt: skip
    stored = desk.company.everything_stored()
    assert counts(take(desk, raw)) == (0, 0, 2)
    assert desk.company.everything_stored() == stored


def test_what_is_exported_is_imported_without_a_change(desk: Desk) -> None:
    ours = desk.add("zorza")
    desk.amend(ours, languages=("pl", "fa"), goals=("-reach", "'quoted'"), policy_links=("https://a.test/x",))
    desk.listed("rogue", AccountClass.ROGUE, rogue_kind=RogueKind.FAN, owner_id="")
    desk.listed("twin", AccountClass.DUPLICATE, same_as=ours.account_id)
    desk.amend(desk.listed("gone"), account_class=AccountClass.RETIRED)
    exported = desk.exchange.export(desk.admin)
    assert len(exported) == 4
    raw = as_csv(exported).encode()
    stored = desk.company.everything_stored()
    report = take(desk, raw)
    assert counts(report) == (0, 0, 4)
    assert {"followers", "status", "version"} <= set(report.ignored)
    as_json = {"accounts": [RecordView.of(a).model_dump(mode="json") for a in exported]}
    assert desk.exchange.take(desk.admin, as_json["accounts"], False).unchanged == 4
    assert desk.company.everything_stored() == stored
    assert set(COLUMNS) == set(as_json["accounts"][0])
    only = desk.exchange.export(desk.admin, account_class=AccountClass.ROGUE)
    assert [a.handle for a in only] == ["rogue"]


def test_every_problem_of_every_row_is_told_at_once_and_nothing_is_written(desk: Desk) -> None:
    known = desk.listed("znana")
    stored = desk.company.everything_stored()
    raw = file(
        desk,
        {"handle": "dobra"},
        {"handle": "zła nazwa", "languages": "polski!"},
        {"handle": "b", "unit_id": "unit_x", "owner_id": "person_x"},
        {"handle": "c", "account_class": "rogue"},
        {"handle": "DOBRA"},
        {"handle": "znana", "account_class": "duplicate", "same_as": "account_x"},
        {"handle": "d", "account_class": "unheard"},
        {"handle": "e", "account_id": "account_y"},
        {"handle": "f", "platform": "fidonet"},
        {"handle": "g", "server": "http://10.0.0.1"},
        {"handle": "h", "url": "javascript:alert(1)"},
    )
    with pytest.raises(InvalidInput) as refusal:
        take(desk, raw)
    assert {p.field for p in refusal.value.problems} == {
        "row 3: handle", "row 3: languages.0", "row 4: unit_id", "row 4: owner_id", "row 5: rogue_kind",
        "row 6: handle", "row 7: same_as", "row 8: account_class", "row 9: account_id", "row 10: platform",
        "row 11: server", "row 12: url",
    }  # fmt: skip
    assert desk.company.everything_stored() == stored
    assert desk.service.get(known.account_id) == known


def test_a_column_that_nobody_knows_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="row 2: passwords"):
        take(desk, file(desk, {"handle": "a", "passwords": "x"}))


def test_a_manager_imports_into_their_own_units_alone(desk: Desk) -> None:
    manager = desk.company.actor(desk.manager)
    elsewhere = desk.listed("obca", unit_id=desk.company.tehran.unit_id)
    assert counts(take(desk, file(desk, {"handle": "nasza"}), actor=manager)) == (1, 0, 0)
    for row in ({"handle": "nowa", "unit_id": desk.company.tehran.unit_id}, {"handle": "obca"}):
        with pytest.raises(InvalidInput, match=r"row 2: unit_id: this needs the right register\.write"):
            take(desk, file(desk, row), actor=manager)
    assert desk.service.get(elsewhere.account_id) == elsewhere


def test_an_author_may_import_nothing(desk: Desk) -> None:
    author = desk.company.actor(desk.company.person("Autor", (Role.AUTHOR, desk.company.root)))
    with pytest.raises(InvalidInput, match="this needs the right"):
        take(desk, file(desk, {"handle": "nowa"}), actor=author)


def test_a_file_that_is_cut_short_goes_on_when_it_is_sent_again(desk: Desk) -> None:
    raw = file(desk, *({"handle": f"nowa{n}"} for n in range(25)))
    kernel = hasty_kernel(desk.stage, lambda: desk.listed("nowa20"))
    interrupted = Exchange(kernel, desk.company.org, desk.service)
    with pytest.raises(Conflict, match="11 accounts of the file are in, send all of it again"):
        interrupted.take(desk.admin, rows_of_csv(raw), False, 2)
    assert counts(take(desk, raw)) == (13, 0, 12)
    assert len(list(desk.service.everyone())) == 25


def test_renamed_accounts_leave_their_addresses_to_others_of_the_file(desk: Desk) -> None:
    first, second = desk.listed("jeden"), desk.listed("dwa")
    raw = file(
        desk,
        {"account_id": first.account_id, "handle": "trzy"},
        {"account_id": second.account_id, "handle": "jeden"},
    )
    assert counts(take(desk, raw)) == (0, 2, 0)
    assert [desk.service.get(a.account_id).handle for a in (first, second)] == ["trzy", "jeden"]


def test_too_long_a_file_is_refused_as_a_whole(desk: Desk) -> None:
    with pytest.raises(TooLarge, match="the most is 1000"):
        desk.exchange.take(desk.admin, [{"handle": f"n{n}"} for n in range(1001)], False)


def test_json_that_is_no_list_of_accounts_is_refused() -> None:
    for raw in (b"[]", b'{"accounts": {}}', b'{"accounts": [1]}', b"{", b"\xff"):
        with pytest.raises(InvalidInput):
            rows_of_json(raw)


HANDLES = st.sampled_from(["raz", "dwa", "trzy", "RAZ", "@dwa"])


class Register(RuleBasedStateMachine):
    """Imports, confirmations, listings, moves and renames in any order."""

    @initialize()
    def open(self) -> None:
        stage = Stage.create("t" + uuid.uuid4().hex[:9], Path(TEMPLATE), FixedClock(NOON))
        stage.subscriptions = {**stage.subscriptions, "AccountConnected": (), "AccountUnderReview": ()}
        self.desk = Desk(Company.create(stage), Networks(stage.clock))
        self.ids: dict[str, str] = {}  # every account that there ever was, and its address

    def known(self, number: int) -> Account | None:
        ids = sorted(self.ids)
        return self.desk.service.get(ids[number % len(ids)]) if ids else None

    @rule(handles=st.lists(HANDLES, min_size=1, max_size=4), purpose=st.sampled_from(["a", "b"]))
    def imports(self, handles: list[str], purpose: str) -> None:
        unique = list({h.casefold().lstrip("@"): h for h in handles}.values())
        rows = [{"handle": handle, "purpose": purpose} for handle in unique]
        take(self.desk, file(self.desk, *rows))
        assert counts(take(self.desk, file(self.desk, *rows))) == (0, 0, len(unique))

    @rule(handle=HANDLES, to=st.sampled_from([AccountClass.OFFICIAL, AccountClass.CANDIDATE]))
    def lists(self, handle: str, to: AccountClass) -> None:
        self.desk.listed(handle, to)

    @rule(number=st.integers(0, 9))
    def confirms(self, number: int) -> None:
        if (account := self.known(number)) is not None:
            self.desk.stage.clock.advance(days=1)
            self.desk.confirm(account, self.desk.owner)

    @rule(number=st.integers(0, 9), to=st.sampled_from(AccountClass))
    def moves(self, number: int, to: AccountClass) -> None:
        if (account := self.known(number)) is not None:
            try:
                self.desk.amend(account, account_class=to)
            except InvalidInput:
                return

    @rule(number=st.integers(0, 9), handle=st.sampled_from(["raz", "dwa", "cztery"]))
    def renames(self, number: int, handle: str) -> None:
        if (account := self.known(number)) is not None:
            try:
                self.desk.amend(account, handle=handle)
            except SignalboxError:
                return

    @invariant()
    def no_account_is_lost_and_none_is_there_twice(self) -> None:
        if not hasattr(self, "desk"):
            return
        accounts, more = self.desk.service.register_page(self.desk.admin, 200)
        assert more is None
        there = {a.account_id: a.handle.casefold() for a in accounts}
        assert self.ids.keys() <= there.keys()
        assert len(set(there.values())) == len(there)
        for account in accounts:
            assert self.desk.service.at_address("mastodon", MASTODON, account.handle) == account
            due_at = self.desk.entry(account)
            assert (due_at is not None) == account.is_standing
        self.ids = there


def test_imports_and_confirmations_in_any_order_lose_and_double_nothing(moto_cloud: None) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Register,
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        ),
    )
