"""Consistent self-attention, free of any network: a person also hears the tokens of themselves in another picture.

StoryDiffusion lets every place of a picture hear tokens of the other pictures of a story (Zhou et al. 2024, consistent
self-attention). Here a person has an anchor, one picture of theirs, and both ends are held to that person's region:
the anchor's tokens are those inside it there, and they are heard only by the places inside it here.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from multiid.attention.masked import masked_attention

__all__ = ["anchored_attention", "kept_cells", "leaning", "loudness"]

_OWN = 0.5  # share of a cell that must be the person's for its token to be kept


def anchored_attention(
    query: Float[Tensor, "rows heads queries channels"],
    key: Float[Tensor, "rows heads places channels"],
    value: Float[Tensor, "rows heads places channels"],
    anchor_key: Float[Tensor, "1 heads tokens channels"],
    anchor_value: Float[Tensor, "1 heads tokens channels"],
    weight: float,
) -> Float[Tensor, "rows heads queries channels"]:
    """`softmax(QK^T / sqrt(channels) + log w) V` over a picture's own places and, behind them, an anchor's tokens.

    Args:
        query: of some places of the picture.
        key: of all its places, whose weight is 1.
        value: likewise.
        anchor_key: of the anchor's tokens, the same for every row.
        anchor_value: likewise.
        weight: of each of the anchor's tokens, more than 0.
    """
    rows, places = key.shape[0], key.shape[2]
    log_weights = key.new_zeros(1, places + anchor_key.shape[2])
    log_weights[:, places:] = math.log(weight)
    return masked_attention(
        query,
        torch.cat([key, anchor_key.expand(rows, -1, -1, -1)], dim=2),
        torch.cat([value, anchor_value.expand(rows, -1, -1, -1)], dim=2),
        log_weights.expand(query.shape[2], -1),
    )


def leaning(
    own: Float[Tensor, "rows queries width"],
    heard: Float[Tensor, "rows queries width"],
    shares: Float[Tensor, " queries"],
) -> Float[Tensor, "rows queries width"]:
    """What an anchor adds to a layer's own output: `shares` of the way from it to what hears the anchor.

    More than 1 goes beyond, in the same direction, as guidance does.
    """
    return shares[:, None] * (heard - own)


def loudness(mask: Float[Tensor, "rows columns"], tokens: int, total: float) -> float:
    """The weight of each of so many tokens that makes them, all in all, `total` times as loud as a person's own places.

    So neither how many are kept nor how large the person is, there or here, changes how loud an anchor is.

    Args:
        mask: of the person on the grid, from 0 to 1.
        tokens: at least 1.
        total: more than 0.
    """
    return total * float(mask.sum()) / tokens


def kept_cells(mask: Float[Tensor, "rows columns"], most: int) -> Int[Tensor, " cells"]:
    """The cells of a grid of which at least half are a person's, counted row by row; of more than `most`, evenly some.

    The same mask gives the same cells.
    """
    own = (mask.flatten() >= _OWN).nonzero()[:, 0]
    if len(own) <= most:
        return own
    return own[torch.arange(most, device=own.device) * len(own) // most]
