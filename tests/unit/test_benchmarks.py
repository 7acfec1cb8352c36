"""The benchmarks, on tiny networks: that they compare like with like, and count right."""

import json
from pathlib import Path
from typing import Any

import attention
import full_size
import pytest
import sdxl
import torch
from contenders import ROWS, layer_contenders
from diffusers.models.attention_processor import Attention
from layers import SDXL_LAYERS, LayerCost
from report import Measured, Requirement, requirements, to_markdown
from steps import StepCost, measure_steps
from timing import Contender, Spread, interleaved, ratios

from multiid.attention.install import cross_attention_layers
from multiid.pipeline.tiny import tiny_pipeline


def outputs(people: int) -> dict[str, torch.Tensor]:
    attn = Attention(48, cross_attention_dim=24, heads=2, dim_head=24).requires_grad_(False)
    contenders = layer_contenders(attn, people=people, tokens=4, level=1, grid=12, masks_side=192)
    found: dict[str, Any] = {}
    for name, contender in contenders.items():
        contender.prepare()
        found[name] = contender.run()
    return found


def test_the_strengthened_ip_adapter_does_diffusers_sums() -> None:
    found = outputs(people=3)
    torch.testing.assert_close(found["IP-Adapter, all kept"], found["IP-Adapter"])
    torch.testing.assert_close(found["stock, text kept"], found["stock"])
    assert (found["IP-Adapter"] - found["stock"]).abs().max() > 1e-3


def test_people_are_heard_in_their_row_alone() -> None:
    found = outputs(people=3)
    torch.testing.assert_close(found["multiid"][:1], found["stock"][:1])
    assert (found["multiid"][1] - found["stock"][1]).abs().max() > 1e-3


def test_with_nobody_all_contenders_agree() -> None:
    found = outputs(people=0)
    for output in found.values():
        torch.testing.assert_close(output, found["stock"])


def test_contenders_take_turns_and_are_prepared_untimed() -> None:
    calls: list[str] = []

    def contender(name: str) -> Contender:
        return Contender(lambda: calls.append(f"prepare {name}"), lambda: calls.append(name))

    seconds = interleaved({name: contender(name) for name in "abc"}, rounds=2, warmups=1)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2, "c": 2}
    assert calls[::2] == [f"prepare {name}" for name in calls[1::2]]
    assert "".join(calls[1::2]) == "cab" + "abc" + "bca"


def test_ratios_are_taken_round_by_round() -> None:
    found = ratios({"stock": [1.0, 10.0, 2.0], "ours": [2.0, 20.0, 4.0]}, "stock")
    assert found == {"ours": Spread(2.0, 2.0, 2.0)}


def judged(*, theirs: float = 1.6, ours: float = 1.1, step: float = 1.0, device: str = "cpu") -> list[Requirement]:
    def spread(value: float) -> Spread:
        return Spread(value, value, value)

    times = {"stock, text kept": 0.9, "multiid": ours, "IP-Adapter, all kept": theirs}
    layer = LayerCost("layer", "bfloat16", 8, 8, 1, {name: spread(time) for name, time in times.items()})
    whole = StepCost(device, False, "bfloat16", 512, 8, 8, 5000, spread(step), None, None)
    measured = Measured("command", {"layers": 2, "steps": 2}, [layer], [whole])
    found = requirements(measured)
    assert ("**missed**" in to_markdown(measured)) == (not all(requirement.met for requirement in found))
    return found


@pytest.mark.parametrize(
    ("theirs", "ours", "met", "measured"),
    [
        (1.6, 1.1, True, "6.0"),
        (1.2, 1.1, False, "2.0"),
        (1.2, 0.99, True, "+20.0 % against -1.0 % of stock"),
        (0.9, 0.8, False, "-10.0 % against -20.0 % of stock"),
    ],
)
def test_people_must_cost_a_third_of_what_ip_adapter_adds(theirs: float, ours: float, met: bool, measured: str) -> None:
    found, *_ = judged(theirs=theirs, ours=ours)
    assert found.met == met
    assert found.measured == measured


def test_what_people_alone_add_is_counted_from_the_layer_that_keeps_its_text() -> None:
    _, found, _ = judged(theirs=1.6, ours=1.1)
    assert "IP-Adapter, all kept - stock, text kept" in found.name
    assert found.measured == "3.5"


