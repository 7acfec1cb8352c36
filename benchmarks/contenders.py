"""The ways to do one cross-attention layer: stock, ours, diffusers' masked IP-Adapter, and that with all kept.

IP-Adapter gives every picture of a person an attention of its own beside the text's, and adds their outputs where the
person's mask is. diffusers projects keys and values anew in every step and shrinks the masks anew in every layer.
`KeptIPAdapter` does the same sums with both kept, the text's keys and values too: the strongest form of that design.
"""

from typing import Any

import torch
import torch.nn.functional as F
from diffusers.image_processor import IPAdapterMaskProcessor
from diffusers.models.attention_processor import Attention, IPAdapterAttnProcessor2_0
from timing import Contender
from torch import Tensor

from multiid.attention.processors import MaskedAttnProcessor, SceneKeys, Showing
from multiid.conditioning import Conditioning
from multiid.prompts import CLIP_WINDOW, SHARED

__all__ = ["ROWS", "KeptIPAdapter", "layer_contenders", "people_conditioning", "stripes"]

ROWS: list[int | None] = [None, 0]
"""Classifier-free guidance: an unconditional row and one that shows the scene."""


class KeptIPAdapter:
    """diffusers' masked IP-Adapter for one layer, with all kept that stays the same from step to step.

    Args:
        adapter: whose projections and scale it uses.
        attn: the layer.
        text: (rows, tokens, channels), in every step the same.
        images: (rows, people, tokens, channels).
        masks: (1, people, height, width).
        queries: places of the layer's grid.
    """

    def __init__(
        self,
        adapter: IPAdapterAttnProcessor2_0,
        attn: Attention,
        text: Tensor,
        images: Tensor,
        masks: Tensor,
        *,
        queries: int,
    ) -> None:
        self._heads = attn.heads
        self._text = self._split(attn.to_k(text)), self._split(attn.to_v(text))
        to_k, to_v = adapter.to_k_ip[0], adapter.to_v_ip[0]
        self._people = [
            (
                self._split(to_k(image)),
                self._split(to_v(image)),
                # One number for each query, spread over the channels only when it is used.
                IPAdapterMaskProcessor.downsample(mask[None], len(text), queries, 1).to(text.dtype) * adapter.scale[0],
            )
            for image, mask in zip(images.unbind(1), masks[0], strict=True)
        ]

    def __call__(self, attn: Any, hidden_states: Tensor, **_: Any) -> Tensor:
        """One layer's cross-attention; its text is known."""
        query = self._split(attn.to_q(hidden_states))
        heard = self._join(F.scaled_dot_product_attention(query, *self._text))
        for key, value, mask in self._people:
            heard = torch.addcmul(heard, self._join(F.scaled_dot_product_attention(query, key, value)), mask)
        return attn.to_out[1](attn.to_out[0](heard)) / attn.rescale_output_factor

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self._heads, -1)).transpose(1, 2)

    def _join(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(start_dim=2)


def layer_contenders(
    attn: Attention, *, people: int, tokens: int, level: int, grid: int, masks_side: int
) -> dict[str, Contender]:
    """All of them on one layer, with the same text, people and places.

    Args:
        attn: the cross-attention layer.
        people: how many.
        tokens: of each person.
        level: how many times the layer's grid has been halved from the latent grid.
        grid: side of the layer's square grid.
        masks_side: side of the square picture that people's masks are given for, in pixels.
    """
    parameter = attn.to_q.weight
    dtype, channels = parameter.dtype, attn.to_k.in_features
    hidden = torch.randn(len(ROWS), grid**2, attn.query_dim, dtype=dtype)
    regions = stripes(people, masks_side)
    stack = torch.randn(people, tokens, channels, dtype=dtype)
    conditioning = people_conditioning(stack)
    text = conditioning.text.repeat(len(ROWS), 1, 1)

    latent = (grid * 2**level,) * 2
    keys = SceneKeys.of(conditioning, regions, latent=latent, levels=[level], dtype=dtype)
    stock: Any = attn.processor
    ours = MaskedAttnProcessor(stock, level=level, showing=Showing(ROWS, [keys]))

    adapter = IPAdapterAttnProcessor2_0(attn.query_dim, channels, num_tokens=(tokens,)).to(dtype).requires_grad_(False)
    images, masks = stack.repeat(len(ROWS), 1, 1, 1), regions[None]
    kept = KeptIPAdapter(adapter, attn, text, images, masks, queries=grid**2)
    kept_text = KeptIPAdapter(adapter, attn, text, images[:, :0], masks[:, :0], queries=grid**2)

    def contender(processor: Any, words: Any, **arguments: Any) -> Contender:
        return Contender(
            lambda: attn.set_processor(processor),
            lambda: attn(hidden, encoder_hidden_states=words, **arguments),
        )

    return {
        "stock": contender(stock, text),
        "stock, text kept": contender(kept_text, text),
        "multiid": contender(ours, text),
        "IP-Adapter": contender(adapter, (text, [images]), ip_adapter_masks=[masks]),
        "IP-Adapter, all kept": contender(kept, text),
    }


def stripes(people: int, side: int) -> Tensor:
    """Masks of people who stand side by side in a square picture, (people, side, side)."""
    regions = torch.zeros(people, side, side)
    if people:
        for person, columns in enumerate(torch.arange(side).tensor_split(people)):
            regions[person, :, columns] = 1
    return regions


def people_conditioning(stack: Tensor, *, pooled: int = 1) -> Conditioning:
    """A random text, and behind it a stack of (people, tokens, channels)."""
    people, tokens, channels = stack.shape
    text = torch.randn(1, CLIP_WINDOW, channels, dtype=stack.dtype, device=stack.device)
    summary = torch.randn(1, pooled, dtype=stack.dtype, device=stack.device)
    owners = [SHARED] * CLIP_WINDOW + [person for person in range(people) for _ in range(tokens)]
    return Conditioning(
        layout="stack",
        text=text,
        pooled=summary,
        merged_text=text,
        merged_pooled=summary,
        stack=stack.reshape(people * tokens, channels),
        owners=torch.tensor(owners, device=stack.device),
        loudness=torch.ones(len(owners), device=stack.device),
        read=(),
        notes=(),
    )
