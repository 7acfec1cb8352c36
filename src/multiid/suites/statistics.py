"""Means over pictures, how far chance may have moved them, and whether one setting beats another."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy import stats

from multiid.mini.figures.rate import Rate
from multiid.suites.outcome import Figure

__all__ = ["Verdict", "bootstrap", "compare", "judge"]

Verdict = Literal["better", "worse", "unclear"]
"""What a difference says of a setting; unclear where chance alone may have made it."""

_RESAMPLES = 2000
_LEVEL = 0.95
_FEW_GROUPS = 10  # below, the bootstrap's own interval means little
_FEW_OTHERS = 6  # below, groups that differ from the rest say nothing sure: five signs can agree by chance
_ROUNDING = 1e-9


def bootstrap(values_per_group: Sequence[Sequence[float]], seed: int = 0) -> Figure:
    """The mean over all pictures, with its 95 % interval by bootstrap over groups of people.

    Pictures of one group are not independent, so groups are drawn, each with all its pictures. The interval is

    - the bias-corrected and accelerated bootstrap's (Efron 1987) of 2,000 draws, for ten groups or more, made wider by
      as much as Student's t of so many groups is than the normal distribution (Hesterberg 2015): 6 % for thirty;
    - Student's t by the bootstrap's standard error for two to nine, where the former's ends mean little;
    - Wilson's (1927), each group counted as one case, where all groups but five at most have the same mean. A rate of
      1.000 of 100 groups gets 0.963 to 1.000. No values between 0 and 1 spread wider than right and wrong do, so it
      claims too little rather than too much, and reaches to the next whole number of groups. Values between -1 and 1
      are brought to that range and back, without that. Where six groups or more have one mean, no end is farther than
      if as many others as Wilson's interval allows were all at that end of the range;
    - unknown (not a number) where values beyond these ranges are all but equal.

    Where all values lie in one of these ranges the interval does too.

    Args:
        values_per_group: for each group, the value of each of its pictures. What is not a number could not be
            measured: it is left out, and counted in the figure's `missing`.
        seed: of the draws; the same seed and values give the same interval.

    Returns:
        The figure; its value is not a number where nothing could be measured.
    """
    return _summarise(values_per_group, seed, least=None)


def compare(first: Sequence[Sequence[float]], other: Sequence[Sequence[float]], seed: int = 0) -> Figure:
    """How much more the other setting has than the first one: paired, since both were made of the same groups.

    Args:
        first: values of the pictures of each group, as for `bootstrap`.
        other: the same of the other setting: the same groups and pictures, in the same order.
        seed: of the draws.

    Returns:
        The mean of the differences, other less first, and its interval as by `bootstrap`, of values between -1 and 1.
        Pictures that lack a value in either setting are left out.

    Raises:
        ValueError: when the groups or their pictures are not as many.
    """
    pairs = [list(zip(one, two, strict=True)) for one, two in zip(first, other, strict=True)]
    return _summarise([[theirs - ours for ours, theirs in group] for group in pairs], seed, least=-1.0)


def judge(difference: Figure, *, better: Literal["more", "less"]) -> Verdict:
    """What a difference by `compare` says: clear where its interval leaves out zero.

    Chance alone makes about one difference in twenty look clear.
    """
    if difference.low > 0:
        return "better" if better == "more" else "worse"
    if difference.high < 0:
        return "worse" if better == "more" else "better"
    return "unclear"


def _summarise(values_per_group: Sequence[Sequence[float]], seed: int, *, least: float | None) -> Figure:
    """`bootstrap`, of values from `least` to 1; from 0 or -1 to 1, as they are, if None."""
    kept = [[value for value in values if math.isfinite(value)] for values in values_per_group]
    missing = sum(map(len, values_per_group)) - sum(map(len, kept))
    sums = np.array([math.fsum(values) for values in kept if values], np.float64)
    counts = np.array([len(values) for values in kept if values], np.float64)
    if not len(counts):
        return Figure(math.nan, math.nan, math.nan, 0, missing)
    value = math.fsum(sums) / float(counts.sum())
    low, high = _interval(value, sums, counts, seed, least)
    # Rounding must not put the mean outside its own interval.
    return Figure(value, min(low, value), max(high, value), int(counts.sum()), missing)


def _interval(
    value: float,
    sums: Float64[np.ndarray, " groups"],
    counts: Float64[np.ndarray, " groups"],
    seed: int,
    least: float | None,
) -> tuple[float, float]:
    means = sums / counts
    groups = len(means)
    if least is None:
        least = 0.0 if means.min() >= 0 else -1.0
    bounded = bool(means.min() >= least and means.max() <= 1)
    if _most_are_equal(means):
        if not bounded:
            return math.nan, math.nan
        low, high = _wilson((value - least) / (1 - least), groups, whole=least == 0)
        low, high = least + low * (1 - least), least + high * (1 - least)
        lowest, highest = _mixed_with_others(means, least)
        return max(low, lowest), min(high, highest)
    result = stats.bootstrap(
        (sums, counts),
        _ratio,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        confidence_level=_LEVEL,
        method="BCa" if groups >= _FEW_GROUPS else "percentile",
        rng=np.random.default_rng(seed),
    )
    # The draws spread as a population of so many groups does, which is less than the one that they come from.
    student = math.sqrt(groups / (groups - 1)) * float(stats.t.ppf((1 + _LEVEL) / 2, groups - 1))
    if groups >= _FEW_GROUPS:
        wider = student / float(stats.norm.ppf((1 + _LEVEL) / 2))
        low, high = (value + wider * (float(end) - value) for end in result.confidence_interval)
    else:
        half = student * float(result.standard_error)
        low, high = value - half, value + half
    return (max(low, least), min(high, 1.0)) if bounded else (low, high)


def _most_are_equal(means: Float64[np.ndarray, " groups"]) -> bool:
    """Whether so few groups differ from all others that drawing from them says little."""
    often = _usual(means)[1]
    return len(means) - often < min(_FEW_OTHERS, often)


def _usual(means: Float64[np.ndarray, " groups"]) -> tuple[float, int]:
    """The mean that most groups have, and how many have it."""
    values, counts = np.unique(means, return_counts=True)
    return float(values[counts.argmax()]), int(counts.max())


def _mixed_with_others(means: Float64[np.ndarray, " groups"], least: float) -> tuple[float, float]:
    """How little and how much the mean may be, were all groups that differ from the usual one at one end.

    They may be as many as Wilson's interval allows. Of few groups the usual one says nothing.
    """
    usual, often = _usual(means)
    if often < _FEW_OTHERS:
        return least, 1.0
    others = Rate(len(means) - often, len(means)).interval[1]
    return usual + others * (least - usual), usual + others * (1 - usual)


def _wilson(share: float, groups: int, *, whole: bool) -> tuple[float, float]:
    """The interval of a share: to the next whole number of groups on either side, or in between such numbers'."""
    right = share * groups
    below, above = (
        Rate(count, groups).interval for count in (math.floor(right + _ROUNDING), math.ceil(right - _ROUNDING))
    )
    if whole:
        return below[0], above[1]
    part = right - math.floor(right + _ROUNDING)
    return below[0] + part * (above[0] - below[0]), below[1] + part * (above[1] - below[1])


def _ratio(
    sums: Float64[np.ndarray, "*draws groups"], counts: Float64[np.ndarray, "*draws groups"], axis: int
) -> Float64[np.ndarray, "*draws"] | np.float64:
    """The mean over pictures of each draw of groups, or of all of them."""
    return sums.sum(axis=axis) / counts.sum(axis=axis)
