"""The code that computes a feature, as a fingerprint: other code, and the approval is void.

From where features are built, every definition that is reached by name is followed through this
package, and what is reached is hashed as syntax. So formatting, comments, docstrings, annotations,
the order of definitions and the module they stand in do not matter, nor does code that computes
nothing; a changed number, condition or call does (decision 0019).
"""

import ast
import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENTRIES = (
    ("features.build.partition", "build_partition"),
    ("features.records.partition", "read_partition"),
    ("features.records.partition", "read_for_features"),
)
"""Where values come from: records as known, and what is made of them."""

OUTSIDE = (
    "features.catalogue",
    "features.errors",
    "features.governance",
    "features.records.log",
    "features.settings",
    "features.store",
)
"""Not followed: definitions have their own hash, and the record log gives back what came in."""

OWN_MODULE = {
    "absence": "features.absence.features",
    "support": "features.support",
    "career": "features.build.career",
}
"""The module that only one family of features goes through; the rest is shared by all."""

_FAMILIES = {"support": "support", "career": "career", "status": ""}
_WORDS = "features.vocabulary"
_EVERYTHING = "*"


def family_of(view: str) -> str:
    """Which code computes the features of a view; empty: what all families have.

    >>> family_of("support"), family_of("sick")
    ('support', 'absence')
    """
    return _FAMILIES.get(view, "absence")


@functools.cache
def transformation_hash(family: str, root: Path = ROOT) -> str:
    """SHA-256 over the code that computes the features of one family."""
    lines = sorted(_canonical(module, node) for module, node in _reached(family, root))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def reached_names(family: str, root: Path = ROOT) -> frozenset[str]:
    """What is hashed, as `module.name`; to see why an approval was voided."""
    return frozenset(
        f"{module}.{name}" for module, node in _reached(family, root) for name in _names_bound(node)
    )


@dataclass(frozen=True)
class _Module:
    """A module by its top-level names. `always` runs at import, whatever is asked of it."""

    definitions: Mapping[str, list[ast.stmt]] = field(default_factory=dict)
    imports: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    always: tuple[ast.stmt, ...] = ()


def _reached(family: str, root: Path) -> list[tuple[str, ast.stmt]]:
    others = {module for name, module in OWN_MODULE.items() if family and name != family}
    found: dict[int, tuple[str, ast.stmt]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(ENTRIES)
    while waiting:
        place = waiting.pop()
        name = place[0]
        is_outside = any(name == one or name.startswith(f"{one}.") for one in OUTSIDE)
        if place in seen or is_outside or name in others or not name.startswith("features."):
            continue
        seen.add(place)
        module = _module(root, name)
        if place in ENTRIES and place[1] not in module.definitions:
            raise LookupError(f"{name} has no {place[1]}; say in ENTRIES where features are built")
        for node in [*_asked(module, place[1]), *module.always]:
            found[id(node)] = (name, node)
            waiting += _followed(module, name, _without_methods(node) if name == _WORDS else node)
        if place[1] in module.imports:
            waiting.append(module.imports[place[1]])
        elif _path(root, f"{name}.{place[1]}").exists():
            waiting.append((f"{name}.{place[1]}", _EVERYTHING))
    return list(found.values())


def _asked(module: _Module, name: str) -> list[ast.stmt]:
    if name == _EVERYTHING:
        return [node for nodes in module.definitions.values() for node in nodes]
    return module.definitions.get(name, [])


def _followed(module: _Module, name: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """What the names in `node` stand for: in this module, or where they were imported from."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            if part.id in module.imports:
                yield module.imports[part.id]
            elif part.id in module.definitions:
                yield name, part.id


@functools.cache
def _module(root: Path, name: str) -> _Module:
    path = _path(root, name)
    if not path.exists():
        return _Module()
    definitions: dict[str, list[ast.stmt]] = {}
    imports: dict[str, tuple[str, str]] = {}
    always: list[ast.stmt] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            imports |= {one.asname or one.name: (node.module, one.name) for one in node.names}
        elif isinstance(node, ast.Import):
            imports |= {
                one.asname or one.name.split(".")[0]: (one.name, _EVERYTHING) for one in node.names
            }
        elif bound := _names_bound(node):
            for one in bound:
                definitions.setdefault(one, []).append(node)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            always.append(node)
    return _Module(definitions, imports, tuple(always))


def _path(root: Path, name: str) -> Path:
    place = root.joinpath(*name.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _names_bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [one.id for each in targets for one in ast.walk(each) if isinstance(one, ast.Name)]
    return []


def _without_methods(node: ast.stmt) -> ast.stmt:
    """A class of the vocabulary without its Dutch labels: its members decide, not their words."""
    if not isinstance(node, ast.ClassDef):
        return node
    body = [one for one in node.body if not isinstance(one, ast.FunctionDef)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)


def _canonical(module: str, node: ast.stmt) -> str:
    return _text(_without_methods(node) if module == _WORDS else node)


_IGNORED = frozenset({"annotation", "returns", "type_comment", "ctx", "kind", "type_params"})


def _text(value: object) -> str:
    """A syntax tree as text, the same in every Python: only fields that say something.

    >>> _text(ast.parse("def f(x: int) -> int: return x + 1").body[0])
    'FunctionDef(name=f,args=arguments(args=[arg(arg=x)]),body=[Return(value=BinOp(left=Name(id=x),\
op=Add(),right=Constant(value=1)))])'
    """
    if isinstance(value, list):
        return f"[{','.join(_text(one) for one in value if not _is_docstring(one))}]"
    if not isinstance(value, ast.AST):
        return repr(value) if not isinstance(value, str) else value
    parts = [
        f"{name}={_text(part)}"
        for name, part in ast.iter_fields(value)
        if name not in _IGNORED and part is not None and part != []
    ]
    return f"{type(value).__name__}({','.join(parts)})"


def _is_docstring(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
