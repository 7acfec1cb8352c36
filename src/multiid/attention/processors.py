"""The processor that adapts masked attention to diffusers' cross-attention layers, and the state it reads."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from multiid.attention.masked import MaskRule, join_keys, masked_attention, multiplied_attention
from multiid.attention.pictures import picture_attention
from multiid.attention.weights import grid_masks, key_weights
from multiid.conditioning import Conditioning
from multiid.errors import AttentionError

__all__ = ["MaskedAttnProcessor", "SceneKeys", "Showing", "split_heads"]

_KEY_MULTIPLE = 16


@dataclass(frozen=True)
class SceneKeys:
    """What one scene adds to the text in every cross-attention layer.

    Attributes:
        stack: the embedding stack, (tokens, channels), with silent tokens at its end; none but those where the stacks
            stand inside the prompt.
        masks: for each level that has cross-attention one (queries, keys) tensor, in the form that the rule reads:
            log w or w; keys are the text's tokens, then the stack's.
        rule: how the masks enter the softmax.
    """

    stack: Float[Tensor, "tokens channels"]
    masks: Mapping[int, Tensor]
    rule: MaskRule = "additive"

    @classmethod
    def of(
        cls,
        conditioning: Conditioning,
        regions: Float[Tensor, "people height width"],
        *,
        latent: tuple[int, int],
        levels: Collection[int],
        dtype: torch.dtype,
        rule: MaskRule = "additive",
    ) -> "SceneKeys":
        """The keys of a scene whose people have these regions, at some levels of a (rows, columns) latent grid.

        Silent tokens of weight 0, which add exactly nothing, fill the keys up to a multiple of 16: fused attention
        takes up to twice as long for numbers of keys between. The multiplicative rule has no weight that is silent.
        """
        if rule == "none":
            regions = torch.ones_like(regions)
        owners, loudness = conditioning.owners, conditioning.loudness
        grids = grid_masks(regions.to(owners.device), latent, 1 + max(levels))
        weights = {level: key_weights(grids[level], owners, loudness) for level in levels}
        if rule == "multiplicative":
            return cls(conditioning.stack.to(dtype), {level: w.to(dtype) for level, w in weights.items()}, rule)
        silent = -len(owners) % _KEY_MULTIPLE
        return cls(
            F.pad(conditioning.stack, (0, 0, 0, silent)).to(dtype),
            {level: F.pad(w, (0, silent)).log().to(dtype) for level, w in weights.items()},
            rule,
        )


@dataclass
class Showing:
    """What the batch rows of one network see during one call.

    Attributes:
        rows: for each batch row the index of the scene it shows, or None for an unconditional row, which never
            sees a stack.
        scenes: the scenes that rows refer to.
        merged: whether identities have entered yet (delayed merging); until then every row sees its text alone.
        cached: whether keys and values are kept from step to step.
        runs: neighbouring rows that show the same scene, as (scene or None, slice of rows).
    """

    rows: Sequence[int | None]
    scenes: Sequence[SceneKeys]
    merged: bool = True
    cached: bool = True
    runs: tuple[tuple[int | None, slice], ...] = field(init=False)

    def __post_init__(self) -> None:
        runs: list[tuple[int | None, slice]] = []
        for scene, group in groupby(self.rows):
            start = runs[-1][1].stop if runs else 0
            runs.append((scene, slice(start, start + len(list(group)))))
        self.runs = tuple(runs)


class _Heard(NamedTuple):
    """What some rows hear in one layer, and by which formula; keys and values are (rows, heads, keys, channels)."""

    rows: slice
    key: Tensor
    value: Tensor
    mask: Tensor | None
    attention: Callable[..., Tensor]


class MaskedAttnProcessor:
    """Cross-attention in which each person's tokens reach that person's region only.

    Stands in for the processor of one layer; until identities are merged it hands every call to that processor,
    so the result is the stock network's to the last bit.

    Args:
        original: the processor it stands in for.
        level: how many times the layer's grid has been halved from the latent grid.
        showing: what the rows see, shared by all layers of a network.
    """

    def __init__(self, original: Any, *, level: int, showing: Showing) -> None:
        self.original = original
        self.level = level
        self.showing = showing
        self._stacks: dict[int, tuple[Tensor, Tensor]] = {}
        self._kept: tuple[Tensor, list[_Heard]] | None = None

    def __call__(
        self,
        attn: Any,
        hidden_states: Float[Tensor, "rows queries width"],
        encoder_hidden_states: Float[Tensor, "rows text channels"] | tuple[Tensor, list[Tensor]],
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Float[Tensor, "rows queries width"]:
        """One layer's cross-attention; with an IP-Adapter the text comes together with the tokens of its pictures.

        Raises:
            AttentionError: when the batch or the grid is not the one this call was prepared for.
        """
        showing = self.showing
        if not showing.merged:
            return self.original(attn, hidden_states, encoder_hidden_states, attention_mask, *args, **kwargs)
        if attention_mask is not None or kwargs.get("ip_adapter_masks") is not None:
            raise AttentionError("Expected cross-attention without masks of another's, but the network passes some.")
        if hidden_states.shape[0] != len(showing.rows):
            raise AttentionError(
                f"Expected a batch of {len(showing.rows)} rows, as assigned, but got {hidden_states.shape[0]}."
            )

        text, pictures = encoder_hidden_states, []
        if isinstance(text, tuple):
            text, pictures = text
        query = split_heads(attn, attn.to_q(hidden_states))  # (rows, heads, queries, channels per head)
        parts = [
            # (rows, queries, heads, channels per head): as fused kernels lay it out, so nothing is copied.
            heard.attention(query[heard.rows], heard.key, heard.value, heard.mask).transpose(1, 2)
            for heard in self._heard(attn, text, query)
        ]
        joined = torch.cat(parts) if len(parts) > 1 else parts[0]
        if pictures:
            joined = joined + picture_attention(self.original, query, pictures)
        return attn.to_out[1](attn.to_out[0](joined.flatten(start_dim=2))) / attn.rescale_output_factor

    def _heard(self, attn: Any, text: Tensor, query: Tensor) -> list[_Heard]:
        """What each run of rows hears; kept for as long as the network is handed the very same text.

        A pipeline hands out one text tensor in all steps after the merge, and nobody writes into it meanwhile.
        Nothing is kept where a recorded graph would replay into the same memory (`Showing.cached`).
        """
        if self._kept is not None and self._kept[0] is text:
            return self._kept[1]
        keys, values = (split_heads(attn, project(text)) for project in (attn.to_k, attn.to_v))
        heard: list[_Heard] = []
        for scene, rows in self.showing.runs:
            key, value = keys[rows], values[rows]
            if scene is None:
                heard.append(_Heard(rows, key, value, None, masked_attention))
                continue
            stack_key, stack_value = self._stack(attn, scene)
            key, value = join_keys(key, stack_key), join_keys(value, stack_value)
            multiplied = self.showing.scenes[scene].rule == "multiplicative"
            attention = multiplied_attention if multiplied else masked_attention
            heard.append(_Heard(rows, key, value, self._mask(scene, query), attention))
        if self.showing.cached:
            self._kept = text, heard
        return heard

    def _mask(self, scene: int, query: Tensor) -> Tensor:
        mask = self.showing.scenes[scene].masks[self.level]
        if mask.shape[0] != query.shape[2]:
            raise AttentionError(
                f"Expected a grid of {mask.shape[0]} places at level {self.level}, but the layer has "
                f"{query.shape[2]}: the latents are not of the size the masks were made for."
            )
        return mask.to(device=query.device, dtype=query.dtype)

    def _stack(self, attn: Any, scene: int) -> tuple[Tensor, Tensor]:
        """Keys and values of a scene's stack, (1, heads, tokens, channels) each, computed at most once per call.

        They go through `to_k` and `to_v` in the running step, so LoRA layers and offload hooks apply. They are kept
        by themselves because an offloaded network is handed another copy of its text in every step.
        """
        if scene in self._stacks:
            return self._stacks[scene]
        stack = self.showing.scenes[scene].stack[None]
        pair = (split_heads(attn, attn.to_k(stack)), split_heads(attn, attn.to_v(stack)))
        if self.showing.cached:
            self._stacks[scene] = pair
        return pair


def split_heads(attn: Any, x: Tensor) -> Tensor:
    """(rows, tokens, width) to (rows, heads, tokens, width / heads)."""
    return x.unflatten(2, (attn.heads, -1)).transpose(1, 2)
