"""The compiler for packing kernels: machine code kept on disk where that is possible, made anew where it is not.

Kernels copy and add up arrays number by number: an assignment of whole arrays or slices, and numpy's sum, compile the
words of their errors too, for a second and more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["kernel", "summed"]

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile `function` at its first call; its machine code is cached unless no folder can be written."""
    try:
        return cast("Function", njit(cache=True, nogil=True)(function))
    except RuntimeError:  # "no locator available": neither the package nor the user's cache folder is writable
        return cast("Function", njit(nogil=True)(function))


@kernel
def summed(numbers: NDArray[np.int64]) -> int:
    """The sum of whole numbers, for use inside kernels."""
    found = 0
    for number in numbers:
        found += number
    return found
