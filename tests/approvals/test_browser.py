"""The page of an approval request in a real browser: a phone and a desk, both languages."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from msgspec.structs import replace

from sgguard.approvals import web
from sgguard.approvals.resolve import approve
from sgguard.policy.channel import ChannelPolicy
from sgguard.restores import permit
from sgguard.restores import web as pages
from sgguard.restores.standing import message_of
from sgguard.web.response import Response
from tests.approvals import browser
from tests.approvals.browser import Browser, Page, browsing, page_of
from tests.approvals.harness import ApprovalHarness, approval_harness
from tests.chat.documents import document

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not browser.path(), reason="there is no Chromium here"),
]
PHONE, DESK = 390, 1280
LONG_NAME, OTHER_NAME = "🔥prod🔥 עברית", "مجموعة <b>x</b> 支付网关"
SIZES = [(width, language) for width in (PHONE, DESK) for language in ("en", "zh")]

# Every element that shows text of its own: its colour, what it stands on, and its box.
TEXTS = """
[...document.querySelectorAll('body *')].filter(e => !e.closest('svg') &&
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
    let under = e;
    const plain = c => c === 'rgba(0, 0, 0, 0)' || c === 'transparent';
    while (under && plain(getComputedStyle(under).backgroundColor)) under = under.parentElement;
    const box = e.getBoundingClientRect();
    return {text: e.textContent.slice(0, 60), color: getComputedStyle(e).color,
      ground: under ? getComputedStyle(under).backgroundColor : 'rgb(255, 255, 255)',
      left: box.left, right: box.right, height: box.height};
  })
"""
# Every name in the picture, and whether it is within it.
NAMES = """
(() => { const picture = document.querySelector('svg').getBoundingClientRect();
  return [...document.querySelectorAll('svg text')].map(e => {
    const box = e.getBoundingClientRect();
    return {text: e.textContent, height: box.height, width: box.width,
      inside: box.left >= picture.left - 1 && box.right <= picture.right + 1 &&
              box.top >= picture.top - 1 && box.bottom <= picture.bottom + 1}; }); })()
