"""Files that break readers, made by code: what each is, and what must come of it."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from store.writing import HEADER, hourly

ROWS = hourly("vm", 24)
TABLE = "\n".join([HEADER, *ROWS, ""]).encode()
MIB = 1 << 20


@dataclass(frozen=True)
class Case:
    """One hostile file or folder."""

    name: str
    make: Callable[[Path, int], Path]
    """Writes it into a folder, of so many MiB where size is the point, and names what is to be read."""
    error: str | None = None
    """What the one clear error says; none: it is read."""
    samples: int = 24
    rejected: int = 0
    either: bool = False
    """An error is right, and so is reading it, with these samples: what an archive holds may be read."""


def _file(name: str, content: bytes) -> Callable[[Path, int], Path]:
    def make(folder: Path, mib: int) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def _text(*lines: str, name: str = "trace.csv") -> Callable[[Path, int], Path]:
    return _file(name, "\n".join([HEADER, *lines, ""]).encode())


def _far(last: bytes) -> Callable[[Path, int], Path]:
    """A line behind more than is looked at to tell a file's kind."""
    return _file("trace.csv", TABLE + (b"x" * 40 + b",1\n") * 7_000 + last)


def _values() -> Callable[[Path, int], Path]:
    bad = ["nan", "NaN", "inf", "-inf", "infinity", "-1", "1e308", "-1e308", "1e400"]
    return _text(*ROWS, *(f"vm,2024-01-02 00:00:00,{value},1" for value in bad))


def _long_line(folder: Path, mib: int) -> Path:
    path = folder / "trace.csv"
    with path.open("wb") as file:
        file.write(TABLE)
        for _ in range(mib):
            file.write(b"x" * MIB)
        file.write(b"\n" + ROWS[0].encode() + b"\n")
    return path


def _long_header(folder: Path, mib: int) -> Path:
    path = folder / "trace.csv"
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(b"x" * MIB)
    return path


def _zeros_gz(folder: Path, mib: int) -> Path:
    path = folder / "trace.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        for _ in range(mib):
            file.write(bytes(MIB))
    return path


def _rows_gz(folder: Path, mib: int) -> Path:
    """A small file that unpacks to very many good rows."""
    path = folder / "trace.csv.gz"
    block = (ROWS[0] + "\n").encode() * (MIB // (len(ROWS[0]) + 1))
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(TABLE)
        for _ in range(mib):
            file.write(block)
    return path


def _zip(*members: tuple[str, bytes]) -> Callable[[Path, int], Path]:
    def make(folder: Path, mib: int) -> Path:
        path = folder / "trace.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path

    return make


def _zip_bomb(folder: Path, mib: int) -> Path:
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("trace.csv", "w") as member:
        member.write(TABLE)
        for _ in range(mib):
            member.write(b"0" * MIB)
    return path


def _nested(folder: Path, mib: int) -> Path:
    content = TABLE
    for _ in range(20):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("trace.zip", content)
        content = inner.getvalue()
    return _file("trace.zip", content)(folder, mib)


def _tar_of(*members: tarfile.TarInfo) -> Callable[[Path, int], Path]:
    def make(folder: Path, mib: int) -> Path:
        path = folder / "trace.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for member in members:
                member.size = 0 if member.linkname else len(TABLE)
                archive.addfile(member, None if member.linkname else io.BytesIO(TABLE))
        return path

    return make


def _member(name: str, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    if link:
        info.type, info.linkname = tarfile.SYMTYPE, link
    return info


def _parquet(folder: Path) -> Path:
    path = folder / "trace.parquet"
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(24), unit="h")
    frame = {"workload": ["vm"] * 24, "sampled_at": times, "cpu_cores": np.arange(24.0)}
    pd.DataFrame(frame).to_parquet(path, index=False)
    return path


def _parquet_with(**columns: object) -> Callable[[Path, int], Path]:
    """Parquet with these columns instead of or beside its own; a text stands in all 24 rows."""

    def make(folder: Path, mib: int) -> Path:
        path = _parquet(folder)
        pd.read_parquet(path).assign(**columns).to_parquet(path, index=False)
        return path

    return make


def _spoiled(change: Callable[[bytearray], bytearray]) -> Callable[[Path, int], Path]:
    def make(folder: Path, mib: int) -> Path:
        path = _parquet(folder)
        path.write_bytes(bytes(change(bytearray(path.read_bytes()))))
        return path

    return make


def _more_rows(content: bytearray) -> bytearray:
    """The footer says 40 rows where there are 24: thrift writes them as zigzag numbers, 80 and 48."""
    start = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
    at = [i for i in range(start, len(content) - 8) if content[i] == 48 and content[i - 1] == 0x16]
    for place in at:
        content[place] = 80
    return content


def _footer_length(length: int) -> Callable[[bytearray], bytearray]:
    return lambda content: content[:-8] + bytearray(struct.pack("<I", length)) + content[-4:]


def _noise(content: bytearray) -> bytearray:
    start = len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]
    noise = np.random.default_rng(3).integers(0, 256, 40, dtype=np.uint8)
    content[start + 20 : start + 60] = noise.tobytes()
    return content


