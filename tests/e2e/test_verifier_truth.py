"""The verifier against truth: drawn groups that went wrong on purpose, whose right verdict is known.

A case counts as right when everybody in it gets the right verdict. Nobody in it was trained on, and references come
from portraits that are in no picture.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache

import pytest
from mishaps import KINDS, Case, Sitter, draw_case, invite

from multiid.evaluation.matching import Matching, match_faces
from multiid.mini.faces import MiniFaces

SITTERS = 120
SEED = 2_700_000  # likeness was chosen on others
REQUIRED = 0.97
REQUIRED_OVERLAPPING = 0.85  # half a head is often all there is to go by


def is_right(case: Case, matching: Matching) -> bool:
    return tuple(match.status for match in matching.people) == case.statuses


@cache
def guests() -> tuple[MiniFaces, Sequence[Sitter]]:
    """Who reads faces, and everybody who is drawn."""
    faces = MiniFaces()
    return faces, invite(SITTERS, seed=SEED, faces=faces)


def share_right(cases: int, *, overlapping: bool = False) -> float:
    """The share of that many cases with the right verdict on everybody; prints it for each kind too."""
    faces, sitters = guests()
    right, drawn = Counter[str](), Counter[str]()
    counted = 0
    for index in range(cases):
        case = draw_case(index, sitters, seed=SEED, overlapping=overlapping)
        matching = match_faces(faces.analyze(case.picture), case.wanted, recogniser=faces.recogniser)
        groups = ("all", *case.kinds)
        drawn.update(groups)
        if is_right(case, matching):
            right.update(groups)
            counted += len(matching.strangers) == case.strangers
        else:
            wrong = zip(matching.people, case.statuses, strict=True)
            told = [f"{match.name} {match.status}, not {truth}" for match, truth in wrong if match.status != truth]
            print(f"case {index} ({', '.join(groups[1:])}): {'; '.join(told)}")
    for group in ("all", *KINDS):
        print(f"{group}: {right[group]} of {drawn[group]} right, {right[group] / max(1, drawn[group]):.3f}")
    print(f"and as many strangers as there are in {counted} of these")
    return right["all"] / drawn["all"]


def chance(required: float, cases: int) -> float:
    """Three standard deviations of a share."""
    return 3 * (required * (1 - required) / cases) ** 0.5


def test_a_few_cases() -> None:
    """Far fewer than the thousand, for runs without slow tests; so room for chance."""
    assert share_right(40) >= REQUIRED - chance(REQUIRED, 40)


def test_overlapping_heads() -> None:
    """Harder: the recogniser sees two people's hair at once."""
    assert share_right(110, overlapping=True) >= REQUIRED_OVERLAPPING - chance(REQUIRED_OVERLAPPING, 110)


@pytest.mark.slow
def test_a_thousand_cases() -> None:
    assert share_right(1_000) >= REQUIRED


def test_cases_are_the_same_every_time() -> None:
    sitters = invite(60, seed=SEED, faces=MiniFaces())
    for index in range(len(KINDS)):
        one, other = (draw_case(index, sitters, seed=SEED) for _ in range(2))
        assert one.picture.tobytes() == other.picture.tobytes()
        assert (one.kinds, one.statuses, one.strangers) == (other.kinds, other.statuses, other.strangers)
        assert KINDS[index] in one.kinds
