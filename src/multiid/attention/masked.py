"""The attention formulas, free of any network: what processors call and tests compare."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

__all__ = ["MaskRule", "join_keys", "masked_attention", "multiplied_attention"]

MaskRule = Literal["additive", "multiplicative", "none"]
"""How weights enter the softmax: `log w` added to the logits, so that 0 excludes; or `w` multiplied with them; or as
if every region were the whole picture, so that everybody is heard everywhere."""


def masked_attention(
    query: Float[Tensor, "rows heads queries channels"],
    key: Float[Tensor, "rows heads keys channels"],
    value: Float[Tensor, "rows heads keys channels"],
    log_weights: Float[Tensor, "*rows queries keys"] | None = None,
) -> Float[Tensor, "rows heads queries channels"]:
    """`softmax(QK^T / sqrt(channels) + log w) V`, the masked attention of InstantFamily (3.4) in additive form.

    Where log w is minus infinity a key is excluded to the last bit: it adds exactly zero. Where it is 0 everywhere
    (or None) this is plain attention. Every query must see at least one key.
    """
    return F.scaled_dot_product_attention(query, key, value, attn_mask=log_weights)


def multiplied_attention(
    query: Float[Tensor, "rows heads queries channels"],
    key: Float[Tensor, "rows heads keys channels"],
    value: Float[Tensor, "rows heads keys channels"],
    weights: Float[Tensor, "*rows queries keys"],
) -> Float[Tensor, "rows heads queries channels"]:
    """`softmax((QK^T / sqrt(channels)) * w) V`: InstantFamily's eq. 6 as it is printed, for comparison.

    Where w is 1 everywhere this is plain attention. Where it is 0 the logit is 0, so the key is still heard: more
    than a key of negative logit, and less than one of positive. No fused kernel has this formula, so it takes room
    for all logits, in 32 bits.
    """
    logits = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    return (logits.float() * weights.float()).softmax(dim=-1).to(value.dtype) @ value


def join_keys(
    text: Float[Tensor, "rows heads text channels"], stack: Float[Tensor, "1 heads stack channels"]
) -> Float[Tensor, "rows heads keys channels"]:
    """The embedding stack after the text, the same for every row (InstantFamily eq. 5)."""
    return torch.cat([text, stack.expand(text.shape[0], -1, -1, -1)], dim=2)
