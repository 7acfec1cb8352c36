"""Random choices that stay the same from one version of Python or NumPy to the next."""

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Dice"]

_T = TypeVar("_T")


class Dice:
    """Choices from one seed.

    Only `random.Random.random` is used, the one method whose sequence Python promises to keep. Each subject has a
    sequence of its own, so that the person of a seed has nothing to do with the portrait of the same seed.
    """

    def __init__(self, subject: str, seed: int) -> None:
        self._next = random.Random(f"multiid mini world, {subject}: {seed}").random

    def pick(self, options: Sequence[_T], weights: Sequence[float] | None = None) -> _T:
        """One of the options, all as likely unless weights are given."""
        if weights is None:
            return options[int(self._next() * len(options))]
        rest = self._next() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            rest -= weight
            if rest < 0:
                return option
        return options[-1]

    def between(self, low: float, high: float) -> float:
        """A number from low to high, all as likely."""
        return low + (high - low) * self._next()

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return self._next() < share

    def seed(self) -> int:
        """A seed for other dice."""
        return int(self._next() * (1 << 53))

    def some(self, options: Sequence[_T], count: int) -> list[_T]:
        """That many different ones of the options, in random order."""
        left = list(options)
        return [left.pop(int(self._next() * len(left))) for _ in range(count)]
