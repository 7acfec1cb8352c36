from dataclasses import replace

import numpy as np
import pytest

from multiid.errors import SceneError
from multiid.geometry import Point, Size
from multiid.mini.world.people import make_person
from multiid.mini.world.scene import Cast, Scene, cast_pose, draw_scene
from multiid.mini.world.words import PLACES, Clothes
from multiid.poses.anatomy import Limb
from multiid.poses.body import Body
from multiid.poses.skeleton import Place, Pose
from multiid.poses.templates import load_template, template_names

SIZE = Size(240, 160)


def body(x: float, *, depth: float = 0.0, role: str = "adult") -> Place:
    skeleton = Body(height=1.3, face=Point(x, 0.35)).skeleton(SIZE)
    return Place(skeleton, depth=depth, role=role)


def array(scene: Scene) -> np.ndarray:
    return np.asarray(scene.picture).astype(float)


def small(name: str) -> tuple[Pose, Size]:
    pose = load_template(name).pose()
    return pose, Size(round(160 * pose.size.aspect), 160)


def test_the_same_seeds_draw_the_same_bytes():
    pose, size = small("family-three")
    one = draw_scene(pose, cast_pose(pose, seed=1), seed=2, size=size)
    other = draw_scene(pose, cast_pose(pose, seed=1), seed=2, size=size)
    assert one.picture.tobytes() == other.picture.tobytes()
    assert np.array_equal(one.labels, other.labels)
    assert draw_scene(pose, cast_pose(pose, seed=1), seed=3, size=size).picture.tobytes() != one.picture.tobytes()


@pytest.mark.parametrize("name", template_names())
def test_every_template_draws_everybody(name: str):
    pose, size = small(name)
    cast = cast_pose(pose, seed=4)
    scene = draw_scene(pose, cast, seed=4, size=size)
    assert scene.picture.size == size
    assert scene.labels.shape == (size.height, size.width)
    assert scene.labels.dtype == np.uint8
    shares = [float((scene.labels == index + 1).mean()) for index in range(len(pose.places))]
    print(f"{name}: least share of the picture {min(shares):.3f}, background {float((scene.labels == 0).mean()):.2f}")
    assert min(shares) > 0.01
    assert set(np.unique(scene.labels)) == set(range(len(pose.places) + 1))
    for index, (seen, place) in enumerate(zip(scene.people, pose.fitted(size).places, strict=True)):
        skeleton_face, skeleton_head = place.skeleton.face_box(size), place.skeleton.head_box(size)
        assert seen.head is not None
        assert skeleton_head is not None
        x, y = skeleton_head.centre
        assert scene.labels[int(y), int(x)] == index + 1
        assert seen.person.age == place.role
        assert (seen.face is None) == (skeleton_face is None)
        if seen.face is None or skeleton_face is None:
            continue
        assert seen.face.centre == pytest.approx(skeleton_face.centre, abs=0.1 * skeleton_face.width)
        assert 1.3 <= seen.face.width / skeleton_face.width <= 2.1
        assert seen.head.left <= seen.face.left
        assert seen.head.right >= seen.face.right
        assert seen.head.top <= seen.face.top
        assert seen.head.bottom >= seen.face.bottom


def test_who_is_in_front_covers_who_is_behind():
    for front in (0, 1):
        places = (body(0.45, depth=float(front != 0)), body(0.53, depth=float(front != 1)))
        both = draw_scene(Pose(SIZE, places), cast := cast_pose(Pose(SIZE, places), seed=1), seed=1)
        alone = Pose(SIZE, (places[front],))
        only = draw_scene(alone, Cast((cast.people[front],), (cast.clothes[front],), cast.place), seed=1)
        assert np.array_equal(both.labels == front + 1, only.labels == 1)
        behind = both.labels == 2 - front
        assert 0 < behind.sum() < only.labels.sum()


def test_labels_are_the_pixels_that_people_change():
    places = (body(0.3), body(0.7))
    pose = Pose(SIZE, places)
    cast = cast_pose(pose, seed=2)
    scene = draw_scene(pose, cast, seed=5)
    other = draw_scene(pose, replace(cast, clothes=(Clothes("yellow", "shirt"), cast.clothes[1])), seed=5)
    changed = np.abs(array(scene) - array(other)).max(axis=2) > 40
    assert changed.sum() > 1000
    assert set(np.unique(scene.labels[changed & (scene.labels == other.labels)])) == {1}


def test_clothes_colour_what_the_label_says():
    pose = Pose(SIZE, (body(0.5),))
    cast = cast_pose(pose, seed=2)
    means: dict[str, np.ndarray] = {}
    for colour in ("red", "blue", "yellow", "black"):
        scene = draw_scene(pose, Cast(cast.people, (Clothes(colour, "coat"),), "beach"), seed=1)
        means[colour] = array(scene)[120:150][scene.labels[120:150] == 1].mean(axis=0)
        assert scene.people[0].phrase == f"a {cast.people[0].noun} in a {colour} coat"
    assert means["red"][0] > means["red"][2] + 60
    assert means["blue"][2] > means["blue"][0] + 60
    assert means["yellow"][1] > means["yellow"][2] + 60
    assert means["black"].max() < 110


