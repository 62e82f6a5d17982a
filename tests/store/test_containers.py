"""Archives, workbooks and compressed files: read as what is in them; nothing of them leads out or fills the disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from lanes import lanes
from planner.errors import TraceError
from planner.store import Store
from planner.store.containers import container
from planner.store.sources import find
from planner.store.unpacked import Limits, Unpacked
from planner.store.unpacking import unpack
from planner.store.workbooks import sheets
from store.writing import HEADER, hourly

TEXT = "\n".join([HEADER, *hourly("a", 30), *hourly("b", 20), "a,bad"]).encode()


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _book(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


PACKED: dict[str, Callable[[Path], object]] = {
    "t.zip": lambda path: _zip(path, {"in/t.csv": TEXT, "README.md": b"words", "__MACOSX/in/._t.csv": b"\x00"}),
    "t.tar": lambda path: _tar(path, {"in/t.csv": TEXT}),
    "t.tar.gz": lambda path: _tar(path, {"in/t.csv": TEXT}, "w:gz"),
    "t.tgz": lambda path: _tar(path, {"in/t.csv.gz": gzip.compress(TEXT)}, "w:gz"),
    "x.zip": lambda path: _zip(path, {"in/t.csv.xz": lzma.compress(TEXT)}),
    "t.tar.xz": lambda path: _tar(path, {"in/t.csv": TEXT}, "w:xz"),
    "t.tar.bz2": lambda path: _tar(path, {"in/t.csv": TEXT}, "w:bz2"),
    "t.csv.xz": lambda path: path.write_bytes(lzma.compress(TEXT)),
    "t.csv.bz2": lambda path: path.write_bytes(bz2.compress(TEXT)),
    "t.csv.zst": lambda path: path.write_bytes(pa.compress(TEXT, "zstd", asbytes=True)),
    "t.csv": lambda path: path.write_bytes(TEXT.decode().encode("utf-16")),
    "t.xlsx": lambda path: _book(path, [[*line.split(",")] for line in TEXT.decode().splitlines()]),
}


@pytest.mark.parametrize("name", lanes(PACKED, slow=["t.tar", "t.tgz", "x.zip", "t.tar.bz2", "t.csv.bz2"]))
def test_read_as_what_is_in_it_once(tmp_path: Path, name: str) -> None:
    PACKED[name](tmp_path / name)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / name)
        again = store.ingest(tmp_path / name)
        rejects = store.rejects(info.trace_id)
    assert (info.workloads, info.samples, info.rejected) == (2, 50, 1)
    assert again.repeated
    assert rejects["line"].tolist() == [52]


def test_names_are_those_of_a_folder_of_the_same_name(tmp_path: Path) -> None:
    members = {f"fast/2013-{month}/{vm}.csv": TEXT for month in (7, 8) for vm in (1, 2)}
    for name, content in members.items():
        (tmp_path / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / name).write_bytes(content)
    _zip(tmp_path / "p.zip", {name.replace("/", "\\"): content for name, content in members.items()})
    (tmp_path / "out").mkdir()
    plain, _ = find([tmp_path / "plain"], tmp_path / "out")
    packed, _ = find([tmp_path / "p.zip"], tmp_path / "out")
    assert [s.label for s in plain] == [s.label for s in packed] == ["2013-7/1", "2013-7/2", "2013-8/1", "2013-8/2"]


def test_members_cannot_escape(tmp_path: Path) -> None:
    evil = ["../out.csv", "/etc/out.csv", "a/../../out.csv", "C:\\out.csv", "..\\out.csv"]
    _zip(tmp_path / "e.zip", {**dict.fromkeys(evil, TEXT), "good.csv": TEXT})
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "e.zip", "a") as archive:
        archive.writestr(link, "/etc/passwd")
    _tar(tmp_path / "e.tar.gz", {**dict.fromkeys(evil, TEXT), "good.csv": TEXT}, "w:gz")
    with tarfile.open(tmp_path / "l.tar", "w") as archive:
        for name, kind in (("l.csv", tarfile.SYMTYPE), ("h.csv", tarfile.LNKTYPE), ("d.csv", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    before = sorted(path for path in tmp_path.parent.rglob("*"))
    with Store(":memory:") as store:
        for name, notes in (("e.zip", 6), ("e.tar.gz", 5)):
            info = store.ingest(tmp_path / name)
            assert (info.workloads, info.samples) == (2, 50)
            assert sum("leads out" in note or "is a link" in note for note in info.notes) == notes
        with pytest.raises(TraceError, match=r"l\.tar: the tar archive holds no data file: .*link or a device"):
            store.ingest(tmp_path / "l.tar")
    assert sorted(path for path in tmp_path.parent.rglob("*")) == before


def _rows(name: str) -> bytes:
    return "\n".join([HEADER, *hourly(name, 24)]).encode()


def test_archives_in_an_archive_are_read_one_deep(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", {"t.csv": _rows("inner")}).read_bytes()
    deep = _zip(tmp_path / "deep.zip", {"deepest.zip": inner, "t.csv.xz": lzma.compress(_rows("deep"))}).read_bytes()
    papers = _zip(tmp_path / "papers.zip", {"README.md": b"words"}).read_bytes()
    tar = _tar(tmp_path / "t.tgz", {"t.csv.gz": gzip.compress(_rows("tar"))}, "w:gz").read_bytes()
    members = {"inner.zip": inner, "deep.zip": deep, "papers.zip": papers, "t.tgz": tar, "t.csv": _rows("t")}
    _zip(tmp_path / "o.zip", members)
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "o.zip")
        names = store._frame("select workload from workloads order by workload")["workload"].tolist()
    assert (names, info.samples) == (["deep", "inner", "t", "tar"], 96)
    assert info.notes[:2] == (
        "o.zip/deep.zip/deepest.zip: is packed inside archives and not read; unpack that first",
        "o.zip/papers.zip: the zip archive holds no data file",
    )


def test_what_is_gzipped_once_more_is_read(tmp_path: Path) -> None:
    """As downloads leave it behind: the server packs what is packed."""
    inner = {
        "a": gzip.compress(_rows("a")),
        "b": _zip(tmp_path / "b.zip", {"t.csv": _rows("b")}).read_bytes(),
        "c": _book(tmp_path / "c.xlsx", [line.split(",") for line in _rows("c").decode().split("\n")]).read_bytes(),
        "d": _rows("d").decode().encode("utf-16"),
    }
    (tmp_path / "in").mkdir()
    for name, content in inner.items():
        (tmp_path / "in" / f"{name}.gz").write_bytes(gzip.compress(content))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "in")
        names = store._frame("select workload from workloads order by workload")["workload"].tolist()
    assert (names, info.samples) == (list(inner), 96)


def test_archives_in_archives_keep_the_limits(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", {f"{n}.csv": b"a,b" for n in range(6)}).read_bytes()
    _zip(tmp_path / "o.zip", {"1.zip": inner, "2.zip": inner})
    _zip(tmp_path / "cut.zip", {"vc1/cut.zip": inner[:-30], "t.csv": b"a,b"})
    layers = b"a,b"
    for _ in range(5):
        layers = lzma.compress(layers)
    (tmp_path / "l.xz").write_bytes(layers)
    for name, words in {
        "o.zip": r"o\.zip/2\.zip: holds more than 10 files",
        "cut.zip": r"cut\.zip/vc1/cut\.zip: is a broken zip archive",
        "l.xz": r"l\.xz: the compressed file holds no data file: l\.xz: is packed inside archives",
    }.items():
        path, folder = tmp_path / name, tmp_path / f"out {name}"
        folder.mkdir()
        with pytest.raises(TraceError, match=words):
            unpack(path, container(path) or "", Unpacked(folder, Limits(members=10)))


def test_members_of_one_name_are_all_read(tmp_path: Path) -> None:
    """As ``tar -r`` makes them; a third one with the rows of the first is a copy."""
    days = [("a.csv", "\n".join([HEADER, *hourly("a", 24, f"2024-01-0{day}")]).encode()) for day in (1, 2, 1)]
    with tarfile.open(tmp_path / "t.tar", "w") as tar, zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for number, (name, content) in enumerate(days):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
            archive.writestr("./" * number + name, content)  # zipfile warns at the very same name
    with Store(":memory:") as store:
        for name in ("t.tar", "t.zip"):
            info = store.ingest(tmp_path / name)
            assert (info.workloads, info.samples, info.lines) == (1, 48, 48)
            assert info.notes == (
                "there are 3 files called a.csv: each is read",
                "a.csv (file 3): has the same content as a.csv and is read once",
            )


def test_members_of_one_name_are_one_machine_where_the_name_says_it(tmp_path: Path) -> None:
    head = "Timestamp [ms];CPU cores;CPU capacity provisioned [MHZ];CPU usage [MHZ];CPU usage [%]"
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        for start in (1376314846, 1376318446, 1376314846):
            content = "\n".join([head, *(f"{start + 300 * n};4;11703;1000;8" for n in range(12))]).encode()
            info = tarfile.TarInfo("7.csv")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with Store(":memory:") as store:
        info = store.ingest(tmp_path / "b.tar")
        assert (info.format, info.samples) == ("bitbrains", 24)
        assert store._frame("select workload from workloads")["workload"].tolist() == ["7"]


def _sparse(path: Path, size: int) -> None:
    """One GNU sparse member: a hole but for one block at its end."""
    info = tarfile.TarInfo("z.csv")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (size - 512, 512)
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(bytes(header) + b"a" * 512 + bytes(1024))


def _overlapping(path: Path, entries: int, size: int) -> None:
    """Many entries of a zip archive over the same compressed bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z", bytes(size))
        archive.filelist += archive.filelist * (entries - 1)


