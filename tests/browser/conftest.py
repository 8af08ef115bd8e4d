"""One stack, one chromedriver and one picture for all browser tests; everything is stopped at the end."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, browser, driver, missing
from tests.browser.stack import Office, own_stack


@pytest.fixture(scope="session")
def driver_url() -> Iterator[str]:
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    with driver() as url:
        yield url


@pytest.fixture(scope="session")
def office(driver_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("stack")
    with own_stack(folder) as stack:
        yield Office(stack, folder)


@pytest.fixture
def phone(driver_url: str) -> Iterator[Browser]:
    """A phone's browser with JavaScript on."""
    with browser(driver_url) as window:
        yield window


@pytest.fixture
def phone_without_javascript(driver_url: str) -> Iterator[Browser]:
    with browser(driver_url, javascript=False) as window:
        yield window


@pytest.fixture(scope="session")
def picture(driver_url: str) -> bytes:
    """A small PNG, drawn by the browser."""
    with browser(driver_url) as window:
        window.resize(160, 90)
        window.open("data:text/html,<body style='background:linear-gradient(gold,navy)'>")
        return window.picture()
