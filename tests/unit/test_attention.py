"""Masked attention in real, tiny UNets and ControlNets."""

from collections.abc import Sequence
from typing import Any

import jaxtyping
import pytest
import torch
from accelerate import cpu_offload
from accelerate.hooks import remove_hook_from_submodules
from diffusers.models.attention_processor import SlicedAttnProcessor
from peft import LoraConfig
from scenes import TEXT, halves, scene_keys
from torch import Tensor, nn

from multiid.attention.install import cross_attention_layers, showing_identities
from multiid.attention.processors import SceneKeys, Showing
from multiid.errors import AttentionError
from multiid.pipeline.tiny import tiny_pipeline

CHANNELS = 48
LATENT = (16, 24)
PICTURE = (128, 192)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    return tiny_pipeline()


@pytest.fixture(params=["unet", "controlnet"])
def network(request: pytest.FixtureRequest, pipeline: Any) -> nn.Module:
    return getattr(pipeline, request.param)


def run(
    network: nn.Module, rows: int, *, text: Tensor, latent: tuple[int, int] = LATENT, dtype: torch.dtype = torch.float32
) -> Tensor:
    """One evaluation in which all rows have the same input, so that they differ by what they are shown alone."""
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator).to(dtype)

    arguments: dict[str, Any] = {
        "sample": draw(1, 4, *latent).expand(rows, -1, -1, -1),
        "timestep": torch.tensor(500),
        "encoder_hidden_states": text.expand(rows, -1, -1).to(dtype),
        "added_cond_kwargs": {"text_embeds": draw(1, 32).expand(rows, -1), "time_ids": draw(1, 6).expand(rows, -1)},
        "return_dict": False,
    }
    if hasattr(network, "controlnet_cond_embedding"):
        arguments["controlnet_cond"] = draw(1, 3, latent[0] * 8, latent[1] * 8).expand(rows, -1, -1, -1)
    with torch.no_grad():
        output = network(**arguments)
    # A ControlNet's last output, of its deepest block, has seen all its attention layers.
    return output[-1]


def text_of(*, seed: int = 2) -> Tensor:
    return torch.randn(1, TEXT, CHANNELS, generator=torch.Generator().manual_seed(seed))


def stacks_of(*lengths: int, seed: int = 3) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [3 * torch.randn(length, CHANNELS, generator=generator) for length in lengths]


def shown(network: nn.Module, rows: Sequence[int | None], *scenes: SceneKeys, **options: Any) -> Tensor:
    with showing_identities(network, Showing(rows, scenes)):
        return run(network, len(rows), text=text_of(), **options)


def test_levels_follow_the_place_in_the_network(pipeline: Any) -> None:
    seen: dict[nn.Module, int] = {}
    handles = [
        layer.register_forward_hook(lambda m, args, _: seen.__setitem__(m, args[0].shape[1]))
        for layer, _ in cross_attention_layers(pipeline.unet)
    ]
    run(pipeline.unet, 1, text=text_of(), latent=(13, 22))
    for handle in handles:
        handle.remove()
    grids = {0: 13 * 22, 1: 7 * 11, 2: 4 * 6}
    assert {grids[level] for _, level in cross_attention_layers(pipeline.unet)} == {77, 24}
    assert all(seen[layer] == grids[level] for layer, level in cross_attention_layers(pipeline.unet))


@pytest.mark.parametrize("latent", [(16, 16), (16, 24), (13, 22), (9, 31)])
def test_weights_of_one_are_plain_attention_over_text_and_stack(network: nn.Module, latent: tuple[int, int]) -> None:
    stacks = stacks_of(3, 5)
    everywhere = torch.ones(2, latent[0] * 8, latent[1] * 8)
    masked = shown(network, [0], scene_keys(network, stacks, everywhere, latent), latent=latent)
    plain = run(network, 1, text=torch.cat([text_of(), torch.cat(stacks)[None]], dim=1), latent=latent)
    text_only = run(network, 1, text=text_of(), latent=latent)
    torch.testing.assert_close(masked, plain, atol=1e-5, rtol=1e-4)
    assert (plain - text_only).abs().max() > 1e-3


