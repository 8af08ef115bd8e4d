"""Each page that a mail leads to or anybody may open: looking changes nothing, and it fits a phone."""

from dataclasses import dataclass

import pytest

from tests.browser import rooms
from tests.browser.chromium import PHONE, Browser
from tests.browser.stack import Office
from tests.fakes.machine import rows, wait_until_idle

pytestmark = pytest.mark.browser

OPENINGS = 20


@dataclass(frozen=True)
class Shown:
    """A page, and what stands on it when it is the page that was meant; `direction` is its text's."""

    link: str
    selector: str
    direction: str = "ltr"


@pytest.fixture(scope="module")
def pages(office: Office) -> dict[str, Shown]:
    api = office.stack.api_url.rstrip("/")
    triage = rooms.triage(office)
    return {
        "round": Shown(rooms.inventory_round(office), "button[value=finish]"),
        "review": Shown(rooms.review(office), "button[value=retire]", "rtl"),
        "case": Shown(rooms.case(office, triage), "button[value=submitted]"),
        "triage": Shown(triage, "button[value=impostor]"),
        "change": Shown(rooms.change(office), "button[value=planned]"),
        "briefing": Shown(rooms.briefing(office), ".say p"),
        "registry": Shown(f"{api}/registry?q=pomorze_care", ".told.good"),
        "report": Shown(f"{api}/report", "form[method=post] button"),
    }


@pytest.mark.parametrize(
    "name", ["round", "review", "case", "triage", "change", "briefing", "registry", "report"]
)
def test_a_page_opened_twenty_times_changes_nothing(
    office: Office, pages: dict[str, Shown], phone: Browser, name: str
) -> None:
    shown = pages[name]
    wait_until_idle(office.stack)
    before = rows(office.stack)
    assert any(before.values())

    for _ in range(OPENINGS):
        phone.open(shown.link)

    assert rows(office.stack) == before
    assert phone.text(shown.selector)
    assert phone.attribute("html", "dir") == shown.direction
    assert phone.page_size()[0] == PHONE[0]
    assert [error for error in phone.errors() if "/favicon.ico" not in error] == []
