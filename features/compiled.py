"""Functions that are compiled to machine code at their first call (numba), and kept on disk.

The kept code stands beside this package, or in the user's cache where that cannot be written. Its
folder is named after the sources of all that is compiled: numba itself looks only at the file of
the function, not at those it calls or at the words it counts with.
"""

import functools
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).parent
_SOURCES = (
    "compiled.py",
    "vocabulary.py",
    "support.py",
    "elapsed.py",
    "absence/*.py",
    "build/*.py",
)


def compiled(function: F) -> F:
    """`function`, compiled for the types of its arguments when it is first called with them.

    It works on numbers, arrays and named tuples of these, makes no arrays but views of others, and
    lets other threads run meanwhile. Dividing by zero gives infinity or NaN.
    """
    folder, settings = kept_in(), cast(Any, config)
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder) if folder else before
    try:
        # `_nrt=False`: without counting references. It would count, at every call, for every array
        # of every named tuple, which takes longer than most of what is done here. `forceinline`:
        # a named tuple of twenty arrays is copied at every call that is not written out in place.
        compiling = cast(Any, numba.njit)(
            cache=folder is not None, nogil=True, error_model="numpy", _nrt=False, forceinline=True
        )
        return cast(F, compiling(function))
    finally:
        settings.CACHE_DIR = before


@functools.cache
def kept_in() -> Path | None:
    """The folder for the machine code of these very sources; None where nothing can be kept."""
    digest = hashlib.sha256(numba.__version__.encode())
    for pattern in _SOURCES:
        for path in sorted(_HERE.glob(pattern)):
            digest.update(path.read_bytes())
    name = f"compiled-{digest.hexdigest()[:16]}"
    own = Path("~/.cache/tijdig").expanduser()
    for place in (cast(Any, config).CACHE_DIR, _HERE / "__pycache__", own):
        if place and _is_writable(folder := Path(place) / name):
            return folder
    return None


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
