"""A store for each person: named by hash, opened once, and closed to the others."""

from __future__ import annotations

import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from planner.workspaces import Workspaces, inert_name


@given(st.text(max_size=300))
def test_a_name_leads_nowhere_and_means_nothing(name: str) -> None:
    inert = inert_name(name)
    assert inert
    assert len(inert.encode()) <= 255
    assert inert[0] not in ".=+-@"
    assert not set(inert) & set("/\\\x00\n\"'<>|&;$` ")
    assert Path(inert).name == inert


def test_the_end_of_a_name_is_kept() -> None:
    assert inert_name("a" * 300 + ".csv.gz").endswith(".csv.gz")
    assert set(inert_name(string.printable)) <= set(string.ascii_letters + string.digits + "_.@+-")


def test_each_person_has_a_store_and_only_one(tmp_path: Path) -> None:
    rooms = Workspaces(tmp_path / "planner.duckdb")
    people = ["", "ann", "../../ann", "ann/../bob", "ANN"] * 4
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(rooms.store, people))
    assert len({id(store) for store in stores}) == 5
    paths = {Path(store.path).resolve() for store in stores}
    assert len(paths) == 5
    assert all(path.is_relative_to(tmp_path) for path in paths)
    rooms.close()
    again = Workspaces(tmp_path / "planner.duckdb")
    assert Path(again.store("ann").path).resolve() in paths
    again.close()


def test_what_arrives_is_gone_afterwards_and_what_a_killed_process_left_too(tmp_path: Path) -> None:
    left = tmp_path / "planner-uploads" / "upload-left"
    left.mkdir(parents=True)
    rooms = Workspaces(tmp_path / "planner.duckdb")
    with rooms.landing() as folder:
        assert not left.exists()
        assert folder.parent == left.parent
        (folder / "x").write_text("1")
    assert not folder.exists()
    rooms.close()


def test_nothing_is_kept_of_people_in_memory() -> None:
    rooms = Workspaces(":memory:")
    assert rooms.store("ann") is rooms.store("ann") is not rooms.store("bob")
    with rooms.landing("ann") as folder:
        rooms.store("someone who comes meanwhile")
        assert folder.is_dir()
    rooms.close()
