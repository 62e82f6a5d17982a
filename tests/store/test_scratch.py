"""What killed processes left in the temporary folder goes a day later; what others work with stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from planner.store.scratch import ABANDONED_S, scratch, sweep


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def gone() -> int:
    """The number of a process that has ended."""
    return int(
        subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True).stdout
    )


def left(folder: Path, name: str, age_s: float) -> Path:
    made = folder / name
    made.mkdir()
    (made / "000001").write_text("x")
    os.utime(made, (time.time() - age_s,) * 2)
    return made


def test_a_folder_is_there_for_a_while(temporary: Path) -> None:
    with scratch("unpacked") as folder:
        assert folder.parent == temporary
        assert folder.name.startswith(f"planner-unpacked-{os.getpid()}-")
        (folder / "x").write_text("x")
    assert not folder.exists()


def test_only_what_nobody_works_with_is_swept(temporary: Path) -> None:
    dead, old = gone(), 2 * ABANDONED_S
    swept = [left(temporary, name, old) for name in (f"planner-unpacked-{dead}-ab_1", f"planner-{dead}.tmp")]
    kept = [
        left(temporary, f"planner-unpacked-{dead}-ab_2", ABANDONED_S / 2),
        left(temporary, f"planner-unpacked-{os.getpid()}-ab_3", old),
        left(temporary, f"planner-mine-{dead} of another kind", old),
        left(temporary, f"other-unpacked-{dead}-ab_4", old),
    ]
    sweep()
    assert [path.exists() for path in swept] == [False, False]
    assert all(path.exists() for path in kept)


def test_a_link_is_not_followed(temporary: Path) -> None:
    treasure = left(temporary, "treasure", 0)
    link = temporary / f"planner-unpacked-{gone()}-ab"
    link.symlink_to(treasure)
    os.utime(link, (time.time() - 2 * ABANDONED_S,) * 2, follow_symlinks=False)
    sweep()
    assert (treasure / "000001").exists()
