"""The approval page in a real browser on a phone: what opening it does (nothing) and what its buttons do."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.clock import from_text
from tests.browser.chromium import PHONE, Browser
from tests.browser.stack import Office, wait_for
from tests.fakes.machine import rows, wait_until_idle

pytestmark = pytest.mark.browser

OPENINGS = 100
AHEAD_FOR = timedelta(seconds=40)  # time enough to open the link a hundred times
MUSEUM, MUSEUM_FA = "mazowsze_museum", "isfahan_museum"
ENGLISH, PERSIAN = "agnieszka.kowalczyk@zorza.example", "shirin.karimi@zorza.example"


@pytest.fixture
def tomorrow() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def complaints(browser: Browser) -> list[str]:
    """The console's errors. A browser asks each host for a favicon of its own accord; the API has none."""
    return [error for error in browser.errors() if "/favicon.ico" not in error]


def asked(
    office: Office, to: str, handle: str, title: str, publish_at: datetime, picture: bytes
) -> tuple[str, str]:
    """A post of one channel sent for approval: its id, and the link that the approver got."""
    texts = {handle: f"چراغ‌ها روشن شد! 💡 #نور {title}" if handle == MUSEUM_FA else f"Światła! 💡 {title}"}
    post_id = office.draft(title, publish_at, texts, picture, "A lamp")
    office.submit(post_id)
    return post_id, office.link(office.mail(to, title))


def test_a_link_opened_a_hundred_times_changes_nothing_and_its_button_publishes(
    office: Office, phone: Browser, picture: bytes
) -> None:
    title = "Opened a hundred times"
    publish_at = datetime.now(UTC).replace(microsecond=0) + AHEAD_FOR
    post_id, link = asked(office, ENGLISH, MUSEUM, title, publish_at, picture)
    wait_until_idle(office.stack)
    before = rows(office.stack)
    assert any(before.values())

    started = time.monotonic()
    for _ in range(OPENINGS):
        phone.open(link)
    took_for = time.monotonic() - started

    assert rows(office.stack) == before
    assert datetime.now(UTC) < publish_at, (
        f"{OPENINGS} openings took {took_for:.0f} s; this machine is too busy"
    )
    assert phone.text("h1") == title
    phone.press("button[value=approve]")
    assert phone.text(".told.good h1") == "Approved. Thank you."
    assert complaints(phone) == []
    assert phone.requested() == {origin(office.stack.api_url)}

    post = wait_for(lambda: published(office, post_id), "the post was not published")
    shown = post["variants"][0]
    assert from_text(shown["published_at"]) >= publish_at
    phone.open(f"{office.stack.platform_url}/@{MUSEUM}")
    assert phone.text("main").count(title) == 1


def test_the_page_works_with_javascript_switched_off(
    office: Office, phone_without_javascript: Browser, picture: bytes, tomorrow: datetime
) -> None:
    phone = phone_without_javascript
    phone.open("data:text/html,<title>off</title><script>document.title='on'</script>")
    assert phone.title == "off"
    post_id, link = asked(office, ENGLISH, MUSEUM, "Without JavaScript", tomorrow, picture)

    phone.open(link)
    phone.type("textarea", "Which Saturday? ماه بعد")
    phone.press("button[value=ask_changes]")

    assert phone.text(".told h1") == "You asked for changes"
    post = office.post(post_id)
    assert post["state"] == "draft"
    assert post["returned_with"] == "Agnieszka Kowalczyk: Which Saturday? ماه بعد"
    assert complaints(phone) == []
    assert phone.requested() == {origin(office.stack.api_url)}


def test_the_page_is_right_to_left_in_persian_and_fits_a_phone(
    office: Office, phone: Browser, picture: bytes, tomorrow: datetime
) -> None:
    _, link = asked(office, PERSIAN, MUSEUM_FA, "نورافشانی", tomorrow, picture)
    phone.open(link)
    assert phone.attribute("html", "dir") == "rtl"
    assert phone.text("button[value=approve]") == "تأیید"
    assert phone.page_size()[0] == PHONE[0]
    assert phone.requested() == {origin(office.stack.api_url)}
    assert complaints(phone) == []


def origin(url: str) -> str:
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def published(office: Office, post_id: str) -> Any:
    post = office.post(post_id)
    return post if post["summary"].get("published") else None
