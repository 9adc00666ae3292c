"""What each page shows: one frozen dataclass per template, exactly the names the template uses.

A module per family of pages. A new one needs no line here: `pages` finds every dataclass with a
template, and a test holds each to its template, both ways.
"""

import importlib
import pkgutil
from typing import Any


def pages() -> tuple[Any, ...]:
    """Every page of every module of this package, by module and name.

    >>> {"MessagePage", "ListPage", "PupilPage"} <= {page.__name__ for page in pages()}
    True
    """
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    ]
    return tuple(
        content
        for module in modules
        for _name, content in sorted(vars(module).items())
        if isinstance(content, type)
        and hasattr(content, "template")
        and content.__module__ == module.__name__
    )
