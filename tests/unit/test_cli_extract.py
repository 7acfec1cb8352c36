"""`multiid templates extract`, with OpenPose's networks as controlnet-aux runs them and painted maps."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from figures import upright
from maps import FACE_MAPS, HAND_MAPS, answer, body_painter, part_painter, write_random_weights
from PIL import Image
from tinies import couple, small_scene, tiny_composer

from multiid.cli import main
from multiid.geometry import Point, Size
from multiid.poses.draw import draw_control_image, limb_width_for
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS
from multiid.poses.templates import load_template

PHOTO = Size(900, 600)
PEOPLE = [upright(PHOTO, x=600, crown=150, stature=380), upright(PHOTO, x=250, crown=60, stature=480)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return write_random_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a photo, and nothing else."""
    Image.new("RGB", PHOTO, "white").save(tmp_path / "party.jpg")
    return tmp_path


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the photo, it shows two people, whose hands and faces are seen."""
    answer(monkeypatch, "body", body_painter(PEOPLE, PHOTO.aspect))
    middle = Point(0.5, 0.5)
    answer(monkeypatch, "hand", part_painter((middle,) * HAND_POINTS, HAND_MAPS))
    answer(monkeypatch, "face", part_painter((middle,) * FACE_POINTS, FACE_MAPS))


def extract(folder: Path, weights: Path, *options: str, photo: str = "party.jpg", output: str = "t.json") -> Result:
    arguments = ["templates", "extract", folder / photo, "-o", folder / output, "--weights", weights, *options]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("two")
def test_a_photo_becomes_a_template_with_its_picture(folder: Path, weights: Path) -> None:
    result = extract(folder, weights, output="Our Party, 2.json")
    assert result.exit_code == 0, result.output
    template = load_template(folder / "Our Party, 2.json")
    assert (template.name, template.title, template.tags) == ("our-party-2", "2 people, from a photo", ("photo",))
    assert (len(template.places), template.size) == (2, Size(1280, 832))
    assert names(folder) == ["Our Party, 2.json", "Our Party, 2.png", "party.jpg"]
    with Image.open(folder / "Our Party, 2.png") as picture:
        assert max(picture.size) == 512
        assert np.asarray(picture.convert("RGB")).mean() < 40, "nothing of the white photo"
    assert "Our Party, 2.json: 2 place(s), 1280x832" in result.stdout
    assert "non-commercial research only" in result.stderr


@pytest.mark.usefixtures("two")
def test_hands_and_faces_are_read_when_asked_for_and_composed_with(folder: Path, weights: Path) -> None:
    result = extract(folder, weights, "--hands", "--face", "--title", "Tea", "--over-photo")
    assert result.exit_code == 0, result.output
    template = load_template(folder / "t.json")
    assert template.title == "Tea"
    for place in template.pose().places:
        assert place.skeleton.right_hand
        assert place.skeleton.left_hand
        assert place.skeleton.face
    with Image.open(folder / "t.png") as picture:
        assert np.asarray(picture.convert("RGB")).mean() > 60, "the white photo, dimmed"
    composer = tiny_composer()
    size = Size(256, 128)
    scene = small_scene(couple(composer), template=folder / "t.json", width=size.width, height=size.height)
    control = composer.compose(scene).stage.control
    assert control is not None
    width = limb_width_for(size, composer.defaults.limb_width / 1024)
    expected = draw_control_image(template.pose(), size=size, limb_width=width)
    assert np.array_equal(np.asarray(control), np.asarray(expected))


def test_nobody_in_the_photo_is_one_line_and_leaves_nothing(folder: Path, weights: Path) -> None:
    """Random networks see nobody."""
    Image.new("RGB", (64, 160), "white").save(folder / "wall.png")
    result = extract(folder, weights, photo="wall.png")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("multiid: error: Expected a photo of people, but nobody was found")
    assert names(folder) == ["party.jpg", "wall.png"]


@pytest.mark.usefixtures("two")
def test_whoever_is_left_out_is_said(folder: Path, weights: Path) -> None:
    result = extract(folder, weights, "--smallest", "0.08")
    assert result.exit_code == 0, result.output
    assert "note: Left out: 1 with a face smaller than 0.08" in result.stderr
    assert "1 place(s)" in result.stdout
    assert load_template(folder / "t.json").title == "1 person, from a photo"


@pytest.mark.parametrize("there", ["t.json", "t.png"])
def test_what_is_there_stays_without_force(there: str, folder: Path, weights: Path) -> None:
    (folder / there).write_text("mine")
    result = extract(folder, weights)
    assert result.exit_code == 2
    assert f"{there} exists; name another or add --force" in " ".join(result.stderr.split())
    assert (folder / there).read_text() == "mine"
    assert names(folder) == sorted(["party.jpg", there])


@pytest.mark.usefixtures("two")
def test_force_replaces(folder: Path, weights: Path) -> None:
    for name in ("t.json", "t.png"):
        (folder / name).write_text("mine")
    assert extract(folder, weights, "--force").exit_code == 0
    assert len(load_template(folder / "t.json").places) == 2


def test_the_preview_never_replaces_the_photo(folder: Path, weights: Path) -> None:
    Image.new("RGB", PHOTO).save(folder / "t.png")
    before = (folder / "t.png").read_bytes()
    result = extract(folder, weights, "--force", photo="t.png")
    assert result.exit_code == 2
    assert "would replace the photo itself" in result.stderr
    assert (folder / "t.png").read_bytes() == before


@pytest.mark.parametrize(
    ("photo", "output", "said"),
    [
        ("party.jpg", "t.yaml", "a file name ending in .json"),
        ("party.jpg", "no/t.json", "Expected an existing folder"),
        ("nowhere.jpg", "t.json", "there is no"),
    ],
)
def test_wrong_names_are_one_line(photo: str, output: str, said: str, folder: Path, weights: Path) -> None:
    result = extract(folder, weights, photo=photo, output=output)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("multiid: error: ")
    assert said in line
    assert names(folder) == ["party.jpg"]


def test_absent_weights_name_file_source_and_licence(folder: Path) -> None:
    result = extract(folder, folder)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    for part in ("body_pose_model.pth", "lllyasviel/Annotators", "non-commercial research only"):
        assert part in line


def test_the_help_names_the_licence() -> None:
    assert "NON-COMMERCIAL RESEARCH ONLY" in CliRunner().invoke(main, ["templates", "extract", "--help"]).output
