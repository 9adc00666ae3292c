"""How it went with such lists before, in whole numbers: about a group, never about one pupil."""

from collections.abc import Mapping
from pathlib import Path

from serving.evaluation import Evaluation, read_evaluation
from serving.lists import Block


def frequencies(path: Path) -> Mapping[Block, str]:
    """The sentence per block from the evaluation of the model in use; none where none was made.

    Precision and the share caught are those of the list on the held-out school year.
    """
    evaluation = read_evaluation(path)
    if evaluation is None:
        return {}
    figures = _champion(evaluation)
    precision, caught = figures.get("precision"), figures.get("caught")
    if precision is None or caught is None:
        return {}
    return {Block.DISCUSS: sentence(precision, caught)}


def sentence(precision: float, caught: float) -> str:
    """Both sides, in whole numbers of a fixed hundred and a fixed ten.

    >>> print(sentence(0.024, 0.31))
    Bij ongeveer 2 van elke 100 plaatsen op zulke lijsten begon vorig schooljaar binnen 8 \
schoolweken langdurig verzuim; bij 98 niet. Van elke 10 leerlingen die langdurig uitvielen, \
stonden er ongeveer 3 vooraf op een lijst; 7 niet.
    """
    right, seen = round(100 * precision), round(10 * caught)
    return (
        f"Bij ongeveer {right} van elke 100 plaatsen op zulke lijsten begon vorig schooljaar "
        f"binnen 8 schoolweken langdurig verzuim; bij {100 - right} niet. Van elke 10 leerlingen "
        f"die langdurig uitvielen, stonden er ongeveer {seen} vooraf op een lijst; "
        f"{10 - seen} niet."
    )


def _champion(evaluation: Evaluation) -> dict[str, float]:
    for row in evaluation.rows:
        if row.is_champion:
            found = {name: one.value for name, one in row.metrics.items()}
            return {name: value for name, value in found.items() if value is not None}
    return {}
