"""How it went with such lists before, in whole numbers: about a group, never about one pupil."""

from collections.abc import Mapping
from pathlib import Path

from serving.evaluation import BlockOutcome, Evaluation, read_evaluation
from serving.lists import Block

FEWEST_PUPILS = 20
"""Of fewer pupils no frequency is given: it would say as much about chance as about the group."""


def frequencies(path: Path) -> Mapping[Block, str]:
    """The sentence per block from the evaluation of the model in use; none where none was made.

    Each part of the list has its own: what came, in the held-out school year, of pupils who would
    have stood in that part. What lists miss is said once, with whom to discuss.
    """
    evaluation = read_evaluation(path)
    if evaluation is None:
        return {}
    outcomes = {one.block: one for one in evaluation.blocks}
    found = {
        block: sentence(outcomes[block.value])
        for block in (Block.DISCUSS, Block.FOLLOW)
        if block.value in outcomes
    }
    caught = _caught(evaluation)
    if found.get(Block.DISCUSS) and caught is not None:
        found[Block.DISCUSS] += " " + missed(caught)
    return {block: text for block, text in found.items() if text}


def sentence(outcome: BlockOutcome) -> str:
    """Both sides, of a fixed hundred, as a range; empty under `FEWEST_PUPILS` pupils.

    >>> from serving.evaluation import Measured
    >>> print(sentence(BlockOutcome("discuss", 240, Measured(0.031, 0.018, 0.046))))
    Bij 2 tot 5 van elke 100 plaatsen in deze groep begon vorig schooljaar binnen 8 schoolweken \
langdurig verzuim; bij 95 tot 98 niet.
    >>> print(sentence(BlockOutcome("follow", 240, Measured(0.011, 0.008, 0.012))))
    Bij ongeveer 1 van elke 100 plaatsen in deze groep begon vorig schooljaar binnen 8 schoolweken \
langdurig verzuim; bij 99 niet.
    >>> sentence(BlockOutcome("follow", 19, Measured(0.011, 0.008, 0.012)))
    ''
    """
    figure = outcome.precision
    if outcome.pupils < FEWEST_PUPILS or figure.value is None:
        return ""
    low = round(100 * (figure.value if figure.low is None else figure.low))
    high = round(100 * (figure.value if figure.high is None else figure.high))
    came = f"ongeveer {low}" if low == high else f"{low} tot {high}"
    stayed = f"{100 - low}" if low == high else f"{100 - high} tot {100 - low}"
    return (
        f"Bij {came} van elke 100 plaatsen in deze groep begon vorig schooljaar binnen "
        f"8 schoolweken langdurig verzuim; bij {stayed} niet."
    )


def missed(caught: float) -> str:
    """What lists catch and what they miss, of a fixed ten.

    >>> missed(0.31)
    'Van elke 10 leerlingen die langdurig uitvielen, stonden er ongeveer 3 vooraf op een lijst; \
7 niet.'
    """
    seen = round(10 * caught)
    return (
        f"Van elke 10 leerlingen die langdurig uitvielen, stonden er ongeveer {seen} vooraf op een "
        f"lijst; {10 - seen} niet."
    )


def _caught(evaluation: Evaluation) -> float | None:
    for row in evaluation.rows:
        if row.is_champion and "caught" in row.metrics:
            return row.metrics["caught"].value
    return None