@pytest.mark.parametrize(
    ("device", "step", "met"), [("cpu", 1.05, True), ("cpu", 1.051, False), ("card", 1.02, True), ("card", 1.03, False)]
)
def test_a_step_must_not_be_slower_than_that(device: str, step: float, met: bool) -> None:
    assert judged(step=step, device=device)[-1].met == met


def test_steps_leave_the_networks_as_they_were() -> None:
    pipeline = tiny_pipeline()
    networks = (pipeline.unet, pipeline.controlnet)
    layers = [layer for network in networks for layer, _ in cross_attention_layers(network)]
    before = [layer.processor for layer in layers]
    # After an odd number of rounds it is our turn to be last.
    (cost,) = measure_steps(*networks, side=64, counts=[2], tokens=3, rounds=3, compiled=False, progress=print)
    assert all(layer.processor is processor for layer, processor in zip(layers, before, strict=True))
    assert (cost.people, cost.tokens, cost.dtype, cost.gb) == (2, 3, "float32", None)
    assert cost.ratio.median > 0


def test_a_quick_run_measures_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out" / "performance"
    assert attention.main(["-o", str(folder), "--quick", "--rounds", "2", "--step-rounds", "2"]) == 0
    document = json.loads((folder / "performance.json").read_text(encoding="utf-8"))
    # Two layers in two dtypes; nobody, or five numbers of people with four numbers of tokens.
    assert len(document["layers"]) == 2 * 2 * (1 + 5 * 4)
    assert [step["people"] for step in document["steps"]] == [0, 8]
    assert len(document["requirements"]) == 2 * 4 + 1
    assert (folder / "performance.md").read_text(encoding="utf-8") in capsys.readouterr().out
    assert (folder / "performance.png").read_bytes().startswith(b"\x89PNG")


def test_steps_can_be_measured_alone(tmp_path: Path) -> None:
    assert attention.main(["-o", str(tmp_path), "--quick", "--parts", "steps", "--step-rounds", "2"]) == 0
    document = json.loads((tmp_path / "performance.json").read_text(encoding="utf-8"))
    assert not document["layers"]
    assert [step["people"] for step in document["steps"]] == [0, 8]
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_measured_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert attention.main(["-o", str(tmp_path / "file"), "--quick"]) == 2
    assert capsys.readouterr().err.startswith(f"Error: Cannot write {tmp_path / 'file'}")
    if not torch.cuda.is_available():
        assert attention.main(["-o", str(tmp_path), "--cuda"]) == 2
        assert "leave it out for the CPU" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        attention.main(["-o", str(tmp_path), "--rounds", "1"])
    assert "expected a whole number of at least 2, but got 1" in capsys.readouterr().err


def test_the_full_size_run_on_tiny_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert full_size.main(["--quick"]) == 0
    printed = capsys.readouterr().out
    assert "| 512 x 512 in 2 steps, the second with identities |" in printed
    assert "at most 20: met" in printed


def test_the_full_size_run_refuses_a_small_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(full_size, "_NEEDED_GB", 1e6)
    assert full_size.main([]) == 2
    assert "Expected 1e+06 GB of free memory, but this machine has" in capsys.readouterr().err


def test_networks_and_layers_have_sdxls_sizes() -> None:
    unet, controlnet = sdxl.unet("meta"), sdxl.controlnet("meta")
    assert sum(parameter.numel() for parameter in unet.parameters()) == 2_567_463_684  # as published
    assert round(sum(parameter.numel() for parameter in controlnet.parameters()) / 1e9, 2) == 1.25
    assert len(sdxl.lora(unet)) == 1120
    layers = [found for network in (unet, controlnet) for found in cross_attention_layers(network)]
    for layer, count in zip(SDXL_LAYERS, (14, 90), strict=True):
        alike = [attn for attn, level in layers if level == layer.level]
        assert len(alike) == count
        assert {(attn.heads, attn.query_dim, attn.to_k.in_features) for attn in alike} == {
            (layer.heads, layer.heads * 64, layer.context)
        }
        assert layer.grid * 2**layer.level * 8 == 1024
    assert len(layers) == 14 + 90
    assert len(ROWS) == 2
