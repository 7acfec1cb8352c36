"""Rows of people."""

import itertools

import pytest

from multiid.poses.checks import find_faults
from multiid.poses.row import MOST_IN_A_ROW, make_row


@pytest.mark.parametrize("people", range(1, MOST_IN_A_ROW + 1))
def test_everybody_has_a_face_apart_from_the_others(people: int) -> None:
    pose = make_row(people)
    assert find_faults(pose) == []
    boxes = [place.skeleton.face_box(pose.size) for place in pose.places]
    whole = [box for box in boxes if box is not None and box.inside(pose.size)]
    assert len(boxes) == len(whole) == people
    assert not any(a.expanded(0.5).overlaps(b) for a, b in itertools.pairwise(whole))
    assert [box.centre[0] for box in whole] == sorted(box.centre[0] for box in whole)
    assert all(place.role == "adult" for place in pose.places)
    narrowest = min(box.width for box in whole)
    print(f"{people}: the narrowest face has {narrowest:.0f} pixels, at least 60")
    assert narrowest >= 60


@pytest.mark.parametrize("people", [0, MOST_IN_A_ROW + 1])
def test_other_numbers_have_no_row(people: int) -> None:
    with pytest.raises(ValueError, match=f"people: expected 1 to {MOST_IN_A_ROW}, but got {people}"):
        make_row(people)
