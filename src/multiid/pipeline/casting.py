"""Who stands where: people are given the places of a pose, by hand, in their order or by their roles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.optimize import linear_sum_assignment

from multiid.errors import SceneError
from multiid.poses.anatomy import Age
from multiid.poses.library import fitting_templates
from multiid.poses.roles import role_of
from multiid.poses.skeleton import Place, Pose
from multiid.poses.template_text import count_people
from multiid.poses.templates import Template

__all__ = ["CastBy", "Casting", "cast_people", "propose_templates", "whom_for"]

CastBy = Literal["order", "roles"]
"""How people without a place of their own get one: "order" gives person i place i, "roles" gives children children's
places and elders elders'."""

# What it costs to give somebody a place made for another role: a child's stature is farther from the others' than
# theirs from each other. Any such cost outweighs all that follows, so order decides only between what fits alike.
_MISFIT: dict[frozenset[str], int] = {
    frozenset(("adult", "elder")): 1,
    frozenset(("adult", "child")): 2,
    frozenset(("elder", "child")): 3,
}
_EXTRA = 1000  # an extra's place, in the same units: only when all others are taken

_SHOWN = 5  # templates that are proposed at most


@dataclass(frozen=True)
class Casting:
    """Who stands where.

    Attributes:
        places: index of each person's place, in the order of the people.
        reasons: for each person why they stand there: "mia (girl) takes place 1: a child's place".
        vacant: indices of places that nobody takes and that are not meant for extras.
        notes: what whoever made the scene should know: who was given which place by role and why, and which places
            stay without identity.
    """

    places: tuple[int, ...]
    reasons: tuple[str, ...]
    vacant: tuple[int, ...]
    notes: tuple[str, ...]


def cast_people(
    people: Iterable[tuple[str, str, int | None]],
    pose: Pose,
    *,
    how: CastBy = "order",
    tags: Sequence[str] = (),
) -> Casting:
    """Gives each person a place of their own.

    Whoever asks for a place has it. The others get theirs by `how`: with "order", person i takes place i, and it is an
    error when that is taken; with "roles", the cheapest of all ways to share out the remaining places is taken, where
    a place made for another role costs (an adult's for an elder 1, for a child 2; a child's for an elder 3). Of
    those as cheap, people keep their order from left to right, nearest to the place of their index. Extras' places,
    which come last in a pose, are filled last.

    Places may stay empty: somebody without identity stands there then. That is said in a note, which names templates
    that have none to spare, unless the place is an extra's.

    Args:
        people: name, noun and, if they ask for one, place of each.
        pose: the places.
        how: people without a place of their own get one.
        tags: of the template, to propose like ones when there are too many or too few people.

    Raises:
        SceneError: when there are more people than places (templates that fit are named), a place is asked for that
            the pose does not have, or two people come to the same.
    """
    crowd, count = list(people), len(pose.places)
    nouns = [noun for _, noun, _ in crowd]
    if how not in get_args(CastBy):
        raise SceneError(f'casting: expected one of {", ".join(get_args(CastBy))}, but got "{how}".')
    if len(crowd) > count:
        raise SceneError(
            f"people: expected at most {count}, one per place, but got {len(crowd)}: {propose_templates(nouns, tags)}."
        )
    asked = [place for _, _, place in crowd]
    chosen = _by_order(asked) if how == "order" else _by_roles([role_of(noun) for noun in nouns], asked, pose)
    _check([name for name, _, _ in crowd], chosen, count)
    vacant = tuple(index for index, place in enumerate(pose.places) if index not in chosen and not place.extra)
    reasons = [
        f"{name} ({noun}) takes place {place}: {_reason(noun, pose.places[place], wish, how)}"
        for (name, noun, wish), place in zip(crowd, chosen, strict=True)
    ]
    given = [reason for reason, wish in zip(reasons, asked, strict=True) if how == "roles" and wish is None]
    return Casting(tuple(chosen), tuple(reasons), vacant, (*given, *_vacancy(pose, vacant, nouns, tags)))


