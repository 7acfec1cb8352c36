"""The adapter's LoRA in the tiny SDXL's real UNet: in, out, and nothing else changed."""

import copy
import logging
import warnings

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from golden import golden_lora_state_dict, golden_unet, lora_for
from peft.tuners.lora import LoraLayer

from multiid.errors import CheckpointError, PresetError
from multiid.people.lora import LORA_PREFIX, install_lora, lora_modules, uninstall_lora

NAME = f"{LORA_PREFIX}test"
PARTS = dict.fromkeys(("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))


def make_pipeline(unet, kind=StableDiffusionXLPipeline):
    return kind(**PARTS, unet=unet, scheduler=EulerDiscreteScheduler())


@pytest.fixture(scope="module")
def plain():
    return golden_unet()


@pytest.fixture
def pipeline(plain):
    return make_pipeline(copy.deepcopy(plain))


@pytest.fixture(scope="module")
def lora(plain):
    return golden_lora_state_dict(plain)


def style_lora(unet):
    """A user's own LoRA, on a few modules only, among them one that ours does not touch."""
    names = ("time_embedding.linear_1", "mid_block.attentions.0.transformer_blocks.0.attn2.to_q")
    weights = {}
    for name in names:
        linear = unet.get_submodule(name)
        weights[f"unet.{name}.lora_A.weight"] = torch.randn(2, linear.in_features)
        weights[f"unet.{name}.lora_B.weight"] = torch.randn(linear.out_features, 2)
    return weights


def add_style(pipeline, weight=0.3):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        pipeline.load_lora_weights(style_lora(pipeline.unet), adapter_name="style")
    pipeline.set_adapters(["style"], [weight])


def layers(pipeline):
    return {name: module for name, module in pipeline.unet.named_modules() if isinstance(module, LoraLayer)}


def state(pipeline):
    """Everything about a UNet that must come back."""
    unet = pipeline.unet
    active = {name: (layer.active_adapters, dict(layer.scaling)) for name, layer in layers(pipeline).items()}
    weights = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    return repr(unet), active, weights, sorted(getattr(unet, "peft_config", {}))


def assert_same(before, after):
    assert before[0] == after[0]
    assert before[1] == after[1]
    assert before[3] == after[3]
    assert before[2].keys() == after[2].keys()
    assert all(torch.equal(before[2][name], after[2][name]) for name in before[2])


@torch.no_grad()
def noise(pipeline, seed=0):
    generator = torch.Generator().manual_seed(seed)
    conditions = {
        "text_embeds": torch.randn(1, 1280, generator=generator),
        "time_ids": torch.randn(1, 6, generator=generator),
    }
    latents = torch.randn(1, 4, 16, 16, generator=generator)
    states = torch.randn(1, 9, 2048, generator=generator)
    dtype = pipeline.unet.dtype
    conditions = {name: tensor.to(dtype) for name, tensor in conditions.items()}
    return pipeline.unet(latents.to(dtype), 500, states.to(dtype), added_cond_kwargs=conditions).sample


def test_every_module_takes_its_weights(pipeline, plain, lora):
    install_lora(pipeline, NAME, lora)
    assert len(layers(pipeline)) == 64
    for name, layer in layers(pipeline).items():
        key = f"unet.{name.replace('.to_out.0', '.to_out').replace('.to_', '.processor.to_')}_lora"
        change = lora[f"{key}.up.weight"] @ lora[f"{key}.down.weight"]
        x = torch.randn(3, layer.in_features)
        torch.testing.assert_close(layer(x), plain.get_submodule(name)(x) + x @ change.T, atol=1e-4, rtol=1e-4)


def test_names_of_the_published_lora_are_those_of_full_sdxl():
    config = {
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    }
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config)
        lora = lora_for(unet, lambda _, shape: torch.empty(shape), rank=64)
    assert len(lora) == 1120
    assert sum(tensor.numel() for tensor in lora.values()) == 92_897_280
    assert "unet.mid_block.attentions.0.transformer_blocks.9.attn2.processor.to_out_lora.up.weight" in lora
    modules = lora_modules(lora)
    assert len(modules) == 560
    for path, shape in modules.items():
        linear = unet.get_submodule(path)
        assert shape == (linear.in_features, linear.out_features)


def test_again_is_harmless_also_through_a_sister_pipeline(pipeline, lora):
    before = noise(pipeline)
    install_lora(pipeline, NAME, lora)
    once, result = state(pipeline), noise(pipeline)
    install_lora(pipeline, NAME, lora)
    install_lora(StableDiffusionXLPipeline(**pipeline.components), NAME, dict(lora))
    assert_same(once, state(pipeline))
    assert torch.equal(result, noise(pipeline))
    assert (result - before).abs().max() > 1e-3


def test_out_again_leaves_the_unet_as_it_was(pipeline, lora):
    before, result = state(pipeline), noise(pipeline)
    for _ in range(2):
        install_lora(pipeline, NAME, lora)
        uninstall_lora(pipeline, NAME)
        assert_same(before, state(pipeline))
        assert torch.equal(result, noise(pipeline))
    uninstall_lora(pipeline, NAME)
    assert_same(before, state(pipeline))


def test_loras_of_the_user_stay_as_they_are(pipeline, lora):
    add_style(pipeline)
    before = state(pipeline)
    install_lora(pipeline, NAME, lora)
    assert pipeline.get_active_adapters() == ["style", NAME]
    both = layers(pipeline)["mid_block.attentions.0.transformer_blocks.0.attn2.to_q"]
    assert both.active_adapters == ["style", NAME]
    assert both.scaling == {"style": 0.3, NAME: 1.0}
    uninstall_lora(pipeline, NAME)
    assert_same(before, state(pipeline))


def test_an_inactive_lora_of_the_user_stays_inactive(pipeline, lora):
    add_style(pipeline)
    for layer in layers(pipeline).values():
        layer.set_adapter([])
    before = state(pipeline)
    install_lora(pipeline, NAME, lora)
    assert pipeline.get_active_adapters() == [NAME]
    uninstall_lora(pipeline, NAME)
    assert_same(before, state(pipeline))


def test_is_made_active_again_after_the_user_chose_others(pipeline, lora):
    install_lora(pipeline, NAME, lora)
    add_style(pipeline)
    assert pipeline.get_active_adapters() == ["style"]
    install_lora(pipeline, NAME, lora)
    assert pipeline.get_active_adapters() == ["style", NAME]


def test_of_several_adapters_the_last_one_is_active(pipeline, lora):
    other = f"{LORA_PREFIX}other"
    install_lora(pipeline, NAME, lora)
    first = noise(pipeline)
    install_lora(pipeline, other, {name: -tensor for name, tensor in lora.items()})
    assert pipeline.get_active_adapters() == [other]
    install_lora(pipeline, NAME, lora)
    assert torch.equal(first, noise(pipeline))
    install_lora(pipeline, f"{LORA_PREFIX}none", {})
    assert pipeline.get_active_adapters() == []


def renamed(lora):
    return {name.replace("mid_block", "middle_block"): tensor for name, tensor in lora.items()}


def narrower(lora):
    return {
        name: tensor[:, :16] if "mid_block" in name and ".down." in name else tensor for name, tensor in lora.items()
    }


@pytest.mark.parametrize("style", [False, True])
@pytest.mark.parametrize(
    ("change", "message"), [(renamed, r"16 are absent: middle_block"), (narrower, r"mid_block.*16 inputs.*64")]
)
def test_a_lora_for_another_unet_is_refused_untouched(pipeline, lora, style, change, message):
    if style:
        add_style(pipeline)
    before = state(pipeline)
    with pytest.raises(CheckpointError, match=message):
        install_lora(pipeline, NAME, change(lora))
    assert_same(before, state(pipeline))


class Forgetful(StableDiffusionXLPipeline):
    """Loads half of what it is given, as diffusers does where names fit no module."""

    def load_lora_weights(self, weights, **options):
        super().load_lora_weights(dict(list(weights.items())[:64]), **options)


class Failing(StableDiffusionXLPipeline):
    error: BaseException = RuntimeError("out of memory\nTried to allocate 2 GiB")

    def load_lora_weights(self, weights, **options):
        super().load_lora_weights(dict(list(weights.items())[:64]), **options)
        raise self.error


class Interrupted(Failing):
    error = KeyboardInterrupt()


@pytest.mark.parametrize("style", [False, True])
@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        (Forgetful, CheckpointError, "in 64 modules of the UNet, but 32 took them"),
        (Failing, CheckpointError, r"diffusers refused it: out of memory\.$"),
        (Interrupted, KeyboardInterrupt, None),
    ],
)
def test_a_failure_half_way_leaves_the_unet_as_it_was(pipeline, lora, kind, error, message, style):
    if style:
        add_style(pipeline)
    before, result = state(pipeline), noise(pipeline)
    with pytest.raises(error, match=message):
        install_lora(make_pipeline(pipeline.unet, kind), NAME, lora)
    assert_same(before, state(pipeline))
    assert torch.equal(result, noise(pipeline))
    install_lora(pipeline, NAME, lora)
    assert len([layer for layer in layers(pipeline).values() if NAME in layer.r]) == 64


