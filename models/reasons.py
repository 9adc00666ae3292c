"""Why a pupil is on the list, in plain Dutch: facts with dated records under them, no causes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from features.vocabulary import PupilKey, Theme
from models.absence_facts import MEASURES, absence_standing
from models.circumstances import career_facts, counter_evidence, support_facts, support_lines
from models.evidence import Evidence, PupilRecords
from models.explain import SMALLEST_PART
from models.facts import Fact, Standing

__all__ = ["Evidence", "Explanation", "Reason", "reasons_for"]

MOST_REASONS = 3
MOST_FACTS = 2


@dataclass(frozen=True)
class Reason:
    """What stands out in one theme: a sentence of facts, its records, and the group beside it.

    `comparison` is empty where there is nothing to compare with, or too few classmates.
    """

    theme: Theme
    sentence: str
    evidence: tuple[Evidence, ...]
    comparison: str = ""


@dataclass(frozen=True)
class Explanation:
    """All that is shown beside a listed pupil: at most three reasons, and what stands against."""

    pupil_key: PupilKey
    reasons: tuple[Reason, ...]
    counter_evidence: tuple[str, ...]
    support: tuple[str, ...]


def reasons_for(
    records: PupilRecords, parts: Mapping[Theme, float], values: Mapping[str, float]
) -> Explanation:
    """The explanation of one pupil on one Monday.

    `parts` is what each theme added to the score (`Contributions.of_row`): it decides which themes
    are told, and in which order. Within a theme the records decide: the sentences come from what
    stands out in them, so that a retrained model tells the same about the same records. `values`
    are the feature values of the row. A theme without records under it gives no reason; one whose
    facts do not stand alone comes after those whose do; and where no fact stands alone there is no
    reason at all: such a pupil is not listed (`models.listing`).
    """
    raised = {theme: part for theme, part in parts.items() if part > 0}
    enough = SMALLEST_PART * sum(raised.values())
    # Equal parts are told in the fixed order of the themes.
    order = sorted(raised, key=lambda theme: (-raised[theme], list(Theme).index(theme)))
    order = [theme for theme in order if raised[theme] >= enough]
    facts = {theme: facts_of(theme, records, values) for theme in order}
    told = [theme for theme in order if facts[theme]]
    alone = {theme: any(fact.alone for fact in facts[theme]) for theme in told}
    told = sorted(told, key=lambda theme: not alone[theme]) if any(alone.values()) else []
    return Explanation(
        pupil_key=records.pupil_key,
        reasons=tuple(_reason(theme, facts[theme]) for theme in told[:MOST_REASONS]),
        counter_evidence=counter_evidence(records),
        support=support_lines(records),
    )


def facts_of(theme: Theme, records: PupilRecords, values: Mapping[str, float]) -> list[Fact]:
    """What is told in one theme, if it is told: the strongest fact and at most one beside it."""
    return _told(_standing(theme, records, values))


def _reason(theme: Theme, facts: list[Fact]) -> Reason:
    lines = {line: None for fact in facts for line in fact.evidence}
    return Reason(
        theme=theme,
        sentence=_joined([fact.sentence for fact in facts]),
        evidence=tuple(sorted(lines, key=lambda line: line.day, reverse=True)),
        comparison=facts[0].comparison,
    )


def _joined(sentences: list[str]) -> str:
    """The sentences after each other; since when a period runs is said once.

    >>> _joined(["In 12 weken (sinds 6 juli) 4 keer.", "In 12 weken (sinds 6 juli) 9 dagen."])
    'In 12 weken (sinds 6 juli) 4 keer. In 12 weken 9 dagen.'
    """
    since = re.search(r" \(sinds [^)]*\)", sentences[0])
    others = [text.replace(since[0], "") if since else text for text in sentences[1:]]
    return " ".join([sentences[0], *others])


def _standing(theme: Theme, records: PupilRecords, values: Mapping[str, float]) -> list[Standing]:
    if theme is Theme.SUPPORT:
        return [Standing.of(fact) for fact in support_facts(records, values)]
    if theme is Theme.CAREER:
        return [Standing.of(fact) for fact in career_facts(records, values)]
    return absence_standing(records, theme, values) if theme in MEASURES else []


def _told(standing: list[Standing]) -> list[Fact]:
    """The strongest fact, and the next one of another family if schools act on as much.

    A fact that does not stand alone comes after those that do.
    """
    told: list[Fact] = []
    for one in sorted(standing, key=lambda one: (not one.alone, -one.strength)):
        if told and (one.strength < 1 or one.family == told[0].family):
            continue
        fact = one.tell()
        if fact is not None:
            told.append(fact)
        if len(told) == MOST_FACTS:
            break
    return told
