"""Face networks whose answers are known or at least plenty, and files of them."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from multiid import Box
from multiid.mini.faces.networks import STRIDE, Finder, Found, Recogniser
from multiid.mini.training.face_windows import TrueFace, face_maps
from multiid.people.tensorfile import write_tensors

_COARSEST = 16


class KnowingFinder(Finder):
    """Finds just the faces that it was told are in pictures of a size, also in copies of half that size and so on."""

    def __init__(self, faces: Sequence[TrueFace], size: tuple[int, int]) -> None:
        super().__init__()
        self.faces, self.size = faces, size

    def forward(self, pictures: Tensor) -> Found:
        rows, columns = pictures.shape[2:]
        factor = 1.0
        while (columns, rows) != tuple(-(-round(side * factor) // _COARSEST) * _COARSEST for side in self.size):
            factor /= 2
            assert factor > 0.01, f"{columns} by {rows} is no copy of {self.size}"
        scaled = [
            TrueFace(Box(*(factor * corner for corner in face.box.corners)), face.landmarks * factor, face.seen)
            for face in self.faces
        ]
        heat, shape = (
            torch.from_numpy(numbers)[None, ..., : rows // STRIDE, : columns // STRIDE]
            for numbers in face_maps(scaled, max(rows, columns))
        )
        return Found(torch.logit(heat.clamp(0.001, 0.999)), shape[:, :4], shape[:, 4:])


def eager_finder() -> Finder:
    """Finds faces of 64 by 64 pixels all over any picture."""
    torch.manual_seed(1)
    finder = Finder()
    assert finder.heat.bias is not None
    assert finder.shape.bias is not None
    nn.init.constant_(finder.heat.bias, 3.0)
    nn.init.zeros_(finder.shape.weight)
    finder.shape.bias.data = torch.tensor([0.0, 0.0, math.log(2), math.log(2)] + [0.0] * 10)
    return finder.eval()


def sure_recogniser() -> Recogniser:
    """Random weights, large enough that faces are told apart, which take everything for a head of this world."""
    torch.manual_seed(1)
    recogniser = Recogniser()
    nn.init.zeros_(recogniser.drawn.weight)
    nn.init.constant_(recogniser.drawn.bias, 5.0)
    return recogniser.eval()


def write_readers(folder: Path) -> list[Path]:
    """Both as a run of training leaves them: recogniser.safetensors and finder.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "recogniser.safetensors", folder / "finder.safetensors"]
    for file, network in zip(files, (sure_recogniser(), eager_finder()), strict=True):
        write_tensors(file, network.half().state_dict(), {})
    return files
