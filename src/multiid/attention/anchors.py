"""Consistent self-attention in a network: people recorded in their anchor's picture and shown in another.

In one call some people may be recorded while others are shown. The network's own attention always comes first, and
nothing of it is changed but at the places of people who are shown; so recording changes nothing, and whoever has no
anchor stays the same to the last bit in each layer.

Only the conditional half of guidance is recorded and hears: heard in both halves an anchor all but cancels itself out
of guidance, and takes twice the memory.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from multiid.attention.anchored import anchored_attention, kept_cells, leaning, loudness
from multiid.attention.install import require_stock, self_attention_layers
from multiid.attention.processors import split_heads
from multiid.attention.weights import grid_masks
from multiid.errors import AttentionError

__all__ = ["AnchoredAttnProcessor", "Anchoring", "Recorder", "ShownPerson", "Tokens", "anchoring"]

_LOUDNESS = 10.0  # of an anchor, all in all, beside the person's own places: they hear little else

Tokens = Mapping[str, Tensor]
"""For each layer, by name, the hidden states of some of a person's places: (evaluations, tokens, width)."""


@dataclass(frozen=True, eq=False)
class Recorder:
    """Keeps one person's tokens while a picture is made.

    Attributes:
        row: the conditional row of the picture in the batch.
        cells: for each level the cells to keep.
        kept: by layer, what was kept, one (tokens, width) for each evaluation.
    """

    row: int
    cells: Mapping[int, Int[Tensor, " cells"]]
    kept: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])

    @classmethod
    def of(
        cls,
        region: Float[Tensor, "height width"],
        *,
        row: int,
        latent: tuple[int, int],
        levels: int,
        most: int,
    ) -> "Recorder":
        """For a person of that region, of whom at most so many tokens are kept in each layer."""
        grids = grid_masks(region[None], latent, levels)
        return cls(row, {level: kept_cells(grid[0], most) for level, grid in enumerate(grids)})

    def take(self, layer: str, level: int, hidden: Float[Tensor, "batch places width"]) -> None:
        """Keeps what a layer is handed of the person, in main memory."""
        cells = self.cells[level].to(hidden.device)
        self.kept.setdefault(layer, []).append(hidden[self.row, cells].cpu())

    def tokens(self) -> dict[str, Tensor]:
        """All that was kept."""
        return {layer: torch.stack(kept) for layer, kept in self.kept.items()}


@dataclass(frozen=True, eq=False)
class ShownPerson:
    """An anchor that the conditional rows of a scene's pictures hear, at the places of its person.

    Attributes:
        rows: of the batch.
        tokens: of the anchor.
        places: for each level where it is heard.
        shares: for each level how much of the way the output there goes to what hears the anchor.
        weights: for each level how loud each of the tokens is.
    """

    rows: slice
    tokens: Tokens
    places: Mapping[int, Int[Tensor, " queries"]]
    shares: Mapping[int, Float[Tensor, " queries"]]
    weights: Mapping[int, float]

    @classmethod
    def of(
        cls,
        region: Float[Tensor, "height width"],
        tokens: Tokens,
        consistency: float,
        *,
        rows: slice,
        latent: tuple[int, int],
        layers: Mapping[str, int],
    ) -> "ShownPerson":
        """For a person of that region, in a network of layers on these levels; heard nowhere at consistency 0."""
        places: dict[int, Tensor] = {}
        shares: dict[int, Tensor] = {}
        weights: dict[int, float] = {}
        grids = grid_masks(region[None], latent, 1 + max(layers.values()))
        for level, layer in {level: layer for layer, level in layers.items()}.items():
            mask, kept = grids[level][0], tokens[layer].shape[1]
            share = consistency * mask.flatten() if kept else torch.zeros(mask.numel())
            places[level] = share.nonzero()[:, 0]
            shares[level] = share[places[level]]
            weights[level] = loudness(mask, max(kept, 1), _LOUDNESS)
        return cls(rows, tokens, places, shares, weights)


