"""The examples: drawn portraits that come with the checkout, and scene files that name them."""

import itertools
from types import ModuleType

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT, load_example

from multiid.mini.world.people import differences, is_held_out
from multiid.pipeline.scene_file import parse_scene, read_yaml

EXAMPLES = ROOT / "examples"
SCENES = sorted(EXAMPLES.glob("*.yaml"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_example("draw_portraits")


def test_the_portraits_are_as_the_world_draws_them(
    script: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("portraits")
    drawn = [file.relative_to(folder) for file in script.draw(folder)]
    kept = EXAMPLES / "portraits"
    assert sorted(drawn) == sorted(file.relative_to(kept) for file in kept.rglob("*.png"))
    largest = max((kept / file).stat().st_size for file in drawn)
    print(f"the largest portrait has {largest} bytes, at most 16,000")
    assert largest <= 16_000
    for file in drawn:
        with PIL.Image.open(folder / file) as new, PIL.Image.open(kept / file) as old:
            assert np.array_equal(np.asarray(new), np.asarray(old)), file


def test_nothing_was_trained_on_the_people_and_they_differ(script: ModuleType) -> None:
    people = script.PEOPLE
    assert all(is_held_out(person) for person in people.values())
    for one, other in itertools.combinations(people.values(), 2):
        assert one.hair_colour != other.hair_colour
        assert len(differences(one, other)) >= 3
    assert sum(person.glasses != "none" for person in people.values()) <= 2


@pytest.mark.parametrize("file", SCENES, ids=lambda file: file.stem)
def test_a_scene_calls_people_what_they_are(script: ModuleType, file: object) -> None:
    scene = parse_scene(read_yaml(EXAMPLES / str(file)), str(file))
    assert scene.people
    for person in scene.people:
        assert person.noun == script.PEOPLE[person.name].noun
        assert str(person.photos) == f"portraits/{person.name}"
        assert len(list((EXAMPLES / "portraits" / person.name).glob("*.png"))) == script.PORTRAITS


def test_everybody_is_in_some_scene(script: ModuleType) -> None:
    named = {person.name for file in SCENES for person in parse_scene(read_yaml(file), file.name).people}
    assert named == set(script.PEOPLE)
    counts = sorted(len(parse_scene(read_yaml(file), file.name).people) for file in SCENES)
    assert {2, 4, 6, 8} <= set(counts)
