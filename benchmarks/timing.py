"""Times of several ways to do one thing, taken in turn, so that they share whatever else the machine does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter

import torch

__all__ = ["Contender", "Spread", "interleaved", "ratios"]


@dataclass(frozen=True)
class Contender:
    """One way of doing it: `prepare` is not timed, `run` is."""

    prepare: Callable[[], object]
    run: Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        low, median, high = quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


def interleaved(
    contenders: Mapping[str, Contender], *, rounds: int, warmups: int = 2, device: str = "cpu"
) -> dict[str, list[float]]:
    """Seconds of each contender in each of at least two rounds.

    Each round runs all of them once, and each round begins with another, so that none always comes after the same.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    with torch.no_grad():
        for turn in range(-warmups, rounds):
            first = turn % len(names)
            for name in (*names[first:], *names[:first]):
                contenders[name].prepare()
                _finish(device)
                started = perf_counter()
                contenders[name].run()
                _finish(device)
                if turn >= 0:
                    seconds[name].append(perf_counter() - started)
    return seconds


def ratios(seconds: Mapping[str, list[float]], to: str) -> dict[str, Spread]:
    """How many times as long as contender `to` each other took in the same round."""
    return {
        name: Spread.of([own / other for own, other in zip(values, seconds[to], strict=True)])
        for name, values in seconds.items()
        if name != to
    }


def _finish(device: str) -> None:
    """Waits for an accelerator, which works on after its calls have returned."""
    if device != "cpu":
        torch.cuda.synchronize()