def test_until_merged_it_is_the_stock_network_bit_for_bit(network: nn.Module) -> None:
    keys = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT)
    with showing_identities(network, Showing([None, 0], [keys], merged=False)):
        unmerged = run(network, 2, text=text_of())
    assert torch.equal(unmerged, run(network, 2, text=text_of()))


def test_silent_stacks_are_the_stock_network(network: nn.Module) -> None:
    silent = shown(network, [0], scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, loudness=0.0))
    torch.testing.assert_close(silent, run(network, 1, text=text_of()), atol=1e-6, rtol=1e-5)


def test_another_person_cannot_touch_this_persons_region(network: nn.Module) -> None:
    """Every layer by itself, on equal input: in region A the output is the same to the last bit."""
    regions = halves(PICTURE)
    first, second = stacks_of(3, 5), stacks_of(3, 7, seed=9)
    second[0] = first[0]
    outputs = [layer_outputs(network, scene_keys(network, stacks, regions, LATENT)) for stacks in (first, second)]
    for (level, before), (_, after) in zip(*outputs, strict=True):
        columns = -(-LATENT[1] // 2**level)
        of_a = torch.arange(before.shape[1]) % columns < columns // 2
        assert torch.equal(before[:, of_a], after[:, of_a])
        assert not torch.equal(before[:, ~of_a], after[:, ~of_a])


def layer_outputs(network: nn.Module, keys: SceneKeys) -> list[tuple[int, Tensor]]:
    with showing_identities(network, Showing([0], [keys])), torch.no_grad():
        return [
            (level, layer(layer_input(layer, keys, level), encoder_hidden_states=text_of()))
            for layer, level in cross_attention_layers(network)
        ]


def layer_input(layer: Any, keys: SceneKeys, level: int) -> Tensor:
    return torch.randn(1, len(keys.masks[level]), layer.query_dim, generator=torch.Generator().manual_seed(4))


def test_unconditional_rows_never_see_a_stack(network: nn.Module) -> None:
    rows = [None, None, 0, 0]
    one, other = (
        shown(network, rows, scene_keys(network, stacks_of(3, 5, seed=seed), halves(PICTURE), LATENT))
        for seed in (3, 9)
    )
    assert torch.equal(one[:2], other[:2])
    assert not torch.equal(one[2:], other[2:])
    torch.testing.assert_close(one[:2], run(network, 4, text=text_of())[:2], atol=1e-6, rtol=1e-5)


def test_rows_may_show_different_scenes_in_any_order(network: nn.Module) -> None:
    scenes = [
        scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT),
        scene_keys(network, stacks_of(2, seed=9), torch.ones(1, *PICTURE), LATENT),
    ]
    rows = [1, None, 0, 1]
    alone = {scene: shown(network, [0], keys) for scene, keys in enumerate(scenes)}
    alone |= {None: run(network, 1, text=text_of())}
    for row, mixed in zip(rows, shown(network, rows, *scenes), strict=True):
        distances = {scene: (mixed - output[0]).abs().max().item() for scene, output in alone.items()}
        assert distances.pop(row) < 1e-5
        assert min(distances.values()) > 1e-3


def test_a_soft_mask_lies_between(network: nn.Module) -> None:
    def distance(weight: float) -> float:
        keys = scene_keys(network, stacks_of(4), torch.full((1, *PICTURE), weight), LATENT)
        return (shown(network, [0], keys) - run(network, 1, text=text_of())).norm().item()

    distances = [distance(weight) for weight in (0.0, 0.1, 0.4, 1.0)]
    assert distances[0] < 1e-4
    assert distances == sorted(distances)
    assert distances[1] > 1e-3


