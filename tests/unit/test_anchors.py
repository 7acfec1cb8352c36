"""Consistent self-attention in a real, tiny UNet."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from diffusers.models.attention_processor import SlicedAttnProcessor
from scenes import TEXT, halves
from torch import Tensor, nn

from multiid.attention.anchors import Anchoring, Recorder, ShownPerson, Tokens, anchoring
from multiid.attention.install import self_attention_layers
from multiid.errors import AttentionError
from multiid.pipeline.tiny import tiny_pipeline

LATENT = (16, 24)
PICTURE = (128, 192)
MOST = 20


@pytest.fixture(scope="module")
def unet() -> Any:
    return tiny_pipeline().unet


def levels_of(unet: nn.Module) -> dict[str, int]:
    return {name: level for name, (_, level) in self_attention_layers(unet).items()}


def run(unet: Any, rows: int = 2, *, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    with torch.no_grad():
        return unet(
            draw(1, 4, *LATENT).expand(rows, -1, -1, -1),
            torch.tensor(500),
            encoder_hidden_states=draw(rows, TEXT, 48),
            added_cond_kwargs={"text_embeds": draw(rows, 32), "time_ids": draw(1, 6).expand(rows, -1)},
            return_dict=False,
        )[0]


def state(*, batch: int = 2, recorders: Sequence[Recorder] = (), shown: Sequence[ShownPerson] = ()) -> Anchoring:
    return Anchoring(batch, recorders, shown)


def recorder_of(region: Tensor) -> Recorder:
    return Recorder.of(region, row=1, latent=LATENT, levels=3, most=MOST)


def recorded(unet: nn.Module, person: int, *, seeds: Sequence[int] = (7,)) -> Tokens:
    """One half of a picture as another one's anchor, one evaluation for each seed."""
    recorder = recorder_of(halves(PICTURE)[person])
    with anchoring(unet, state(recorders=[recorder])):
        for seed in seeds:
            run(unet, seed=seed)
    return recorder.tokens()


def shown_people(
    unet: nn.Module, people: Sequence[tuple[int, Tokens]], *, consistency: float = 1.0
) -> list[ShownPerson]:
    return [
        ShownPerson.of(
            halves(PICTURE)[person],
            tokens,
            consistency,
            rows=slice(1, 2),
            latent=LATENT,
            layers=levels_of(unet),
        )
        for person, tokens in people
    ]


def shown(unet: nn.Module, people: Sequence[tuple[int, Tokens]], **options: Any) -> Tensor:
    with anchoring(unet, state(shown=shown_people(unet, people, **options))):
        return run(unet)


