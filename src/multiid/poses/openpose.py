"""OpenPose's networks for body, hands and face, run through controlnet-aux: the skeletons of a photo's people.

**OpenPose is for non-commercial research only**: controlnet-aux's `open_pose` carries CMU's licence in its header,
and the weights come from CMU. Neither is part of multiid. Nothing else here imports controlnet-aux, and this module
does so when the first photo is read.
"""

import os
import pickle
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from multiid.errors import MissingExtraError, ModelFileError
from multiid.geometry import Point
from multiid.modelfiles import ModelFile, find_model_file
from multiid.poses.skeleton import FACE_POINTS, Points, Skeleton

__all__ = ["OPENPOSE_BODY", "OPENPOSE_FACE", "OPENPOSE_HAND", "OPENPOSE_LICENCE", "OpenPoseReader"]

OPENPOSE_LICENCE = "CMU's OpenPose licence: academic or non-profit, non-commercial research only"
"""What binds whoever uses the networks, in a few words."""

_REPOSITORY = "lllyasviel/Annotators"
OPENPOSE_BODY = ModelFile("body_pose_model.pth", _REPOSITORY, sha256=(), licence=OPENPOSE_LICENCE)
"""The network that finds 18 points of each body; no checksum of it has been verified by us, as of the others."""
OPENPOSE_HAND = ModelFile("hand_pose_model.pth", _REPOSITORY, sha256=(), licence=OPENPOSE_LICENCE)
"""The network that finds 21 points of a hand."""
OPENPOSE_FACE = ModelFile("facenet.pth", _REPOSITORY, sha256=(), licence=OPENPOSE_LICENCE)
"""The network that finds 70 points of a face."""

_NO_EXTRA = (
    "Expected the controlnet-aux package to read poses from photos, but it is not installed or incomplete; run: "
    f'pip install "multiid[openpose]" ({OPENPOSE_LICENCE}).'
)
_SHORT_SIDE = 512  # pixels at which photos are read, controlnet-aux's default
_LONG_SIDE = 2048  # of a panorama, whose maps would fill the memory otherwise

# What reading a weights file raises when it is damaged, bears code or holds something else.
_DAMAGE = (pickle.UnpicklingError, OSError, EOFError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)

_Pixels = UInt8[np.ndarray, "height width 3"]


class OpenPoseReader:
    """Reads skeletons with OpenPose's networks, each loaded when it is first needed and kept.

    The networks see a photo 184 pixels high, as controlnet-aux has it: people much lower than the photo are read
    coarsely, so cut the photo to the people first.

    Args:
        folder: that holds body_pose_model.pth, and hand_pose_model.pth and facenet.pth where hands and face are
            wanted. If None, MULTIID_MODELS_DIR, the Hugging Face cache and the hub are asked, in this order.
        hands: also read 21 points of each hand whose arm is seen; a hand takes longer than the body.
        face: also read 70 points of each face.
        device: where to compute, such as "cuda:1"; if None, CUDA where there is one, else the CPU.

    Raises:
        MissingExtraError: when controlnet-aux is not installed.
        ModelFileError: when a wanted file is absent and cannot be fetched.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        hands: bool = False,
        face: bool = False,
        device: str | None = None,
    ) -> None:
        if find_spec("controlnet_aux") is None:
            raise MissingExtraError(_NO_EXTRA)
        self._files = {
            file: find_model_file(file) if folder is None else _in_folder(file, Path(folder))
            for file, wanted in ((OPENPOSE_BODY, True), (OPENPOSE_HAND, hands), (OPENPOSE_FACE, face))
            if wanted
        }
        self._device = device
        self._lock = Lock()
        self._detector: Any = None

    @property
    def reads_details(self) -> bool:
        """Whether `with_details` reads anything: hands or face were asked for."""
        return len(self._files) > 1

    def bodies(self, image: Image.Image) -> list[Skeleton]:
        """The bodies in an upright photo, in no order; an empty list where there are none.

        Raises:
            MissingExtraError: when controlnet-aux cannot be imported.
            ModelFileError: when a weights file turns out to be damaged or another network's.
        """
        pixels = _pixels(image)
        body = self._loaded().body_estimation
        found = body.format_body_result(*body(pixels))
        return [Skeleton(_fractions(person.keypoints, pixels)) for person in found]

    def with_details(self, image: Image.Image, skeleton: Skeleton) -> Skeleton:
        """A skeleton of the same photo with hands and face, as far as they were asked for and are seen.

        Raises:
            MissingExtraError, ModelFileError: as `bodies`.
        """
        detector = self._loaded()
        from controlnet_aux.open_pose.body import BodyResult, Keypoint

        pixels = _pixels(image)
        height, width = pixels.shape[:2]
        points = [None if point is None else Keypoint(point.x * width, point.y * height) for point in skeleton.points]
        body = BodyResult(points, total_score=0.0, total_parts=0)
        left = right = face = None
        if detector.hand_estimation is not None:
            left, right = (_as_points(hand) for hand in detector.detect_hands(body, pixels))
        if detector.face_estimation is not None:
            face = _read_face(detector.face_estimation, body, pixels)
        return Skeleton(skeleton.points, right_hand=right, left_hand=left, face=face)

    def _loaded(self) -> Any:
        with self._lock:
            self._detector = self._detector or _load(self._files, self._device)
            return self._detector


def _in_folder(file: ModelFile, folder: Path) -> Path:
    path = folder / file.name
    if not path.is_file():
        raise ModelFileError(
            f"Expected the model file {file.name} in {folder}, but it is not there; get it from the hub repository "
            f"{file.repository} ({file.licence})."
        )
    return path


def _load(files: dict[ModelFile, Path], device: str | None) -> Any:
    """controlnet-aux's OpenposeDetector with the networks of the files, None for the others."""
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports all its detectors, and they warn of what is not used here
            from controlnet_aux.open_pose import Body, Face, Hand, OpenposeDetector
    except (ImportError, RuntimeError) as error:  # torchvision raises the latter where it does not fit torch
        raise MissingExtraError(_NO_EXTRA) from error
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    kinds: tuple[tuple[ModelFile, Callable[[str], Any]], ...] = (
        (OPENPOSE_BODY, Body),
        (OPENPOSE_HAND, Hand),
        (OPENPOSE_FACE, Face),
    )
    networks = [_network(kind, file, files[file]) if file in files else None for file, kind in kinds]
    return OpenposeDetector(*(None if network is None else network.to(device) for network in networks))