def whom_for(place: Place) -> str:
    """Whom an empty place is for, in a few words."""
    if place.extra:
        return "a stranger, unless people need it"
    examples = {"child": "a girl, a boy", "elder": "a grandmother, an old man"}
    return examples.get(place.role, "a woman, a man")


def propose_templates(nouns: Sequence[str], tags: Sequence[str] = ()) -> str:
    """The end of a sentence about people who do not fit: names of templates that they do fit, the best first."""
    fitting = fitting_templates([role_of(noun) for noun in nouns], tags=tags)
    return f"templates that fit are {_names(fitting)}" if fitting else f"no template has {len(nouns)} places"


def _by_order(asked: Sequence[int | None]) -> list[int]:
    return [index if place is None else place for index, place in enumerate(asked)]


def _by_roles(roles: Sequence[Age], asked: Sequence[int | None], pose: Pose) -> list[int]:
    free = [place for place in range(len(pose.places)) if place not in asked]
    waiting = [index for index, place in enumerate(asked) if place is None]
    costs = np.array([[_cost(index, roles[index], place, pose) for place in free] for index in waiting], ndmin=2)
    found = dict(zip(*linear_sum_assignment(costs), strict=True)) if waiting else {}
    chosen = {person: free[int(found[row])] for row, person in enumerate(waiting)}
    return [chosen[index] if place is None else place for index, place in enumerate(asked)]


def _cost(person: int, role: Age, place: int, pose: Pose) -> int:
    """Of a place for a person; sums over up to a hundred people are exact.

    The square of how far a place is from the person's index is least, over people of one role, when nobody overtakes
    anybody; the place's own index lets the places at the left be filled first where even that is equal.
    """
    spot = pose.places[place]
    misfit = _MISFIT.get(frozenset((role, spot.role)), 0) + (_EXTRA if spot.extra else 0)
    count = len(pose.places)
    apart = (person - place) ** 2 * count**2 + place
    return misfit * count**5 + apart


def _check(names: Sequence[str], chosen: Sequence[int], count: int) -> None:
    taken: dict[int, str] = {}
    for name, place in zip(names, chosen, strict=True):
        if not 0 <= place < count:
            raise SceneError(f"place: expected 0 to {count - 1}, but {name} asks for {place}.")
        if place in taken:
            raise SceneError(
                f"place: expected one person per place, but {taken[place]} and {name} both stand in {place} "
                "(a person without a place takes that of their index)."
            )
        taken[place] = name


def _reason(noun: str, place: Place, wish: int | None, how: CastBy) -> str:
    if wish is not None:
        return "asked for"
    if how == "order":
        return "in the order of the people"
    if place.extra:
        return "an extra's, as the others are taken"
    whose = _whose(place.role)
    role = role_of(noun)
    return whose if place.role == role else f"{whose}, as no {role}'s is left"


def _whose(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}'s place"


def _vacancy(pose: Pose, vacant: Sequence[int], nouns: Sequence[str], tags: Sequence[str]) -> tuple[str, ...]:
    """A note about places that stay without identity."""
    if not vacant:
        return ()
    where = ", ".join(f"{place} ({pose.places[place].role})" for place in vacant)
    note = f"Nobody takes place{'s' if len(vacant) > 1 else ''} {where}: strangers will stand there."
    people = len(nouns)
    whole = [each for each in fitting_templates([role_of(noun) for noun in nouns], tags=tags) if each.people == people]
    if not whole:
        return (note,)
    return (f"{note} Templates for {count_people(people)} are {_names(whole)}.",)


def _names(templates: Sequence[Template]) -> str:
    more = f" and {len(templates) - _SHOWN} more" if len(templates) > _SHOWN else ""
    return ", ".join(template.name for template in templates[:_SHOWN]) + more
