"""A scene's style LoRAs on the tiny pipeline."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from multiid.errors import SceneError
from multiid.people.lora import active_adapters
from multiid.pipeline.loras import style_loras
from multiid.pipeline.scene import Lora
from multiid.pipeline.tiny import tiny_pipeline

TARGETS = {"unet": ["to_q", "to_v"], "text_encoder": ["q_proj", "v_proj"]}


def lora_file(path: Path, *, seed: int) -> Path:
    """A LoRA for the UNet and the first text encoder, as diffusers saves it."""
    torch.manual_seed(seed)
    weights: dict[str, torch.Tensor] = {}
    pipeline = tiny_pipeline()
    for part, targets in TARGETS.items():
        network = getattr(pipeline, part)
        network.add_adapter(LoraConfig(r=2, target_modules=targets, init_lora_weights=False))
        weights |= {f"{part}.{name}": value for name, value in get_peft_model_state_dict(network).items()}
    save_file(weights, path)
    return path


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Lora:
    return Lora(str(lora_file(tmp_path_factory.mktemp("loras") / "style.safetensors", seed=1)))


def looks(pipeline: Any) -> list[torch.Tensor]:
    """What the text encoder and one attention projection of the UNet make of a fixed input."""
    ids = torch.arange(7)[None]
    with torch.no_grad():
        text = pipeline.text_encoder(ids).last_hidden_state
        projection = next(m for n, m in pipeline.unet.named_modules() if n.endswith("attn1.to_q"))
        return [text, projection(torch.ones(1, 2, 16))]


def state(pipeline: Any) -> tuple[str, ...]:
    networks = (pipeline.unet, pipeline.text_encoder, pipeline.text_encoder_2)
    return tuple(map(repr, networks)) + tuple(map(str, map(active_adapters, networks)))


def test_a_style_is_there_for_the_call_and_gone_after(style: Lora) -> None:
    pipeline = tiny_pipeline()
    before, plain = state(pipeline), looks(pipeline)
    with style_loras(pipeline, [style]):
        styled = looks(pipeline)
    assert all(not torch.equal(a, b) for a, b in zip(styled, plain, strict=True))
    assert state(pipeline) == before
    assert all(torch.equal(a, b) for a, b in zip(looks(pipeline), plain, strict=True))


def test_weight_scales_the_change_and_zero_is_none(style: Lora) -> None:
    pipeline = tiny_pipeline()
    plain = looks(pipeline)[1]
    changes: list[torch.Tensor] = []
    for weight in (0.0, 0.5, 1.0):
        with style_loras(pipeline, [Lora(style.source, weight)]):
            changes.append(looks(pipeline)[1] - plain)
    torch.testing.assert_close(changes[0], torch.zeros_like(plain))
    torch.testing.assert_close(2 * changes[1], changes[2])


def test_several_styles_add_up_beside_the_users_own(style: Lora, tmp_path: Path) -> None:
    pipeline = tiny_pipeline()
    plain = looks(pipeline)[1]
    pipeline.load_lora_weights(str(lora_file(tmp_path / "own.safetensors", seed=2)), adapter_name="own")
    pipeline.set_adapters(["own"], [0.3])
    own = looks(pipeline)[1]
    with style_loras(pipeline, [style, style]):
        together = looks(pipeline)[1]
    with style_loras(tiny_pipeline(), [style]):
        pass
    alone = tiny_pipeline()
    with style_loras(alone, [style]):
        change = looks(alone)[1] - plain
    torch.testing.assert_close(together - own, 2 * change, atol=1e-5, rtol=1e-4)
    assert torch.equal(looks(pipeline)[1], own)
    assert active_adapters(pipeline.unet) == ["own"]


LAYER = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_"  # 32 inputs and outputs


@pytest.mark.parametrize("kind", ["absent", "text", "strange", "half", "shapes", "whole numbers"])
def test_what_is_no_lora_is_refused_and_leaves_no_trace(
    style: Lora, tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / "bad.safetensors"
    if kind == "text":
        path.write_text("no weights")
    elif kind == "strange":
        save_file({"decoder.weight": torch.ones(2, 2)}, path)
    elif kind == "half":
        save_file({f"{LAYER}A.weight": torch.ones(2, 32)}, path)
    elif kind != "absent":
        inputs, dtype = (5, torch.float32) if kind == "shapes" else (32, torch.int32)
        save_file({f"{LAYER}A.weight": torch.ones(2, inputs, dtype=dtype), f"{LAYER}B.weight": torch.ones(32, 2)}, path)
    pipeline = tiny_pipeline()
    before, plain = state(pipeline), looks(pipeline)
    capfd.readouterr()
    loading = style_loras(pipeline, [style, Lora(str(path))])
    with warnings.catch_warnings(record=True) as remarks, pytest.raises(SceneError, match="loras: expected a LoRA"):
        loading.__enter__()
    assert remarks == []
    assert "unsuccessful" not in "".join(capfd.readouterr())  # diffusers' own words, in many lines
    assert state(pipeline) == before
    assert all(torch.equal(a, b) for a, b in zip(looks(pipeline), plain, strict=True))