@dataclass
class Anchoring:
    """Who is recorded and who is shown in a network during one call.

    Attributes:
        batch: rows of the batch.
        recorders: keep people's tokens.
        shown: the anchors that rows hear.
        evaluation: which evaluation of the network is under way.
    """

    batch: int
    recorders: Sequence[Recorder]
    shown: Sequence[ShownPerson]
    evaluation: int = 0


class AnchoredAttnProcessor:
    """Self-attention in which people hear their anchors, at the places of their regions.

    The processor that it stands in for computes everything first. Its output is replaced at those places alone, so it
    stays the same to the last bit at all others.

    Args:
        original: the processor it stands in for.
        layer: the layer's name.
        level: how many times the layer's grid has been halved from the latent grid.
        state: who is recorded and shown, shared by all layers of a network.
    """

    def __init__(self, original: Any, *, layer: str, level: int, state: Anchoring) -> None:
        self.original = original
        self.layer = layer
        self.level = level
        self.state = state

    def __call__(
        self,
        attn: Any,
        hidden_states: Float[Tensor, "batch places width"],
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Float[Tensor, "batch places width"]:
        """One layer's self-attention.

        Raises:
            AttentionError: when the batch is not the one that this call was prepared for.
        """
        state = self.state
        if hidden_states.shape[0] != state.batch:
            raise AttentionError(f"Expected a batch of {state.batch} rows, but got {hidden_states.shape[0]}.")
        own = self.original(attn, hidden_states, encoder_hidden_states, attention_mask, *args, **kwargs)
        for recorder in state.recorders:
            recorder.take(self.layer, self.level, hidden_states)
        output = own.clone() if state.shown else own
        for shown in state.shown:
            places = shown.places[self.level].to(own.device)
            if len(places):
                heard = self._heard(attn, hidden_states[shown.rows], places, shown)
                shares = shown.shares[self.level].to(own)
                output[shown.rows, places] += leaning(own[shown.rows][:, places], heard, shares)
        return output

    def _heard(
        self,
        attn: Any,
        hidden: Float[Tensor, "rows places width"],
        places: Int[Tensor, " queries"],
        shown: ShownPerson,
    ) -> Float[Tensor, "rows queries width"]:
        """What the output at some places would be if they heard the anchor too."""
        tokens = shown.tokens[self.layer][self.state.evaluation][None].to(hidden)
        # Anchors go through `to_k` and `to_v` in the running step, so LoRA layers and offload hooks apply.
        query, key, value, anchor_key, anchor_value = (
            split_heads(attn, project(states))
            for project, states in (
                (attn.to_q, hidden[:, places]),
                (attn.to_k, hidden),
                (attn.to_v, hidden),
                (attn.to_k, tokens),
                (attn.to_v, tokens),
            )
        )
        weight = shown.weights[self.level]
        heard = anchored_attention(query, key, value, anchor_key, anchor_value, weight).transpose(1, 2)
        return attn.to_out[1](attn.to_out[0](heard.flatten(start_dim=2))) / attn.rescale_output_factor


@contextmanager
def anchoring(network: nn.Module, state: Anchoring) -> Generator[None]:
    """Lets people of a network's pictures be recorded and shown; puts the very processors back on the way out.

    Raises:
        AttentionError: when a layer is not a stock self-attention layer; nothing is installed then.
    """
    layers = self_attention_layers(network)
    originals = [(layer, layer.processor) for layer, _ in layers.values()]
    for layer, processor in originals:
        require_stock(layer, processor)

    def count(*_: Any) -> None:
        state.evaluation += 1

    handle = network.register_forward_hook(count)
    try:
        for name, (layer, level) in layers.items():
            processor = AnchoredAttnProcessor(layer.processor, layer=name, level=level, state=state)
            layer.set_processor(cast(Any, processor))
        yield
    finally:
        handle.remove()
        for layer, processor in originals:
            layer.set_processor(processor)
