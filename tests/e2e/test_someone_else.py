"""The example that exchanges one person of a finished picture, on the miniature."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, load_example
from minis import shipped_miniature

from multiid import Composer, load_scene_file
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.reading import portraits_direction

PORTRAITS = ROOT / "examples" / "portraits"


@pytest.fixture(scope="module")
def composer() -> Composer:
    return shipped_miniature()


def likeness(faces: MiniFaces, picture: object, box: object, folder: Path) -> float:
    """How much the face in that box resembles the person in a folder of portraits."""
    import PIL.Image

    own = portraits_direction([PIL.Image.open(file) for file in sorted(folder.glob("*.png"))], faces)
    return float(faces.embed(picture, [box])[0] @ own)  # pyright: ignore[reportArgumentType]


def test_one_person_becomes_another_and_nobody_else_changes(composer: Composer) -> None:
    script, faces = load_example("someone_else"), MiniFaces()
    scene = load_scene_file(ROOT / "examples" / "tea.yaml", defaults=composer.defaults).scene(composer.identity)
    tea = composer.compose(scene)
    grace = composer.identity("grace", "woman", PORTRAITS / "grace")
    changed = script.someone_else(composer, scene, tea, "ada", grace)

    region = tea.stage.regions[0].numpy() > 0
    differs = (np.asarray(tea.image) != np.asarray(changed.image)).any(axis=-1)
    assert not differs[~region].any()
    assert differs[region].mean() > 0.8

    assert tea.stage.pose is not None
    box = tea.stage.pose.places[0].skeleton.face_box(tea.stage.size)
    scores = {
        (name, which): likeness(faces, picture.image, box, PORTRAITS / name)
        for name in ("ada", "grace")
        for which, picture in (("before", tea), ("after", changed))
    }
    print({" ".join(key): round(value, 3) for key, value in scores.items()})
    assert scores["ada", "before"] > scores["grace", "before"]
    assert scores["grace", "after"] > scores["ada", "after"]


def test_the_same_people_at_night(composer: Composer) -> None:
    script = load_example("someone_else")
    scene = load_scene_file(ROOT / "examples" / "tea.yaml", defaults=composer.defaults).scene(composer.identity)
    tea = composer.compose(replace(scene, steps=8))
    night = script.at_night(composer, list(scene.cast), tea)
    top = slice(0, 20)
    before, after = (np.asarray(picture.image)[top].mean() for picture in (tea, night))
    print(f"the sky's brightness falls from {before:.0f} to {after:.0f}")
    assert after < 0.75 * before
    row = script.side_by_side([tea, night])
    assert row.size == (2 * tea.image.width, tea.image.height)
