"""How long a person waits for the pages: `PYTHONPATH=tests:. python -m benchmarks.pages`.

Starts the dashboard on loopback, plans a shipped sample in headless Chromium, and tells the seconds from opening each
page of the finished study to its chart or table, from changing money on What-if to the difference, and from pressing a
button that plans to the first sign of it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.test_browser import FLAGS, TITLES, fill, press, sample, still, upload, visit

WAIT_MS = 600_000
DRAWN = '[data-testid="stVegaLiteChart"] canvas, [data-testid="stVegaLiteChart"] svg, [data-testid="stDataFrame"]'
WATCH = """() => {
    window.pressed = window.shown = null
    const seen = () =>
        document.querySelector('[data-testid="stProgress"]') || document.body.innerText.includes("Asked for:")
    document.addEventListener("click", () => { window.pressed ??= performance.now() }, {capture: true})
    new MutationObserver(() => { if (window.pressed && seen()) window.shown ??= performance.now() })
        .observe(document.body, {childList: true, subtree: true})
}"""


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server of its own, with nothing in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "planner", "serve", "--port", address.rpartition(":")[2]]
    server = subprocess.Popen(command, env=os.environ | {"PLANNER_STORE": ":memory:"}, stdout=subprocess.DEVNULL)
    try:
        while not _answers(address):
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/_stcore/health") as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def opened(browser: Browser, address: str) -> Page:
    """The first page, drawn."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.locator('[data-testid="stMain"] h1').wait_for()
    still(page)
    return page


def told(what: str, work: Callable[[], object]) -> None:
    """A line with the seconds that something took."""
    start = time.monotonic()
    work()
    sys.stdout.write(f"{what}: {time.monotonic() - start:.1f} s\n")
    sys.stdout.flush()


def first_sign(page: Page, button: str) -> None:
    """Presses a button that plans, and tells when the page first said so."""
    page.evaluate(WATCH)
    page.wait_for_timeout(1500)
    press(page, button)
    page.wait_for_function("window.shown !== null")
    milliseconds = page.evaluate("window.shown - window.pressed")
    sys.stdout.write(f"{button}: first sign after {milliseconds / 1000:.2f} s\n")


def drawn(page: Page, name: str) -> None:
    """Opens a page of the study from another one, until a chart or table stands."""
    visit(page, name)
    if name not in {"What-if", "Scenarios"}:
        page.locator(DRAWN).first.wait_for()


def settled(page: Page) -> None:
    """What was changed has gone to the server and come back."""
    page.wait_for_timeout(1500)
    still(page)


def toured(page: Page, address: str, name: str, browser: Browser) -> None:
    """Everything that is told, in turn."""
    told("upload", lambda: upload(page, sample(name), f"{name}, "))
    first_sign(page, "Plan")
    told("all models planned", page.get_by_text("costs least").first.wait_for)
    still(page)
    for title in TITLES:
        told(f"page {title}", partial(drawn, page, title))
    visit(page, "What-if")
    fill(page, "discount rate per year", "0.25")
    told("what-if of money", page.get_by_text("The difference", exact=True).wait_for)
    settled(page)
    press(page, "Take all changes back")
    settled(page)
    fill(page, "headroom", "0.5")
    settled(page)
    first_sign(page, "Plan with these changes")
    told("what-if planned", page.get_by_text("The difference", exact=True).wait_for)
    study = re.search("study=([0-9a-f]+)", page.url)
    assert study is not None
    told("study by its address, in a new window", lambda: opened(browser, f"{address}/compare?study={study[1]}"))


def main() -> None:
    """Print a line a wait."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--sample", default="planner", help="which shipped sample is sent and planned")
    asked = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("needs chromium (Debian: apt install chromium)")
    with serving() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=Path(chromium), args=list(FLAGS))
        toured(opened(browser, address), address, asked.sample, browser)
        browser.close()


if __name__ == "__main__":
    main()
