"""The app as a person uses it: in a real browser, against a real server, with nothing leaving the machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from planner.bundle import bundled

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
WAIT_MS = 120_000
TITLES = {
    "Data": "What came in?",
    "Today": "What runs today?",
    "Compare": "What would it cost somewhere else?",
    "Costs": "What is the money spent on?",
    "Capacity": "How much capacity, and how much of it is used?",
    "Where": "Where does each workload go?",
    "What-if": "What if?",
    "Scenarios": "Which scenarios are there?",
    "Assumptions": "What do the plans rest on?",
    "Conformance": "Whose numbers are reproduced?",
}
"""What each page is headed by."""
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


def still(page: Page) -> None:
    """While a page is drawn anew, what the last drawing left stands beside it for a moment."""
    page.locator('[data-testid="stStatusWidget"]').wait_for(state="hidden")
    expect(page.locator('[data-testid="stMain"] h1')).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


def visit(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator('[data-testid="stMain"] h1')).to_have_text(TITLES[name], timeout=WAIT_MS)
    still(page)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()


def fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True).last
    field.fill(value)
    field.press("Enter")


def upload(page: Page, files: list[Path], told: str) -> None:
    visit(page, "Data")
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_text(told).first.wait_for()
    still(page)


def ask(page: Page, models: Sequence[str]) -> None:
    """Asks for some models over one year."""
    page.get_by_text("How to plan it").click()
    fill(page, "horizon years", "1")
    chosen = page.get_by_role("combobox", name="Models to compare")
    still(page)
    page.get_by_test_id("stMultiSelect").get_by_role("button", name="Clear all").first.click()
    for name in models:
        chosen.press_sequentially(name)
        chosen.press("Enter")
    chosen.press("Escape")
    still(page)


def plan(page: Page) -> None:
    """Plans what is chosen on Data; Compare opens when it is there."""
    press(page, "Plan")
    page.get_by_text("costs least").first.wait_for()
    still(page)


def heading(page: Page) -> str:
    return page.get_by_role("heading", name="costs least").inner_text()


def sample(name: str) -> list[Path]:
    return sorted(p for p in bundled("datasets", "samples", name).rglob("*") if p.is_file())


def test_upload_plan_and_download(page: Page, tmp_path: Path) -> None:
    page.get_by_role("heading", name=TITLES["Data"]).wait_for()
    upload(page, sample("bitbrains")[:1], "bitbrains, 1 workloads, 0 rows rejected")
    ask(page, ("iaas", "serverless"))
    plan(page)
    page.get_by_text("Planned 1 years ahead").wait_for()
    best = heading(page).split(" costs")[0]
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"\(HTML\)")).click()
    download.value.save_as(tmp_path / "study.html")
    text = (tmp_path / "study.html").read_text(encoding="utf-8")
    assert "<html" in text
    assert best in text
    assert "iaas" in text


def draws(page: Page, name: str) -> None:
    visit(page, name)
    if name not in {"What-if", "Scenarios"}:
        page.locator('[data-testid="stVegaLiteChart"], [data-testid="stDataFrame"]').first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name


@pytest.mark.slow
def test_others_numbers_are_worked_out_and_drawn(page: Page) -> None:
    draws(page, "Conformance")


def test_every_other_page_draws_and_a_reload_keeps_the_study(page: Page) -> None:
    for name in TITLES:
        if name != "Conformance":
            draws(page, name)
    visit(page, "Data")
    page.reload()
    still(page)
    visit(page, "Compare")
    assert heading(page)


def test_money_moves_totals_at_once_and_scenarios_stand_side_by_side(page: Page) -> None:
    visit(page, "Scenarios")
    for name in ("<script>alert(1)</script>", "second"):
        page.get_by_label("Save the open study as").fill(name)
        press(page, "Save")
        page.get_by_text(f"Saved as {name}").wait_for()
        still(page)
    page.get_by_text("Their settings are the same").wait_for()
    visit(page, "What-if")
    fill(page, "discount rate per year", "0.25")
    page.get_by_text("The difference", exact=True).wait_for()


def test_an_assumption_is_overridden_by_keyboard(page: Page) -> None:
    visit(page, "Assumptions")
    setting = page.get_by_role("combobox", name="Setting")
    setting.focus()
    setting.press_sequentially("demand.headroom")
    setting.press("Enter")
    page.get_by_text("Room kept above the percentile").first.wait_for()
    page.get_by_text("The study uses 0.15.").wait_for()
    still(page)
    switch = page.get_by_label("Override it").last
    switch.focus()
    switch.press("Space")
    fill(page, "headroom", "0.5")
    press(page, "Try it on What-if")
    expect(page.locator('[data-testid="stMain"] h1')).to_have_text(TITLES["What-if"], timeout=WAIT_MS)
    expect(page.get_by_label("headroom", exact=True)).to_have_value("0.50")


CONTROLS = """() => {
    const shown = e => { const r = e.getBoundingClientRect(); return r.width > 1 && r.height > 1 && !e.disabled
        && getComputedStyle(e).visibility !== 'hidden' && !e.closest('[inert], [aria-hidden=true]'); };
    const name = e => e.ariaLabel || [...(e.labels || [])].map(l => l.innerText).join() || e.title || e.innerText
        || (e.getAttribute('aria-labelledby') || '').split(' ').map(i => document.getElementById(i)?.innerText).join();
    return [...document.querySelectorAll('a[href], button, input, textarea, select, summary, [role=combobox]')]
        .filter(e => shown(e) && (e.tabIndex >= 0 || e.matches('input, textarea')))
        .map((e, n) => { e.dataset.control = n; return [e.tagName, e.type || '', (name(e) || '').trim()]; });
}"""
"""Every control of a page that a person can see: numbered, with its element, kind and name."""


@pytest.mark.slow
def test_every_control_has_a_name_and_is_reached_by_tab(page: Page) -> None:
    upload(page, sample("bitbrains")[:1], "bitbrains, 1 workloads, 0 rows rejected")
    ask(page, ("iaas", "serverless"))
    plan(page)
    for title in TITLES:
        visit(page, title)
        page.wait_for_timeout(1500)
        controls = page.evaluate(CONTROLS)
        assert len(controls) > len(TITLES), title
        assert [control for control in controls if not control[2]] == [], title
        reached = set()
        for _ in range(2 * len(controls) + 20):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("Number(document.activeElement.dataset.control ?? -1)"))
        # Of the choices of one question, arrows reach those that Tab does not.
        missed = [c for n, c in enumerate(controls) if n not in reached and c[1] != "radio"]
        assert missed == [], title


@pytest.mark.slow
def test_the_long_tour(page: Page, address: str, tmp_path: Path) -> None:
    """Four formats, all models, every page in light and dark, wide and narrow; pictures are left to be looked at."""
    looks = [("light", 1440), ("dark", 900), ("dark", 1440), ("light", 900)]
    folder = Path(os.environ.get("PLANNER_PICTURES", tmp_path))
    page.set_default_timeout(8 * WAIT_MS)
    for (scheme, width), name in zip(looks, ("planner", "azure_vm", "azure_functions", "bitbrains"), strict=True):
        page.goto(address)
        upload(page, sample(name), f"{name}, ")
        plan(page)
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 3000})
        for title in TITLES:
            visit(page, title)
            page.wait_for_timeout(1500)
            page.screenshot(path=folder / f"{title}-{name}-{scheme}-{width}.png")
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, title
        page.set_viewport_size({"width": 1440, "height": 1000})
    page.set_default_timeout(WAIT_MS)
