"""The report of one run: everything that was measured, readable without a notebook."""

import math
from collections.abc import Iterator, Mapping, Sequence

from features.governance.disclosure import FEWEST_FOR_A_SHARE, SMALLEST_SHOWN
from training.assess import MODEL, ORACLE
from training.calibrators import CalibratorFigures
from training.document import (
    Line,
    bullets,
    chart,
    document,
    figure_cell,
    heading,
    number,
    paragraph,
    points_cell,
    table,
)
from training.experiment import Label
from training.findings import Findings
from training.late import LateRecording
from training.subgroups import Subgroup
from training.summary import ScoreFigures, Summary

LIST_METRICS = {
    "recall": "Gevonden leerlingweken",
    "precision": "Juiste plaatsingen",
    "caught": "Gevonden leerlingen",
    "caught_early": "Gevonden, nog op school",
    "median_lead": "Voorsprong (schoolweken)",
    "mean_lead": "Voorsprong over alle uitgevallenen",
    "new_names": "Nieuwe namen per week",
    "churn": "Verloop van de lijst",
}
ORDER_METRICS = {
    "roc_auc": "ROC AUC",
    "within_school_auc": "AUC binnen de school",
    "average_precision": "Average precision",
    "brier": "Brier",
    "log_loss": "Log loss",
    "calibration_error": "Kalibratiefout",
    "calibration_ratio": "Verwacht / gekomen",
}
SUBGROUP_METRICS = {
    "recall": "Gevonden leerlingweken",
    "precision": "Juiste plaatsingen",
    "caught_early": "Gevonden, nog op school",
    "new_names": "Nieuwe namen per week",
}
ROADS = {
    "mounting_sickness": "oplopend ziekteverzuim",
    "truancy": "ongeoorloofd verzuim",
    "support_gap": "weggevallen ondersteuning",
    "sudden": "plotseling",
    "unknown": "onbekend",
}
METHODS = {"sigmoid": "sigmoïde", "isotonic": "isotoon", "venn_abers": "Venn–Abers"}
STABILITY = {
    "reasons_same_first": "eerste reden gelijk (paren van modellen)",
    "reasons_same_second": "tweede reden gelijk (paren van modellen)",
    "reasons_same_first_in_all": "eerste reden gelijk in alle modellen",
    "reasons_shared_first": "leerlingen met de meest voorkomende eerste reden",
    "reasons_with_second": "leerlingen met een tweede reden",
}


def render(summary: Summary) -> str:
    """The report as one HTML file."""
    parts = [*_head(summary), *_lists(summary), *_order(summary), *_calibration(summary)]
    if summary.findings is not None:
        parts += _findings(summary, summary.findings)
    parts += _settings(summary)
    return document(f"Verslag: {summary.experiment}, versie {summary.model_version}", parts)


def _head(summary: Summary) -> Iterator[str]:
    yield paragraph(summary.question)
    if any(row.name == ORACLE for row in summary.rows):
        yield paragraph(
            "Verzonnen leerlingen: dit is gemeten op een nagebootste regio en zegt niets over "
            "echte leerlingen.",
            "warn",
        )
    yield bullets(
        [
            f"Wat telt: {summary.label}.",
            f"Getoetst op {summary.tested_on}; geleerd tot {summary.trained_until}.",
            *summary.notes,
        ]
    )
    counts = [
        (
            {"fit": "leren", "embargo": "ertussen", "calibration": "ijken", "test": "toetsen"}.get(
                count.part, count.part
            ),
            *(str(each) for each in (count.mondays, count.schools, count.pupils, count.rows)),
            str(count.onsets),
        )
        for count in summary.counts
    ]
    headings = ("Deel", "Maandagen", "Scholen", "Leerlingen", "Leerlingweken", "Uitgevallen")
    yield table("De gegevens", headings, counts)
    if summary.findings is not None:
        looks = summary.findings.looks
        yield paragraph(
            f"Dit toetsjaar is {looks} keer bekeken, deze keer meegeteld. Hoe vaker, hoe minder de "
            "cijfers zeggen over een volgend jaar.",
            "note" if looks < 10 else "warn",
        )


