"""A headless Chromium, asked over its pipe: pages as a person sees them, at a size, in a scheme."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import Patience

Json = dict[str, Any]
NAMES = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE_S = 60.0
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--hide-scrollbars", "--mute-audio", "--no-proxy-server", "--remote-debugging-pipe"),
)


def path() -> str:
    """Return where Chromium is; empty where it is not."""
    return next((found for name in NAMES if (found := shutil.which(name))), "")


@dataclass
class Browser:
    """One Chromium: calls of the DevTools protocol, and what it said meanwhile."""

    to: int
    back: int
    events: list[Json] = field(default_factory=list)
    _number: int = 0
    _rest: bytes = b""

    def call(self, method: str, session: str = "", **params: Any) -> Json:
        """Return the result of one call; what happens meanwhile is kept in ``events``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        patience = Patience(_PATIENCE_S)
        while (found := self._next()).get("id") != self._number:
            patience.require(method)
            self.events.append(found)
        assert "error" not in found, (method, found["error"])
        return dict(found["result"])

    def until(self, method: str) -> None:
        """Wait until something happened that was not looked at before."""
        patience = Patience(_PATIENCE_S)
        while not any(one.get("method") == method for one in self.events):
            patience.require(method)
            self.events.append(self._next())

    def _next(self) -> Json:
        poll = select.poll()  # a run of tests may have more descriptors open than select() knows
        poll.register(self.back, select.POLLIN)
        while b"\0" not in self._rest:
            assert poll.poll(_PATIENCE_S * 1000), "Chromium says nothing"
            content = os.read(self.back, 1 << 20)
            assert content, "Chromium ended"
            self._rest += content
        first, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(first))


@dataclass
class Page:
    """One page that was opened."""

    browser: Browser
    session: str

    def call(self, method: str, **params: Any) -> Json:
        return self.browser.call(method, self.session, **params)

    def open(self, url: str) -> None:
        self.browser.events.clear()
        self.call("Page.navigate", url=url)
        self.browser.until("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of an expression of the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def fonts(self, selector: str) -> dict[str, int]:
        """Return the fonts that an element is really drawn with, and the glyphs of each."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        found = self.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        return {one["familyName"]: int(one["glyphCount"]) for one in found}

    def press(self, selector: str) -> None:
        """Press an element with the mouse, and wait for the page that follows."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = self.call("DOM.getContentQuads", nodeId=node)["quads"][0]
        at = {"x": sum(quad[::2]) / 4, "y": sum(quad[1::2]) / 4, "button": "left", "clickCount": 1}
        self.browser.events.clear()
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **at)
        self.browser.until("Page.loadEventFired")

    def complaints(self) -> list[str]:
        """Return what the browser said against the page, such as a refusal by its own CSP."""
        return [
            one["params"]["entry"]["text"]
            for one in self.browser.events
            if one.get("method") == "Log.entryAdded"
        ]

    def requests(self) -> list[str]:
        """Return what the page asked the network for."""
        return [
            one["params"]["request"]["url"]
            for one in self.browser.events
            if one.get("method") == "Network.requestWillBeSent"
        ]

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Yield a Chromium whose profile is in the folder."""
    theirs_in, to = os.pipe()
    back, theirs_out = os.pipe()
    # It reads from 3 and writes to 4, whatever these are here.
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (theirs_in, theirs_out)]
    script = f'exec "$@" 3<&{high[0]} 4>&{high[1]}'
    command = ["bash", "-c", script, "bash", path(), *_FLAGS, f"--user-data-dir={folder}/profile"]
    process = subprocess.Popen(
        command, pass_fds=high, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for one in (theirs_in, theirs_out, *high):
        os.close(one)
    browser = Browser(to, back)
    try:
        yield browser
        browser.call("Browser.close")
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(to)
        os.close(back)


@contextmanager
def page_of(browser: Browser, width: int, *, is_dark: bool = False) -> Iterator[Page]:
    """Yield an empty page of a width in CSS pixels, as wide as a phone's or a desk's."""
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    found = Page(browser, session)
    for domain in ("Page", "DOM", "CSS", "Log", "Network"):
        found.call(f"{domain}.enable")
    is_phone = width < 600
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": is_phone}
    found.call("Emulation.setDeviceMetricsOverride", **size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
    found.call("Emulation.setEmulatedMedia", features=[scheme])
    try:
        yield found
    finally:
        browser.call("Target.closeTarget", targetId=target)
