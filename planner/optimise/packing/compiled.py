"""The compiler for packing kernels: machine code kept on disk where that is possible, made anew where it is not.

Kernels copy arrays number by number: an assignment of whole arrays or slices compiles the words of its error too, for
a second and more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

__all__ = ["kernel"]

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile `function` at its first call; its machine code is cached unless no folder can be written."""
    try:
        return cast("Function", njit(cache=True, nogil=True)(function))
    except RuntimeError:  # "no locator available": neither the package nor the user's cache folder is writable
        return cast("Function", njit(nogil=True)(function))