def test_one_loaded_in_part_is_loaded_whole(pipeline, lora):
    pipeline.load_lora_weights(dict(list(lora.items())[:8]), adapter_name=NAME)
    install_lora(pipeline, NAME, lora)
    assert len([layer for layer in layers(pipeline).values() if NAME in layer.r]) == 64


def test_disabled_loras_are_refused(pipeline, lora):
    install_lora(pipeline, NAME, lora)
    pipeline.disable_lora()
    with pytest.raises(PresetError, match="enable_lora"):
        install_lora(pipeline, NAME, lora)


def test_fused_it_is_not_loaded_twice(pipeline, lora):
    install_lora(pipeline, NAME, lora)
    pipeline.fuse_lora()
    result = noise(pipeline)
    install_lora(pipeline, NAME, lora)
    assert torch.equal(result, noise(pipeline))
    with pytest.raises(PresetError, match="unfuse_lora"):
        uninstall_lora(pipeline, NAME)
    pipeline.unload_lora_weights()
    install_lora(pipeline, NAME, lora)
    assert torch.equal(result, noise(pipeline))
    with pytest.raises(PresetError, match=f"{NAME} is"):
        install_lora(pipeline, f"{LORA_PREFIX}other", lora)


def test_a_fused_lora_of_the_user_stays_fused(pipeline, lora):
    add_style(pipeline)
    pipeline.fuse_lora()
    with pytest.raises(PresetError, match=r"style is.*unload_lora_weights"):
        install_lora(pipeline, NAME, lora)
    pipeline.unload_lora_weights()
    before, result = state(pipeline), noise(pipeline)
    install_lora(pipeline, NAME, lora)
    uninstall_lora(pipeline, NAME)
    assert_same(before, state(pipeline))
    assert torch.equal(result, noise(pipeline))


