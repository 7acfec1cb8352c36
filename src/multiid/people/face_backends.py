"""The two face analyzers: OpenCV's YuNet with SFace, and InsightFace's buffalo_l.

cv2 and insightface are imported when the first photo is read: they take a second or more.
"""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from multiid.errors import MissingExtraError, ModelFileError
from multiid.geometry import Box
from multiid.modelfiles import MODELS_DIR_VARIABLE, ModelFile, find_model_file, local_model_file, models_dir
from multiid.people.faces import Face

__all__ = ["SFACE", "YUNET", "InsightFaces", "OpenCVFaces"]

YUNET = ModelFile(
    name="face_detection_yunet_2023mar.onnx",
    repository="opencv/face_detection_yunet",
    sha256=("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",),
    licence="Apache-2.0",
)
"""The YuNet face detector, as OpenCV's model zoo publishes it."""

SFACE = ModelFile(
    name="face_recognition_sface_2021dec.onnx",
    repository="opencv/face_recognition_sface",
    sha256=(
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        "f6abbfff9575e3041db692c1e29d782e995191888477fd59ebc81202d99fc63b",
    ),
    licence="Apache-2.0",
)
"""The SFace face recogniser; OpenCV's model zoo has published two exports of it under this name."""

_DETECTION_SIDE = 640
_MIN_SCORE = 0.6
_NMS_THRESHOLD = 0.3
_SFACE_SIDE = 112

_PACK = "buffalo_l"
_PACK_FILES = ("det_10g.onnx", "w600k_r50.onnx")
_INSIGHTFACE_HOME = "~/.insightface"


class OpenCVFaces:
    """YuNet finds the faces, SFace recognises them where its file is there (128 numbers per face).

    The picture's longest side is brought to 640 pixels, up or down, so that faces have the sizes YuNet was trained
    on; faces scored under 0.6 are dropped. Both models are Apache-2.0.

    Args:
        recognise: True gets SFace's file, from the hub if need be; False goes without; None uses the file where
            this machine has it and goes without where not, never asking the network.

    Raises:
        ModelFileError: when YuNet's file, or with `recognise=True` SFace's, is absent and cannot be fetched, or is
            not the expected one.
    """

    def __init__(self, *, recognise: bool | None = None) -> None:
        self._detector_file = find_model_file(YUNET)
        self._recogniser_file = None
        if recognise is not False:
            self._recogniser_file = find_model_file(SFACE) if recognise else local_model_file(SFACE)
        # cv2's networks hold their input (size) between calls, so one thread at a time.
        self._lock = Lock()
        self._networks: tuple[Any, Any] | None = None

    @property
    def recogniser(self) -> str | None:
        """The recogniser's name: "sface", or None without its file."""
        return "sface" if self._recogniser_file else None

    def analyze(self, image: Image.Image) -> list[Face]:
        """The faces of an upright picture of any size, the largest first; an empty list where there are none."""
        rgb = image.convert("RGB")
        scale = _DETECTION_SIDE / max(rgb.size)
        small = rgb.resize((max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))))
        to_picture = np.divide(rgb.size, small.size)
        with self._lock:
            detector, recogniser = self._networks = self._networks or self._loaded()
            detector.setInputSize(small.size)
            _, rows = detector.detect(_bgr(small))
            found: list[Face] = []
            for row in () if rows is None else rows:
                # A row is x, y, width, height, five landmarks (x, y), score.
                points = row[:14].reshape(7, 2) * to_picture
                corners = np.concatenate([points[0], points[0] + points[1]])
                face = _face_inside(rgb.size, corners, points[2:], float(row[14]))
                if face is None:
                    continue
                if recogniser is not None:
                    face = replace(face, embedding=_sface_embedding(recogniser, rgb, points))
                found.append(face)
        return _largest_first(found)

    def _loaded(self) -> tuple[Any, Any]:
        import cv2

        logging = cv2.utils.logging
        level = logging.getLogLevel()
        logging.setLogLevel(min(level, logging.LOG_LEVEL_ERROR))  # OpenCV 5 warns of a target nobody asked for
        try:
            size = (_DETECTION_SIDE, _DETECTION_SIDE)
            detector = cv2.FaceDetectorYN.create(str(self._detector_file), "", size, _MIN_SCORE, _NMS_THRESHOLD)
            recogniser = None
            if self._recogniser_file:
                recogniser = cv2.FaceRecognizerSF.create(str(self._recogniser_file), "")
        finally:
            logging.setLogLevel(level)
        return detector, recogniser


