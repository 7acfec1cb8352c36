"""Masked attention for training: every row of a batch shows a scene of its own."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from multiid.attention.install import cross_attention_layers
from multiid.attention.masked import masked_attention

__all__ = ["showing_rows"]


@contextmanager
def showing_rows(
    network: nn.Module, log_weights: Mapping[int, Float[Tensor, "rows 1 queries keys"]]
) -> Generator[None]:
    """Cross-attention that hears each row's keys (text, then stack, then padding) as that row's weights say.

    The same formula as `attention.install.showing_identities`, which keeps a scene's keys from step to step; here
    they change with every step and gradients run through them.

    Args:
        network: a UNet or ControlNet, called with text and stack side by side as its encoder_hidden_states.
        log_weights: for each level of the latent grid the logarithm of every key's weight, minus infinity for padding.
    """
    layers = cross_attention_layers(network)
    originals = [(layer, layer.processor) for layer, _ in layers]
    try:
        for layer, level in layers:
            layer.set_processor(cast(Any, _RowsProcessor(log_weights[level])))
        yield
    finally:
        for layer, processor in originals:
            layer.set_processor(processor)


@dataclass(frozen=True, eq=False)
class _RowsProcessor:
    log_weights: Tensor

    def __call__(
        self,
        attn: Any,
        hidden_states: Float[Tensor, "rows queries width"],
        encoder_hidden_states: Float[Tensor, "rows keys channels"],
        *args: Any,
        **kwargs: Any,
    ) -> Float[Tensor, "rows queries width"]:
        del args, kwargs
        query, key, value = (
            x.unflatten(2, (attn.heads, -1)).transpose(1, 2)
            for x in (attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states))
        )
        heard = masked_attention(query, key, value, self.log_weights).transpose(1, 2).flatten(start_dim=2)
        return attn.to_out[1](attn.to_out[0](heard))
