"""The script that draws charts in a browser: bundled once a user, and again where nothing can be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from planner.report import plots


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache folder of a user who has made no report yet."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    plots.libraries.cache_clear()
    yield tmp_path / "cache"
    plots.libraries.cache_clear()


@pytest.mark.slow
def test_bundled_once_and_kept(folder: Path) -> None:
    script = plots.libraries()
    assert "vegaEmbed" in script
    assert "</script" not in script
    (kept,) = folder.iterdir()
    made_at = kept.stat().st_mtime_ns
    plots.libraries.cache_clear()
    assert plots.libraries() == script
    assert kept.stat().st_mtime_ns == made_at


@pytest.mark.slow
def test_no_folder_to_keep_it_in(folder: Path) -> None:
    folder.write_text("a file where the folder would be")
    assert "vegaEmbed" in plots.libraries()
