"""Files whose bytes depend on their content alone, and names as anonymised recordings have them."""

from __future__ import annotations

import base64
import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["base64_names", "hex_names", "write_gzip", "write_text"]


def write_gzip(path: Path, frame: pd.DataFrame, *, header: bool) -> Path:
    """Writes a frame as gzipped CSV, without the time of day that gzip would put into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write(frame.to_csv(index=False, header=header, lineterminator="\n").encode())
    return path


def write_text(path: Path, text: str) -> Path:
    """Writes text with the line ends it has, on any system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def base64_names(kind: str, n: int) -> NDArray[np.str_]:
    """[n] hashes of 64 characters, in which `/` and `+` occur."""
    return np.array([base64.b64encode(hashlib.sha384(f"{kind} {i}".encode()).digest()).decode() for i in range(n)])


def hex_names(kind: str, n: int) -> NDArray[np.str_]:
    """[n] hashes of 64 hexadecimal digits."""
    return np.array([hashlib.sha256(f"{kind} {i}".encode()).hexdigest() for i in range(n)])
