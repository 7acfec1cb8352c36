"""One cross-attention layer at a time, at SDXL's sizes for 1024 by 1024 pixels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import torch
from contenders import layer_contenders
from diffusers.models.attention_processor import Attention
from timing import Spread, interleaved, ratios

__all__ = ["QUICK_LAYERS", "SDXL_LAYERS", "Layer", "LayerCost", "measure_layers"]


@dataclass(frozen=True)
class Layer:
    """A cross-attention layer: its level, the side of its grid, and its heads of 64 channels."""

    level: int
    grid: int
    heads: int
    context: int = 2048

    @property
    def name(self) -> str:
        """As the tables call it."""
        return f"{self.grid} x {self.grid}, {self.heads * _HEAD} wide"


@dataclass(frozen=True)
class LayerCost:
    """What one layer costs with that many people.

    Attributes:
        layer: its name.
        dtype: of its weights and input.
        people: how many.
        tokens: of each person.
        stock_ms: median of the stock layer, in milliseconds.
        ratios: each contender's time as a multiple of the stock layer's.
    """

    layer: str
    dtype: str
    people: int
    tokens: int
    stock_ms: float
    ratios: Mapping[str, Spread]


_HEAD = 64
SDXL_LAYERS = (Layer(level=1, grid=64, heads=10), Layer(level=2, grid=32, heads=20))
"""UNet and ControlNet have 14 layers of the first kind and 90 of the second."""

QUICK_LAYERS = (Layer(level=1, grid=16, heads=2, context=64), Layer(level=2, grid=8, heads=4, context=64))


def measure_layers(
    layers: Iterable[Layer],
    dtypes: Iterable[torch.dtype],
    *,
    counts: Iterable[int],
    tokens: Iterable[int],
    rounds: int,
    progress: Callable[[str], None],
) -> list[LayerCost]:
    """Times all contenders on each layer for each number of people and tokens; nobody has no tokens.

    Args:
        layers: which.
        dtypes: of the layers.
        counts: how many people.
        tokens: of each person.
        rounds: how often each contender is timed.
        progress: told what comes next.
    """
    crowds = [(people, each) for people in counts for each in (tokens if people else [0])]
    costs: list[LayerCost] = []
    for dtype in dtypes:
        for layer in layers:
            width = layer.heads * _HEAD
            attn = Attention(width, cross_attention_dim=layer.context, heads=layer.heads, dim_head=_HEAD).to(dtype)
            attn.requires_grad_(False)
            for people, each in crowds:
                kind = str(dtype).removeprefix("torch.")
                progress(f"{layer.name}, {kind}, {people} people of {each} tokens")
                side = 8 * layer.grid * 2**layer.level
                contenders = layer_contenders(
                    attn, people=people, tokens=each, level=layer.level, grid=layer.grid, masks_side=side
                )
                seconds = interleaved(contenders, rounds=rounds)
                stock_ms = 1000 * median(seconds["stock"])
                costs.append(LayerCost(layer.name, kind, people, each, stock_ms, ratios(seconds, "stock")))
                contenders["stock"].prepare()
    return costs
