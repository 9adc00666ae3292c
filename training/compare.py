"""Two scores on the same rows and the same resamples: is the difference more than chance?"""

from collections.abc import Iterable
from dataclasses import dataclass

from training.bootstrap import Interval
from training.evaluate import Measured

COMPARED = ("recall", "precision", "caught", "caught_early", "average_precision")


@dataclass(frozen=True)
class Difference:
    """`model` minus `other` on one metric, paired; an interval that holds zero shows nothing."""

    model: str
    other: str
    metric: str
    interval: Interval

    @property
    def better(self) -> bool:
        """The whole interval lies above zero; "no difference" is not better."""
        return self.interval.low > 0

    def line(self) -> str:
        """The difference in one line, in points of a hundred.

        >>> Difference("model", "mazl", "recall", Interval(0.25, 0.1, 0.4)).line()
        'model - mazl, recall: +25.0 points (10.0 to 40.0): better'
        """
        value, low, high = (
            100 * x for x in (self.interval.value, self.interval.low, self.interval.high)
        )
        verdict = "better" if self.better else "worse" if high < 0 else "no difference shown"
        return (
            f"{self.model} - {self.other}, {self.metric}: "
            f"{value:+.1f} points ({low:.1f} to {high:.1f}): {verdict}"
        )


def difference(model: Measured, other: Measured, metric: str, level: float) -> Difference:
    """Paired: both were measured on the same draws of pupils.

    >>> import numpy as np
    >>> model = Measured("model", "", {"recall": np.array([0.5, 0.4, 0.6])})
    >>> difference(model, model, "recall", 0.95).better            # A against A
    False
    """
    draws = model.draws[metric] - other.draws[metric]
    return Difference(model.name, other.name, metric, Interval.of(draws, level))


def compare(model: Measured, others: Iterable[Measured], level: float) -> tuple[Difference, ...]:
    """The model against each of the others, on everything that counts at capacity."""
    return tuple(difference(model, other, metric, level) for other in others for metric in COMPARED)


def best(scores: Iterable[Measured], metric: str) -> Measured:
    """The one with the highest figure on the data themselves."""
    return max(scores, key=lambda measured: measured.value(metric))
