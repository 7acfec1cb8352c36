"""The second pass on small faces: what it paints, what it leaves alone, and that the miniature's faces gain by it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from minis import shipped_miniature
from tinies import couple, small_scene, tiny_composer

from multiid import (
    Box,
    Composer,
    Face,
    Identity,
    Person,
    Picture,
    Point,
    Pose,
    Scene,
    SceneError,
    Size,
    read_recipe,
    refine_faces,
)
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.reading import portraits_direction
from multiid.mini.figures.trials import draw_photos, draw_references, make_trial

WHOLE = {"below": 1000.0}


@pytest.fixture(scope="module")
def composer() -> Composer:
    return tiny_composer()


@pytest.fixture(scope="module")
def people(composer: Composer) -> list[Identity]:
    return couple(composer)


@pytest.fixture(scope="module")
def scene(people: list[Identity]) -> Scene:
    return small_scene(people, steps=4)


@pytest.fixture(scope="module")
def picture(composer: Composer, scene: Scene) -> Picture:
    return composer.compose(scene)


def changed(one: PIL.Image.Image, other: PIL.Image.Image) -> np.ndarray:
    return (np.asarray(one) != np.asarray(other)).any(axis=-1)


def test_only_heads_change(composer: Composer, scene: Scene, picture: Picture) -> None:
    refined = refine_faces(composer, scene, picture, **WHOLE)
    here = changed(refined.image, picture.image)
    assert refined.stage.pose is not None
    rows, columns = np.nonzero(here)
    faces = [place.skeleton.face_box(Size(192, 128)) for place in refined.stage.pose.places]
    for box in faces:
        assert box is not None
        x, y = (round(value) for value in box.centre)
        assert here[y, x]
    widest = max(box.height for box in faces if box is not None)
    lowest = max(box.bottom for box in faces if box is not None)
    assert rows.max() <= lowest + 0.3 * widest, "nothing below the chins"
    owned = refined.stage.regions.sum(dim=0).numpy() > 0
    assert not here[~owned].any()
    assert 0 < len(columns) < 0.2 * here.size


def test_nobody_elses_region_changes(composer: Composer, scene: Scene, picture: Picture) -> None:
    for index, name in enumerate(picture.names):
        refined = refine_faces(composer, scene, picture, people=[name], **WHOLE)
        here = changed(refined.image, picture.image)
        assert here.any()
        assert not here[picture.stage.regions[1 - index].numpy() > 0].any()


def test_each_face_gets_its_own_person_alone(
    composer: Composer, people: list[Identity], scene: Scene, picture: Picture
) -> None:
    ada, isaac = people
    without = replace(scene, people=[ada, Person(isaac, strength=0)])
    one, other = (refine_faces(composer, which, picture, **WHOLE).image for which in (scene, without))
    here = changed(one, other)
    assert here[picture.stage.regions[1].numpy() > 0].any()
    assert not here[picture.stage.regions[0].numpy() > 0].any()


def test_large_faces_are_left_alone(composer: Composer, scene: Scene, picture: Picture) -> None:
    assert picture.stage.pose is not None
    widths = [
        box.width for place in picture.stage.pose.places if (box := place.skeleton.face_box(Size(192, 128))) is not None
    ]
    untouched = refine_faces(composer, scene, picture, below=min(widths))
    assert untouched.image == picture.image
    assert "so none was refined" in untouched.notes[-1]
    assert refine_faces(composer, scene, picture, below=max(widths) + 1).image != picture.image


def test_all_pictures_are_refined_each_as_it_would_be_alone(composer: Composer, scene: Scene) -> None:
    several = composer.compose(replace(scene, images=3))
    refined = refine_faces(composer, scene, several, **WHOLE)
    for index in range(3):
        alone = refine_faces(composer, scene, several.only(index), **WHOLE)
        difference = np.asarray(alone.image).astype(int) - np.asarray(refined.images[index])
        assert np.abs(difference).max() <= 1


def test_more_faces_than_fit_into_one_batch(composer: Composer, scene: Scene) -> None:
    seen: list[tuple[int, int]] = []
    several = composer.compose(replace(scene, images=5))
    refined = refine_faces(composer, scene, several, progress=lambda *step: seen.append(step), strength=0.5, **WHOLE)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)], "ten faces in two batches of two steps"
    assert all(changed(a, b).any() for a, b in zip(refined.images, several.images, strict=True))


def test_networks_are_left_as_they_were(composer: Composer, scene: Scene, picture: Picture) -> None:
    def state() -> list[tuple[int, torch.dtype, str]]:
        parts = [part for part in composer.pipeline.components.values() if isinstance(part, torch.nn.Module)]
        return [(w.data_ptr(), w.dtype, str(w.device)) for part in parts for w in part.parameters()]

    before, processors = state(), dict(composer.pipeline.unet.attn_processors)
    refine_faces(composer, scene, picture, **WHOLE)
    assert state() == before, "neither copied nor cast"
    assert dict(composer.pipeline.unet.attn_processors) == processors


def test_a_pose_that_reaches_beyond_the_cutout_is_cut_not_squeezed(
    composer: Composer, scene: Scene, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Scene] = []
    plain = Composer.compose_batch

    def watched(self: Composer, scenes: Sequence[Scene], **options: Any) -> Any:
        asked.extend(scenes)
        return plain(self, scenes, **options)

    monkeypatch.setattr(Composer, "compose_batch", watched)
    refine_faces(composer, scene, picture, people=["isaac"], **WHOLE)
    (close_up,) = asked
    assert picture.stage.pose is not None
    assert close_up.pose is not None
    own = close_up.pose.places[close_up.cast[0].place or 0].skeleton
    original = picture.stage.pose.places[1].skeleton
    nose, neck = own["nose"], own["neck"]
    old_nose, old_neck = original["nose"], original["neck"]
    assert nose is not None
    assert neck is not None
    assert old_nose is not None
    assert old_neck is not None
    # One scale for both directions, which the pixels' shape shows.
    across = (neck.x - nose.x) / ((old_neck.x - old_nose.x) * 192) if old_neck.x != old_nose.x else None
    down = (neck.y - nose.y) / ((old_neck.y - old_nose.y) * 128)
    assert across is None or across == pytest.approx(down)
    assert 0 < nose.x < 1
    assert 0 < nose.y < 1
    assert close_up.prompt == "a woman and a {isaac} in a garden"
    assert close_up.init is not None
    assert close_up.merge_step == -1


class OneFace:
    """Finds one face, always in the same place."""

    recogniser = None

    def __init__(self, box: Box) -> None:
        self.box = box

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        del image
        return [Face(self.box, ((1.0, 1.0),) * 5, 1.0)]


def test_without_a_pose_faces_are_found(composer: Composer, people: list[Identity]) -> None:
    halves = (Box(0, 0, 96, 128), Box(96, 0, 192, 128))
    boxed = [Person(person, region=box) for person, box in zip(people, halves, strict=True)]
    wanted = small_scene(boxed, template=None, steps=4)
    picture = composer.compose(wanted)
    with pytest.raises(SceneError, match="refine: expected a scene with a template or a pose, or a composer with a"):
        refine_faces(composer, wanted, picture)
    finding = Composer(composer.pipeline, composer.adapter, OneFace(Box(120, 30, 150, 66)), defaults=composer.defaults)
    refined = refine_faces(finding, wanted, picture, **WHOLE)
    rows, columns = np.nonzero(changed(refined.image, picture.image))
    assert 110 < columns.min() < 125
    assert 145 < columns.max() < 160
    assert 20 < rows.min() < 36
    assert 60 < rows.max() < 76
    # A face that is nobody's is left alone.
    nowhere = Composer(composer.pipeline, composer.adapter, OneFace(Box(300, 30, 330, 60)), defaults=composer.defaults)
    assert refine_faces(nowhere, wanted, picture, **WHOLE).image == picture.image


def test_the_recipe_says_so(composer: Composer, scene: Scene, people: list[Identity], tmp_path: Any) -> None:
    picture = composer.compose(scene)
    refined = refine_faces(composer, scene, picture, below=999, strength=0.6, people=["ada"])
    recipe = read_recipe(refined.save(tmp_path / "refined.png")[0])
    (refinement,) = recipe.refinements
    assert refinement.model_dump() == {"below": 999, "strength": 0.6, "people": ("ada",)}
    again = composer.compose(recipe.to_scene(people))
    assert refine_faces(composer, scene, again, **refinement.model_dump()).image == refined.image


def test_what_cannot_be_refined_is_told(composer: Composer, scene: Scene, picture: Picture) -> None:
    with pytest.raises(SceneError, match="people: expected some of ada, isaac, but got mary"):
        refine_faces(composer, scene, picture, people=["mary"])
    latent = composer.compose(scene, output_type="latent")
    with pytest.raises(SceneError, match="picture: expected one with pixels to refine"):
        refine_faces(composer, scene, latent)


def test_small_faces_of_the_miniature_gain() -> None:
    """Faces under 24 pixels, made and then refined, against portraits that the generator never got."""
    composer, faces = shipped_miniature(), MiniFaces()
    before: list[float] = []
    after: list[float] = []
    for index in (1, 2, 3):
        trial = make_trial("random", 4, index)
        size = Size(*(8 * round(0.65 * side / 8) for side in trial.pose.size))
        names = trial.names
        cast = [
            composer.identity(name, person.noun, draw_photos(person, seed=trial.seed))
            for name, person in zip(names, trial.cast.people, strict=True)
        ]
        wanted = Scene(
            trial.prompt, cast, pose=trial.pose, width=size.width, height=size.height, seed=trial.seed, steps=12
        )
        picture = composer.compose(wanted)
        refined = refine_faces(composer, wanted, picture, below=24)
        assert picture.stage.pose is not None
        for person, place in zip(trial.cast.people, picture.stage.pose.places, strict=True):
            box = place.skeleton.face_box(size)
            assert box is not None
            if box.width >= 24:
                continue
            own = portraits_direction(draw_references(person, seed=trial.seed), faces)
            for image, scores in ((picture.image, before), (refined.image, after)):
                scores.append(float(faces.embed(image, [box])[0] @ own))
    gain = float(np.mean(after) - np.mean(before))
    print(f"{len(before)} faces: {np.mean(before):.3f} before, {np.mean(after):.3f} after, gain {gain:.3f} (0.05)")
    assert len(before) >= 4
    assert gain >= 0.05


def test_a_pose_can_be_of_any_size(composer: Composer, people: list[Identity], picture: Picture) -> None:
    """A face at the picture's edge has its cutout moved inside."""
    assert picture.stage.pose is not None
    moved = Pose(
        picture.stage.pose.size,
        tuple(
            replace(place, skeleton=place.skeleton.moved(lambda point: Point(point.x * 0.9, point.y - 0.1)))
            for place in picture.stage.pose.places
        ),
    )
    wanted = small_scene(people, template=None, pose=moved, steps=4)
    made = composer.compose(wanted)
    assert refine_faces(composer, wanted, made, **WHOLE).image != made.image