class InsightFaces:
    """InsightFace's detector (SCRFD at 640 x 640) and recogniser (ArcFace, 512 numbers per face), pack buffalo_l.

    **InsightFace's model packs are for non-commercial research only.** For that reason, and because no checksum of
    the pack is known, it is never fetched here: the user puts it at MULTIID_MODELS_DIR/models/buffalo_l or
    ~/.insightface/models/buffalo_l.

    Raises:
        MissingExtraError: when the insightface package is not installed.
        ModelFileError: when the pack is absent or incomplete.
    """

    def __init__(self) -> None:
        if find_spec("insightface") is None or find_spec("onnxruntime") is None:
            raise MissingExtraError(_NO_INSIGHTFACE)
        self._root = _pack_root()
        self._lock = Lock()
        self._analysis: Any = None

    @property
    def recogniser(self) -> str:
        """The recogniser's name: "insightface-buffalo_l"."""
        return f"insightface-{_PACK}"

    def analyze(self, image: Image.Image) -> list[Face]:
        """The faces of an upright picture of any size, the largest first; an empty list where there are none.

        Raises:
            ModelFileError: when the pack's files turn out to be damaged.
        """
        if min(image.size) * _DETECTION_SIDE < max(image.size):
            return []  # under one pixel high at detection size, which InsightFace cannot resize to
        with self._lock:
            self._analysis = self._analysis or self._loaded()
            found = self._analysis.get(_bgr(image.convert("RGB")))
        faces = [_face_of_insightface(face, image.size) for face in found]
        return _largest_first([face for face in faces if face is not None])

    def _loaded(self) -> Any:
        try:
            from insightface.app import FaceAnalysis
        except ImportError as error:
            raise MissingExtraError(_NO_INSIGHTFACE) from error
        try:
            analysis = FaceAnalysis(name=_PACK, root=str(self._root), allowed_modules=["detection", "recognition"])
            analysis.prepare(ctx_id=0, det_size=(_DETECTION_SIDE, _DETECTION_SIDE))
        except Exception as error:  # onnx, onnxruntime and protobuf each raise their own on a damaged file
            folder = self._root / "models" / _PACK
            raise ModelFileError(
                f"Expected InsightFace's model pack {_PACK}, but the files in {folder} cannot be loaded; replace them."
            ) from error
        return analysis


_NO_INSIGHTFACE = (
    "Expected the insightface package, but it is not installed or incomplete; run: "
    'pip install "multiid[insightface]" (its model packs are for non-commercial research only).'
)


def _pack_root() -> Path:
    """The folder over models/buffalo_l."""
    own = models_dir()
    roots = [*([own] if own else []), Path(_INSIGHTFACE_HOME).expanduser()]
    for root in roots:
        if all((root / "models" / _PACK / name).is_file() for name in _PACK_FILES):
            return root
    raise ModelFileError(
        f"Expected InsightFace's model pack {_PACK} ({', '.join(_PACK_FILES)}), but it is not in "
        f"{' nor in '.join(str(root / 'models' / _PACK) for root in roots)}; it is for non-commercial research only: "
        f"if that suits you, run: insightface-cli model.download {_PACK}, or put the pack's files at "
        f"{own or f'${MODELS_DIR_VARIABLE}'}/models/{_PACK}."
    )


def _face_of_insightface(face: Any, size: tuple[int, int]) -> Face | None:
    """An insightface.app.common.Face as ours: it has the same order of landmarks, and `embedding` is the raw one."""
    inside = _face_inside(size, face.bbox, face.kps, float(face.det_score))
    return None if inside is None else replace(inside, embedding=face.embedding)


def _face_inside(
    size: tuple[int, int],
    corners: Float[np.ndarray, "4"],
    landmarks: Float[np.ndarray, "5 2"],
    score: float,
) -> Face | None:
    """A Face cut off at the edges of a picture of `size`; None where no part of it is inside.

    Detectors let boxes and landmarks reach beyond the picture.
    """
    width, height = size
    left, top, right, bottom = (float(value) for value in np.clip(corners, 0, [width, height, width, height]))
    if right <= left or bottom <= top:
        return None
    points = np.clip(landmarks, 0, [width - 1, height - 1])
    return Face(Box(left, top, right, bottom), tuple((float(x), float(y)) for x, y in points), score)


def _sface_embedding(
    recogniser: Any, rgb: Image.Image, points: Float[np.ndarray, "7 2"]
) -> Float32[np.ndarray, " channels"]:
    """SFace's embedding of the face at `points` (top left corner, size, five landmarks; in pixels of `rgb`).

    The face is cut out of the full picture, not of the detector's small one, and where it is much larger than SFace's
    input it is scaled down first: OpenCV's alignCrop takes single pixels, without smoothing.
    """
    corner, size = points[:2]
    # Twice the face's box holds all that the alignment can ask for; what lies outside the picture it takes for black.
    left, top = np.maximum(np.floor(corner - size / 2), 0)
    right, bottom = np.minimum(np.ceil(corner + size * 1.5), rgb.size)
    region = np.array([right - left, bottom - top])
    reduced = np.maximum(np.round(region * min(1.0, 2 * _SFACE_SIDE / max(size))), 1)
    ratio = reduced / region
    cut = rgb.resize((int(reduced[0]), int(reduced[1])), box=(left, top, right, bottom))
    placed = np.concatenate([corner[None] - (left, top), size[None], points[2:] - (left, top)]) * ratio
    aligned = recogniser.alignCrop(_bgr(cut), placed.astype(np.float32).ravel())
    return np.array(recogniser.feature(aligned), dtype=np.float32).ravel()


def _bgr(rgb: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    return np.ascontiguousarray(np.asarray(rgb)[..., ::-1])


def _largest_first(found: list[Face]) -> list[Face]:
    return sorted(found, key=lambda face: face.box.area, reverse=True)
