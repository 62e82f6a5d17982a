"""Who may come in: tokens, hosts, origins, and addresses that are not this machine's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from planner.api.access import Access, Token, new_token, read_tokens
from planner.api.doorkeeper import refusal
from planner.cli import app
from planner.errors import InputError

HERE = ("127.0.0.1", 40000)
ELSEWHERE = ("192.0.2.7", 40000)
TOKEN, LINE = new_token("ann")
ANN = Token(person="ann", sha256=LINE.split("sha256:")[1])


def scope(client: tuple[str, int] = HERE, **headers: str) -> dict[str, object]:
    return {"type": "http", "client": client, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST", "192.0.2.2:80"])
def test_a_host_that_no_one_can_rebind_is_ours(host: str) -> None:
    assert refusal(scope(host=host), Access()) is None


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", "", "127.0.0.1.evil.example", "]["])
def test_a_rebound_host_is_refused(host: str) -> None:
    for access in (Access(), Access(anybody=True), Access(tokens=(ANN,), hosts=("planner.example",))):
        assert "is not this server's" in (refusal(scope(host=host), access) or "")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", "https://localhost.evil"])
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    for kind in ("http", "websocket"):
        told = refusal({**scope(host="localhost:8501", origin=origin), "type": kind}, Access())
        assert "another site's" in (told or "")


def test_pages_of_this_server_may_ask_also_behind_a_proxy() -> None:
    assert refusal(scope(host="localhost:8501", origin="http://localhost:8501"), Access()) is None
    proxied = Access(tokens=(ANN,), hosts=("planner.example",))
    assert refusal(scope(ELSEWHERE, host="planner.example", origin="https://planner.example"), proxied) is None
    assert refusal(scope(ELSEWHERE, host="10.0.0.5:8501", origin="https://planner.example"), proxied) is None


def test_others_are_refused_where_nobody_is_asked_however_the_server_was_bound() -> None:
    assert "only this machine" in (refusal(scope(ELSEWHERE, host="192.0.2.2"), Access()) or "")
    for access in (Access(tokens=(ANN,)), Access(login=True), Access(anybody=True)):
        assert refusal(scope(ELSEWHERE, host="192.0.2.2"), access) is None


@given(st.text())
def test_only_the_token_itself_lets_in(guess: str) -> None:
    access = Access(tokens=(ANN,))
    assert access.person(guess) == ("ann" if guess == TOKEN else None)
    assert access.person(TOKEN) == "ann"
    assert access.person(TOKEN[:-1]) is None
    assert Access().person(guess) is None


def test_a_file_of_tokens_keeps_hashes_only(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["token", "bob@example.com"])
    assert told.exit_code == 0
    secret = told.stderr.split()[-1]
    assert secret not in told.stdout
    file = tmp_path / "tokens"
    file.write_text(f"# people\n{LINE}\n\n{told.stdout}")
    file.chmod(0o600)
    access = Access.from_environment({"PLANNER_TOKEN_FILE": str(file)})
    assert (access.person(TOKEN), access.person(secret)) == ("ann", "bob@example.com")


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        ("ann sha256:123\n", 0o600, "line 1: expected PERSON sha256:HEX"),
        ("ann my-password\n", 0o600, "line 1: expected"),
        ("# nobody\n", 0o600, "holds no token"),
        (f"{LINE}\n", 0o666, "others may write to it"),
    ],
    ids=["no hash", "plain", "nobody", "open to all"],
)
def test_a_file_that_is_no_file_of_tokens_is_refused(tmp_path: Path, text: str, mode: int, told: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(InputError, match=told):
        read_tokens(file)


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(InputError, match="at least 24 random characters"):
        Access.from_environment({"PLANNER_TOKEN": "hunter2"})
    with pytest.raises(InputError, match="name without spaces"):
        new_token("two words")


def test_serve_does_not_open_to_others_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PLANNER_TOKEN", "PLANNER_TOKEN_FILE", "PLANNER_ANYBODY", "PLANNER_LOGIN"):
        monkeypatch.delenv(name, raising=False)
    started: list[dict[str, str]] = []
    monkeypatch.setattr("os.execve", lambda _path, _words, environment: started.append(environment))
    for address in ("0.0.0.0", "::", "192.0.2.2"):
        told = CliRunner().invoke(app, ["serve", "--host", address])
        assert told.exit_code == 2
        assert "--insecure-no-authentication" in told.stderr
    assert started == []
    told = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--insecure-no-authentication"])
    assert told.exit_code == 0
    assert "everybody who reaches 0.0.0.0" in told.stderr
    assert started.pop()["PLANNER_ANYBODY"] == "1"
    (tmp_path / "tokens").write_text(LINE)
    assert CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--token-file", "tokens"]).exit_code == 0
    assert started.pop()["PLANNER_TOKEN_FILE"] == str(tmp_path / "tokens")
