"""The reply box under a post of the local platform, in a real browser."""

import pytest

from infra.local.api import Api, fetch_json
from tests.browser.chromium import Browser
from tests.browser.stack import Office

pytestmark = pytest.mark.browser


def test_what_a_visitor_types_under_a_post_stands_there(office: Office, phone: Browser) -> None:
    platform = office.stack.platform_url
    wanted = {"username": "lampy", "network": "mastodon", "display_name": "Lampy", "password": "secret"}
    token = fetch_json(f"{platform}/_local/accounts", wanted)["access_token"]
    post = Api(platform, token).post("/api/v1/statuses", {"status": "Lampy już świecą!"})

    phone.open(post["url"])
    phone.type("#text", "تا چه ساعتی باز هستید؟")
    phone.type("input[name=name]", "سارا احمدی")
    phone.press("form.reply button")

    assert phone.text("h2") == "1 reply"
    assert "تا چه ساعتی باز هستید؟" in phone.text("main")
    assert [error for error in phone.errors() if "/favicon.ico" not in error] == []
