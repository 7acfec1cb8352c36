"""Small real things that several tests build on: networks, scenes' keys, people."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from multiid.attention.install import cross_attention_layers
from multiid.attention.masked import MaskRule
from multiid.attention.processors import SceneKeys
from multiid.conditioning import Conditioning
from multiid.prompts import SHARED

TEXT = 77


def conditioning(stacks: Sequence[Tensor], *, channels: int, loudness: float = 1.0) -> Conditioning:
    """A scene of one stack per person, (tokens, channels) each, behind a random text."""
    owners = [SHARED] * TEXT + [person for person, stack in enumerate(stacks) for _ in range(len(stack))]
    loud = [1.0 if owner == SHARED else loudness for owner in owners]
    text, pooled = torch.randn(1, TEXT, channels), torch.randn(1, 32)
    return Conditioning(
        layout="stack",
        text=text,
        pooled=pooled,
        merged_text=text,
        merged_pooled=pooled,
        stack=torch.cat([*stacks, torch.zeros(0, channels)]),
        owners=torch.tensor(owners),
        loudness=torch.tensor(loud),
        read=(),
        notes=(),
    )


def scene_keys(
    network: nn.Module,
    stacks: Sequence[Tensor],
    regions: Tensor,
    latent: tuple[int, int],
    *,
    loudness: float = 1.0,
    dtype: torch.dtype = torch.float32,
    rule: MaskRule = "additive",
) -> SceneKeys:
    """What such a scene shows a network."""
    channels = stacks[0].shape[1] if stacks else 48
    return SceneKeys.of(
        conditioning(stacks, channels=channels, loudness=loudness),
        regions,
        latent=latent,
        levels={level for _, level in cross_attention_layers(network)},
        dtype=dtype,
        rule=rule,
    )


def halves(size: tuple[int, int]) -> Tensor:
    """Two people, the left and the right half of a picture of (height, width)."""
    regions = torch.zeros(2, *size)
    middle = size[1] // 2
    regions[0, :, :middle] = 1
    regions[1, :, middle:] = 1
    return regions