def test_a_compiled_unet_takes_it(pipeline, lora):
    plain = pipeline.unet
    install_lora(pipeline, NAME, lora)
    expected = noise(pipeline)
    uninstall_lora(pipeline, NAME)
    pipeline.unet = torch.compile(plain, backend="eager")
    install_lora(pipeline, NAME, lora)
    pipeline.unet = plain
    assert torch.equal(expected, noise(pipeline))


def test_weights_take_the_unets_dtype(pipeline, lora):
    pipeline.unet.to(torch.bfloat16)
    install_lora(pipeline, NAME, {name: tensor.half() for name, tensor in lora.items()})
    assert {tensor.dtype for tensor in pipeline.unet.parameters()} == {torch.bfloat16}
    assert noise(pipeline).isfinite().all()


def test_loads_in_silence(pipeline, lora, caplog):
    add_style(pipeline)
    caplog.clear()
    diffusers = logging.getLogger("diffusers")
    level = diffusers.level
    diffusers.addHandler(caplog.handler)  # it does not propagate
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            install_lora(pipeline, NAME, lora)
    finally:
        diffusers.removeHandler(caplog.handler)
    assert caplog.records == []
    assert seen == []
    assert diffusers.level == level


def test_peft_names_are_understood_too(lora):
    modern = {
        name.replace(".processor.to_", ".to_")
        .replace("to_out_lora", "to_out.0_lora")
        .replace("_lora.down", ".lora_A")
        .replace("_lora.up", ".lora_B"): tensor
        for name, tensor in lora.items()
    }
    assert lora_modules(modern) == lora_modules(lora)
    assert len(lora_modules(lora)) == 64


KEY = "unet.mid_block.attn1.processor.to_q_lora"


@pytest.mark.parametrize(
    ("weights", "named"),
    [
        ({"mid_block.attn1.to_q.lora_A.weight": (4, 8)}, "mid_block"),
        ({"text_encoder.layers.0.q_proj.lora_A.weight": (4, 8)}, "text_encoder"),
        ({f"{KEY}.down.weight": (4, 8)}, "lora_B"),
        ({f"{KEY}.down.weight": (4, 8), f"{KEY}.up.weight": (8, 4), f"{KEY}.alpha": ()}, "alpha"),
        ({f"{KEY}.down.weight": (4, 8), f"{KEY}.up.weight": (8, 3)}, r"\(4, 8\) and \(8, 3\)"),
        ({f"{KEY}.down.weight": (4, 8, 1, 1), f"{KEY}.up.weight": (8, 4, 1, 1)}, r"\(4, 8, 1, 1\)"),
        ({"unet.conv_in.weight": (8, 4, 3, 3)}, "conv_in"),
    ],
)
def test_what_is_no_lora_of_a_unet_is_refused(weights, named):
    with pytest.raises(CheckpointError, match=named):
        lora_modules({name: torch.ones(shape) for name, shape in weights.items()})
