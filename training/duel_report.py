"""A comparison of two models in words: lines for a terminal, one HTML file for people."""

from collections.abc import Iterator

from training.document import (
    bullets,
    document,
    figure_cell,
    heading,
    number,
    paragraph,
    points_cell,
    table,
)
from training.duel import Comparison, Cost
from training.report import LIST_METRICS, ORDER_METRICS, STABILITY


def lines(found: Comparison) -> Iterator[str]:
    """The comparison in plain lines, the verdict first."""
    a, b = found.a.version, found.b.version
    yield f"{verdict(found)} Judged on {found.tested_on}: {found.judged_by}."
    yield (
        f"{found.rows:,} rows of {found.pupils:,} pupils at {found.schools} schools; this test "
        f"year was looked at {found.looks} times"
    )
    names = {"a": f"version {a}", "b": f"version {b}"}
    for each in found.differences:
        if each.metric in ("recall", "precision", "caught_early"):
            line = each.line().removeprefix("b - ")
            yield f"  version {b} - {names.get(each.other, each.other)}{line[len(each.other) :]}"
    change = found.lists
    yield (
        f"lists: {change.same:,} of {change.places:,} places stay; {change.enter:,} enter "
        f"({change.pupils_enter} pupils, {change.onsets_enter} places before an onset), "
        f"{change.leave:,} leave ({change.pupils_leave} pupils, {change.onsets_leave} before an "
        "onset)"
    )
    for name, value in found.reasons.items():
        yield f"  {name}: {100 * value:.0f} %"
    for group in found.groups:
        if not group.suppressed and (group.difference.low > 0 or group.difference.high < 0):
            interval = group.difference
            yield (
                f"  {group.group}: recall {100 * interval.value:+.1f} points "
                f"({100 * interval.low:.1f} to {100 * interval.high:.1f})"
            )
    for changed in found.features:
        sign, health = "+" if changed.added else "-", ", health" if changed.health else ""
        yield f"  {sign} {changed.name} (sensitivity {changed.sensitivity}{health})"
    for which, cost in zip((a, b), found.costs, strict=True):
        yield (
            f"cost of version {which}: {cost.features} features ({cost.sensitive} of high "
            f"sensitivity, {cost.health} about health), {cost.bytes / 1000:.0f} kB, "
            f"{cost.seconds:.2f} s per 100,000 pupils"
        )


def verdict(found: Comparison) -> str:
    """Who stays: without a proven difference it is A."""
    a, b = found.a.version, found.b.version
    if found.b_is_better:
        return f"Version {b} is better than version {a} on {found.metric}."
    if found.decisive.interval.high < 0:
        return f"Version {b} is worse than version {a} on {found.metric}."
    return f"No difference shown between version {b} and version {a} on {found.metric}; {a} stays."


def verdict_nl(found: Comparison) -> str:
    """The same for people."""
    a, b = found.a.version, found.b.version
    if found.b_is_better:
        return f"Versie {b} is aantoonbaar beter dan versie {a}."
    if found.decisive.interval.high < 0:
        return f"Versie {b} is aantoonbaar slechter dan versie {a}."
    return f"Er is geen verschil aangetoond: versie {a} blijft."


def render(found: Comparison) -> str:
    """The comparison as one HTML file."""
    a, b = found.a, found.b
    parts = [
        paragraph(verdict_nl(found), "warn"),
        bullets(
            [
                f"A: versie {a.version}, {a.experiment}: {a.label}",
                f"B: versie {b.version}, {b.experiment}: {b.label}",
                f"Beide beoordeeld op de vraag van A ({found.judged_by}), {found.tested_on}: "
                f"{found.rows} leerlingweken van {found.pupils} leerlingen op {found.schools} "
                "scholen.",
                f"Dit toetsjaar is {found.looks} keer bekeken.",
            ]
        ),
        *_figures(found),
        *_lists(found),
        *_groups(found),
        *_contract(found),
    ]
    return document(f"Vergelijking: versie {a.version} en versie {b.version}", parts)


def _figures(found: Comparison) -> Iterator[str]:
    yield heading("Op dezelfde rijen")
    labels = {row.name: row.label for row in found.scores}
    for caption, metrics in (
        ("Bij de capaciteit van elke school", LIST_METRICS),
        ("Volgorde en kansen", ORDER_METRICS),
    ):
        rows = [
            (row.label, *(figure_cell(name, row.metrics[name]) for name in metrics))
            for row in found.scores
        ]
        yield table(caption, ("Lijst gemaakt met", *metrics.values()), rows)
    metrics_compared = list(dict.fromkeys(each.metric for each in found.differences))
    cells = {(each.other, each.metric): each.interval for each in found.differences}
    yield table(
        "B min de ander, in procentpunten; boven 0 is B beter",
        ("Tegenover", *({**LIST_METRICS, **ORDER_METRICS}[name] for name in metrics_compared)),
        [
            (labels[other], *(points_cell(cells[other, name]) for name in metrics_compared))
            for other in dict.fromkeys(each.other for each in found.differences)
        ],
    )


def _lists(found: Comparison) -> Iterator[str]:
    yield heading("Wat er aan de lijsten verandert")
    change = found.lists
    yield table(
        f"Over het hele toetsjaar: {change.lists} lijsten",
        ("", "Plaatsen", "Verschillende leerlingen", "Plaatsen vóór uitval"),
        [
            ("blijft", str(change.same), "", ""),
            ("komt erbij", str(change.enter), str(change.pupils_enter), str(change.onsets_enter)),
            ("gaat eraf", str(change.leave), str(change.pupils_leave), str(change.onsets_leave)),
        ],
    )
    if found.reasons:
        yield table(
            "Leerlingen die op beide lijsten staan: om dezelfde redenen?",
            ("", "Aandeel"),
            [
                (STABILITY.get(name, name), f"{number(100 * value)} %")
                for name, value in found.reasons.items()
            ],
        )


def _groups(found: Comparison) -> Iterator[str]:
    yield heading("Voor wie")
    for dimension in dict.fromkeys(group.dimension for group in found.groups):
        rows = [
            (each.group, "te klein" if each.suppressed else points_cell(each.difference))
            for each in found.groups
            if each.dimension == dimension
        ]
        yield table(f"Naar {dimension}", ("Groep", "Gevonden: B min A (punten)"), rows)


def _contract(found: Comparison) -> Iterator[str]:
    yield heading("Wat er aan de kenmerken verandert, en wat het kost")
    if found.features:
        rows = [
            (
                each.label,
                "erbij" if each.added else "eraf",
                {"low": "laag", "medium": "midden", "high": "hoog"}.get(each.sensitivity, "–"),
                "ja" if each.health else "nee",
            )
            for each in found.features
        ]
        yield table("Kenmerken", ("Kenmerk", "In B", "Gevoeligheid", "Over gezondheid"), rows)
    else:
        yield paragraph("Beide gebruiken dezelfde kenmerken.")
    yield table(
        "Kosten",
        ("", "Kenmerken", "Zeer gevoelig", "Over gezondheid", "Grootte", "Per 100.000 leerlingen"),
        [
            _cost(f"versie {each.version}", cost)
            for each, cost in zip((found.a, found.b), found.costs, strict=True)
        ],
    )


def _cost(name: str, cost: Cost) -> tuple[str, ...]:
    return (
        name,
        str(cost.features),
        str(cost.sensitive),
        str(cost.health),
        f"{number(cost.bytes / 1000, 0)} kB",
        f"{number(cost.seconds, 2)} s",
    )
