"""What a newcomer types first: the demo and the examples, on the miniature's own weights."""

import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner, Result
from conftest import ROOT
from minis import shipped_miniature

from multiid import read_recipe
from multiid.cli import main
from multiid.mini.demo.plan import plan_demo
from multiid.mini.demo.show import show
from multiid.mini.faces import MiniFaces

EXAMPLES = ROOT / "examples"


def succeed(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return result


def pixels(file: Path) -> np.ndarray:
    with PIL.Image.open(file) as image:
        return np.asarray(image)


@pytest.mark.parametrize("name", ["family", "friends", "team", "extras", "face_markers", "crowd"])
def test_an_example_becomes_a_picture(name: str, tmp_path: Path) -> None:
    output = tmp_path / f"{name}.png"
    result = succeed("compose", EXAMPLES / f"{name}.yaml", "--preset", "mini", "--device", "cpu", "-o", output)
    assert str(output) in result.stdout
    assert "cartoon people" in result.stderr
    pose = read_recipe(output).pose
    assert pose is not None
    places = len(pose.places)
    faces = len(MiniFaces().analyze(PIL.Image.open(output)))
    print(f"{name}: {faces} faces in {places} places found, at least {places - 1}")
    assert places - 1 <= faces <= places + 1


def test_a_recipe_makes_the_same_pixels_again(tmp_path: Path) -> None:
    tea, again = tmp_path / "tea.png", tmp_path / "again.png"
    people = tmp_path / "people"
    people.mkdir()
    options = ("--preset", "mini", "--device", "cpu", "--explain", "--save-people", people, "-o", tea)
    succeed("compose", EXAMPLES / "tea.yaml", *options)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["tea-explain.png", "tea.png"]
    assert read_recipe(tea).preset == "mini"
    succeed("compose", "--from", tea, "--people", people, "--device", "cpu", "-o", again)
    assert np.array_equal(pixels(again), pixels(tea))


def test_the_demo_writes_one_sheet(tmp_path: Path) -> None:
    output = tmp_path / "demo.png"
    began = time.perf_counter()
    result = succeed("demo", "--people", 2, "-o", output)
    print(f"the demo took {time.perf_counter() - began:.1f} s on one thread, not counting the start of Python")
    assert result.stdout == f"{output}\n"
    assert min(pixels(output).shape[:2]) > 1000


def test_the_demos_people_are_recognised_with_masks_alone() -> None:
    composer = shipped_miniature()
    made = show(plan_demo(seed=9), composer, faces=MiniFaces())
    right, mixed = (
        sum(seen is not None and seen.nearest == index for index, seen in enumerate(sightings))
        for sightings in (made.seen, made.mixed)
    )
    print(f"{right} of 4 faces are right with masks, all required; {mixed} without, at most 3")
    assert right == 4
    assert mixed <= 3
