"""Stage "finder": where faces are in pictures of the miniature's world."""

import copy
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import torch
from jaxtyping import UInt8
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from multiid.mini.faces.networks import Finder
from multiid.mini.faces.search import overlap, search
from multiid.mini.training.face_windows import TrueFace, draw_crowd, draw_windows, face_maps
from multiid.mini.training.loop import Batch
from multiid.mini.training.pictures import grid
from multiid.mini.training.settings import StageSettings
from multiid.mini.world.dice import Dice
from multiid.people.tensorfile import write_tensors

__all__ = ["FinderSettings", "FinderStage", "build_finder"]

_FIRST, _LAST = 1_000_000, 1_999_999  # seeds of the people it learns from
_HELD_OUT = 2_000_000  # first seed of the people for figures
_PICTURES = 100
_WINDOWS = 2  # of each picture: drawing it takes longer than looking at it
_SHOWN = 18
_SAME = 0.5


class FinderSettings(StageSettings):
    """The settings of this stage."""

    batch: int = Field(gt=0, multiple_of=_WINDOWS)
    """Windows per step."""
    side: int = Field(default=160, ge=64, multiple_of=16)
    """Side of the square windows it learns from, in pixels."""
    spoilt: float = Field(default=0.5, ge=0, le=1)
    """Share of windows that are blurred, noisy or off colour."""


class FinderStage:
    """Trains the finder on windows onto scenes and portraits.

    Attributes:
        networks: the finder.
    """

    def __init__(self, settings: FinderSettings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        finder = Finder().to(memory_format=torch.channels_last)
        self.networks = nn.ModuleDict({"finder": finder})

    def batch(self, step: int) -> Batch:
        """Pictures "windows" (batch, side, side, 3) as bytes, and maps at every `STRIDE` pixels.

        "heat" is 1 in the middle of a face and falls off around it, -1 where a hidden face makes an answer unfair;
        "shape" (batch, 14, ...) is what `networks.Found` says of boxes and landmarks, true of the nearest face.
        """
        dice = Dice("finder", self.settings.seed * 1_000_003 + step)
        windows: list[np.ndarray] = []
        heats: list[np.ndarray] = []
        shapes: list[np.ndarray] = []
        while len(windows) < self.settings.batch:
            for pixels, faces in self._draw(dice, first=_FIRST, last=_LAST):
                heat, shape = face_maps(faces, self.settings.side)
                windows.append(pixels)
                heats.append(heat)
                shapes.append(shape)
        return {
            "windows": torch.from_numpy(np.stack(windows)),
            "heat": torch.from_numpy(np.stack(heats)),
            "shape": torch.from_numpy(np.stack(shapes)),
        }

    def loss(self, networks: nn.ModuleDict, batch: Batch) -> dict[str, Tensor]:
        """CenterNet's focal loss of the middles, and absolute differences of boxes and landmarks near them."""
        model = _model(networks)
        found = model(batch["windows"].permute(0, 3, 1, 2).to(model.up.weight.dtype) / 127.5 - 1)
        heat, logits = batch["heat"], found.heat.float()
        share = logits.sigmoid()
        middles, fair = heat > 0.98, heat >= 0
        missed = -functional.logsigmoid(logits) * (1 - share).square() * middles
        imagined = -functional.logsigmoid(-logits) * share.square() * (1 - heat).pow(4) * (fair & ~middles)
        faces = middles.sum().clamp(min=1)
        focal = (missed.sum() + imagined.sum()) / faces
        weight = heat.clamp(min=0).square()[:, None]
        difference = (torch.cat([found.box, found.landmarks], dim=1).float() - batch["shape"]).abs() * weight
        total = weight.sum().clamp(min=1)
        box, landmarks = difference[:, :4].sum() / total / 4, difference[:, 4:].sum() / total / 10
        return {"loss": focal + 4 * box + 2 * landmarks, "focal": focal, "box": box, "landmarks": landmarks}

    def sample(self, networks: nn.ModuleDict) -> PIL.Image.Image:
        """Windows with what is found in them."""
        model = _model(networks)
        dice = Dice("finder sheet", _HELD_OUT)
        pictures: list[np.ndarray] = []
        while len(pictures) < _SHOWN:
            for pixels, _ in self._draw(dice, first=_HELD_OUT, last=_HELD_OUT + 999_999):
                shown = pixels.copy()
                for finding in search(model, pixels):
                    left, top, right, bottom = map(round, finding.box.corners)
                    cv2.rectangle(shown, (left, top), (right, bottom), (255, 0, 0), 1)
                    for x, y in finding.landmarks:
                        cv2.circle(shown, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
                pictures.append(shown)
        return grid(pictures[:_SHOWN], columns=6)

    def _draw(
        self, dice: Dice, *, first: int, last: int
    ) -> list[tuple[UInt8[np.ndarray, "side side 3"], list[TrueFace]]]:
        settings = self.settings
        return draw_windows(dice, side=settings.side, count=_WINDOWS, first=first, last=last, spoilt=settings.spoilt)

    def figures(self, networks: nn.ModuleDict) -> dict[str, float]:
        """On pictures never trained on: the shares of faces found and of finds that are faces, and how they fit.

        A find is a face's when the boxes share half of what they cover; `fit` is the mean of that share. Faces of
        which less than half is seen need not be found.
        """
        model = _model(networks).float()
        found_faces: list[bool] = []
        true_finds: list[bool] = []
        fits: list[float] = []
        for number in range(_PICTURES):
            picture, faces = draw_crowd(Dice("finder figures", number), first=_HELD_OUT, last=_HELD_OUT + 999_999)
            boxes = [finding.box for finding in search(model, picture)]
            for face in faces:
                if face.seen >= 0.5:
                    fits.append(max((overlap(face.box, box) for box in boxes), default=0.0))
                    found_faces.append(fits[-1] >= _SAME)
            true_finds += [any(overlap(face.box, box) >= _SAME for face in faces) for box in boxes]
        return {
            "recall": float(np.mean(found_faces)),
            "precision": float(np.mean(true_finds)) if true_finds else 0.0,
            "fit": float(np.mean(fits)),
        }

    def save(self, networks: nn.ModuleDict, folder: Path) -> None:
        """As `finder.safetensors`."""
        write_tensors(folder / "finder.safetensors", copy.deepcopy(_model(networks)).half().state_dict(), {})


def build_finder(settings: FinderSettings) -> FinderStage:
    """The stage; it needs no other."""
    return FinderStage(settings)


def _model(networks: nn.ModuleDict) -> Finder:
    model = networks["finder"]
    if not isinstance(model, Finder):
        raise TypeError(f"Expected a Finder, but got {type(model).__name__}.")
    return model