def layer_outputs(unet: nn.Module, people: Sequence[tuple[int, Tokens]]) -> list[tuple[int, Tensor]]:
    """Every layer by itself, on equal input; of nobody, the network's own."""
    outputs: list[tuple[int, Tensor]] = []
    with anchoring(unet, state(shown=shown_people(unet, people))), torch.no_grad():
        for layer, level in self_attention_layers(unet).values():
            places = (LATENT[0] // 2**level) * (LATENT[1] // 2**level)
            hidden = torch.randn(2, places, layer.query_dim, generator=torch.Generator().manual_seed(4))
            outputs.append((level, layer(hidden)))
    return outputs


def of_left_half(level: int, output: Tensor) -> Tensor:
    columns = LATENT[1] // 2**level
    return torch.arange(output.shape[1]) % columns < columns // 2


def test_levels_follow_the_place_in_the_network(unet: Any) -> None:
    seen: dict[str, int] = {}
    handles = [
        layer.register_forward_hook(lambda _, args, _o, name=name: seen.__setitem__(name, args[0].shape[1]))
        for name, (layer, _) in self_attention_layers(unet).items()
    ]
    run(unet)
    for handle in handles:
        handle.remove()
    assert set(levels_of(unet).values()) == {1, 2}
    assert {name: LATENT[0] * LATENT[1] // 4**level for name, level in levels_of(unet).items()} == seen
    assert all(dict(unet.named_modules())[name] is layer for name, (layer, _) in self_attention_layers(unet).items())


def test_recording_changes_nothing(unet: Any) -> None:
    recorder = recorder_of(halves(PICTURE)[0])
    with anchoring(unet, state(recorders=[recorder])):
        output = run(unet)
    assert torch.equal(output, run(unet))


def test_what_is_recorded_are_the_persons_own_places(unet: Any) -> None:
    seen: dict[str, Tensor] = {}
    recorder = recorder_of(halves(PICTURE)[0])
    with anchoring(unet, state(recorders=[recorder])):
        handles = [
            layer.register_forward_hook(lambda _, args, _o, name=name: seen.__setitem__(name, args[0]))
            for name, (layer, _) in self_attention_layers(unet).items()
        ]
        run(unet, seed=1)
        run(unet, seed=2)
        for handle in handles:
            handle.remove()
    for name, level in levels_of(unet).items():
        tokens = recorder.tokens()[name]
        cells = recorder.cells[level]
        assert tokens.shape == (2, min(MOST, LATENT[0] * LATENT[1] // 4**level // 2), seen[name].shape[2])
        assert torch.equal(tokens[1], seen[name][1, cells])
        assert of_left_half(level, seen[name])[cells].all()


def test_no_consistency_is_the_stock_network_bit_for_bit(unet: Any) -> None:
    tokens = recorded(unet, 0)
    assert torch.equal(shown(unet, [(0, tokens)], consistency=0.0), run(unet))
    assert not torch.equal(shown(unet, [(0, tokens)], consistency=0.01), run(unet))


def test_consistency_is_how_far_the_picture_moves(unet: Any) -> None:
    tokens, stock = recorded(unet, 0), run(unet)
    moved = [
        (shown(unet, [(0, tokens)], consistency=consistency) - stock).norm().item() for consistency in (0.1, 1.0, 10.0)
    ]
    assert moved == sorted(moved)
    assert moved[0] > 1e-4


def test_an_anchor_reaches_its_persons_region_alone(unet: Any) -> None:
    stock, heard = layer_outputs(unet, []), layer_outputs(unet, [(0, recorded(unet, 0))])
    for (level, before), (_, after) in zip(stock, heard, strict=True):
        of_a = of_left_half(level, before)
        assert torch.equal(before[:, ~of_a], after[:, ~of_a])
        assert not torch.equal(before[1:, of_a], after[1:, of_a])
        assert torch.equal(before[:1], after[:1])


def test_anothers_anchor_changes_nothing_here_even_beside_ones_own(unet: Any) -> None:
    own = recorded(unet, 1)
    one, other = (layer_outputs(unet, [(0, recorded(unet, 0, seeds=[seed])), (1, own)]) for seed in (7, 8))
    for (level, before), (_, after) in zip(one, other, strict=True):
        of_a = of_left_half(level, before)
        assert torch.equal(before[:, ~of_a], after[:, ~of_a])
        assert not torch.equal(before[1:, of_a], after[1:, of_a])


def test_the_order_of_people_does_not_matter(unet: Any) -> None:
    people = [(person, recorded(unet, person)) for person in (0, 1)]
    torch.testing.assert_close(shown(unet, people), shown(unet, people[::-1]), atol=1e-6, rtol=1e-5)


def test_each_evaluation_hears_its_own(unet: Any) -> None:
    both, first, second = (recorded(unet, 0, seeds=seeds) for seeds in ([7, 8], [7], [8]))
    with anchoring(unet, state(shown=shown_people(unet, [(0, both)]))):
        outputs = [run(unet) for _ in range(2)]
    assert torch.equal(outputs[0], shown(unet, [(0, first)]))
    assert torch.equal(outputs[1], shown(unet, [(0, second)]))
    assert not torch.equal(outputs[0], outputs[1])


def state_of(unet: nn.Module) -> tuple[str, list[int]]:
    return repr(unet), [id(layer.processor) for layer, _ in self_attention_layers(unet).values()]


def test_removal_restores_the_network_exactly_also_after_an_exception(unet: Any) -> None:
    before = state_of(unet)
    with anchoring(unet, state()):
        assert state_of(unet) != before
    assert state_of(unet) == before
    with pytest.raises(AttentionError, match="batch of 3 rows, but got 2"), anchoring(unet, state(batch=3)):
        run(unet)
    assert state_of(unet) == before
    assert not unet._forward_hooks


def test_a_foreign_processor_is_refused_and_nothing_installed(unet: Any) -> None:
    layer = list(self_attention_layers(unet).values())[-1][0]
    own = layer.processor
    layer.set_processor(SlicedAttnProcessor(1))
    before = state_of(unet)
    try:
        with pytest.raises(AttentionError, match="SlicedAttnProcessor"), anchoring(unet, state()):
            pass
        assert state_of(unet) == before
    finally:
        layer.set_processor(own)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_no_nan(unet: Any, dtype: torch.dtype) -> None:
    tokens = {name: tensor.to(dtype) for name, tensor in recorded(unet, 0).items()}
    people = shown_people(unet, [(0, tokens)])
    layer, _ = self_attention_layers(unet)[people_layer := next(iter(tokens))]
    level = levels_of(unet)[people_layer]
    places = (LATENT[0] // 2**level) * (LATENT[1] // 2**level)
    hidden = torch.randn(2, places, layer.query_dim)
    with anchoring(unet, state(shown=people)), torch.no_grad():
        full = layer(hidden)
        try:
            half = layer.to(dtype)(hidden.to(dtype)).float()
        finally:
            layer.to(torch.float32)
    error = ((half - full).norm() / full.norm()).item()
    assert error < 0.02, f"relative error {error:.4f}, at most 0.02"
