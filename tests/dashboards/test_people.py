"""Eight people at once, each in a browser of their own, signed in by OpenID Connect: each sees only what is theirs."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from api.serving import PEOPLE, recording
from dashboards.test_browser import FLAGS, WAIT_MS, ask, press, still

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.xdist_group("browser")]
SECRETS = """
[auth]
redirect_uri = "{base}/oauth2callback"
cookie_secret = "a secret of this test, and of no other"
client_id = "planner"
client_secret = "told to nobody"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: Sequence[str], folder: Path, answers: str) -> Iterator[None]:
    """A server, from when it answers at an address until it is stopped."""
    environment = os.environ | {"PLANNER_STORE": str(folder / "planner.duckdb")}
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                urlopen(answers).close()
                break
            except URLError:
                assert server.poll() is None, "the server ended before it answered"
                time.sleep(0.5)
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server that asks everybody who they are, and the provider that vouches for them."""
    provider, port = free_port(), free_port()
    base, vouching = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{provider}"
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(SECRETS.format(base=base, provider=vouching))
    claims = [{"sub": who, "email": f"{who}@example.com", "email_verified": True} for who in PEOPLE]
    known = [word for claim in claims for word in ("--user-claims", json.dumps(claim))]
    vouch = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(provider), *known]
    serve = [sys.executable, "-m", "planner", "serve", "--port", str(port)]
    with (
        running(vouch, tmp_path, f"{vouching}/.well-known/openid-configuration"),
        running(serve, tmp_path, f"{base}/_stcore/health"),
    ):
        yield base


def sent(folder: Path, person: str) -> Path:
    """The file that a person uploads."""
    path = folder / f"{person}.csv"
    path.write_bytes(recording(person))
    return path


def signed_in(browser: Browser, address: str, person: str) -> Page:
    """The first page, as a person sees it who has just signed in with the provider."""
    page = browser.new_context().new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=re.compile(re.escape(person))).click()
    page.get_by_text(f"Signed in as {person}@example.com").wait_for()
    return page


def test_eight_people_at_once_see_each_their_own(chromium: Path, address: str, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        pages = {person: signed_in(browser, address, person) for person in PEOPLE}
        for person, page in pages.items():
            page.locator("input[type=file]").set_input_files(sent(tmp_path, person))
        for person, page in pages.items():
            page.get_by_text(f"{person}: planner, 3 workloads, 0 rows rejected").first.wait_for()
            still(page)
            ask(page, ("iaas",))
        for page in pages.values():
            press(page, "Plan")
        for page in pages.values():
            page.get_by_text("costs least").first.wait_for()
            still(page)
        for person, page in pages.items():
            page.get_by_role("link", name="Costs", exact=True).click()
            page.get_by_text(re.compile(rf"{person}-vm\d costs most")).first.wait_for()
            text = page.locator("body").inner_text()
            assert not any(f"{other}-vm" in text for other in PEOPLE if other != person)
        first, second = (pages[person] for person in PEOPLE[:2])
        first.goto(second.url)
        expect(first.get_by_text("not in this workspace").first).to_be_visible(timeout=WAIT_MS)
        press(second, "Sign out")
        second.wait_for_url(re.compile("end_session"))  # the provider asks whether to sign out there too
        second.goto(address)
        second.get_by_role("button", name="Sign in").wait_for()
        assert PEOPLE[1] not in second.locator("body").inner_text()
        browser.close()
