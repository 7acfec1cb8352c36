"""From the finder's maps to faces: large ones are found in a smaller copy of the picture."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from multiid.geometry import Box
from multiid.mini.faces.networks import FACE, STRIDE, Finder

__all__ = ["Finding", "overlap", "search"]

_LONGEST = 400  # pixels; larger pictures are searched in a smaller copy
_SMALLER_ABOVE = 160  # pixels; pictures with a longer side may hold faces too large to be found at this size
_COARSEST = 16  # sides are filled up to multiples of what the network halves them to
_LEAST_HEAT = 0.35
_SAME_FACE = 0.35  # overlap from which two findings are one face


@dataclass(frozen=True, eq=False)
class Finding:
    """A face as the finder sees it, in pixels; box and landmarks may reach beyond the picture.

    Attributes:
        box: around the face, without hair.
        landmarks: rows of x and y, in the order of `people.faces.Face`.
        heat: how sure the finder is, 0 to 1.
    """

    box: Box
    landmarks: Float32[np.ndarray, "5 2"]
    heat: float


def search(finder: Finder, picture: UInt8[np.ndarray, "height width 3"]) -> list[Finding]:
    """The faces of an RGB picture of any size, the surest first."""
    longest = max(picture.shape[:2])
    factor = min(1.0, _LONGEST / longest)
    findings = _search_at(finder, picture, factor)
    while longest * factor > _SMALLER_ABOVE:
        factor /= 2
        findings += _search_at(finder, picture, factor)
    chosen: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: -finding.heat):
        if all(overlap(finding.box, other.box) < _SAME_FACE for other in chosen):
            chosen.append(finding)
    return chosen


def overlap(one: Box, other: Box) -> float:
    """What two boxes share of what they cover together, 0 to 1."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + other.area - shared)


def _search_at(finder: Finder, picture: UInt8[np.ndarray, "height width 3"], factor: float) -> list[Finding]:
    """What is found in a copy of the picture `factor` times as large, in pixels of the picture itself."""
    height, width = picture.shape[:2]
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    down, right = -picture.shape[0] % _COARSEST, -picture.shape[1] % _COARSEST
    filled = cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE)
    with torch.inference_mode():
        unit = torch.from_numpy(filled).permute(2, 0, 1)[None].float() / 127.5 - 1
        maps = finder(unit.contiguous(memory_format=torch.channels_last))
        heat = maps.heat.sigmoid()
        peaks = (heat == torch.nn.functional.max_pool2d(heat, 3, stride=1, padding=1)) & (heat >= _LEAST_HEAT)
        rows, columns = (places.numpy() for places in torch.nonzero(peaks[0], as_tuple=True))
        heats = heat[0].numpy()[rows, columns]
        boxes = maps.box[0].float().numpy()[:, rows, columns].T
        landmarks = maps.landmarks[0].float().numpy()[:, rows, columns].T.reshape(-1, 5, 2)
    findings: list[Finding] = []
    for row, column, sure, box, points in zip(rows, columns, heats, boxes, landmarks, strict=True):
        place = (np.array([column, row], np.float32) + 0.5) * STRIDE
        x, y = (place + box[:2] * FACE) / factor
        half_width, half_height = np.exp(np.clip(box[2:], -3, 3)) * FACE / 2 / factor
        if 0 <= x < width and 0 <= y < height:
            around = Box(float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
            findings.append(Finding(around, ((place + points * FACE) / factor).astype(np.float32), float(sure)))
    return findings
