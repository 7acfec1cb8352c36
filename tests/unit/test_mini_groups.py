import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multiid.mini.world.groups import group_sizes, make_group
from multiid.mini.world.scene import Scene, cast_pose, draw_scene
from multiid.poses.skeleton import Pose

SEEDS = st.integers(0, 10**9)
COUNTS = st.integers(1, 8)


def drawn(count: int, seed: int, *, overlap: bool = False) -> tuple[Pose, Scene]:
    pose = make_group(count, seed, overlap=overlap)
    return pose, draw_scene(pose, cast_pose(pose, seed=seed), seed=seed)


def seen_share(scene: Scene, index: int) -> float:
    """How much of a face is not covered by somebody else."""
    face = scene.people[index].face
    assert face is not None
    rows, columns = np.indices(scene.labels.shape)
    x, y = face.centre
    inside = ((columns - x) / (0.48 * face.width)) ** 2 + ((rows - y) / (0.48 * face.height)) ** 2 < 1
    return float((scene.labels[inside] == index + 1).mean())


@settings(max_examples=50)
@given(COUNTS, SEEDS, st.booleans())
def test_every_seed_gives_a_group_whose_faces_are_inside_and_large_enough(count: int, seed: int, overlap: bool):
    pose, scene = drawn(count, seed, overlap=overlap)
    assert len(pose.places) == count
    assert pose.size in group_sizes(count)
    assert pose.size.width % 8 == pose.size.height % 8 == 0
    lefts: list[float] = []
    for place, person in zip(pose.places, scene.people, strict=True):
        skeleton_face = place.skeleton.face_box(pose.size)
        assert skeleton_face is not None
        assert 27.9 <= skeleton_face.width * 1.6 <= 62.1
        face = person.face
        assert face is not None
        assert face.left >= -1
        assert face.top >= -1
        assert face.right <= pose.size.width + 1
        assert face.bottom <= pose.size.height + 1
        lefts.append(skeleton_face.centre[0])
    assert lefts == sorted(lefts)


@settings(max_examples=20)
@given(COUNTS, SEEDS)
def test_the_same_seed_gives_the_same_group(count: int, seed: int):
    assert make_group(count, seed) == make_group(count, seed)
    assert make_group(count, seed) != make_group(count, seed + 1)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_faces_are_seen(count: int):
    shares: list[float] = []
    for seed in range(30):
        _, scene = drawn(count, seed)
        shares += [seen_share(scene, index) for index in range(count)]
    print(f"{count} people: seen of a face {min(shares):.2f} at least, {np.mean(shares):.3f} on average")
    assert min(shares) > 0.5
    assert np.quantile(shares, 0.02) > 0.85


@pytest.mark.parametrize("count", [2, 4, 6])
def test_overlapping_heads_share_about_a_third(count: int):
    shares: list[float] = []
    for seed in range(30):
        pose, scene = drawn(count, seed, overlap=True)
        heads = [person.head for person in scene.people]
        for one, other in itertools.pairwise(heads):
            assert one is not None
            assert other is not None
            shares.append((one.right - other.left) / min(one.width, other.width))
        assert len({place.depth for place in pose.places}) > 1
    print(f"{count} people: neighbours' heads share {np.mean(shares):.3f} of their width")
    assert 0.26 < np.mean(shares) < 0.36


def test_groups_vary():
    poses = [make_group(4, seed) for seed in range(100)]
    assert {pose.size for pose in poses} == set(group_sizes(4))
    places = [place for pose in poses for place in pose.places]
    assert {place.role for place in places} == {"adult", "child", "elder"}
    assert {place.depth for place in places} == {0.0, 1.0}
    noses = [place.skeleton["nose"] for place in places]
    middle = float(np.mean([nose.x for nose in noses if nose is not None]))
    print(f"middle of all noses {middle:.3f}")
    assert abs(middle - 0.5) < 0.025  # no side is preferred
    wrists = [
        (wrist.y, shoulder.y)
        for place in places
        if (wrist := place.skeleton["right_wrist"]) and (shoulder := place.skeleton["right_shoulder"])
    ]
    raised = float(np.mean([hand < arm for hand, arm in wrists]))
    print(f"raised hands among those seen: {raised:.2f}")
    assert 0.03 < raised < 0.5


def test_a_size_can_be_asked_for():
    for size in group_sizes(3):
        assert make_group(3, 5, size=size).size == size


@pytest.mark.parametrize("count", [0, 9])
def test_so_many_people_are_refused(count: int):
    with pytest.raises(ValueError, match=f"expected 1 to 8 people, but got {count}"):
        make_group(count, 1)


def test_another_size_is_refused():
    with pytest.raises(ValueError, match=r"size: expected 112x96, .* for 2 people, but got 80x96"):
        make_group(2, 1, size=group_sizes(1)[0])
