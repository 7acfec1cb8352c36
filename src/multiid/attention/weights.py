"""Who may look where: one spatial weight for every key, on every grid of a network.

Attention over the scene's text and everybody's stack is `softmax(QK^T / sqrt(d) + log w) V`. The weight
`w[q, k]` says how much query q (a place of the picture) hears key k (a token): 0 is not at all, exactly;
1 is untouched; everything between is a soft mask edge, an identity strength or a mixing share.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from multiid.prompts import SHARED

__all__ = ["grid_masks", "key_weights"]

_SHARED_FLOOR = 1e-4  # the text is never quite silent, so no row of the softmax is ever wholly masked


def grid_masks(
    masks: Float[Tensor, "people height width"], latent: Sequence[int], levels: int
) -> list[Float[Tensor, "people rows columns"]]:
    """Reduces masks to the attention grids of a network by area averaging.

    Level 0 is the latent grid; each further level halves it as a stride-2 convolution does, ceil(h / 2) by
    ceil(w / 2), where a last odd row or column is averaged over what there is of it.

    Args:
        masks: one mask per person in [0, 1], at picture resolution or any other.
        latent: (rows, columns) of the latent grid.
        levels: how many grids to make.

    Returns:
        One tensor of masks per level, level 0 first.
    """
    # One channel each: pooling takes a batch of nobody, but not pictures of no channel.
    grids = [F.adaptive_avg_pool2d(masks[:, None], (latent[0], latent[1]))]
    while len(grids) < levels:
        grids.append(F.avg_pool2d(grids[-1], kernel_size=2, ceil_mode=True))
    return [grid.squeeze(1) for grid in grids]


def key_weights(
    masks: Float[Tensor, "people rows columns"],
    owners: Int[Tensor, " keys"],
    loudness: Float[Tensor, " keys"],
) -> Float[Tensor, "queries keys"]:
    """The weight of every key at every query of one grid: its owner's mask there times its own loudness.

    Args:
        masks: one mask per person on the grid; queries run through it row by row.
        owners: for each key the index of the person it belongs to, or `SHARED`.
        loudness: for each key a factor of at least 0 (identity strength, mixing share); 1 leaves it untouched.

    Returns:
        Weights of at least 0; those of shared keys are floored above 0.
    """
    flat = masks.flatten(start_dim=1)
    shared = torch.ones_like(flat[:1]) if len(flat) else torch.ones(1, flat.shape[1], device=flat.device)
    # Row -1 of the table is everywhere 1: the mask of SHARED.
    table = torch.cat([flat, shared])
    weights = table[owners] * loudness[:, None]
    floor = torch.where(owners == SHARED, _SHARED_FLOOR, 0.0)
    return torch.maximum(weights, floor[:, None]).T.contiguous()
