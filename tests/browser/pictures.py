"""Makes the pictures of docs/pictures: `python -m tests.browser.pictures`, on a stack of its own.

Everything in them is real: the post goes through approval and is published while they are taken.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.comments import answered, heard
from infra.package import ROOT
from tests.browser import rooms
from tests.browser.chromium import PHONE, Browser, browser, driver, missing
from tests.browser.stack import Office, own_stack, wait_for

FOLDER = ROOT / "docs" / "pictures"
AHEAD_FOR = timedelta(seconds=75)
DESK, WIDE = (760, 800), (760, 100)
LAMP = (960, 400)

TITLE = "Muzeum Światła – موزه"
POLISH = (
    "Zapalamy światła! 💡 Muzeum Światła otwiera drzwi w sobotę o dziesiątej. Wstęp wolny. #MuzeumŚwiatła"
)
PERSIAN = "چراغ‌ها روشن شد! 💡 موزهٔ نور شنبه ساعت ده صبح باز می‌شود. ورود آزاد است. #موزه_نور"
TEXTS = {"mazowsze_museum": POLISH, "mazowsze-design.test": POLISH, "isfahan_museum": PERSIAN}
ALT = "A round lamp glows in the dark"
PASSER_BY = "سارا احمدی"
QUESTION = "سلام! موزه روز یکشنبه هم باز است؟"
ANSWER = "سلام! بله، یکشنبه‌ها از ساعت ده تا هجده باز است. به امید دیدار!"
DRAWING = """data:text/html,<body style="margin:0;background:
radial-gradient(circle at 50% 45%,%23fff6d8 0 10%,%23ffd98a 10.2% 11.4%,%23705433 11.6% 17%,
%2345393a 17.2% 25%,%23272b3a 25.2% 32%,%23101a33 32.2%)">"""


def make(office: Office, window: Browser) -> None:
    """Take every picture. Raises TimeoutError when a mail or the publication does not come."""
    window.resize(*LAMP)
    window.open(DRAWING)
    publish_at = datetime.now(UTC).replace(microsecond=0) + AHEAD_FOR
    post_id = office.draft(TITLE, publish_at, TEXTS, window.picture(), ALT)
    office.submit(post_id)

    phone(window)
    window.open(office.link(office.mail("shirin.karimi@zorza.example", "موزه")))
    take(window, "approval-fa")
    window.press("button[value=approve]")
    window.text(".told.good")

    mail = office.mail("agnieszka.kowalczyk@zorza.example", "Muzeum")
    window.resize(*DESK, scale=1.25)
    window.open(f"{office.stack.mail_url}/mails/{mail['id']}")
    take(window, "mail")
    phone(window)
    window.open(office.link(mail))
    take(window, "approval-en")
    window.devtools("Runtime.evaluate", expression="scrollTo(0, 1e6)")
    take(window, "approval-buttons")
    window.press("button[value=approve]")
    window.text(".told.good")

    wait_for(
        lambda: office.post(post_id)["summary"].get("published") == len(TEXTS), "the post was not published"
    )
    window.resize(*WIDE, scale=1.25)
    window.open(f"{office.stack.platform_url}/tags/Muzeum%C5%9Awiat%C5%82a")
    take(window, "platform", whole_page=True)
    persian = next(v for v in office.post(post_id)["variants"] if v["handle"] == "isfahan_museum")
    window.open(persian["url"])
    take(window, "post", whole_page=True)
    window.type("#text", QUESTION)
    window.type("input[name=name]", PASSER_BY)
    window.press("form.reply button")
    responder = office.as_role("responder")
    asked = wait_for(lambda: heard(responder, persian["account_id"], PASSER_BY), "the comment did not come")
    answered(responder, asked["conversation_id"], ANSWER, "fa")
    window.open(persian["url"])
    take(window, "answer", whole_page=True)


def mailed_pages(office: Office, window: Browser) -> None:
    """The first screen of every page that is not about a post. Raises TimeoutError when no mail comes."""
    phone(window)

    def shown(name: str, link: str) -> None:
        window.open(link)
        take(window, name)

    shown("round", rooms.inventory_round(office))
    shown("review", rooms.review(office))
    triage = rooms.triage(office)
    shown("triage", triage)
    shown("case", rooms.case(office, triage))
    shown("change", rooms.change(office))
    shown("briefing", rooms.briefing(office))
    shown("registry", f"{office.stack.api_url.rstrip('/')}/registry?q=pomorze_care")


def phone(window: Browser) -> None:
    window.resize(*PHONE, scale=2, mobile=True)


def take(window: Browser, name: str, whole_page: bool = False) -> None:
    (FOLDER / f"{name}.png").write_bytes(window.picture(whole_page))


def main() -> None:
    lacking = missing()
    if lacking:
        sys.exit(f"no pictures: {lacking}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        own_stack(Path(folder)) as stack,
        driver() as driver_url,
        browser(driver_url) as window,
    ):
        office = Office(stack, Path(folder))
        make(office, window)
        mailed_pages(office, window)


if __name__ == "__main__":
    main()
