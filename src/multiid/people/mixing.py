"""Several people made one: how loudly each photo of a mix is heard, and which way its face points.

A mix stacks everybody's ID embeddings and tells people's shares by spatial weights on them, as attention does for
every knob. All here is about numbers; `Identity.mix` is the way to it.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

__all__ = ["mix_directions", "mix_loudness", "normalise_shares"]


def normalise_shares(shares: Sequence[float]) -> list[float]:
    """Shares in the same proportions that sum to 1; a single one is exactly 1.

    Args:
        shares: positive finite numbers.
    """
    largest = max(shares)
    reduced = [share / largest for share in shares]  # so that the sum of large ones stays finite
    return [share / sum(reduced) for share in reduced]


def mix_loudness(shares: Sequence[float], loudness: Sequence[Float[Tensor, " _"]]) -> Float[Tensor, " images"]:
    """How loudly each photo of a mix is heard.

    Person i, whose photos together are as loud as m_i, gets the share s_i of the whole, and the whole is as loud as
    the people are on average, M = sum(s_i m_i): each of their photos is multiplied by s_i M / m_i. So shares hold
    whatever the number of photos, a mix is about as loud as one person, one person alone is unchanged to the last
    digit, and a mix of mixes is the mix of the people in them.

    Args:
        shares: from `normalise_shares`.
        loudness: of each person's photos; 1 is untouched.
    """
    wholes = [photos.double().sum().item() for photos in loudness]
    whole = sum(share * own for share, own in zip(shares, wholes, strict=True))
    return torch.cat(
        [photos * (share * (whole / own)) for share, own, photos in zip(shares, wholes, loudness, strict=True)]
    )


def mix_directions(shares: Sequence[float], faces: Sequence[Float[Tensor, "_ dims"]]) -> Float[Tensor, "1 dims"]:
    """The face embedding between several people's: the mean of their mean directions, by shares.

    Args:
        shares: from `normalise_shares`.
        faces: each person's face embeddings by one recogniser.
    """
    means = [normalize(normalize(rows, dim=1).mean(dim=0), dim=0) for rows in faces]
    return torch.stack([share * mean for share, mean in zip(shares, means, strict=True)]).sum(dim=0, keepdim=True)