@pytest.mark.parametrize("people", range(1, 17))
def test_one_to_sixteen_people_with_stacks_of_unlike_length(pipeline: Any, people: int) -> None:
    regions = torch.zeros(people, *PICTURE)
    for person, columns in enumerate(torch.arange(PICTURE[1]).tensor_split(people)):
        regions[person, :, columns] = 1
    stacks = stacks_of(*(1 + person % 5 for person in range(people)))
    crowd = shown(pipeline.unet, [None, 0], scene_keys(pipeline.unet, stacks, regions, LATENT))
    assert crowd.isfinite().all()
    assert not torch.equal(crowd[1:], run(pipeline.unet, 2, text=text_of())[1:])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_has_no_nan(network: nn.Module, dtype: torch.dtype) -> None:
    keys = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, dtype=dtype)
    full = shown(network, [None, 0], scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT))
    try:
        half = shown(network.to(dtype), [None, 0], keys, dtype=dtype).float()
    finally:
        network.to(torch.float32)
    assert half.isfinite().all()
    error = ((half - full).norm() / full.norm()).item()
    assert error < 0.05, f"relative error {error:.4f}, at most 0.05"


def state_of(network: nn.Module) -> tuple[str, list[int]]:
    return repr(network), [id(layer.processor) for layer, _ in cross_attention_layers(network)]


def test_removal_restores_the_network_exactly(network: nn.Module) -> None:
    before, output = state_of(network), run(network, 1, text=text_of())
    keys = scene_keys(network, stacks_of(3), torch.ones(1, *PICTURE), LATENT)
    for _ in range(2):
        with showing_identities(network, Showing([0], [keys])):
            assert state_of(network) != before
        assert state_of(network) == before
    assert torch.equal(run(network, 1, text=text_of()), output)


def test_removal_restores_the_network_after_an_exception(network: nn.Module) -> None:
    before = state_of(network)
    keys = scene_keys(network, stacks_of(3), torch.ones(1, *PICTURE), LATENT)
    with (
        pytest.raises(AttentionError, match="batch of 2 rows"),
        showing_identities(network, Showing([None, 0], [keys])),
    ):
        run(network, 3, text=text_of())
    with pytest.raises(AttentionError, match="grid of"), showing_identities(network, Showing([0], [keys])):
        run(network, 1, text=text_of(), latent=(8, 8))
    assert state_of(network) == before


def test_a_foreign_processor_is_refused_and_nothing_installed(pipeline: Any) -> None:
    unet = pipeline.unet
    layer = cross_attention_layers(unet)[-1][0]
    own = layer.processor
    foreign = SlicedAttnProcessor(1)
    layer.set_processor(foreign)
    before = state_of(unet)
    try:
        with (
            pytest.raises(AttentionError, match="SlicedAttnProcessor"),
            showing_identities(unet, Showing([0], [])),
        ):
            pass
        assert state_of(unet) == before
    finally:
        layer.set_processor(own)


@pytest.mark.parametrize("fused", [False, True])
def test_lora_reaches_the_stack(fused: bool) -> None:
    unet = tiny_pipeline().unet
    without = shown(unet, [0], scene_keys(unet, stacks_of(3, 5), torch.ones(2, *PICTURE), LATENT))
    unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"], init_lora_weights=False), "a")
    if fused:
        unet.fuse_lora()
    stacks = stacks_of(3, 5)
    masked = shown(unet, [0], scene_keys(unet, stacks, torch.ones(2, *PICTURE), LATENT))
    plain = run(unet, 1, text=torch.cat([text_of(), torch.cat(stacks)[None]], dim=1))
    torch.testing.assert_close(masked, plain, atol=1e-4, rtol=1e-3)
    assert (masked - without).abs().max() > 1e-3


def test_offloaded_layers_compute_the_stack_in_their_turn() -> None:
    unet = tiny_pipeline().unet
    keys = scene_keys(unet, stacks_of(3, 5), halves(PICTURE), LATENT)
    resident = shown(unet, [None, 0], keys)
    cpu_offload(unet, execution_device=torch.device("cpu"))
    assert next(unet.parameters()).device.type == "meta"
    torch.testing.assert_close(shown(unet, [None, 0], keys), resident, atol=1e-6, rtol=1e-5)
    remove_hook_from_submodules(unet)


