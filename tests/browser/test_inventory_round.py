"""A manager answers for their accounts in one sitting, on a phone whose browser has no JavaScript."""

from typing import Any

import pytest

from infra.local.large import every
from tests.browser import rooms
from tests.browser.chromium import PHONE, Browser
from tests.browser.stack import Office

pytestmark = pytest.mark.browser

# https://www.w3.org/TR/WCAG22/#target-size-enhanced
TALL_ENOUGH = 44
RIGHT, WRONG, FOREIGN = "pomorze-news.test", "pomorze_care", "pomorze-careers.test"
MISSING = "zorza.gdynia"


def fits_a_phone(phone: Browser) -> bool:
    """Whether the page is as wide as the screen, and what is pressed or filled in is tall enough."""
    controls = phone.heights("button, select, input:not([type=hidden])")
    assert controls
    return phone.page_size()[0] == PHONE[0] and min(controls) >= TALL_ENOUGH


def test_a_manager_answers_for_their_accounts_in_one_sitting_on_a_phone_without_javascript(
    office: Office, phone_without_javascript: Browser
) -> None:
    phone, lead = phone_without_javascript, office.as_role("lead")
    phone.open("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert phone.title == "off"
    accounts = {a["handle"]: a for a in every(lead, "/v1/register", "accounts")}
    ids = {handle: accounts[handle]["account_id"] for handle in (RIGHT, WRONG, FOREIGN)}
    people = {p["email"]: p["person_id"] for p in every(lead, "/v1/people", "people")}
    backup_id = people["jakub.swiecicki@zorza.example"]
    link = rooms.inventory_round(office)

    phone.open(link)
    assert fits_a_phone(phone)
    phone.press(f"#{ids[RIGHT]} button[value=confirm]")
    phone.text("main > .will")
    assert phone.heights(f"#{ids[RIGHT]} button") == []

    phone.press(f"#{ids[WRONG]} .more a")
    phone.text("#purpose")
    assert fits_a_phone(phone)
    phone.press(f"#backup option[value={backup_id}]")
    phone.type("#contact", "pomoc@zorza.example")
    phone.press("button[value=correct]")
    phone.text("main > .will")

    phone.press("a[href='?add=1']")
    phone.text("#address")
    assert fits_a_phone(phone)
    phone.type("#address", f"https://www.instagram.com/{MISSING}/")
    phone.type("#purpose", "Salon w Gdyni")
    phone.press("button[value=add]")
    phone.text("main > .will")

    phone.press(f"#{ids[FOREIGN]} .more a")
    phone.press("#whose option[value]:nth-child(3)")
    phone.type("#why", "Prowadzi je kadra w Warszawie")
    phone.press("button[value=disown]")
    phone.text("main > .will")

    phone.press("button[value=finish]")
    phone.text(".told.good h1")
    assert fits_a_phone(phone)

    part = the_part(lead)
    answers = {name: part["counts"][name] for name in ("confirmed", "corrected", "added", "disowned")}
    assert answers == dict.fromkeys(answers, 1)
    assert part["finished_at"]
    now = {a["handle"]: a for a in every(lead, "/v1/register", "accounts")}
    corrected, added = now[WRONG], now[MISSING]
    assert (corrected["backup_id"], corrected["contact"]) == (backup_id, "pomoc@zorza.example")
    assert (added["platform"], added["purpose"]) == ("instagram", "Salon w Gdyni")
    assert [error for error in phone.errors() if "/favicon.ico" not in error] == []


def the_part(lead: Any) -> Any:
    """The only unit's part of the newest round."""
    newest = lead.get("/v1/inventory/rounds")["rounds"][0]
    (part,) = lead.get(f"/v1/inventory/rounds/{newest['round_id']}/parts")["parts"]
    return part
