"""What the very first cross-attention layer of a UNet gives while a picture is made, for tests of who hears whom."""

from typing import Any

from torch import Tensor

from multiid import Composer, Scene
from multiid.attention.install import cross_attention_layers


def first_layer(composer: Composer, scene: Scene) -> Tensor:
    """Its output in the first denoising step for the last batch row, (queries, width).

    Before it nothing depends on anybody's identity, so what differs there between two scenes came through this layer.
    """
    layer = cross_attention_layers(composer.pipeline.unet)[0][0]
    seen: list[Tensor] = []

    def look(_: Any, args: Any, output: Tensor) -> None:
        del args
        seen.append(output[-1].clone())

    handle = layer.register_forward_hook(look)
    try:
        composer.compose(scene)
    finally:
        handle.remove()
    return seen[0]


def changed_halves(one: Tensor, other: Tensor, columns: int) -> tuple[bool, bool]:
    """Whether a layer's output differs in the left and in the right half of a grid of so many columns."""
    differs = (one != other).any(dim=1).unflatten(0, (-1, columns))
    middle = columns // 2
    return bool(differs[:, :middle].any()), bool(differs[:, middle:].any())