def test_compiled_networks_show_identities_without_a_graph_break(monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' own type checks cannot be compiled; users run without them.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    unet = tiny_pipeline().unet
    keys = scene_keys(unet, stacks_of(3, 5), halves(PICTURE), LATENT)
    expected = [run(unet, 2, text=text_of()), shown(unet, [None, 0], keys)]
    compiled = torch.compile(unet, backend="eager", fullgraph=True)
    showing = Showing([None, 0], [keys], merged=False, cached=False)
    with showing_identities(compiled, showing):
        before = run(compiled, 2, text=text_of())
        showing.merged = True
        after = [run(compiled, 2, text=text_of()) for _ in range(2)]
    torch.testing.assert_close(before, expected[0])
    for output in after:
        torch.testing.assert_close(output, expected[1])
    assert isinstance(compiled, nn.Module)
    torch.testing.assert_close(run(compiled, 2, text=text_of()), expected[0])


def texts_and_stacks_projected(network: nn.Module, texts: Sequence[Tensor], *, cached: bool) -> list[int]:
    """How many tokens a layer's `to_k` is given at a time, while the network runs once with each text."""
    layer, level = cross_attention_layers(network)[0]
    calls: list[int] = []
    handle = layer.to_k.register_forward_hook(lambda _m, args, _o: calls.append(args[0].shape[1]))
    keys = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT)
    with showing_identities(network, Showing([None, 0], [keys], cached=cached)), torch.no_grad():
        hidden = torch.randn(2, len(keys.masks[level]), layer.query_dim)
        outputs = [layer(hidden, encoder_hidden_states=text) for text in texts]
    handle.remove()
    assert all(torch.equal(output, outputs[0]) for output in outputs)
    return calls


def test_keys_and_values_are_computed_once_per_call(network: nn.Module) -> None:
    text = text_of().repeat(2, 1, 1)
    stack = 96 - TEXT  # 8 tokens, and silent ones up to a multiple of 16
    assert texts_and_stacks_projected(network, [text] * 3, cached=True) == [TEXT, stack]
    # An offloaded network is handed a copy each time.
    copies = [text, text.clone(), text.clone()]
    assert texts_and_stacks_projected(network, copies, cached=True) == [TEXT, stack, TEXT, TEXT]
    assert texts_and_stacks_projected(network, [text] * 2, cached=False) == [TEXT, stack] * 2


def test_another_text_is_heard_at_once(network: nn.Module) -> None:
    one, other = text_of(), text_of(seed=7)
    keys = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT)
    with showing_identities(network, Showing([0], [keys])):
        first, second = run(network, 1, text=one), run(network, 1, text=other)
    with showing_identities(network, Showing([0], [keys])):
        assert torch.equal(run(network, 1, text=other), second)
    assert not torch.equal(first, second)


def test_silent_tokens_fill_the_keys_and_change_nothing(network: nn.Module) -> None:
    filled = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT)
    bare = SceneKeys(filled.stack[:8], {level: mask[:, : TEXT + 8] for level, mask in filled.masks.items()})
    assert (TEXT + len(filled.stack)) % 16 == 0
    assert all(mask[:, TEXT + 8 :].eq(-torch.inf).all() for mask in filled.masks.values())
    torch.testing.assert_close(shown(network, [None, 0], filled), shown(network, [None, 0], bare), atol=1e-5, rtol=1e-4)
    loud = SceneKeys(torch.cat([filled.stack[:8], 100 * torch.randn_like(filled.stack[8:])]), filled.masks)
    assert torch.equal(shown(network, [None, 0], filled), shown(network, [None, 0], loud))


def test_multiplied_weights_of_one_are_plain_attention_over_text_and_stack(network: nn.Module) -> None:
    stacks = stacks_of(3, 5)
    keys = scene_keys(network, stacks, torch.ones(2, *PICTURE), LATENT, rule="multiplicative")
    plain = run(network, 1, text=torch.cat([text_of(), torch.cat(stacks)[None]], dim=1))
    torch.testing.assert_close(shown(network, [0], keys), plain, atol=1e-5, rtol=1e-4)


