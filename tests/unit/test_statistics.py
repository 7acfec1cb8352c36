"""Intervals that stay honest, and what may be said of a difference."""

import math

import numpy as np
import pytest

from multiid.suites.statistics import bootstrap, compare, judge


def alone(values: list[float]) -> list[list[float]]:
    """Groups of one picture each."""
    return [[value] for value in values]


def test_the_mean_is_over_pictures_and_the_interval_around_it() -> None:
    figure = bootstrap([[1.0, 0.5, 0.0], [0.25], *[[0.5]] * 5, *[[0.75]] * 5])
    assert figure.value == pytest.approx((1.5 + 0.25 + 2.5 + 3.75) / 14)
    assert (figure.count, figure.missing) == (14, 0)
    assert figure.low < figure.value < figure.high


def test_the_interval_is_as_wide_as_theory_has_it() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.1, 400).tolist()
    figure = bootstrap(alone(values))
    half = 1.96 * np.std(values) / 20
    print(f"half widths {figure.value - figure.low:.5f}, {figure.high - figure.value:.5f}; theory {half:.5f}")
    assert figure.value - figure.low == pytest.approx(half, rel=0.1)
    assert figure.high - figure.value == pytest.approx(half, rel=0.1)


def test_intervals_hold_the_truth_in_95_of_100_cases() -> None:
    """Skewed shares of four faces with eight groups and with thirty, where short cuts fail."""
    dice = np.random.default_rng(1)
    for groups in (8, 30):
        held = 0
        for _ in range(200):
            figure = bootstrap(alone((dice.binomial(4, 0.85, groups) / 4).tolist()))
            held += figure.low <= 0.85 <= figure.high
        print(f"{groups} groups: {held} of 200 intervals hold the truth")
        assert held >= 180  # 190 are expected; fewer than 180 would come by chance in one case of a thousand


def test_pictures_of_one_group_are_not_taken_for_independent() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.1, 40).tolist()
    once, four_times = bootstrap(alone(values)), bootstrap([[value] * 4 for value in values])
    assert four_times.count == 4 * once.count
    assert (four_times.low, four_times.high) == pytest.approx((once.low, once.high))


def test_a_group_is_drawn_with_all_its_pictures() -> None:
    """So how many they are does not move the mean."""
    figure = bootstrap([[0.5 + 0.001 * size] * size for size in (1, 2, 3, 8, 9) * 4])
    assert 0.5 < figure.low < figure.high < 0.51


def test_the_same_values_and_seed_give_the_same_interval() -> None:
    values = alone(np.random.default_rng(3).random(30).tolist())
    assert bootstrap(values) == bootstrap(values)
    assert bootstrap(values, seed=1) != bootstrap(values)


@pytest.mark.parametrize(("right", "expected"), [(100, (0.963, 1.0)), (99, (0.946, 0.998)), (0, (0.0, 0.037))])
def test_a_rate_at_its_end_claims_no_certainty(right: int, expected: tuple[float, float]) -> None:
    """Wilson's intervals, as tables have them."""
    figure = bootstrap(alone([1.0] * right + [0.0] * (100 - right)))
    assert figure.value == right / 100
    assert (figure.low, figure.high) == pytest.approx(expected, abs=5e-4)


def test_one_wrong_face_does_not_make_a_rate_surer() -> None:
    spotless, spotted = bootstrap(alone([1.0] * 100)), bootstrap(alone([1.0] * 99 + [0.75]))
    assert spotted.low <= spotless.low


def test_groups_that_are_all_one_need_not_be_right_or_wrong() -> None:
    """Ten of 0.25: by Wilson at most 0.278 of all are others. Were these all 0, the mean would be 0.722 x 0.25 = 0.181;
    were they all 1, 0.181 + 0.278 = 0.458.
    """
    figure = bootstrap(alone([0.25] * 10))
    assert (figure.low, figure.high) == pytest.approx((0.181, 0.458), abs=5e-4)
    # 1 in 10 groups differs: by Wilson up to 0.404 of all, so 0.596 x 0.25 = 0.149 and 0.149 + 0.404 = 0.553.
    figure = bootstrap(alone([0.25] * 9 + [0.0]))
    assert (figure.low, figure.high) == pytest.approx((0.149, 0.553), abs=5e-4)
    # Five groups alike are no rule: Wilson's own interval for 2 of 5 and 3 of 5.
    assert bootstrap(alone([0.5] * 5)).low == pytest.approx(0.118, abs=5e-4)
    assert bootstrap(alone([0.5] * 6)).low == pytest.approx(0.5 * (1 - 0.390), abs=5e-4)