def test_a_face_in_a_wide_row_of_people(composer: Composer, people: list[Identity]) -> None:
    """Those far from a cutout are many cutouts away, farther than a pose may reach."""
    wanted = small_scene(people, template="team-eight", width=448, height=192, steps=4)
    made = composer.compose(wanted)
    assert refine_faces(composer, wanted, made, **WHOLE).image != made.image


def test_a_covered_face_leaves_who_covers_it(composer: Composer, people: list[Identity], picture: Picture) -> None:
    pose = picture.stage.pose
    assert pose is not None
    first, second = pose.places
    noses = [place.skeleton["nose"] for place in (first, second)]
    assert noses[0] is not None
    assert noses[1] is not None
    box = first.skeleton.face_box(pose.size)
    assert box is not None
    step = noses[1].x - noses[0].x - 0.5 * box.width / pose.size.width
    behind = replace(second, depth=1.0, skeleton=second.skeleton.moved(lambda p: Point(p.x - step, p.y)))
    wanted = small_scene(people, template=None, pose=Pose(pose.size, (first, behind)), steps=4)
    made = composer.compose(wanted)
    refined = refine_faces(composer, wanted, made, people=["isaac"], **WHOLE)
    here = changed(refined.image, made.image)
    assert here.any()
    assert not here[made.stage.regions[0].numpy() > 0].any()
