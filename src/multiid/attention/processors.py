"""The processor that adapts masked attention to diffusers' cross-attention layers, and the state it reads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from multiid.attention.masked import join_keys, masked_attention
from multiid.attention.weights import grid_masks, key_weights
from multiid.conditioning import Conditioning
from multiid.errors import AttentionError

__all__ = ["MaskedAttnProcessor", "SceneKeys", "Showing"]


@dataclass(frozen=True)
class SceneKeys:
    """What one scene adds to the text in every cross-attention layer.

    Attributes:
        stack: the embedding stack, (tokens, channels); no tokens where the stacks stand inside the prompt.
        log_weights: for each level that has cross-attention one (queries, keys) tensor; keys are the text's tokens,
            then the stack's.
    """

    stack: Float[Tensor, "tokens channels"]
    log_weights: Mapping[int, Tensor]

    @classmethod
    def of(
        cls,
        conditioning: Conditioning,
        regions: Float[Tensor, "people height width"],
        *,
        latent: tuple[int, int],
        levels: Collection[int],
        dtype: torch.dtype,
    ) -> "SceneKeys":
        """The keys of a scene whose people have these regions, at some levels of a (rows, columns) latent grid."""
        grids = grid_masks(regions.to(conditioning.owners.device), latent, 1 + max(levels))
        return cls(
            conditioning.stack.to(dtype),
            {
                level: key_weights(grids[level], conditioning.owners, conditioning.loudness).log().to(dtype)
                for level in levels
            },
        )


@dataclass
class Showing:
    """What the batch rows of one network see during one call.

    Attributes:
        rows: for each batch row the index of the scene it shows, or None for an unconditional row, which never
            sees a stack.
        scenes: the scenes that rows refer to.
        merged: whether identities have entered yet (delayed merging); until then every row sees its text alone.
        cached: whether keys and values of the stack are kept from step to step.
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

    def __call__(
        self,
        attn: Any,
        hidden_states: Float[Tensor, "rows queries width"],
        encoder_hidden_states: Float[Tensor, "rows text channels"],
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Float[Tensor, "rows queries width"]:
        """One layer's cross-attention.

        Raises:
            AttentionError: when the batch or the grid is not the one this call was prepared for.
        """
        showing = self.showing
        if not showing.merged:
            return self.original(attn, hidden_states, encoder_hidden_states, attention_mask, *args, **kwargs)
        if attention_mask is not None:
            raise AttentionError("Expected cross-attention without an attention mask, but the network passes one.")
        if hidden_states.shape[0] != len(showing.rows):
            raise AttentionError(
                f"Expected a batch of {len(showing.rows)} rows, as assigned, but got {hidden_states.shape[0]}."
            )

        query = _split_heads(attn, attn.to_q(hidden_states))  # (rows, heads, queries, channels per head)
        key = _split_heads(attn, attn.to_k(encoder_hidden_states))
        value = _split_heads(attn, attn.to_v(encoder_hidden_states))
        parts: list[Tensor] = []
        for scene, rows in showing.runs:
            if scene is None:
                parts.append(masked_attention(query[rows], key[rows], value[rows]))
                continue
            stack_key, stack_value = self._stack(attn, scene)
            parts.append(
                masked_attention(
                    query[rows],
                    join_keys(key[rows], stack_key),
                    join_keys(value[rows], stack_value),
                    self._log_weights(scene, query),
                )
            )
        heard = torch.cat(parts)
        heard = heard.transpose(1, 2).flatten(start_dim=2)  # (rows, queries, width)
        return attn.to_out[1](attn.to_out[0](heard)) / attn.rescale_output_factor

    def _log_weights(self, scene: int, query: Tensor) -> Tensor:
        log_weights = self.showing.scenes[scene].log_weights[self.level]
        if log_weights.shape[0] != query.shape[2]:
            raise AttentionError(
                f"Expected a grid of {log_weights.shape[0]} places at level {self.level}, but the layer has "
                f"{query.shape[2]}: the latents are not of the size the masks were made for."
            )
        return log_weights.to(device=query.device, dtype=query.dtype)

    def _stack(self, attn: Any, scene: int) -> tuple[Tensor, Tensor]:
        """Keys and values of a scene's stack, (1, heads, tokens, channels) each, computed at most once per call.

        They go through `to_k` and `to_v` in the running step, so LoRA layers and offload hooks apply. Nothing is
        kept where a recorded graph would replay into the same memory (`Showing.cached`).
        """
        if scene in self._stacks:
            return self._stacks[scene]
        stack = self.showing.scenes[scene].stack[None]
        pair = (_split_heads(attn, attn.to_k(stack)), _split_heads(attn, attn.to_v(stack)))
        if self.showing.cached:
            self._stacks[scene] = pair
        return pair


def _split_heads(attn: Any, x: Tensor) -> Tensor:
    """(rows, tokens, width) to (rows, heads, tokens, width / heads)."""
    return x.unflatten(2, (attn.heads, -1)).transpose(1, 2)
