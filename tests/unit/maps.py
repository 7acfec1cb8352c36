"""What OpenPose's networks would say of known people: heat maps and part affinity fields painted by hand, and weight
files of the published form, filled at random."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from multiid.geometry import Point
from multiid.poses.skeleton import JOINTS, Points, Skeleton

STRIDE = 8  # input pixels of a network per cell of its maps
BODY_MAPS, HAND_MAPS, FACE_MAPS = 19, 22, 71  # each with one of the background

# Each limb's two fields (x, y), with the limbs of COCO's 18 points and one from each shoulder to its ear.
FIELDS: dict[tuple[str, str], int] = {
    ("neck", "right_shoulder"): 12, ("neck", "left_shoulder"): 20,
    ("right_shoulder", "right_elbow"): 14, ("right_elbow", "right_wrist"): 16,
    ("left_shoulder", "left_elbow"): 22, ("left_elbow", "left_wrist"): 24,
    ("neck", "right_hip"): 0, ("right_hip", "right_knee"): 2, ("right_knee", "right_ankle"): 4,
    ("neck", "left_hip"): 6, ("left_hip", "left_knee"): 8, ("left_knee", "left_ankle"): 10,
    ("neck", "nose"): 28, ("nose", "right_eye"): 30, ("right_eye", "right_ear"): 34,
    ("nose", "left_eye"): 32, ("left_eye", "left_ear"): 36,
    ("right_shoulder", "right_ear"): 18, ("left_shoulder", "left_ear"): 26,
}  # fmt: skip


def answer(monkeypatch: pytest.MonkeyPatch, network: Literal["body", "hand", "face"], painter: Any) -> None:
    """Has controlnet-aux's networks say what `painter` paints, given height and width of their input; all else, from
    reading their weights to finding people in the maps, stays as it is."""
    from controlnet_aux.open_pose.face import FaceNet
    from controlnet_aux.open_pose.model import bodypose_model, handpose_model

    def forward(_network: object, data: Tensor) -> Any:
        maps = painter(data.shape[2], data.shape[3])
        return [maps] if network == "face" else maps  # one of each stage; the last one counts

    monkeypatch.setattr({"body": bodypose_model, "hand": handpose_model, "face": FaceNet}[network], "forward", forward)


def peaks(points: Sequence[Sequence[Point | None]], count: int, size: tuple[float, float], cells: Any) -> np.ndarray:
    """One map per index, a Gaussian at each of the points listed for it; `size` is the picture's in input pixels."""
    rows, columns = (np.arange(cells[0])[:, None], np.arange(cells[1])[None, :])
    maps = np.zeros((count, *cells), dtype=np.float32)
    for index, places in enumerate(points):
        for point in places:
            if point is not None:
                x, y = (point.x * size[0] + 0.5) / STRIDE - 0.5, (point.y * size[1] + 0.5) / STRIDE - 0.5
                spread = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)
                maps[index] = np.maximum(maps[index], spread)
    return maps


def fields(skeletons: Sequence[Skeleton], size: tuple[float, float], cells: Any) -> np.ndarray:
    """Unit vectors along each limb in the cells close to it."""
    rows, columns = np.mgrid[: cells[0], : cells[1]]
    maps = np.zeros((38, *cells), dtype=np.float32)
    for skeleton in skeletons:
        for (start, end), field in FIELDS.items():
            a, b = skeleton[start], skeleton[end]
            if a is None or b is None:
                continue
            ends = np.array([[point.x * size[0], point.y * size[1]] for point in (a, b)]) / STRIDE - 0.5
            along = ends[1] - ends[0]
            length = max(float(np.hypot(*along)), 1e-6)
            along /= length
            right, down = columns - ends[0, 0], rows - ends[0, 1]
            forward, aside = right * along[0] + down * along[1], right * along[1] - down * along[0]
            near = (forward > -1) & (forward < length + 1) & (np.abs(aside) < 1)
            maps[field][near], maps[field + 1][near] = along
    return maps


def body_painter(skeletons: Sequence[Skeleton], aspect: float) -> Any:
    """For controlnet-aux's Body: fields and peaks of people in a picture of `aspect`, whose height fills the input."""

    def paint(height: int, width: int) -> tuple[Tensor, Tensor]:
        size, cells = (height * aspect, float(height)), (height // STRIDE, width // STRIDE)
        joints = [[skeleton[joint] for skeleton in skeletons] for joint in JOINTS]
        heat = peaks(joints, BODY_MAPS, size, cells)
        return torch.from_numpy(fields(skeletons, size, cells))[None], torch.from_numpy(heat)[None]

    return paint


def part_painter(points: Points, count: int) -> Any:
    """For Hand and Face: peaks at fractions of the input, which is the part cut out of the picture."""

    def paint(height: int, width: int) -> Tensor:
        heat = peaks([[point] for point in points], count, (width, height), (height // STRIDE, width // STRIDE))
        return torch.from_numpy(heat)[None]

    return paint


def write_random_weights(folder: Path, *, scale: float = 1e-3) -> Path:
    """The three files in the published form: names without the module's, plain for the face.

    Each tensor is a window on a few thousand random numbers, so that the files stay small.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # controlnet-aux's imports warn of much that is not ours
        from controlnet_aux.open_pose.face import FaceNet
        from controlnet_aux.open_pose.model import bodypose_model, handpose_model

    for name, kind in (
        ("body_pose_model.pth", bodypose_model),
        ("hand_pose_model.pth", handpose_model),
        ("facenet.pth", FaceNet),
    ):
        with torch.device("meta"):
            shapes = {key: value.shape for key, value in kind().state_dict().items()}
        if kind is not FaceNet:
            shapes = {key.partition(".")[2]: shape for key, shape in shapes.items()}
        numbers = torch.randn(4096) * scale
        tensors = {key: numbers.as_strided(tuple(shape), (1,) * len(shape)) for key, shape in shapes.items()}
        torch.save(tensors, folder / name)
    return folder