def test_multiplied_weights_multiply_the_logits_of_every_layer(network: nn.Module) -> None:
    keys, excluding = (
        scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, loudness=0.7, rule=rule)
        for rule in ("multiplicative", "additive")
    )
    read = torch.cat([text_of(), keys.stack[None]], dim=1)
    for (layer, level), (_, output) in zip(cross_attention_layers(network), layer_outputs(network, keys), strict=True):
        weights = keys.masks[level]
        torch.testing.assert_close(weights, excluding.masks[level][:, : TEXT + 8].exp())
        with torch.no_grad():
            query, key, value = (
                project(x).unflatten(2, (layer.heads, -1)).transpose(1, 2)
                for project, x in (
                    (layer.to_q, layer_input(layer, keys, level)),
                    (layer.to_k, read),
                    (layer.to_v, read),
                )
            )
            logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
            heard = ((logits * weights).softmax(-1) @ value).transpose(1, 2).flatten(start_dim=2)
            torch.testing.assert_close(output, layer.to_out[0](heard), atol=1e-5, rtol=1e-4)


def test_multiplied_weights_let_another_person_touch_this_persons_region(network: nn.Module) -> None:
    """The honest difference: where B's weight is 0 A still hears B, though not B's likeness to the query."""
    regions = halves(PICTURE)
    first, second = stacks_of(3, 5), stacks_of(3, 5, seed=9)
    second[0] = first[0]
    outputs = [
        layer_outputs(network, scene_keys(network, stacks, regions, LATENT, rule="multiplicative"))
        for stacks in (first, second)
    ]
    for (level, before), (_, after) in zip(*outputs, strict=True):
        columns = -(-LATENT[1] // 2**level)
        of_a = torch.arange(before.shape[1]) % columns < columns // 2
        assert (before[:, of_a] - after[:, of_a]).abs().max() > 1e-4


def test_multiplied_weights_of_zero_are_not_the_stock_network(network: nn.Module) -> None:
    silent = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, loudness=0.0, rule="multiplicative")
    assert (shown(network, [0], silent) - run(network, 1, text=text_of())).abs().max() > 1e-4


def test_multiplied_weights_leave_unconditional_rows_and_early_steps_alone(network: nn.Module) -> None:
    keys = scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, rule="multiplicative")
    stock = run(network, 2, text=text_of())
    merged = shown(network, [None, 0], keys)
    torch.testing.assert_close(merged[:1], stock[:1], atol=1e-6, rtol=1e-5)
    assert not torch.equal(merged[1:], stock[1:])
    with showing_identities(network, Showing([None, 0], [keys], merged=False)):
        assert torch.equal(run(network, 2, text=text_of()), stock)


def test_without_masks_every_region_is_the_whole_picture(network: nn.Module) -> None:
    stacks = stacks_of(3, 5)
    unmasked = scene_keys(network, stacks, halves(PICTURE), LATENT, loudness=0.7, rule="none")
    filled = scene_keys(network, stacks, torch.ones(2, *PICTURE), LATENT, loudness=0.7)
    assert torch.equal(unmasked.stack, filled.stack)
    assert all(torch.equal(unmasked.masks[level], mask) for level, mask in filled.masks.items())
    assert torch.equal(shown(network, [None, 0], unmasked), shown(network, [None, 0], filled))


def test_rules_may_stand_side_by_side(network: nn.Module) -> None:
    scenes = [
        scene_keys(network, stacks_of(3, 5), halves(PICTURE), LATENT, rule=rule)
        for rule in ("additive", "multiplicative")
    ]
    both = shown(network, [0, 1], *scenes)
    for row, keys in zip(both, scenes, strict=True):
        torch.testing.assert_close(row[None], shown(network, [0], keys), atol=1e-5, rtol=1e-4)
    assert (both[0] - both[1]).abs().max() > 1e-3
