"""Putting masked attention into a network for the length of one call, and taking it out again."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor,
    AttnProcessor2_0,
    FusedAttnProcessor2_0,
    XFormersAttnProcessor,
)
from torch import nn

from multiid.attention.pictures import PICTURE_PROCESSORS
from multiid.attention.processors import MaskedAttnProcessor, Showing
from multiid.errors import AttentionError

__all__ = ["cross_attention_layers", "require_stock", "self_attention_layers", "showing_identities"]

_STOCK_PROCESSORS = (
    AttnProcessor,
    AttnProcessor2_0,
    FusedAttnProcessor2_0,
    XFormersAttnProcessor,
    *PICTURE_PROCESSORS,
)
_KEPT = "stock_processor"  # where a processor with weights of its own stays part of its network meanwhile


def cross_attention_layers(network: nn.Module) -> list[tuple[Attention, int]]:
    """Every cross-attention layer of a UNet or ControlNet with its level: how often its grid has been halved.

    The level follows from the layer's place among the network's down-samplers and up-samplers, never from the
    number of tokens it happens to see. A compiled network is looked at through its wrapper.
    """
    return _layers(network, cross=True)


def self_attention_layers(network: nn.Module) -> dict[str, tuple[Attention, int]]:
    """Every self-attention layer of a UNet by its name in it, with its level as in `cross_attention_layers`."""
    names = {module: name for name, module in network.named_modules()}
    return {names[layer]: (layer, level) for layer, level in _layers(network, cross=False)}


def _layers(network: nn.Module, *, cross: bool) -> list[tuple[Attention, int]]:
    layers: list[tuple[Attention, int]] = []

    def collect(block: nn.Module, level: int) -> None:
        found = (module for module in block.modules() if isinstance(module, Attention))
        layers.extend((layer, level) for layer in found if layer.is_cross_attention == cross)

    level = 0
    for block in network.get_submodule("down_blocks").children():
        collect(block, level)
        level += getattr(block, "downsamplers", None) is not None
    collect(network.get_submodule("mid_block"), level)
    if isinstance(getattr(network, "up_blocks", None), nn.ModuleList):
        for block in network.get_submodule("up_blocks").children():
            collect(block, level)
            level -= getattr(block, "upsamplers", None) is not None
    return layers


@contextmanager
def showing_identities(network: nn.Module, showing: Showing) -> Generator[None]:
    """Installs masked attention in all cross-attention layers of a network; restores them on the way out.

    The very processors that were there come back, also after an exception. Set `showing.merged` between steps to
    merge identities late.

    Raises:
        AttentionError: when a layer is not a stock cross-attention layer; nothing is installed then.
    """
    layers = cross_attention_layers(network)
    originals = [(layer, layer.processor) for layer, _ in layers]
    for layer, processor in originals:
        require_stock(layer, processor)
    try:
        for layer, level in layers:
            original = layer.processor
            layer.set_processor(cast(Any, MaskedAttnProcessor(original, level=level, showing=showing)))
            if isinstance(original, nn.Module):
                layer.add_module(_KEPT, original)  # so that it moves with the network, as offloading does
        yield
    finally:
        for layer, processor in originals:
            if hasattr(layer, _KEPT):
                delattr(layer, _KEPT)
            layer.set_processor(processor)


def require_stock(layer: Attention, processor: object) -> None:
    """Raises an AttentionError for a layer that is not SDXL's plain attention with a stock processor."""
    if not isinstance(processor, _STOCK_PROCESSORS):
        raise AttentionError(
            f"Expected stock attention processors, but found {type(processor).__name__}: unload what installed it "
            "before composing."
        )
    unsupported = [
        name for name in ("group_norm", "spatial_norm", "norm_cross", "norm_q", "norm_k") if getattr(layer, name, None)
    ]
    if unsupported or layer.residual_connection:
        raise AttentionError(
            f"Expected SDXL's plain attention, but a layer has {', '.join(unsupported) or 'a residual'}: "
            "only SDXL UNets and ControlNets can be composed."
        )
