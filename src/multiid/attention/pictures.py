"""What a stock IP-Adapter adds to cross-attention: a picture's tokens, which every place of the new picture hears."""

from collections.abc import Sequence
from typing import Any

from diffusers.models.attention_processor import IPAdapterAttnProcessor, IPAdapterAttnProcessor2_0
from jaxtyping import Float
from torch import Tensor

from multiid.attention.masked import masked_attention
from multiid.errors import AttentionError

__all__ = ["PICTURE_PROCESSORS", "picture_attention"]

PICTURE_PROCESSORS = (IPAdapterAttnProcessor, IPAdapterAttnProcessor2_0)
"""Stock processors that hear pictures beside the text."""


def picture_attention(
    adapter: Any,
    query: Float[Tensor, "rows heads queries channels"],
    pictures: Sequence[Float[Tensor, "rows ... width"]],
) -> Float[Tensor, "rows queries heads channels"] | float:
    """The sum, over IP-Adapters, of plain attention to their tokens times their scale (Ye et al. 2023, eq. 5).

    Args:
        adapter: the layer's stock processor, with a scale and projections for each IP-Adapter.
        query: of the layer.
        pictures: for each IP-Adapter the tokens of its pictures.

    Returns:
        What is added to the attention to text and identities; 0 where no IP-Adapter is heard.

    Raises:
        AttentionError: when an IP-Adapter has a scale for each of several pictures, which needs masks of its own.
    """
    total: Float[Tensor, "rows queries heads channels"] | float = 0.0
    for tokens, scale, to_key, to_value in zip(pictures, adapter.scale, adapter.to_k_ip, adapter.to_v_ip, strict=True):
        if isinstance(scale, list):
            raise AttentionError("Expected one scale for each IP-Adapter, but got one for each of its pictures.")
        if scale == 0:
            continue
        key, value = (
            project(tokens).flatten(1, -2).unflatten(2, (query.shape[1], -1)).transpose(1, 2)
            for project in (to_key, to_value)
        )
        total = total + scale * masked_attention(query, key, value).transpose(1, 2)
    return total