def _lists(summary: Summary) -> Iterator[str]:
    yield heading("De lijst van elke school")
    yield paragraph(
        "Elke school kiest zoveel leerlingen als het team kan bespreken. Onder elk cijfer staan de "
        "grenzen van het interval, uit herhaalde trekkingen van leerlingen."
    )
    yield _score_table("Bij de capaciteit van elke school", summary.rows, LIST_METRICS)
    labels = {row.name: row.label for row in summary.rows}
    metrics = list(dict.fromkeys(each.metric for each in summary.comparisons))
    found = {(each.other, each.metric): each.interval for each in summary.comparisons}
    others = list(dict.fromkeys(each.other for each in summary.comparisons))
    yield table(
        "Het model min de ander, in procentpunten op dezelfde leerlingen; boven 0 is beter",
        ("Tegenover", *(LIST_METRICS.get(m, ORDER_METRICS.get(m, m)) for m in metrics)),
        [(labels[other], *(points_cell(found[other, m]) for m in metrics)) for other in others],
    )
    for place, name in enumerate(("Juiste plaatsingen", "Gevonden leerlingweken")):
        lines = [
            Line(
                labels[score],
                tuple(
                    (100 * share, 100 * point[place])
                    for share, point in zip(summary.curve_shares, curve, strict=True)
                ),
            )
            for score, curve in summary.curves.items()
        ]
        yield chart(
            f"{name} bij een langere of kortere lijst",
            "lijst, % van de leerlingen die meetellen",
            f"{name}, %",
            lines,
        )


def _order(summary: Summary) -> Iterator[str]:
    yield heading("Volgorde en kansen")
    yield paragraph(
        "Binnen de school: vergelijkt alleen leerlingen van één school. Het gemiddelde van de "
        "school alleen laat zien hoeveel van de volgorde van de school komt en niet van de "
        "leerling."
    )
    yield _score_table("Los van de lijst", summary.rows, ORDER_METRICS)
    for sector, rows in summary.sectors.items():
        yield _score_table(f"Alleen {sector}", rows, LIST_METRICS)


def _calibration(summary: Summary) -> Iterator[str]:
    yield heading("Komt een kans uit?")
    points = tuple(
        (100 * each.expected, 100 * each.observed.value)
        for each in summary.calibration
        if not math.isnan(each.observed.value)
    )
    yield chart(
        "Verwacht tegenover gekomen, in groepen die evenveel uitval verwachten; op de stippellijn "
        "komt de kans uit",
        "verwacht, % van de leerlingweken",
        "gekomen, %",
        [Line("model", points)],
        diagonal=True,
    )
    yield table(
        "Dezelfde groepen",
        ("Groep", "Leerlingweken", "Verwacht", "Gekomen"),
        [
            (
                str(place + 1),
                str(each.rows),
                f"{number(100 * each.expected, 2)} %",
                figure_cell("precision", each.observed),
            )
            for place, each in enumerate(summary.calibration)
        ],
    )


def _findings(summary: Summary, found: Findings) -> Iterator[str]:
    yield table(
        "Manieren van ijken, geleerd op dezelfde rijen en getoetst op het toetsjaar",
        ("Manier", *(ORDER_METRICS[name] for name in _PROBABILITY)),
        [_calibrator(each) for each in found.calibrators],
    )
    yield heading("Hoe lang van tevoren")
    labels = {row.name: row.label for row in summary.rows}
    yield chart(
        "Van de leerlingen die zoveel schoolweken later uitvallen: welk deel stond op de lijst",
        "schoolweken vóór het begin",
        "op de lijst, %",
        [
            Line(labels[name], tuple((float(p.weeks), 100 * p.listed) for p in curve))
            for name, curve in found.lead.items()
        ],
    )
    yield from _oracle(summary)
    yield heading("Voor wie")
    yield paragraph(
        f"Groepen met minder dan {FEWEST_FOR_A_SHARE} leerlingen of minder dan {SMALLEST_SHOWN} "
        "uitgevallen leerlingen staan er zonder cijfers, en zo nodig een tweede groep, zodat er "
        "niets uit te rekenen is. Het verschil is met alle andere leerlingen."
    )
    for dimension in dict.fromkeys(each.dimension for each in found.subgroups):
        groups = [each for each in found.subgroups if each.dimension == dimension]
        yield _subgroup_table(f"Naar {dimension}", groups)
    yield heading("Wie hulp kreeg, en wat laat werd vastgelegd")
    yield paragraph(
        "Wie na de lijst hulp kreeg en op school bleef, telt hier als een onterechte plaatsing. "
        "Daarom staan de cijfers er met en zonder."
    )
    yield _subgroup_table("Hulp die begon na de maandag en vóór uitval", found.helped)
    yield from _late(found.late)
    yield heading("Is het eerlijk en vast?")
    yield table(
        "Alarmdraden",
        ("Draad", "Houdt", "Wat is gezien"),
        [(wire.name, "ja" if wire.holds else "NEE", wire.detail) for wire in found.tripwires],
    )
    yield from _stability(found.stability)


_PROBABILITY = ("brier", "log_loss", "calibration_error", "calibration_ratio")