def test_those_intervals_hold_the_truth_too() -> None:
    """0.25 in most groups; in a few 0, 1 or anything between."""
    dice = np.random.default_rng(6)
    for groups, share in ((8, 0.05), (30, 0.1), (100, 0.02)):
        for few, mean in ((np.zeros, 0.0), (np.ones, 1.0), (dice.random, 0.5)):
            truth, held = (1 - share) * 0.25 + share * mean, 0
            for _ in range(100):
                values = np.where(dice.random(groups) < share, few(groups), 0.25)
                figure = bootstrap(alone(values.tolist()))
                held += figure.low - 1e-9 <= truth <= figure.high + 1e-9
            print(f"{groups} groups, {share} of them others of {mean}: {held} of 100 intervals hold the truth")
            assert held >= 89  # 95 are expected; fewer than 89 would come by chance in one case of a hundred


def test_one_group_says_next_to_nothing() -> None:
    assert bootstrap([[1.0, 1.0, 1.0]]).low < 0.3
    wide = bootstrap([[0.6]])
    assert (wide.low, wide.high) == (0.0, 1.0)
    unknown = bootstrap([[1.4, 1.5]])
    assert unknown.value == pytest.approx(1.45)
    assert math.isnan(unknown.low)
    assert math.isnan(unknown.high)


def test_what_could_not_be_measured_is_left_out_and_counted() -> None:
    figure = bootstrap([[math.nan, 1.0], [math.nan], *[[0.5]] * 9, *[[0.25]] * 9])
    assert figure.value == pytest.approx((1 + 4.5 + 2.25) / 19)
    assert (figure.count, figure.missing) == (19, 2)


@pytest.mark.parametrize("values", [[], [[]], [[math.nan], [math.inf]]])
def test_nothing_measured_is_no_figure(values: list[list[float]]) -> None:
    figure = bootstrap(values)
    assert math.isnan(figure.value)
    assert figure.count == 0
    assert figure.missing == sum(map(len, values))


def test_negative_values_and_those_beyond_one_are_not_cut_off() -> None:
    figure = bootstrap(alone([-0.1, 0.1] * 2 + [0.0]))
    assert figure.low < 0 < figure.high
    assert bootstrap(alone([1.2, 1.5, 1.3])).high > 1.5


def test_differences_are_paired() -> None:
    dice = np.random.default_rng(4)
    first = dice.normal(0.5, 0.2, 40)
    other = first + dice.normal(0.02, 0.01, 40)
    difference = compare(alone(first.tolist()), alone(other.tolist()))
    assert difference.value == pytest.approx(float((other - first).mean()))
    assert difference.low > 0
    apart = bootstrap(alone(first.tolist()))
    assert apart.high > float(other.mean())  # unpaired, nothing could be said
    assert judge(difference, better="more") == "better"
    assert judge(difference, better="less") == "worse"


def test_a_few_differing_groups_prove_nothing() -> None:
    """Five signs of the same sort come by chance in one case of sixteen, six in one of thirty-two."""
    first = alone([1.0] * 40)
    for differing, verdict in ((0, "unclear"), (5, "unclear"), (8, "worse"), (40, "worse")):
        difference = compare(first, alone([0.0] * differing + [1.0] * (40 - differing)))
        assert judge(difference, better="more") == verdict, differing


def test_ten_groups_that_all_lose_as_much_are_clearly_worse() -> None:
    """Four people without regions: one face in four is right by chance, in group after group."""
    for others in ([0.25] * 9 + [0.0], [0.25] * 6 + [0.0, 0.0, 0.5, 0.5]):
        assert judge(compare(alone([1.0] * 10), alone(others)), better="more") == "worse"


def test_settings_that_came_out_alike_differ_by_little() -> None:
    """Of 300 groups none differs: by Wilson at most 0.0126 do, by 1 at most."""
    difference = compare(alone([0.5] * 300), alone([0.5] * 300))
    assert (difference.low, difference.high) == pytest.approx((-0.0126, 0.0126), abs=5e-5)


def test_a_gain_of_two_groups_is_unclear() -> None:
    """Though no difference is negative."""
    difference = compare(alone([0.0] * 2 + [1.0] * 38), alone([1.0] * 40))
    assert difference.value == 0.05
    assert judge(difference, better="more") == "unclear"


def test_pictures_that_one_setting_lacks_do_not_count() -> None:
    difference = compare([[0.1, math.nan], [0.2, 0.3]], [[0.2, 0.9], [math.nan, 0.4]])
    assert difference.value == pytest.approx(0.1)
    assert (difference.count, difference.missing) == (2, 2)


def test_settings_of_other_groups_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare([[1.0]], [[1.0], [0.5]])
    with pytest.raises(ValueError, match="zip"):
        compare([[1.0]], [[1.0, 0.5]])


def test_an_unknown_interval_is_unclear() -> None:
    assert judge(compare([[math.nan]], [[1.0]]), better="more") == "unclear"
