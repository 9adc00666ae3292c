"""The data pack for a DPIA: whose data, how much, how long kept, and for whom the list works."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from features.catalogue import CATALOGUE
from features.errors import TijdigError
from features.governance.contracts import FeatureContract
from features.governance.retention import RULES
from features.settings import Home
from models.registry import Registry
from models.sections import Section, section

CARD = "model_card.md"
_TABLES = {
    "absence": "Verzuim en verlof",
    "placements": "Inschrijving, groep en geboortemaand",
    "support": "Ondersteuning",
    "timetable": "Rooster",
    "calendar": "Schooldagen en vakanties",
}


def data_pack(
    names: Sequence[str], contracts: Mapping[str, FeatureContract], document: Mapping[str, Any]
) -> Iterator[Section]:
    """What AVG artikel 35(7) asks to be described, from contracts, terms and measurements."""
    yield section(
        "5. Gegevenspakket voor de DPIA: welke gegevens",
        "AVG artikel 35(7)(a). Alleen wat de school zelf vastlegt; geen andere bron.",
        ("Soort", "Kenmerken die ervan zijn gemaakt", "Waarvan over gezondheid"),
        list(_sources(names)),
    )
    yield section(
        "Bijzondere gegevens, met hun uitzondering",
        "AVG artikel 9 en UAVG artikel 30.",
        ("Wat", "Kenmerken", "Uitzondering en onderbouwing"),
        list(_special(names, contracts)),
    )
    yield section(
        "Hoelang het blijft",
        "AVG artikel 5(1)(e). De termijnen zelf staan in de instellingen en op de pagina Bewaren.",
        ("Wat", "Waar de termijn vandaan komt"),
        [(rule.label, rule.source) for rule in RULES],
    )
    yield section(
        "Voor wie het werkt",
        "AI-verordening artikel 10(2)(f) en 15. Per groep, op het schooljaar dat niet is "
        "gebruikt om te leren; te kleine groepen staan er zonder cijfers.",
        ("Naar", "Groep", "Leerlingen", "Uitgevallen", "Recall", "Verschil met de anderen"),
        list(_groups(document)),
    )


def model_card(home: Home, run_id: str) -> Section:
    """The model card of a run, as training wrote it, line by line; no lines where there is none."""
    try:
        lines = Registry.at(home).read_text(run_id, CARD).splitlines()
    except TijdigError:
        lines = []
    return section(
        "6. Modelkaart",
        "Zoals gemaakt bij de training, ook bewaard bij de run in MLflow.",
        ("Tekst",),
        [(line,) for line in lines if line.strip()],
    )


def _sources(names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    used = [one for one in CATALOGUE if one.name in names]
    for table, label in _TABLES.items():
        made = [one for one in used if any(source.split(".")[0] == table for source in one.sources)]
        if made:
            yield label, len(made), sum(one.health for one in made)


def _special(
    names: Sequence[str], contracts: Mapping[str, FeatureContract]
) -> Iterator[tuple[object, ...]]:
    found: dict[tuple[str, str], int] = {}
    for name in names:
        if (contract := contracts.get(name)) and contract.special_category:
            key = contract.special_category, contract.exception
            found[key] = found.get(key, 0) + 1
    for (category, exception), count in found.items():
        yield category, count, exception


def _groups(document: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    findings = document.get("findings")
    groups = findings.get("subgroups") if isinstance(findings, dict) else None
    for one in groups if isinstance(groups, list) else ():
        if not isinstance(one, dict) or one.get("dimension") == "school":
            continue
        if one.get("suppressed"):
            yield one.get("dimension"), one.get("group"), "te klein", "", "", ""
            continue
        metrics = one.get("metrics")
        recall = metrics.get("recall") if isinstance(metrics, dict) else None
        yield (
            one.get("dimension"),
            one.get("group"),
            one.get("pupils"),
            one.get("onsets"),
            _figure(recall),
            _figure(one.get("gap")),
        )


def _figure(found: Any) -> str:
    """A share and its interval in points of a hundred.

    >>> _figure({"value": 0.2, "low": 0.1, "high": 0.35}), _figure(None)
    ('20,0 (10,0 tot 35,0)', '–')
    """
    values = [found.get(name) for name in ("value", "low", "high")] if found else []
    if not values or any(not isinstance(one, int | float) for one in values):
        return "–"
    value, low, high = (f"{100 * one:.1f}" for one in values)
    return f"{value} ({low} tot {high})".replace(".", ",")
