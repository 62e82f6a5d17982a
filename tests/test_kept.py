"""Text that is made once and kept: never half of it, never a damaged one, and made again where it cannot be kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from planner.kept import kept


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of a user who has none yet."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    return tmp_path / "cache"


def counted() -> tuple[list[int], Callable[[], str]]:
    """Something that makes text, and how often it did."""
    calls: list[int] = []

    def make() -> str:
        calls.append(1)
        return "two\nlines \u00fc\n"

    return calls, make


def test_made_once(folder: Path) -> None:
    calls, make = counted()
    assert kept("a.json", make) == kept("a.json", make) == "two\nlines \u00fc\n"
    assert len(calls) == 1
    assert [file.name for file in folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize("damage", [b"", b"two\nlines\n", b"\xff\xfe\n", b"0" * 64 + b"\ntwo\nlines\n"])
def test_a_damaged_one_is_made_again(folder: Path, damage: bytes) -> None:
    calls, make = counted()
    whole = kept("a.json", make)
    (folder / "a.json").write_bytes(damage)
    assert kept("a.json", make) == kept("a.json", make) == whole
    assert len(calls) == 2


def test_where_nothing_can_be_kept_it_is_made_each_time(folder: Path) -> None:
    folder.write_text("a file where the folder would be")
    calls, make = counted()
    assert kept("a.json", make) == kept("a.json", make)
    assert len(calls) == 2
