"""Whose turn it is in a suite's groups."""

import itertools
import math
from collections import Counter

import pytest

from multiid.suites.turns import every_group, prompt_turn, random_group


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("people", [5, 8, 15])
def test_random_groups_have_everybody_equally_often(size: int, people: int) -> None:
    dealt = math.lcm(size, people) // size
    groups = [random_group(number, size=size, people=people) for number in range(3 * dealt)]
    assert all(len(set(group)) == size for group in groups)
    counts = Counter(itertools.chain(*groups))
    assert set(counts.values()) == {3 * dealt * size // people}
    assert len(counts) == people
    assert groups[:dealt] != groups[dealt : 2 * dealt] or size == people == 1


def test_random_groups_are_the_same_by_number_and_differ_otherwise() -> None:
    groups = [random_group(number, size=3, people=20) for number in range(60)]
    assert groups == [random_group(number, size=3, people=20) for number in range(60)]
    print(f"{len(set(groups))} groups of 60 are different, at least 58")
    assert len(set(groups)) >= 58


@pytest.mark.parametrize(("size", "people"), [(1, 7), (2, 2), (2, 15), (3, 9), (5, 6)])
def test_every_group_comes_once(size: int, people: int) -> None:
    count = math.comb(people, size)
    groups = [every_group(number, size=size, people=people) for number in range(2 * count)]
    assert {tuple(sorted(group)) for group in groups[:count]} == set(itertools.combinations(range(people), size))
    again = [tuple(sorted(group)) for group in groups[count:]]
    assert again == [tuple(sorted(group)) for group in groups[:count]]


def test_the_first_of_all_groups_are_spread_over_the_people() -> None:
    counts = Counter(itertools.chain(*(every_group(number, size=2, people=15) for number in range(30))))
    print(f"of 30 pairs each of 15 people is in {min(counts.values())} to {max(counts.values())}, from 2 to 6 at most")
    assert len(counts) == 15
    assert min(counts.values()) >= 2
    assert max(counts.values()) <= 6


def test_nobody_is_always_on_the_left() -> None:
    left = Counter(group[0] < group[1] for number in range(105) if (group := every_group(number, size=2, people=15)))
    print(f"{left[True]} of 105 pairs are in alphabetical order, from 35 to 70")
    assert 35 <= left[True] <= 70


def test_each_of_all_groups_gets_every_prompt() -> None:
    groups, prompts = 105, 21
    turns = [(number % groups, prompt_turn(number, prompts=prompts, groups=groups)) for number in range(105 * 21)]
    assert len(set(turns)) == groups * prompts
    assert [prompt for _, prompt in turns[:21]] == list(range(21))


def test_prompts_of_random_groups_come_in_turn() -> None:
    assert [prompt_turn(number, prompts=3) for number in range(7)] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("size", [0, 4])
def test_a_group_has_no_more_than_there_are(size: int) -> None:
    for choose in (random_group, every_group):
        with pytest.raises(ValueError, match=f"size: expected 1 to 3 people, but got {size}"):
            choose(0, size=size, people=3)