SMALL = Limits(total_bytes=3_000_000, ratio=20, free_bytes=100_000, members=50, workbook_bytes=100_000)
BOMBS: dict[str, tuple[Callable[[Path], object], str]] = {
    "ratio.zip": (lambda path: _zip(path, {"z": bytes(2_000_000)}), "20 times its size"),
    "ratio.tar.gz": (lambda path: _tar(path, {"z": bytes(2_000_000)}, "w:gz"), "20 times its size"),
    "ratio.xz": (lambda path: path.write_bytes(lzma.compress(b"a" * 2_000_000)), "20 times its size"),
    "sparse.tar": (lambda path: _sparse(path, 2**33), "20 times its size"),
    "overlapping.zip": (lambda path: _overlapping(path, 40, 90_000), "20 times its size"),
    "packed members.zip": (
        lambda path: _zip(path, {f"{n}.xz": lzma.compress(bytes(90_000)) for n in range(40)}),
        "20 times its size",
    ),
    "total.tar": (lambda path: _tar(path, {"z": bytes(4_000_000)}), "more than 3,000,000 bytes"),
    "many.zip": (lambda path: _zip(path, {f"{n}": b"x" for n in range(60)}), "more than 50 files"),
    "book.xlsx": (lambda path: _book(path, [["x" * 30_000, n] for n in range(50)]), "workbook may have"),
    "long.tar.gz": (lambda path: _tar(path, {"n" * 2_000_000: b""}, "w:gz"), "20 times its size"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_stopped_while_they_go_off(tmp_path: Path, name: str) -> None:
    write, message = BOMBS[name]
    write(tmp_path / name)
    (tmp_path / "out").mkdir()
    into = Unpacked(tmp_path / "out", SMALL)
    with pytest.raises(TraceError, match=f"{name}.*{message}"):
        unpack(tmp_path / name, container(tmp_path / name) or "", into)
    assert into.spent_bytes < 5_000_000


BROKEN = {
    "cut.zip": lambda: _zip(Path("x"), {"t.csv": TEXT}),
    "cut.tar.gz": lambda: _tar(Path("x"), {"t.csv": TEXT}, "w:gz"),
    "cut.tar": lambda: _tar(Path("x"), {"t.csv": TEXT}),
    "cut.xz": lambda: Path("x").write_bytes(lzma.compress(TEXT)),
    "cut.bz2": lambda: Path("x").write_bytes(bz2.compress(TEXT)),
    "cut.zst": lambda: Path("x").write_bytes(pa.compress(TEXT, "zstd", asbytes=True)),
    "cut.xlsx": lambda: _book(Path("x"), [["a"]]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_cut_container_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    BROKEN[name]()
    whole = Path("x").read_bytes()
    Path(name).write_bytes(whole[: len(whole) // (8 if name == "cut.tar" else 2)])
    with Store(":memory:") as store, pytest.raises(TraceError, match=name):
        store.ingest(Path(name).resolve())


def test_sheets_as_csv(tmp_path: Path) -> None:
    path = _book(tmp_path / "b.xlsx", [["a", "b"], [None, None], [1.0, 'x"\ny'], [2.5, True], *[[None, None]] * 2000])
    lines = {name: b"".join(rows) for name, rows in sheets(path, 1 << 20, 10_000)}
    assert lines == {"Sheet": b'a,b\n\n1,"x"" y"\n2.5,True\n'}


def test_a_cell_far_away_is_no_memory_bomb(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["A1"] = "workload"
    book.active["XFD1048576"] = "far"
    book.save(tmp_path / "far.xlsx")
    with Store(":memory:") as store, pytest.raises(TraceError, match=r"far\.xlsx: .*spans 17,179,869,184 cells"):
        store.ingest(tmp_path / "far.xlsx")


JSONS = {
    "deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "more than 200 brackets"),
    "cut": (b'{"status":"success","data":{"result":[', "is broken JSON: Malformed JSON"),
    "strange": (b'{"what":[1,2,{"is":"\\"[[[[this\\\\"}]}', "no known trace format"),
    "words": (b'{"a":1} and more', "is broken JSON"),
}


@pytest.mark.parametrize("name", JSONS)
def test_odd_json_is_one_clear_error(tmp_path: Path, name: str) -> None:
    content, message = JSONS[name]
    for path, packed in ((tmp_path / "j.json", content), (tmp_path / "j.json.gz", gzip.compress(content))):
        path.write_bytes(packed)
        with Store(":memory:") as store, pytest.raises(TraceError, match=rf"j\.json.*{message}"):
            store.ingest(path)
