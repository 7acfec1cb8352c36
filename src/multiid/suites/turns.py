"""Whose turn it is: which people make up the group of each number, so that all come about equally often."""

import math

from multiid.mini.world.dice import Dice

__all__ = ["every_group", "prompt_turn", "random_group"]

_GOLDEN = (math.sqrt(5) - 1) / 2


def random_group(number: int, *, size: int, people: int) -> tuple[int, ...]:
    """The people of a random group, from left to right.

    Groups come in rounds in which everybody is equally often; each round has an order of its own. So after any
    number of groups nobody has been in two more than somebody else has in one round.

    Args:
        number: of the group, from 0; the same number gives the same group.
        size: how many are in it.
        people: how many there are.

    Returns:
        Indices of people, all different.

    Raises:
        ValueError: when there are fewer people than the group has.
    """
    _check(size, people)
    groups = math.lcm(size, people) // size
    dealt, index = divmod(number, groups)
    order = Dice(f"turns of {size} among {people}", dealt).some(range(people), people)
    return tuple(order[(index * size + place) % people] for place in range(size))


def every_group(number: int, *, size: int, people: int) -> tuple[int, ...]:
    """The people of one of all possible groups, from left to right.

    As many numbers on end as there are groups give each of them once; fewer are spread over the people.

    Args:
        number: of the group, from 0; those beyond the number of groups begin anew, in another order from left to right.
        size: how many are in it.
        people: how many there are.

    Returns:
        Indices of people, all different.

    Raises:
        ValueError: when there are fewer people than the group has.
    """
    _check(size, people)
    groups = math.comb(people, size)
    # In alphabetical order the first person would be in all of the first groups.
    stride = max(1, round(groups * _GOLDEN))
    while math.gcd(stride, groups) != 1:
        stride += 1
    chosen = _combination(number * stride % groups, size=size, people=people)
    return tuple(Dice(f"order of {size} among {people}", number).some(chosen, size))


def prompt_turn(number: int, *, prompts: int, groups: int | None = None) -> int:
    """The index of the prompt for the group of a number: all in turn.

    Args:
        number: of the group, from 0.
        prompts: how many there are.
        groups: how many groups there are before they begin anew; then each gets its next prompt, until all have had
            all. None where they do not.
    """
    dealt, index = divmod(number, groups) if groups else (0, number)
    return (index + dealt) % prompts


def _check(size: int, people: int) -> None:
    if not 1 <= size <= people:
        raise ValueError(f"size: expected 1 to {people} people, but got {size}")


def _combination(rank: int, *, size: int, people: int) -> list[int]:
    """The combination of that rank in alphabetical order."""
    chosen: list[int] = []
    first = 0
    for left in range(size, 0, -1):
        while rank >= (starting := math.comb(people - first - 1, left - 1)):
            rank -= starting
            first += 1
        chosen.append(first)
        first += 1
    return chosen