def _network(kind: Callable[[str], Any], file: ModelFile, path: Path) -> Any:
    import torch

    try:
        # Read as data first: controlnet-aux leaves it to torch's settings whether a file may run code.
        torch.load(path, map_location="cpu", weights_only=True)
        return kind(str(path))
    except _DAMAGE as error:
        raise ModelFileError(
            f"Expected {path} to hold the weights of OpenPose's network, but it is damaged, bears code or holds "
            f"something else; get {file.name} from the hub repository {file.repository}."
        ) from error


def _pixels(image: Image.Image) -> _Pixels:
    """A photo in the size it is read at, in RGB turned to BGR, as the networks saw photos in training."""
    rgb = image.convert("RGB")
    scale = min(_SHORT_SIDE / min(rgb.size), _LONG_SIDE / max(rgb.size))
    small = rgb.resize((max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(small)[..., ::-1])


def _fractions(keypoints: Sequence[Any], pixels: _Pixels) -> Points:
    height, width = pixels.shape[:2]
    return tuple(
        None if point is None else Point(float(point.x) / width, float(point.y) / height) for point in keypoints
    )


def _as_points(hand: Sequence[Any] | None) -> Points | None:
    """A hand's points, which are fractions already and negative where unseen; None where nothing is seen."""
    if hand is None:
        return None
    points = tuple(Point(float(x), float(y)) if x >= 0 and y >= 0 else None for x, y, *_ in hand)
    return points if any(points) else None


def _read_face(network: Any, body: Any, pixels: _Pixels) -> Points | None:
    """The 70 points of a body's face; None where no face is found, or nothing in it.

    controlnet-aux's own list leaves out what it does not find, so that its points lose their meaning, and takes the
    background for one more; asked for one map at a time it does neither.
    """
    from controlnet_aux.open_pose.util import faceDetect

    box = faceDetect(body, pixels)
    if box is None:
        return None
    left, top, side = box
    maps = network(pixels[top : top + side, left : left + side])
    height, width = pixels.shape[:2]
    points: list[Point | None] = []
    for index in range(FACE_POINTS):
        peaks = network.compute_peaks_from_heatmaps(maps[index : index + 1])  # one (x, y), or none
        points += [Point(float(x + left) / width, float(y + top) / height) for x, y in peaks] or [None]
    return tuple(points) if any(points) else None