"""
BUTTONS = """
[...document.querySelectorAll('button')].map(e => { e.scrollIntoView();
  const box = e.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  return {text: e.textContent, width: box.width, height: box.height,
    on_top: document.elementFromPoint(x, y) === e}; })
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@contextmanager
def serving(here: ApprovalHarness) -> Iterator[str]:
    """Serve the pages of approval links; a browser also opens connections that it does not use."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = dict(parse_qsl(urlsplit(self.path).query))
            self.answer(pages.show("GET", query, self.given(), here.context))

        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(pages.submit(self.given(), content, here.context()))

        def given(self):
            return {name.lower(): value for name, value in self.headers.items()}

        def answer(self, response: Response | None):
            found = response or Response(404, b"", {"Content-Type": "text/plain"})
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def handle(self):
            with suppress(OSError):  # the browser may close it
                super().handle()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.block_on_close = False
        server.server_close()
        thread.join()


@pytest.fixture
def here(tmp_path) -> Iterator[ApprovalHarness]:
    with approval_harness("tencent", tmp_path) as found:
        zone = ChannelPolicy("team", "lark", language="zh", zone="Asia/Shanghai")
        found.policy = replace(found.policy, channels=(zone,))
        yield found


def address(here: ApprovalHarness, base: str, language: str, *, is_long: bool = False) -> str:
    """Return the link of a request; a long one has 55 steps and the names that clouds permit."""
    asked = here.asked()
    if is_long:
        record = here.store.decision(asked.decision_id)
        assert record is not None
        kept = json.loads(record.document_json)
        given = copy.deepcopy(
            document(54, name="🔥prod🔥 עברית", referrer="مجموعة <b>x</b> 支付网关")
        )
        given |= {key: kept[key] for key in ("decision_id", "event_id", "approval")}
        here.store.keep(replace(record, document_json=json.dumps(given)))
    token = web.link(asked.approval_id, "ada", "approve", here.context())
    return f"{base}?token={quote(token)}&lang={language}"


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = colour[colour.index("(") + 1 : -1].split(",")
        linear = []
        for part in parts[:3]:
            value = float(part) / 255
            linear.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def require_readable(page: Page, width: int) -> None:
    """Every text is within the width, high enough, and stands out from what is behind it."""
    assert page.run("document.documentElement.scrollWidth") <= width
    shown = page.run(TEXTS)
    assert len(shown) > 10
    for one in shown:
        assert one["left"] >= 0, one
        assert one["right"] <= width, one
        assert one["height"] >= 12, one
        assert contrast(one["color"], one["ground"]) >= 4.5, one


def test_there_is_a_font_with_chinese_glyphs():
    """Without one a Chinese page is boxes, and every other test of it passes."""
    assert shutil.which("fc-list")
    found = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, check=True)
    assert found.stdout.strip()


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_long_request_is_readable_and_whole(here, chromium, width, language, is_dark):
    with serving(here) as base, page_of(chromium, width, is_dark=is_dark) as page:
        page.open(address(here, base, language, is_long=True))
        require_readable(page, width)
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        assert (contrast(ground, "rgb(0, 0, 0)") < 4.5) == is_dark
        # Every step is there, with a box of its own.
        steps = page.run("[...document.querySelectorAll('ol li')].map(e => e.offsetHeight)")
        assert len(steps) == 55
        assert min(steps) > 12
        # Chinese is drawn with a font that has it.
        fonts = page.fonts("h1")
        if language == "zh":
            assert any("CJK" in one or "WenQuanYi" in one for one in fonts), fonts
        # What a person presses is as large as a finger, and nothing lies on it.
        buttons = page.run(BUTTONS)
        assert len(buttons) == 2
        for one in buttons:
            assert one["height"] >= 44
            assert one["width"] >= 44
            assert one["on_top"], one
        # The picture holds every name that is in it.
        names = page.run(NAMES)
        assert names
        assert all(one["inside"] and one["height"] > 5 for one in names), names


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_loads_nothing_and_its_own_rules_refuse_nothing_of_it(here, chromium, language):
    with serving(here) as base, page_of(chromium, PHONE) as page:
        url = address(here, base, language)
        page.open(url)
        assert page.requests() == [url]
        assert page.complaints() == []
        assert page.run("document.scripts.length") == 0
        # What is put into it all the same is not run: its policy permits no script.
        put = "const s = document.createElement('script'); s.textContent = 'document.title = 1'"
        page.run(f"{put}; document.body.append(s); 0")
        assert page.run("document.title") != "1"


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_a_request_is_approved_without_script(here, chromium, width, language):
    with serving(here) as base, page_of(chromium, width) as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.open(address(here, base, language))
        page.press("button.approve")
        page.call("Emulation.setScriptExecutionDisabled", value=False)
        said = page.run("document.body.innerText")
        assert here.is_deleted, said
        assert ("已全部执行" in said) if language == "zh" else ("carried out" in said)
        assert page.run("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.complaints() == []


def test_the_other_language_is_one_press_away(here, chromium):
    with serving(here) as base, page_of(chromium, PHONE) as page:
        page.open(address(here, base, "en"))
        page.press("a.other")
        assert page.run("document.documentElement.lang") == "zh-CN"
        page.press("button:not(.approve)")
        assert "已拒绝" in page.run("document.body.innerText")
        assert not here.is_deleted


def link_to_restore(here: ApprovalHarness, base: str, language: str) -> str:
    """Carry a delete out, and return the link that restores what it removed."""
    asked = here.asked()
    approve(asked.approval_id, "ada", here.context())
    assert here.is_deleted
    record = here.store.decision(asked.decision_id)
    assert record is not None
    here.env = {**here.env, "SGGUARD_APPROVAL_URL": base}
    found = permit.link(message_of(record, here.store), "ada", here.context())
    return f"{found}&lang={language}"


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "language"), SIZES)
def test_what_was_removed_is_restored_from_its_page_without_script(
    here, chromium, width, language, is_dark
):
    with serving(here) as base, page_of(chromium, width, is_dark=is_dark) as page:
        url = link_to_restore(here, base, language)
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.open(url)
        page.call("Emulation.setScriptExecutionDisabled", value=False)
        assert page.requests() == [url]
        assert page.complaints() == []
        require_readable(page, width)
        if language == "zh":
            fonts = page.fonts("h1")
            assert any("CJK" in one or "WenQuanYi" in one for one in fonts), fonts
        [button] = page.run(BUTTONS)
        assert button["height"] >= 44
        assert button["on_top"]
        page.press("button.approve")
        said = page.run("document.body.innerText")
        assert "databases" in {one.name for one in here.cloud.groups}, said
        assert page.run("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert page.complaints() == []
