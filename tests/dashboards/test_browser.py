"""The app as a person uses it: in a real browser, against a real server, with nothing leaving the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from planner.bundle import bundled

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WAIT_MS = 120_000
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "planner", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=os.environ | {"PLANNER_STORE": ":memory:"}, stdout=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(120):
            try:
                with urlopen(f"{base}/_stcore/health") as answer:
                    assert answer.status == 200
                break
            except URLError:
                assert server.poll() is None, "the server ended before it answered"
                time.sleep(0.5)
        yield base
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def page(chromium: Path, address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        made = browser.new_page(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
        made.set_default_timeout(WAIT_MS)
        complaints: list[str] = []
        made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        made.on(
            "request",
            lambda r: None if r.url.startswith((address, "ws://127", "data:", "blob:")) else complaints.append(r.url),
        )
        made.goto(address)
        yield made
        browser.close()
        assert complaints == [], "no error on the console, no request beyond this machine"


def plan(page: Page) -> None:
    page.get_by_role("button", name="Plan", exact=True).click()
    settled(page)


def settled(page: Page) -> None:
    """While a page is drawn anew, what the last drawing left stands beside it for a moment."""
    page.get_by_text("Download the report").first.wait_for()
    page.locator('[data-testid="stStatusWidget"]').wait_for(state="hidden")
    expect(page.get_by_text("Download the report")).to_have_count(1, timeout=WAIT_MS)


def look(page: Page, setting: str, value: str) -> None:
    """Plans with another number in a field."""
    field = page.get_by_role("spinbutton", name=setting)
    field.fill(value)
    field.press("Enter")
    plan(page)


def heading(page: Page) -> str:
    return page.get_by_role("heading", name="costs least").inner_text()


def test_upload_plan_change_and_download(page: Page, tmp_path: Path) -> None:
    recording = bundled("datasets", "samples", "bitbrains", "fastStorage", "2013-8", "1.csv")
    page.get_by_role("button", name="Plan", exact=True).wait_for()
    page.locator("input[type=file]").set_input_files(recording)
    page.get_by_text("bitbrains, 1 workloads, 0 rows rejected").wait_for()
    page.get_by_text("Horizon and money").click()
    look(page, "horizon years", "1")
    page.get_by_text("Planned 1 years ahead").wait_for()
    before = heading(page)
    look(page, "horizon years", "2")
    page.get_by_text("Planned 2 years ahead").wait_for()
    assert heading(page) != before, "a longer horizon costs more"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    saved = tmp_path / "report.html"
    download.value.save_as(saved)
    text = saved.read_text(encoding="utf-8")
    assert "<html" in text
    assert "iaas" in text
    assert heading(page).split(" costs")[0] in text


def test_the_assumptions_page_lists_what_the_plan_rests_on(page: Page) -> None:
    page.get_by_role("link", name="Assumptions").click()
    page.get_by_text("numbers,").wait_for()
    page.get_by_role("link", name="Compare").click()
    settled(page)