def _links(folder: Path, mib: int) -> Path:
    inside = folder / "upload"
    inside.mkdir()
    (inside / "trace.csv").write_bytes(TABLE.replace(b"vm", b"link"))
    (inside / "loop.csv").symlink_to(inside / "loop.csv")
    (inside / "gone.csv").symlink_to(folder / "nowhere.csv")
    (inside / "round").symlink_to(inside, target_is_directory=True)
    return inside


def _looped(folder: Path, mib: int) -> Path:
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    return folder / "loop.csv"


def _wide(columns: int) -> Callable[[Path, int], Path]:
    names = ",".join(f"c{n}" for n in range(columns))
    row = ",".join("1" for _ in range(columns))
    return _file("trace.csv", f"{HEADER},{names}\n{ROWS[0]},{row}\n".encode())


def _two_column_names(folder: Path, mib: int) -> Path:
    return _file("trace.csv", b"workload,sampled_at,cpu_cores,CPU cores\nvm,2024-01-01,1,2\n")(folder, mib)


SQL = "vm'); drop table traces; --"
CASES = (
    Case("empty", _file("trace.csv", b""), "is empty"),
    Case("blank lines", _file("trace.csv", b"\n\r\n\n  \n"), "empty|no known trace format"),
    Case("header only", _text(), "holds no workload"),
    Case("bom", _file("trace.csv", b"\xef\xbb\xbf" + TABLE)),
    Case("crlf", _file("trace.csv", TABLE.replace(b"\n", b"\r\n"))),
    Case("cr only", _file("trace.csv", TABLE.replace(b"\n", b"\r")), "carriage return"),
    Case("mixed line ends", _file("trace.csv", TABLE.replace(b"\n", b"\r\n", 9))),
    Case("utf-16 with a mark", _file("trace.csv", TABLE.decode().encode("utf-16"))),
    Case("utf-16 without", _file("trace.csv", TABLE.decode().encode("utf-16-le")), "UTF-16|zero bytes"),
    Case("latin-1", _text(*ROWS, "m\xfc,2024-01-01 00:00:00,1,1"), samples=25),
    Case("bytes that are no text", _file("trace.csv", TABLE + b"\xff\xfe\x80,2024-01-01 00:00:00,1,1\n"), samples=25),
    Case("zero bytes", _file("trace.csv", b"\0" * 500 + TABLE), "zero bytes"),
    Case("zero bytes far in", _far(b"v\0m,2024-01-01,1,1\n"), samples=25, rejected=7_000),
    Case("values out of range", _values(), rejected=9),
    Case("columns twice", _two_column_names, "twice"),
    Case("10^5 columns", _wide(100_000), "columns are more than 10,000; limit columns"),
    Case("3,000 columns", _wide(3_000), samples=1),
    Case("a long line", _long_line, "line 26: is longer than"),
    Case("one long line", _long_header, "line 1: is longer than"),
    Case("formulas", _text(*ROWS, '"=cmd|\'/c calc\'!A0",2024-01-01 00:00:00,1,1', "@sum(1),x,1,1"), samples=25,
         rejected=1),
    Case("sql in values", _text(*ROWS, f'"{SQL}",2024-01-01 00:00:00,1,1'), samples=25),
    Case("sql in a file name", _text(*hourly("sql", 24), name=f"{SQL}.csv")),
    Case("sql in a header", _file("trace.csv", f'{HEADER},"{SQL}"\n{ROWS[0]},1\n'.encode()), samples=1),
    Case("a name to trick a terminal", _text(*hourly("name", 24), name="a\x1b[31m\nb.csv")),
    Case("quotes and nothing else", _file("trace.csv", TABLE + b'"\n' * 5_001), rejected=5_001),
    Case("links that lead nowhere", _links),
    Case("a link to itself", _looped, "there is no such file|cannot be read|loop"),
    Case("no file at all", lambda folder, mib: Path("/dev/zero"), "neither a file nor a folder"),
    Case("gz cut short", _file("trace.csv.gz", gzip.compress(TABLE * 50)[:-40]), "cannot be read"),
    Case("gz of noise", _file("trace.csv.gz", b"\x1f\x8b\x08\0" + bytes(range(256)) * 9), "cannot be read"),
    Case("gz in gz", _file("trace.csv.gz", gzip.compress(gzip.compress(TABLE)))),
    Case("gz of zeros", _zeros_gz, "zero bytes|longer than"),
    Case("gz of very many rows", _rows_gz, "limit expansion"),
    Case("zip", _zip(("trace.csv", TABLE))),
    Case("zip bomb", _zip_bomb, "zip|longer|expansion"),
    Case("zip in zip", _nested, "zip|archive"),
    Case("zip that climbs", _zip(("../../evil.csv", TABLE)), "zip|outside|escape|leads out", either=True),
    Case("zip that is absolute", _zip(("/evil.csv", TABLE)), "zip|outside|escape|leads out", either=True),
    Case("tar that climbs", _tar_of(_member("../../evil.csv")), "tar|outside|escape|leads out", either=True),
    Case("tar with a link", _tar_of(_member("trace.csv", "/etc/passwd")), "tar|link"),
    Case("tar of a device", _tar_of(_member("a.csv"), _member("b.csv", "a.csv")), "tar|link", either=True),
    Case("json 10^5 deep", _file("trace.json", b"[" * 100_000 + b"]" * 100_000), "no known|deep|JSON|nested"),
    Case("json objects 10^5 deep", _file("trace.csv", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
         "no known|deep|JSON|longer|nested"),
    Case("parquet with infinities", _parquet_with(cpu_cores=[1.0] * 20 + [np.inf, -np.inf] * 2), samples=20,
         rejected=4),
    Case("parquet of empty texts", _parquet_with(cpu_cores="", memory_gib=["1"] * 23 + [""]), samples=23,
         rejected=1),
    Case("parquet of lists", _parquet_with(cpu_cores=[[1.0]] * 24), "not one row of samples is good"),
    Case("parquet of bytes", _parquet_with(workload=[b"v"] * 23 + [b"\xff\x00"])),
    Case("json with zeros in it", _file("trace.json", b'{"a": "\0"}'), "broken JSON"),
    Case("json without an end", _file("trace.json", b'{"a": [1, 2'), "broken JSON"),
    Case("parquet cut short", _spoiled(lambda c: c[: len(c) // 2]), "broken Parquet"),
    Case("parquet of noise", _file("trace.parquet", b"PAR1" + bytes(range(256)) * 9 + b"PAR1"), "broken Parquet"),
    Case("parquet that says more rows", _spoiled(_more_rows), "Parquet|rows|read", either=True),
    Case("parquet with a huge footer", _spoiled(_footer_length(0xFFFFFFF0)), "broken Parquet"),
    Case("parquet with a footer of nothing", _spoiled(_footer_length(0)), "broken Parquet"),
    Case("parquet with noise in its footer", _spoiled(_noise), "Parquet|trace"),
)  # fmt: skip
