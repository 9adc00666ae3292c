"""What the dossier of a model needs from people, and what is still missing before it may be used.

The structure follows Annex IV of the AI Act and the fields of the Algoritmeregister. What can be
measured is generated (`serving.dossier`); what only people can say stands in one file, and a model
is not promoted while anything of it is missing.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.catalogue import feature
from features.errors import SettingsError, TijdigError
from features.governance import open_ledger
from features.governance.approvals import Approvals
from features.governance.contracts import FeatureContract, read_contracts
from features.settings import Home
from models.registry import Registry

TEXTS_FILE = "dossier.toml"
EXAMPLE = Path(__file__).with_name("dossier_example.toml")
SHORTEST = 40
"""Characters; less says nothing to whom it concerns."""
UNSETTLED = "te bevestigen"
"""Stands in the packaged contracts where a privacy officer must decide on the ground."""


@dataclass(frozen=True)
class Question:
    """One text that people must write; `article` says where the law asks for it."""

    key: str
    heading: str
    article: str


QUESTIONS = (
    Question("purpose", "Beoogd doel en gebruikers", "AI-verordening bijlage IV, 1(a)"),
    Question("not_for", "Waarvoor het niet mag worden gebruikt", "bijlage IV, 1(a); artikel 13"),
    Question("legal_ground", "Grondslag en verenigbaarheid", "AVG artikel 6(1), 6(4) en 9"),
    Question("necessity", "Noodzaak en evenredigheid", "AVG artikel 35(7)(b)"),
    Question("alternatives", "Overwogen alternatieven", "AVG artikel 35; IAMA deel 1"),
    Question("risks", "Risico's voor leerlingen en ouders", "artikel 9; AVG artikel 35(7)(c)"),
    Question("measures", "Maatregelen tegen die risico's", "artikel 9; AVG artikel 35(7)(d)"),
    Question("misuse", "Te voorzien misbruik", "artikel 9(2)(b)"),
    Question("oversight", "Menselijk toezicht", "artikel 14"),
    Question(
        "information", "Hoe leerlingen en ouders het weten", "AVG artikel 13-14; artikel 26(11)"
    ),
    Question(
        "classification", "Classificatie onder de AI-verordening", "artikel 6; bijlage III, 3"
    ),
    Question("after_market", "Toezicht na ingebruikname", "artikel 72; bijlage IV, 9"),
    Question("controller", "Verwerkingsverantwoordelijke en verwerkers", "AVG artikel 24 en 28"),
    Question("contact", "Contact en klachten", "Algoritmeregister; AVG artikel 13(1)"),
    Question("dpia", "DPIA en advies van de FG", "AVG artikel 35(2) en 36"),
)


@dataclass(frozen=True)
class HumanTexts:
    """The texts by key, and whether they are the packaged example of an invented region."""

    values: Mapping[str, str]
    is_example: bool


def read_texts(home: Home) -> HumanTexts:
    """The texts of this installation; on an invented region without its own, the example.

    Raises `SettingsError` for a file that cannot be read or holds an unknown key.
    """
    path = home.root / TEXTS_FILE
    if not path.exists():
        return HumanTexts(_read(EXAMPLE), True) if home.truth.exists() else HumanTexts({}, False)
    return HumanTexts(_read(path), False)


def missing(home: Home, version: int, today: date) -> tuple[str, ...]:
    """What the dossier of a registered version lacks, in Dutch; empty when it is complete.

    For promotion: refuse while this is not empty. Looks at the texts of people, the measured
    evaluation, the stored model and the contract of each of its features as it stands on `today`.
    """
    return (*_missing_texts(home), *_missing_measurements(home, version, today))


def _missing_texts(home: Home) -> Iterator[str]:
    try:
        texts = read_texts(home).values
    except SettingsError as problem:
        yield str(problem)
        return
    for question in QUESTIONS:
        if len(texts.get(question.key, "").strip()) < SHORTEST:
            yield f"tekst ontbreekt: {question.heading} ({question.article})"


def _missing_measurements(home: Home, version: int, today: date) -> Iterator[str]:
    if not (home.root / "evaluations" / f"version-{version}.json").exists():
        yield f"meting ontbreekt: de evaluatie van versie {version}"
    try:
        names = Registry.at(home).bundle(version).features
    except TijdigError as problem:
        yield f"model ontbreekt: {problem}"
        return
    contracts = Approvals(open_ledger(home)).in_force(read_contracts())
    for name in names:
        yield from _missing_in_contract(name, contracts.get(name), home, today)


def _missing_in_contract(
    name: str, contract: FeatureContract | None, home: Home, today: date
) -> Iterator[str]:
    if contract is None or contract.definition_hash != feature(name).definition_hash:
        yield f"contract ontbreekt of past niet bij de definitie: {name}"
    elif contract.approved_on is None or contract.expires_on <= today:
        yield f"contract niet (meer) goedgekeurd: {name}"
    elif contract.special_category and not contract.exception:
        yield f"uitzondering voor bijzonder gegeven ontbreekt: {name}"
    elif UNSETTLED in contract.legal_basis.lower() and not home.truth.exists():
        yield f"grondslag nog te bevestigen: {name}"


def _read(path: Path) -> dict[str, str]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SettingsError(f"{path}: cannot be read as TOML ({problem})") from problem
    known = {question.key for question in QUESTIONS}
    wrong = sorted(
        key for key, value in document.items() if key not in known or not isinstance(value, str)
    )
    if wrong:
        raise SettingsError(
            f"{path}: unknown or not a text: {', '.join(wrong)}; known are "
            f"{', '.join(sorted(known))}"
        )
    return document
