"""The page on which a data scientist compares two models and sees what may be decided."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from serving.access import Area, Guard
from serving.comparisons import Stored, read_comparison, stored
from serving.evaluation import Compared, Measured
from serving.web.contexts.comparison import ComparisonPage, FeatureLine, GroupLine
from serving.web.contexts.frame import Link
from serving.web.contexts.model import MetricHead, PairedLine
from serving.web.model_pages import METRICS, compared_line, measurement, readable_moment
from serving.web.services import SignedIn, TheSite

router = APIRouter()

NOTHING = (
    "Er is nog geen vergelijking van twee modellen. Maak er een met tijdig compare en de nummers "
    "van twee versies."
)
DAMAGED = "Deze vergelijking kan niet worden gelezen. Maak haar opnieuw met tijdig compare."
SENSITIVITY = {"low": "laag", "medium": "midden", "high": "hoog"}
REASONS = {
    "reasons_same_first": "zelfde eerste reden",
    "reasons_same_second": "zelfde tweede reden",
}


@router.get("/vergelijken")
def comparison(
    site: TheSite, session: SignedIn, van: int | None = None, naar: int | None = None
) -> Response:
    """A stored comparison: the one asked for, else the newest."""
    Guard(site.audit).area(session.account, Area.MODEL, site.clock())
    known = stored(site.evaluation.parent)
    chosen = next((each for each in known if (each.a, each.b) == (van, naar)), None)
    if chosen is None and van is None and naar is None and known:
        chosen = known[0]
    document = read_comparison(chosen.path) if chosen else None
    frame = site.frame("Vergelijk en beslis", session, Area.MODEL)
    links = tuple(_link(each, each == chosen) for each in known)
    if document is None:
        missing = DAMAGED if chosen else NOTHING
        return site.render(_empty(frame, links, missing))
    return site.render(_page(frame, links, document))


def _link(each: Stored, current: bool) -> Link:
    return Link(
        f"versie {each.a} en versie {each.b}", f"/vergelijken?van={each.a}&naar={each.b}", current
    )


def _empty(frame: Any, links: tuple[Link, ...], missing: str) -> ComparisonPage:
    return ComparisonPage(
        frame=frame, others=links, verdict="", facts=(), metrics=(), lines=(), paired_metrics=(),
        paired=(), changes=(), reasons=(), groups=(), features=(), costs=(), version="",
        better=False, missing=missing,
    )  # fmt: skip


def _page(frame: Any, links: tuple[Link, ...], found: Mapping[str, Any]) -> ComparisonPage:
    rows = [_compared(row) for row in found["scores"]]
    names = [name for name in METRICS if any(name in row.metrics for row in rows)]
    better, verdict = _verdict(found)
    return ComparisonPage(
        frame=frame,
        others=links,
        verdict=verdict,
        facts=tuple(_facts(found)),
        metrics=tuple(MetricHead(*METRICS[name][:2]) for name in names),
        lines=tuple(compared_line(row, names) for row in rows),
        paired_metrics=tuple(METRICS[name][0] for name in _paired_names(found)),
        paired=tuple(_paired(found)),
        changes=tuple(_changes(found["lists"])),
        reasons=tuple(
            (words, f"{100 * found['reasons'][name]:.0f} %")
            for name, words in REASONS.items()
            if name in found.get("reasons", {})
        ),
        groups=tuple(_groups(found)),
        features=tuple(
            FeatureLine(
                each["label"],
                each["added"],
                SENSITIVITY.get(each["sensitivity"], "–"),
                each["health"],
            )
            for each in found.get("features", [])
        ),
        costs=tuple(_costs(found)),
        version=str(found["b"]["version"]),
        better=better,
        missing="",
    )


def _compared(row: Mapping[str, Any]) -> Compared:
    metrics = {name: _measured(each) for name, each in row["metrics"].items()}
    known = {name: each for name, each in metrics.items() if each.value is not None}
    kind = "model" if row["name"] in ("a", "b") else row.get("kind", "")
    return Compared(row["name"], row["label"], kind, row["name"] == "b", known)


def _measured(each: Mapping[str, Any]) -> Measured:
    return Measured(each.get("value"), each.get("low"), each.get("high"))


def _verdict(found: Mapping[str, Any]) -> tuple[bool, str]:
    a, b = found["a"]["version"], found["b"]["version"]
    interval: Mapping[str, float | None] = next(
        (
            each["interval"]
            for each in found["differences"]
            if each["other"] == "a" and each["metric"] == found.get("metric")
        ),
        {},
    )
    low, high = (interval.get(name) for name in ("low", "high"))
    if low is not None and low > 0:
        return True, f"Versie {b} is aantoonbaar beter dan versie {a}."
    if high is not None and high < 0:
        return False, f"Versie {b} is aantoonbaar slechter dan versie {a}. Versie {a} blijft."
    return False, f"Er is geen verschil aangetoond. Versie {a} blijft."


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for side in ("a", "b"):
        each = found[side]
        yield f"{side.upper()}: versie {each['version']}", f"{each['experiment']}: {each['label']}"
    yield "Beoordeeld op", f"{found.get('judged_by', '')}, {found.get('tested_on', '')}"
    yield (
        "Rijen",
        (
            f"{found.get('rows', 0)} leerlingweken van {found.get('pupils', 0)} leerlingen op "
            f"{found.get('schools', 0)} scholen"
        ),
    )
    yield "Toetsjaar bekeken", f"{found.get('looks', 0)} keer"
    yield "Gemaakt", readable_moment(found.get("moment", ""))


def _paired_names(found: Mapping[str, Any]) -> list[str]:
    measured = {each["metric"] for each in found["differences"]}
    return [name for name, (_, _, form) in METRICS.items() if name in measured and form == "share"]


def _paired(found: Mapping[str, Any]) -> Iterator[PairedLine]:
    labels = {row["name"]: row["label"] for row in found["scores"]}
    cells = {(each["other"], each["metric"]): each["interval"] for each in found["differences"]}
    for other in dict.fromkeys(each["other"] for each in found["differences"]):
        yield PairedLine(
            labels.get(other, other),
            tuple(
                measurement(_measured(cells.get((other, name), {})), "points")
                for name in _paired_names(found)
            ),
        )


def _changes(lists: Mapping[str, int]) -> Iterator[tuple[str, str, str, str]]:
    yield "blijft", str(lists.get("same", 0)), "", ""
    for name, words in (("enter", "komt erbij"), ("leave", "gaat eraf")):
        yield (
            words,
            str(lists.get(name, 0)),
            str(lists.get(f"pupils_{name}", 0)),
            str(lists.get(f"onsets_{name}", 0)),
        )


def _groups(found: Mapping[str, Any]) -> Iterator[GroupLine]:
    """Only groups of which the whole interval lies on one side; small cells never."""
    for each in found.get("groups", []):
        interval = each["difference"]
        low, high = (interval.get(name) for name in ("low", "high"))
        bounds = [value for value in (low, high) if value is not None]
        if each["suppressed"] or len(bounds) < 2 or math.prod(bounds) <= 0:
            continue
        yield GroupLine(each["group"], measurement(_measured(interval), "points"))


def _costs(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for side, cost in zip(("a", "b"), found.get("costs", []), strict=False):
        yield (
            f"versie {found[side]['version']}",
            str(cost["features"]),
            str(cost["sensitive"]),
            str(cost["health"]),
            f"{cost['bytes'] / 1000:.0f} kB",
        )
