"""LPIPS and FID, by torchmetrics: the optional packages of `pip install "multiid[metrics]"`.

Their networks are fetched into torch's own cache at the first use: `$TORCH_HOME/hub/checkpoints`, by default
`~/.cache/torch/hub/checkpoints`. A machine without a network takes the files there from elsewhere.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pickle import UnpicklingError
from typing import Any, Literal

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float

from multiid.errors import MissingExtraError, ModelFileError

__all__ = ["FID_NETWORK", "LPIPS", "fid", "frechet_distance"]

FID_NETWORK = "Inception-v3 weights-inception-2015-12-05-6726825d.pth"
"""What `fid` sees pictures with, and the name of its file."""

_BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
    "vgg": "vgg16-397923af.pth",
}


class LPIPS:
    """The distance of two pictures as people see it (arXiv 1801.03924): from 0, the same, to about 1.

    The network is loaded when the first pictures come.

    Args:
        network: AlexNet, SqueezeNet or VGG-16; the first is the one its authors advise for comparisons.

    Raises:
        MissingExtraError: by the first pictures, when the optional packages are not installed.
        ModelFileError: by the first pictures, when the network's weights are absent and cannot be downloaded.
    """

    def __init__(self, network: Literal["alex", "squeeze", "vgg"] = "alex") -> None:
        self.network = network

    @property
    def name(self) -> str:
        """Such as "LPIPS alex"."""
        return f"LPIPS {self.network}"

    def distance(self, one: PIL.Image.Image, other: PIL.Image.Image) -> float:
        """0 for a picture and itself, more for unlike ones; both pictures are of one size, from 64 pixels a side."""
        return float(self._metric(_pixels(one).float() / 255, _pixels(other).float() / 255))

    @cached_property
    def _metric(self) -> Any:
        module = _torchmetrics("torchmetrics.image.lpip")
        return _loaded(
            _BACKBONES[self.network],
            lambda: module.LearnedPerceptualImagePatchSimilarity(net_type=self.network, normalize=True),
        )


def fid(real: Sequence[PIL.Image.Image], generated: Sequence[PIL.Image.Image]) -> float:
    """FID: how far generated pictures as a whole are from real ones, through the eyes of Inception-v3.

    From 0 on, lower is better. It depends on the number of pictures (fewer look worse), so compare only runs of as
    many; below some thousands it says little. Not a number with fewer than two pictures on either side.

    Source: Heusel et al. (arXiv 1706.08500), by torchmetrics with torch-fidelity's network.

    Raises:
        MissingExtraError: when the optional packages are not installed.
        ModelFileError: when the network's weights are absent and cannot be downloaded.
    """
    if min(len(real), len(generated)) < 2:
        return float("nan")
    module = _torchmetrics("torchmetrics.image.fid")
    metric = _loaded(FID_NETWORK.split()[-1], lambda: module.FrechetInceptionDistance(feature=2048))
    with torch.inference_mode():
        for images, is_real in ((real, True), (generated, False)):
            for image in images:
                metric.update(_pixels(image), real=is_real)
        return max(0.0, float(metric.compute()))


def frechet_distance(
    real: Float[np.ndarray, "real channels"], generated: Float[np.ndarray, "generated channels"]
) -> float:
    """FID's formula on the vectors of any other encoder: it is no FID, and a report names the encoder.

    `|m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2))` with the means and covariances of both sets of vectors. From 0
    on, lower is better; it takes more vectors than they have channels to mean much. Not a number with fewer than two
    on either side.

    Raises:
        MissingExtraError: when the optional packages are not installed.
    """
    if min(len(real), len(generated)) < 2:
        return float("nan")
    metric = _torchmetrics("torchmetrics.image.fid").FrechetInceptionDistance(feature=_AsTheyAre(real.shape[1]))
    metric.update(torch.from_numpy(real).double(), real=True)
    metric.update(torch.from_numpy(generated).double(), real=False)
    return max(0.0, float(metric.compute()))


class _AsTheyAre(torch.nn.Module):
    """Stands where FID expects a network: the vectors are made already."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.num_features = channels

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors


def _pixels(image: PIL.Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]


def _torchmetrics(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            'FID and LPIPS need the package torchmetrics, which is not installed; run: pip install "multiid[metrics]".'
        ) from error


def _loaded(file: str, load: Callable[[], Any]) -> Any:
    """What `load` gives, once it has the file with the network's weights."""
    try:
        return load()
    except ModuleNotFoundError as error:  # torchmetrics alone is there
        raise MissingExtraError(
            'FID and LPIPS need packages that are not installed; run: pip install "multiid[metrics]".'
        ) from error
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelFileError(
            f"Expected the weights {file}, but cannot load them ({reason}); be online, or put the file at "
            f"{torch.hub.get_dir()}/checkpoints/{file}."
        ) from error