def _calibrator(each: CalibratorFigures) -> tuple[str, ...]:
    name = METHODS[each.method] + (" (in dit model)" if each.used else "")
    return (name, *(figure_cell(metric, each.metrics[metric]) for metric in _PROBABILITY))


def _oracle(summary: Summary) -> Iterator[str]:
    if not summary.roads:
        return
    yield heading("Tegenover wat te weten was")
    yield paragraph(
        "Van een nagebootste regio is de weg naar uitval bekend. Het orakel kent de verborgen "
        "toestand van elke leerling; meer dan het orakel is niet te vinden."
    )
    if summary.label != Label().words():
        yield paragraph(
            f"Het orakel gaat over de uitkomst: {Label().words()}. Dit model leert een andere; het "
            "orakel is hier dus geen bovengrens.",
            "warn",
        )
    labels = {row.name: row.label for row in summary.rows}
    names = list(summary.roads[0].caught_early)
    yield table(
        "Gevonden terwijl de leerling nog op school was, naar de weg naar uitval",
        ("Weg", "Uitgevallen", *(labels[name] for name in names), "Deel van het orakel"),
        [
            (
                ROADS.get(road.road, road.road),
                str(road.onsets),
                *(f"{number(100 * road.caught_early[name])} %" for name in names),
                _used(road.caught_early),
            )
            for road in summary.roads
        ],
    )
    rows = []
    for sector, scores in summary.sectors.items():
        early = {row.name: row.metrics["caught_early"].value for row in scores}
        cells = (f"{number(100 * early[name])} %" for name in (MODEL, ORACLE) if name in early)
        rows.append((sector, *cells, _used(early)))
    yield table(
        "Hetzelfde naar onderwijssoort", ("Soort", "Model", "Orakel", "Deel van het orakel"), rows
    )


def _used(early: Mapping[str, float]) -> str:
    """How much of what could be found was found."""
    whole = early.get(ORACLE, math.nan)
    return f"{number(100 * early[MODEL] / whole, 0)} %" if whole > 0 else "–"


def _late(late: LateRecording | None) -> Iterator[str]:
    if late is None:
        return
    yield table(
        f"Zoals het toen bekend was, en met alles wat nu bekend is ({late.mondays} maandagen, "
        f"{late.rows} leerlingweken)",
        ("", "Toen", "Nu", "Verschil (punten)", "Zelfde namen"),
        [
            (
                "Gevonden leerlingweken",
                figure_cell("recall", late.then),
                figure_cell("recall", late.now),
                points_cell(late.difference),
                f"{number(100 * late.same_names)} %",
            )
        ],
    )


def _stability(stability: Mapping[str, float]) -> Iterator[str]:
    if not stability:
        yield paragraph("Vastheid van de redenen: niet gemeten (geen `seeds` in het experiment).")
        return
    yield table(
        "Redenen van leerlingen op de lijst, als het model met ander toeval opnieuw wordt gemaakt",
        ("", "Aandeel"),
        [
            (STABILITY.get(name, name), f"{number(100 * value)} %")
            for name, value in stability.items()
        ],
    )


def _settings(summary: Summary) -> Iterator[str]:
    yield heading("Herkomst")
    origin = {
        "Run in MLflow": summary.run_id,
        "Bundel (hash)": summary.bundle_hash,
        "Gegevens (vingerafdruk)": summary.data_fingerprint,
        "Gemaakt": summary.made_at,
        **summary.settings,
    }
    yield table("Alle instellingen", ("Instelling", "Waarde"), list(origin.items()))


def _score_table(caption: str, rows: Sequence[ScoreFigures], metrics: Mapping[str, str]) -> str:
    shown = [name for name in metrics if any(name in row.metrics for row in rows)]
    return table(
        caption,
        ("Lijst gemaakt met", *(metrics[name] for name in shown)),
        [(row.label, *(figure_cell(name, row.metrics[name]) for name in shown)) for row in rows],
    )


def _subgroup_table(caption: str, groups: Sequence[Subgroup]) -> str:
    headings = (
        "Groep",
        "Leerlingen",
        "Uitgevallen",
        *SUBGROUP_METRICS.values(),
        "Verschil met de anderen (punten)",
        "Verschil met de beste regel (punten)",
    )
    rows = []
    for each in groups:
        if each.suppressed:
            rows.append((each.group, *["te klein"] * 2, *["–"] * (len(SUBGROUP_METRICS) + 2)))
            continue
        cells = (figure_cell(name, each.metrics[name]) for name in SUBGROUP_METRICS)
        counts = (str(each.pupils), str(each.onsets))
        rows.append((each.group, *counts, *cells, points_cell(each.gap), points_cell(each.gain)))
    return table(caption, headings, rows)
