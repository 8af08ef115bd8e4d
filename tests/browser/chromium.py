"""A headless Chromium, driven by the WebDriver protocol over HTTP; no package is needed for that.

https://www.w3.org/TR/webdriver2/ and, for what only Chromium has, https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that the standard gives an element's id
PHONE = (390, 844)
PATIENCE = 10_000  # milliseconds that an element may take to come: a pressed button leads to another page


class BrowserError(Exception):
    """WebDriver refused; the message is its own."""


def missing() -> str | None:
    """What this machine lacks to run these tests, in words; None when it has everything."""
    if not any(map(shutil.which, BROWSERS)):
        return "there is no Chromium on this machine (Debian: apt install chromium)"
    if not shutil.which("chromedriver"):
        return "there is no chromedriver on this machine (Debian: apt install chromium-driver)"
    return None


class Browser:
    """One window. What it asked for and complained about is kept until `requested` or `errors` is read."""

    def __init__(self, session_url: str) -> None:
        self._session_url = session_url

    def open(self, url: str) -> None:
        """Go to an address and wait until the page and all it needs are loaded."""
        self._call("POST", "/url", {"url": url})

    @property
    def title(self) -> str:
        return str(self._call("GET", "/title"))

    def text(self, selector: str = "body") -> str:
        """The text of the first element that fits, as it is shown. Raises BrowserError when none comes."""
        return str(self._call("GET", f"/element/{self._element(selector)}/text"))

    def attribute(self, selector: str, name: str) -> str | None:
        found = self._call("GET", f"/element/{self._element(selector)}/attribute/{name}")
        return None if found is None else str(found)

    def heights(self, selector: str) -> list[float]:
        """How tall the elements that fit are shown, in CSS pixels; hidden ones are 0."""
        return [float(self._call("GET", f"/element/{e}/rect")["height"]) for e in self._elements(selector)]

    def press(self, selector: str) -> None:
        """Scroll to the element and click on it with the mouse; the page this leads to may come later."""
        self._call("POST", f"/element/{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        self._call("POST", f"/element/{self._element(selector)}/value", {"text": text})

    def resize(self, width: int, height: int, scale: float = 1, mobile: bool = False) -> None:
        """What the page takes the screen to be; a headless window itself is never narrower than 500."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.devtools("Emulation.setDeviceMetricsOverride", **size)

    def picture(self, whole_page: bool = False) -> bytes:
        """A PNG of what is in view, or of the page from top to bottom."""
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole_page)
        return base64.b64decode(shot["data"])

    def page_size(self) -> tuple[int, int]:
        """Width and height of the page's content, which differ from the view's when it scrolls."""
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        return int(size["width"]), int(size["height"])

    def requested(self) -> set[str]:
        """The origins (`http://host:port`) of everything the pages asked for since the last call."""
        origins = set()
        for event in self._log("performance"):
            message = json.loads(event["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                address = urlsplit(message["params"]["request"]["url"])
                if address.scheme != "data":
                    origins.add(f"{address.scheme}://{address.netloc}")
        return origins

    def errors(self) -> list[str]:
        """What the console complained about since the last call."""
        return [e["message"] for e in self._log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def devtools(self, command: str, **parameters: Any) -> Any:
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _log(self, kind: str) -> Any:
        return self._call("POST", "/se/log", {"type": kind})

    def _elements(self, selector: str) -> list[str]:
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [str(each[ELEMENT]) for each in found]

    def _element(self, selector: str) -> str:
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[ELEMENT])

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return call(method, self._session_url + path, body)


def call(method: str, url: str, body: Any = None) -> Any:
    """One WebDriver command. Raises BrowserError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise BrowserError(json.load(error)["value"]["message"]) from None


@contextmanager
def driver() -> Iterator[str]:
    """The address of a chromedriver of our own, which ends with us."""
    command = [str(shutil.which("chromedriver")), "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        said = ""
        for line in process.stdout or ():
            said += line
            if found := re.search(r"started successfully on port (\d+)", line):
                yield f"http://127.0.0.1:{found[1]}"
                return
        raise BrowserError(f"chromedriver did not start: {said}")
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def browser(driver_url: str, javascript: bool = True, language: str = "en") -> Iterator[Browser]:
    """A new window with its own profile, the size of a phone; only this machine can be reached from it."""
    arguments = [
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--accept-lang={language}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run its sandbox as root
    options: dict[str, Any] = {"binary": next(filter(None, map(shutil.which, BROWSERS))), "args": arguments}
    if not javascript:
        options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
    wanted = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    }
    made = call("POST", f"{driver_url}/session", {"capabilities": {"alwaysMatch": wanted}})
    session_url = f"{driver_url}/session/{made['sessionId']}"
    try:
        call("POST", f"{session_url}/timeouts", {"implicit": PATIENCE})
        window = Browser(session_url)
        window.resize(*PHONE, mobile=True)
        yield window
    finally:
        call("DELETE", session_url)
