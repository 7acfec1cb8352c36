"""The networks that find and read faces of the miniature's world."""

from collections.abc import Mapping
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from multiid.mini.world.people import VALUES

__all__ = ["CROP", "EMBEDDING", "FACE", "STRIDE", "Finder", "Found", "Read", "Recogniser"]

CROP = 64
"""Side in pixels of the square picture of a head that the recogniser reads."""

EMBEDDING = 64
"""How many numbers an embedding has."""

STRIDE = 4
"""Pixels of the picture for each place of the finder's maps, along each side."""

FACE = 32.0
"""The finder's unit of length in pixels, about a face's width."""


class _Block(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016).

    Normalising would cost more time than the convolutions; instead the block begins as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
        return x + self.conv2(functional.relu(self.conv1(functional.relu(x))))


class Found(NamedTuple):
    """What the finder makes of pictures: a map each, one place for `STRIDE` pixels.

    Attributes:
        heat: above 0 in the middle of a face.
        box: from the place to the middle of the face's box in units of `FACE` pixels (x, y), and the logarithm of the
            box's width and height in that unit.
        landmarks: from the place to the five landmarks of `people.faces.Face` in that unit: x and y of each.
    """

    heat: Float[Tensor, "batch height width"]
    box: Float[Tensor, "batch 4 height width"]
    landmarks: Float[Tensor, "batch 10 height width"]


class Finder(nn.Module):
    """Finds faces by their middles (CenterNet, Zhou et al. 2019) in pictures of any size. 0.14 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 24, 3, stride=2, padding=1), _Block(24)
        )
        self.down = nn.Sequential(nn.ReLU(), nn.Conv2d(24, 40, 3, stride=2, padding=1), _Block(40))
        self.deep = nn.Sequential(nn.ReLU(), nn.Conv2d(40, 48, 3, stride=2, padding=1), _Block(48))
        self.up = nn.Conv2d(48, 40, 1)
        self.joined = nn.Sequential(nn.ReLU(), nn.Conv2d(40, 40, 3, padding=1), nn.ReLU(), nn.Conv2d(40, 24, 1))
        self.last = nn.Sequential(nn.ReLU(), nn.Conv2d(24, 32, 3, padding=1), nn.ReLU())
        self.heat, self.shape = nn.Conv2d(32, 1, 1), nn.Conv2d(32, 14, 1)
        if self.heat.bias is not None:
            nn.init.constant_(self.heat.bias, -4.0)  # few places are faces

    def forward(self, pictures: Float[Tensor, "batch 3 height width"]) -> Found:
        """Searches pictures, RGB from -1 to 1, whose sides are multiples of 16."""
        fine = self.stem(pictures)
        middle = self.down(fine)
        coarse = self.deep(middle)
        middle = middle + functional.interpolate(self.up(coarse), scale_factor=2.0)
        fine = fine + functional.interpolate(self.joined(middle), scale_factor=2.0)
        last = self.last(fine)
        shape = self.shape(last)
        return Found(self.heat(last)[:, 0], shape[:, :4], shape[:, 4:])


class Read(NamedTuple):
    """What the recogniser makes of heads.

    Attributes:
        attributes: for each attribute of `people.VALUES`, a score for each of its values (softmax gives shares).
        embedding: who it is; two are compared by their cosine.
        drawn: above 0 where the picture looks like a head of this world.
    """

    attributes: Mapping[str, Float[Tensor, "batch values"]]
    embedding: Float[Tensor, "batch embedding"]
    drawn: Float[Tensor, " batch"]


class Recogniser(nn.Module):
    """Reads heads: who it is and what they look like. 0.46 million parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 32, 5, stride=2, padding=2),
            _Block(32),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            _Block(64),
            nn.Conv2d(64, 96, 3, stride=2, padding=1),
            _Block(96),
            nn.ReLU(),
            nn.Conv2d(96, 24, 1),
        )
        # Where something is tells as much as what it is: places are kept, not averaged.
        places = 24 * (CROP // 8) ** 2
        self.features = nn.Sequential(nn.Flatten(), nn.LayerNorm(places), nn.Linear(places, 72), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(72, len(values)) for name, values in VALUES.items()})
        self.identity = nn.Linear(72, EMBEDDING)
        self.drawn = nn.Linear(72, 1)

    def forward(self, heads: Float[Tensor, "batch 3 side side"]) -> Read:
        """Reads heads of `CROP` pixels a side, RGB from -1 to 1."""
        features = self.features(self.trunk(heads))
        attributes = {name: head(features) for name, head in self.heads.items()}
        return Read(attributes, self.identity(features), self.drawn(features)[:, 0])
