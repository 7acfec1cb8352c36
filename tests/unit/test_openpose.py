"""Reading with controlnet-aux's own code and random weights; where people are wanted, what the networks' last layers
say is painted by hand, and all that comes before and after is real."""

import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from figures import upright
from maps import FACE_MAPS, HAND_MAPS, answer, body_painter, part_painter, write_random_weights
from PIL import Image

from multiid.errors import MissingExtraError, ModelFileError
from multiid.geometry import Point, Size
from multiid.poses.extract import PoseReader, extract_pose
from multiid.poses.openpose import OpenPoseReader
from multiid.poses.skeleton import FACE_POINTS, HAND_POINTS, JOINTS, Skeleton

PHOTO = Size(900, 600)
READ_AT = Size(768, 512)  # what a photo of that shape is brought to
TOLERANCE = 3.0  # pixels of READ_AT; a cell of the maps is 22 of them
GREY = Image.new("RGB", PHOTO, "grey")

LEFT = upright(PHOTO, x=250, crown=60, stature=480)
RIGHT = upright(PHOTO, x=600, crown=100, stature=440, hidden=("left_ear", "right_ankle"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return write_random_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def reader(weights: Path) -> OpenPoseReader:
    return OpenPoseReader(weights, hands=True, face=True)


@pytest.fixture
def paint(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return partial(answer, monkeypatch)


def furthest(found: Sequence[Point | None], expected: Sequence[Point | None]) -> float:
    """The largest distance between points, in pixels; both must see the same ones."""
    assert [point is None for point in found] == [point is None for point in expected]
    return max(
        math.hypot((a.x - b.x) * READ_AT.width, (a.y - b.y) * READ_AT.height)
        for a, b in zip(found, expected, strict=True)
        if a is not None and b is not None
    )


def two(paint: Callable[..., None], reader: OpenPoseReader) -> list[Skeleton]:
    paint("body", body_painter([RIGHT, LEFT], PHOTO.aspect))
    return sorted(reader.bodies(GREY), key=lambda skeleton: skeleton["neck"] or Point(0, 0))


def test_two_people_are_read_from_their_maps(paint: Callable[..., None], reader: OpenPoseReader):
    found = two(paint, reader)
    assert len(found) == 2
    for skeleton, expected in zip(found, (LEFT, RIGHT), strict=True):
        distance = furthest(skeleton.points, expected.points)
        print(f"furthest point {distance:.1f} px off, allowed {TOLERANCE}")
        assert distance < TOLERANCE
        assert (skeleton.right_hand, skeleton.left_hand, skeleton.face) == (None, None, None)


def test_a_tall_photo_keeps_its_people(paint: Callable[..., None], reader: OpenPoseReader):
    tall = Size(600, 900)
    expected = upright(tall, x=200, crown=100, stature=700)
    paint("body", body_painter([expected], tall.aspect))
    (found,) = reader.bodies(Image.new("RGB", tall))
    neck, wanted = found["neck"], expected["neck"]
    assert neck is not None
    assert wanted is not None
    assert neck == pytest.approx(wanted, abs=0.01)


def test_what_is_read_makes_a_pose(paint: Callable[..., None], weights: Path):
    paint("body", body_painter([RIGHT, LEFT], PHOTO.aspect))
    found = extract_pose(GREY, OpenPoseReader(weights))
    assert found.notes == ()
    unseen = [[joint for joint in JOINTS if place.skeleton[joint] is None] for place in found.pose.places]
    assert unseen == [[], ["right_ankle", "left_ear"]]


def test_hands_are_read_where_arms_end(paint: Callable[..., None], reader: OpenPoseReader):
    from controlnet_aux.open_pose.body import BodyResult, Keypoint
    from controlnet_aux.open_pose.util import handDetect

    hand = (*(Point(0.2 + 0.03 * index, 0.3 + 0.02 * index) for index in range(HAND_POINTS - 1)), None)
    paint("hand", part_painter(hand, HAND_MAPS))
    paint("face", part_painter((None,) * FACE_POINTS, FACE_MAPS))
    body = BodyResult(
        [p and Keypoint(p.x * READ_AT.width, p.y * READ_AT.height) for p in LEFT.points], total_score=0, total_parts=18
    )
    boxes = handDetect(body, np.zeros((READ_AT.height, READ_AT.width, 3)))
    assert [is_left for *_, is_left in boxes] == [True, False]
    skeleton = reader.with_details(GREY, LEFT)
    assert skeleton.points == LEFT.points
    assert skeleton.face is None
    for x, y, side, is_left in boxes:
        found = skeleton.left_hand if is_left else skeleton.right_hand
        assert found is not None
        expected = [p and Point((x + p.x * side) / READ_AT.width, (y + p.y * side) / READ_AT.height) for p in hand]
        distance = furthest(found, expected)
        print(f"furthest point of a hand of {side} px {distance:.1f} px off, allowed {TOLERANCE}")
        assert distance < TOLERANCE


def test_a_face_keeps_the_order_of_its_points(paint: Callable[..., None], reader: OpenPoseReader):
    """Unseen points stay in their places, and the map of the background is no point."""
    face = tuple(
        None if index % 5 == 2 else Point(0.2 + 0.008 * index, 0.3 + 0.4 * (index % 7) / 7)
        for index in range(FACE_POINTS)
    )
    background = (Point(0.9, 0.9),)
    paint("hand", part_painter((None,) * HAND_POINTS, HAND_MAPS))
    paint("face", part_painter(face + background, FACE_MAPS))
    skeleton = reader.with_details(GREY, LEFT)
    assert (skeleton.right_hand, skeleton.left_hand) == (None, None)
    assert skeleton.face is not None
    assert len(skeleton.face) == FACE_POINTS
    assert [point is None for point in skeleton.face] == [point is None for point in face]
    seen = [(found, wanted) for found, wanted in zip(skeleton.face, face, strict=True) if found and wanted]
    # Where the face's square lies is controlnet-aux's own business; that all points share it is ours.
    for axis in (0, 1):
        spread = [pair[0][axis] for pair in seen], [pair[1][axis] for pair in seen]
        least, most = (min(spread[1]), max(spread[1]))
        side = (max(spread[0]) - min(spread[0])) / (most - least)
        off = max(abs((a - min(spread[0])) - (b - least) * side) for a, b in zip(*spread, strict=True))
        print(f"axis {axis}: {off * READ_AT[axis]:.1f} px off, allowed {TOLERANCE}")
        assert off * READ_AT[axis] < TOLERANCE
    nose = LEFT["nose"]
    assert nose is not None
    assert all(abs(found.x - nose.x) < 0.1 for found, _ in seen)


def test_a_body_without_head_or_arms_has_no_details(paint: Callable[..., None], reader: OpenPoseReader):
    for name, count in (("hand", HAND_MAPS), ("face", FACE_MAPS)):
        paint(name, part_painter((Point(0.5, 0.5),) * count, count))
    hidden = ("nose", "right_eye", "left_eye", "right_ear", "left_ear", "right_elbow", "left_wrist")
    torso = upright(PHOTO, x=250, crown=60, stature=480, hidden=hidden)
    assert reader.with_details(GREY, torso) == torso


def test_random_networks_of_the_published_form_run(weights: Path):
    """All that is real, weights too: they find nobody, and the small picture goes through whole."""
    reader = OpenPoseReader(weights)
    assert isinstance(reader, PoseReader)
    assert not reader.reads_details
    assert reader.bodies(Image.new("L", (64, 160), 128)) == []


def test_a_panorama_does_not_grow_without_bound(reader: OpenPoseReader, monkeypatch: pytest.MonkeyPatch):
    """Each pixel costs 57 numbers of maps."""
    from controlnet_aux.open_pose import Body

    class SeenEnoughError(Exception):
        pass

    def measure(_body: Body, pixels: np.ndarray) -> None:
        assert pixels.shape == (64, 2048, 3)
        raise SeenEnoughError

    monkeypatch.setattr(Body, "__call__", measure)
    with pytest.raises(SeenEnoughError):
        reader.bodies(Image.new("RGB", (4096, 128)))


def test_only_what_is_wanted_is_looked_for(weights: Path, tmp_path: Path):
    (tmp_path / "body_pose_model.pth").write_bytes((weights / "body_pose_model.pth").read_bytes())
    assert not OpenPoseReader(tmp_path).reads_details
    with pytest.raises(ModelFileError, match=r"hand_pose_model\.pth in .*non-commercial research only"):
        OpenPoseReader(tmp_path, hands=True)
    with pytest.raises(ModelFileError, match=r"facenet\.pth in .* lllyasviel/Annotators"):
        OpenPoseReader(tmp_path, face=True)


def test_absent_weights_say_what_to_get_and_its_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ModelFileError, match=r"body_pose_model\.pth in .*non-commercial research only"):
        OpenPoseReader(tmp_path)
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(tmp_path))
    with pytest.raises(ModelFileError, match=r"lllyasviel/Annotators \(CMU's OpenPose licence.*put it at"):
        OpenPoseReader()


def test_the_models_folder_is_found(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(weights))
    assert OpenPoseReader(hands=True, face=True).reads_details


class Bomb:
    """Pickled, it is code that runs."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("content", ["half", "code", "list", "others"])
def test_damaged_weights_are_one_clear_line(
    content: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "body_pose_model.pth"
    whole = (weights / file.name).read_bytes()
    if content == "half":
        file.write_bytes(whole[: len(whole) // 2])
    elif content == "code":
        file.write_bytes(pickle.dumps(Bomb()))
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    elif content == "list":
        torch.save([1, 2], file)
    else:
        file.write_bytes((weights / "facenet.pth").read_bytes())
    reader = OpenPoseReader(tmp_path)
    with pytest.raises(ModelFileError, match=r"body_pose_model\.pth to hold the weights of") as caught:
        reader.bodies(GREY)
    assert "\n" not in str(caught.value)
    assert not Path("ran").exists()


def test_without_the_package(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(MissingExtraError, match=r'pip install "multiid\[openpose\]" \(CMU.*non-commercial'):
        OpenPoseReader(weights)


def test_with_a_broken_package(weights: Path, monkeypatch: pytest.MonkeyPatch):
    reader = OpenPoseReader(weights)
    monkeypatch.setitem(sys.modules, "controlnet_aux.open_pose", None)
    with pytest.raises(MissingExtraError, match="not installed or incomplete"):
        reader.bodies(GREY)


def test_nothing_heavy_is_loaded_before_the_first_photo(weights: Path):
    code = (
        "import sys, multiid; multiid.OpenPoseReader(sys.argv[1], hands=True, face=True);"
        "print(*sorted({'controlnet_aux', 'torch', 'cv2', 'torchvision', 'timm', 'multiid'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(weights)], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["multiid"]


def test_the_maps_have_the_networks_channels():
    """What is painted has the form of what the networks say."""
    from controlnet_aux.open_pose.face import FaceNet
    from controlnet_aux.open_pose.model import bodypose_model, handpose_model

    with torch.device("meta"):
        data = torch.empty(1, 3, 184, 280)
        body, hand, face = bodypose_model()(data), handpose_model()(data), FaceNet()(data)[-1]
    assert [part.shape for part in body] == [part.shape for part in body_painter([LEFT], 1.5)(184, 280)]
    assert hand.shape == part_painter((None,) * HAND_POINTS, HAND_MAPS)(184, 280).shape
    assert face.shape == part_painter((None,) * FACE_POINTS, FACE_MAPS)(184, 280).shape
