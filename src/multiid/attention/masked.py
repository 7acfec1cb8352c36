"""The attention formula, free of any network: what processors call and tests compare."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

__all__ = ["join_keys", "masked_attention"]


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


def join_keys(
    text: Float[Tensor, "rows heads text channels"], stack: Float[Tensor, "1 heads stack channels"]
) -> Float[Tensor, "rows heads keys channels"]:
    """The embedding stack after the text, the same for every row (InstantFamily eq. 5)."""
    return torch.cat([text, stack.expand(text.shape[0], -1, -1, -1)], dim=2)
