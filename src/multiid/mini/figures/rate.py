"""Shares of right answers, and how far chance may have moved them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Rate", "count_right"]

_DEVIATIONS = 1.96  # of a normal distribution: 95 in 100 cases


@dataclass(frozen=True)
class Rate:
    """How many of so many are right.

    Attributes:
        right: how many are.
        of: how many were asked.
    """

    right: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; not a number where there was nothing to count."""
        return self.right / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share of ever more cases would lie, in 95 of 100 such counts (Wilson 1927).

        It takes the cases for independent, which faces of one picture are not quite.
        """
        if not self.of:
            return 0.0, 1.0
        spread = _DEVIATIONS**2 / self.of
        middle = (self.share + spread / 2) / (1 + spread)
        half = math.sqrt(spread * (self.share * (1 - self.share) + spread / 4)) / (1 + spread)
        # Rounding must not put an edge past what is possible, nor past the share itself.
        return max(0.0, min(middle - half, self.share)), min(1.0, max(middle + half, self.share))


def count_right(answers: Iterable[bool]) -> Rate:
    """The rate of answers that are true."""
    counted = [bool(answer) for answer in answers]
    return Rate(sum(counted), len(counted))
