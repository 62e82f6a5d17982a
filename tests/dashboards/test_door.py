"""The pages ask who it is where they must, and show each person only what is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import data
from planner.api.access import new_token
from planner.bundle import bundled

FRAME = str(bundled("dashboards", "app.py"))
SECRET, LINE = new_token("ann")


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "tokens").write_text(LINE)
    monkeypatch.setenv("PLANNER_STORE", ":memory:")
    monkeypatch.setenv("PLANNER_TOKEN_FILE", str(tmp_path / "tokens"))
    data.access.clear()
    yield
    data.access.clear()


def test_nothing_is_shown_before_it_is_known_who_looks() -> None:
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    assert not app.exception
    assert [title.value for title in app.title] == ["planner"]
    assert not app.selectbox
    app.text_input[0].set_value("a wrong one")
    app.button[0].click().run()
    assert "not known" in app.error[0].value
    assert not app.selectbox
    app.text_input[0].set_value(SECRET)
    app.button[0].click().run()
    assert not app.exception
    assert app.session_state["person"] == "ann"
    assert app.selectbox
    assert [caption.value for caption in app.sidebar.caption if "Signed in" in caption.value] == ["Signed in as ann"]
    next(button for button in app.sidebar.button if button.label == "Sign out").click().run()
    assert "person" not in app.session_state


def test_a_login_vouches_for_an_address_only_where_that_is_verified() -> None:
    claims = {"iss": "https://id.example", "sub": "7", "email": "Ann@example.com"}
    assert data._vouched_for(claims | {"email_verified": True}) == "ann@example.com"
    assert data._vouched_for(claims | {"email_verified": False}) == "https://id.example 7"
    assert data._vouched_for(claims) == "https://id.example 7"