def test_places_differ():
    pose = Pose(SIZE, (body(0.5),))
    cast = cast_pose(pose, seed=2)
    scenes = {place: draw_scene(pose, replace(cast, place=place), seed=1) for place in PLACES}
    background = next(iter(scenes.values())).labels == 0
    changes = [
        float(np.abs(array(scenes[a]) - array(scenes[b]))[background].mean()) for a in PLACES for b in PLACES if a < b
    ]
    print(f"places: least mean difference of the background {min(changes):.1f}")
    assert min(changes) > 15
    for place, scene in scenes.items():
        assert scene.place == PLACES[place]
        assert scene.caption == f"{scene.people[0].phrase.split(' in ')[0]} {PLACES[place]}"


def test_limbs_go_on_to_the_edge_of_the_picture():
    pose, size = small("couple-selfie")
    scene = draw_scene(pose, cast_pose(pose, seed=1), seed=1, size=size)
    assert (scene.labels[-1] > 0).mean() > 0.8
    assert (scene.labels[:, 0] == 1).any()


def test_a_pose_of_another_shape_is_letterboxed():
    pose = load_template("single-portrait").pose()
    scene = draw_scene(pose, cast_pose(pose, seed=1), seed=1, size=SIZE)
    face = scene.people[0].face
    assert face is not None
    assert face.height / face.width == pytest.approx(1.1, abs=0.35)
    assert 80 < face.centre[0] < 160


def test_who_looks_away_has_hair_where_others_have_a_face():
    """Eyes are white in all faces, and nothing else about a head is, of somebody with dark hair."""
    dark = replace(make_person(3, age="adult"), hair_style="crop", hair_colour="black", skin="bronze", glasses="none")
    heads = []
    for turn in (0.0, 180.0):
        skeleton = Body(height=1.3, face=Point(0.5, 0.35), turn=turn, head_turn=turn).skeleton(SIZE)
        pose = Pose(SIZE, (Place(skeleton),))
        scene = draw_scene(pose, Cast((dark,), (Clothes("red", "shirt"),), "beach"), seed=1)
        (seen,) = scene.people
        assert (seen.face is None) == (turn == 180.0)
        assert seen.head is not None
        left, top, right, bottom = (round(corner) for corner in seen.head.corners)
        own = scene.labels[top:bottom, left:right] == 1
        heads.append(array(scene)[top:bottom, left:right][own])
        assert scene.labels[round(seen.head.centre[1]), round(seen.head.centre[0])] == 1
    white = [float((head.min(axis=1) > 200).mean()) for head in heads]
    print(f"white of the head: {white[0]:.3f} from the front, {white[1]:.3f} from behind")
    assert white[0] > 0.005
    assert white[1] < 0.001
    assert heads[1].mean() < 0.8 * heads[0].mean(), "hair is darker than skin and eyes"


def test_arms_are_behind_a_back_and_in_front_of_a_chest():
    shares = []
    for turn in (0.0, 180.0):
        folded = Limb(out=5.0, forward=20.0, bend=110.0, twist=80.0)
        body = Body(height=1.3, face=Point(0.5, 0.35), turn=turn, head_turn=turn, right_arm=folded, left_arm=folded)
        pose = Pose(SIZE, (Place(body.skeleton(SIZE)),))
        person = replace(make_person(3, age="adult"), skin="bronze")
        scene = draw_scene(pose, Cast((person,), (Clothes("white", "dress"),), "beach"), seed=1)
        middle = array(scene)[90:140, 110:130]
        shares.append(float((middle.max(axis=2) < 170).mean()))
    print(f"bare arms before a white dress: {shares[0]:.2f} from the front, {shares[1]:.2f} from behind")
    assert shares[0] > 2 * shares[1]


def test_somebody_without_a_face_is_a_body():
    places = (replace(body(0.5), skeleton=Body(height=1.6, hips=Point(0.5, 0.5)).skeleton(SIZE)),)
    scene = draw_scene(pose := Pose(SIZE, places), cast_pose(pose, seed=1), seed=1)
    assert scene.people[0].face is None
    assert (scene.labels == 1).any()


def test_what_does_not_fit_is_refused():
    pose = Pose(SIZE, (body(0.3), body(0.7)))
    cast = cast_pose(pose, seed=1)
    with pytest.raises(SceneError, match=r"the pose's 2 places .* but got 1 people and 2 sets"):
        draw_scene(pose, replace(cast, people=cast.people[:1]))
    with pytest.raises(SceneError, match=r"Expected a place of beach.*but got 'Mars'"):
        draw_scene(pose, replace(cast, place="Mars"))
    with pytest.raises(SceneError, match="but got 'in a mauve coat'"):
        draw_scene(pose, replace(cast, clothes=(Clothes("mauve", "coat"), cast.clothes[1])))
