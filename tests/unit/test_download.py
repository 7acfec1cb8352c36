"""Downloads against a hub on this machine: what is missing and no more, checked for room, and enough to run offline."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from hub import Hub, serve
from photos import blocks
from tinies import small_scene

from multiid import Composer, Lora, find_preset, plan_download, take_stock
from multiid.cli import main
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.pipeline.model_folders import lacking_files, needed_files
from multiid.pipeline.stock import sister
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline

PARTS = ("base", "vae", "controlnet")


@pytest.fixture(scope="module")
def memory() -> Composer:
    """Models that never were files."""
    composer = Composer(tiny_pipeline(), tiny_adapter())
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


@pytest.fixture(scope="module")
def published(memory: Composer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same models as repositories, with all that else lies about in published ones."""
    folder = tmp_path_factory.mktemp("published")
    sister(memory.pipeline, control=False, init=False).save_pretrained(folder / "base")
    memory.pipeline.controlnet.save_pretrained(folder / "controlnet", max_shard_size="200KB")
    memory.pipeline.vae.save_pretrained(folder / "vae")
    (folder / "adapter").mkdir()
    memory.adapter.save(folder / "adapter" / "adapter.safetensors")
    for file in (*folder.rglob("model.safetensors"), *folder.rglob("diffusion_pytorch_model*.safetensors")):
        shutil.copy(file, file.with_name(f"{file.stem}.fp16.safetensors"))
    (folder / "base" / "everything.safetensors").write_bytes(b"all of it in one file")
    (folder / "base" / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickled")
    (folder / "controlnet" / "diffusion_pytorch_model_twins.safetensors").write_bytes(b"another")
    (folder / "base" / "README.md").write_text("read me")
    return folder


@pytest.fixture
def hub(published: Path) -> Hub:
    return Hub({f"owner/{name}": published / name for name in (*PARTS, "adapter")})


@pytest.fixture(autouse=True)
def online(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with serve(hub, tmp_path / "cache", monkeypatch):
        yield


@pytest.fixture
def preset(tmp_path: Path) -> str:
    return write_preset(tmp_path)


def write_preset(folder: Path, **changes: Any) -> str:
    parts = {part: f"owner/{part}" for part in PARTS}
    entry = {"title": "small", **parts, "adapter": {"source": "owner/adapter", "file": "adapter.safetensors"}} | changes
    (folder / "small.yaml").write_text(yaml.safe_dump(entry))
    return str(folder / "small.yaml")


def download(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["download", *arguments])


def test_what_was_downloaded_runs_offline(
    hub: Hub, preset: str, memory: Composer, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = download(preset)
    assert result.exit_code == 0, result.stderr
    assert "small: ready." in result.stdout
    asked = hub.asked
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    composer = Composer.from_preset(preset, device="cpu")
    composer.pipeline.set_progress_bar_config(disable=True)
    people = [memory.identity("ada", "woman", blocks(0)), memory.identity("isaac", "man", blocks(1))]
    scene = small_scene(people)
    made, expected = (c.compose(scene, output_type="latent").latents for c in (composer, memory))
    assert made is not None
    assert expected is not None
    assert torch.equal(made, expected)
    assert hub.asked == asked


def test_nothing_but_what_is_needed_is_fetched(hub: Hub, preset: str) -> None:
    assert download(preset).exit_code == 0
    assert len(set(hub.fetched)) == len(hub.fetched)
    unwanted = ("fp16", ".bin", "twins", "everything", "README", "base/vae/")
    assert not [name for name in hub.fetched if any(word in name for word in unwanted)]
    shards = [name for name in hub.fetched if name.startswith("owner/controlnet/") and "-of-" in name]
    assert len(shards) > 1


def test_sizes_are_the_hubs(hub: Hub, preset: str, published: Path) -> None:
    plan = plan_download(find_preset(preset))
    sizes = {shipment.part: shipment.missing for shipment in plan.shipments}
    assert sizes["adapter"] == (published / "adapter" / "adapter.safetensors").stat().st_size
    assert set(sizes) == {"base", "vae", "controlnet", "adapter"}
    # The index of the base, fetched to know what is needed, is there already.
    cached = [file.name for shipment in plan.shipments for file in shipment.files if file.cached]
    assert cached == ["model_index.json"]
    assert plan.missing == sum(sizes.values()) > 0
    assert [name for name in hub.fetched if not name.endswith("model_index.json")] == []


def test_a_second_download_asks_nobody(hub: Hub, preset: str) -> None:
    assert download(preset).exit_code == 0
    asked = hub.asked
    result = download(preset)
    assert result.exit_code == 0
    assert result.stdout == "small: nothing to do, all of it is here.\n"
    assert hub.asked == asked


def test_a_download_that_failed_goes_on_with_the_rest(hub: Hub, preset: str) -> None:
    hub.broken = {"adapter.safetensors"}
    result = download(preset)
    assert result.exit_code == 2
    assert "Expected the hub to give owner/adapter, but it does not" in result.stderr
    assert "what came so far is kept, so run this again" in result.stderr
    assert result.stderr.count("multiid: error:") == 1
    missing = [part.name for part in take_stock(find_preset(preset)) if not part.ready]
    assert missing == ["adapter"]
    hub.broken, before = set(), len(hub.fetched)
    again = download(preset)
    assert again.exit_code == 0, again.stderr
    assert hub.fetched[before:] == ["owner/adapter/adapter.safetensors"]


def test_half_a_repository_is_known_to_lack_the_rest(hub: Hub, preset: str) -> None:
    hub.broken = {"diffusion_pytorch_model.safetensors"}
    assert download(preset).exit_code == 2
    lacking = {part.name: part.lacking for part in take_stock(find_preset(preset)) if not part.ready}
    assert "unet/diffusion_pytorch_model.safetensors" in lacking["base"]
    assert "text_encoder/model.safetensors" not in lacking["base"]


def test_without_room_nothing_is_fetched(hub: Hub, preset: str) -> None:
    hub.claimed = {"adapter.safetensors": 10**16}
    for options in ([], ["--dry-run"]):
        result = download(preset, *options)
        assert result.exit_code == 2
        assert "Expected 10000000.0 GB free for the preset small, but the disk of" in result.stderr
    assert [name for name in hub.fetched if not name.endswith("model_index.json")] == []


def test_a_dry_run_fetches_nothing(hub: Hub, preset: str) -> None:
    result = download(preset, "--dry-run")
    assert result.exit_code == 0
    assert "owner/controlnet  (not stated)" in result.stdout
    assert "in all, into" in result.stdout
    assert [name for name in hub.fetched if not name.endswith("model_index.json")] == []


def test_offline_is_said_clearly(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    result = download(preset)
    assert result.exit_code == 2
    assert result.stderr.strip().endswith(
        "Expected the hub to give owner/base, but it does not (HF_HUB_OFFLINE is set): unset it while downloading."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"vae": "owner/absent"},
            "Expected the hub to give owner/absent, but it does not (there is no such repository",
        ),
        ({"adapter": "owner/adapter/no.bin"}, "Expected no.bin in the hub repository owner/adapter, but it holds none"),
        ({"vae": "owner/adapter"}, "Expected weights as safetensors in the hub repository owner/adapter, but it holds"),
    ],
)
def test_what_the_hub_does_not_have_is_named(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    result = download(write_preset(tmp_path, **changes))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_presets_of_the_package_have_nothing_to_fetch(hub: Hub) -> None:
    for name in ("mini", "tiny"):
        assert download(name).stdout == f"{name}: nothing to do, all of it is here.\n"
    assert hub.asked == 0


def test_parts_of_the_users_own_are_taken_as_they_are(
    hub: Hub, tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From beside the preset's file, or from the models folder by the repository's name."""
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(published))
    preset = write_preset(tmp_path, vae=str(published / "vae"))
    assert all(part.ready for part in take_stock(find_preset(preset)))
    assert download(preset).stdout.endswith("nothing to do, all of it is here.\n")
    assert hub.asked == 0


def test_needed_files() -> None:
    components = {name: ["diffusers", "Class"] for name in ("unet", "vae", "scheduler")}
    index = {"_class_name": "X", **components, "image_encoder": [None, None]}
    names = [
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin", "vae/config.json", "scheduler/scheduler_config.json",
        "unet/old/config.json",
    ]  # fmt: skip
    assert needed_files(names, index, without=("vae",)) == [*names[:4], names[7]]
    flat = ["config.json", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model_twins.safetensors", "a.png"]
    assert needed_files(flat, None) == flat[:2]


def test_lacking_files(tmp_path: Path, published: Path) -> None:
    whole = shutil.copytree(published / "base", tmp_path / "base")
    assert lacking_files(whole, pipeline=True) == []
    shutil.rmtree(whole / "tokenizer")
    (whole / "text_encoder_2" / "model.safetensors").unlink()
    (whole / "vae" / "config.json").unlink()
    assert set(lacking_files(whole, pipeline=True)) == {
        "tokenizer/", "text_encoder_2/model.safetensors", "vae/config.json",
    }  # fmt: skip
    assert lacking_files(whole, pipeline=True, without=("vae", "tokenizer")) == ["text_encoder_2/model.safetensors"]
    sharded = shutil.copytree(published / "controlnet", tmp_path / "controlnet")
    next(file for file in sharded.glob("*-00002-of-*") if "fp16" not in file.name).unlink()
    (lacking,) = lacking_files(sharded, pipeline=False)
    assert "-00002-of-" in lacking
    assert lacking_files(tmp_path, pipeline=True) == ["model_index.json"]


def test_a_lora_is_part_of_the_base(tmp_path: Path, published: Path, memory: Composer) -> None:
    """A preset's LoRA does what a scene's does, and leaves nothing of itself but numbers."""
    pipeline = tiny_pipeline()
    name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    width = pipeline.unet.get_submodule(name).in_features
    weights = {
        f"unet.{name}.lora_A.weight": torch.randn(4, width),
        f"unet.{name}.lora_B.weight": torch.randn(width, 4),
    }
    from safetensors.torch import save_file

    save_file(weights, tmp_path / "fast.safetensors")
    local = {part: str(published / part) for part in PARTS}
    adapter = str(published / "adapter" / "adapter.safetensors")
    preset = write_preset(tmp_path, **local, adapter=adapter, lora="fast.safetensors")
    composer = Composer.from_preset(preset, device="cpu")
    composer.pipeline.set_progress_bar_config(disable=True)
    assert not [path for path, _ in composer.pipeline.unet.named_modules() if "lora" in path]
    people = [memory.identity("ada", "woman", blocks(0)), memory.identity("isaac", "man", blocks(1))]
    scene = small_scene(people)
    merged = composer.compose(scene, output_type="latent").latents
    beside = memory.compose(small_scene(people, loras=[Lora(str(tmp_path / "fast.safetensors"))]), output_type="latent")
    plain = memory.compose(scene, output_type="latent").latents
    assert merged is not None
    assert plain is not None
    assert beside.latents is not None
    torch.testing.assert_close(merged, beside.latents, atol=2e-3, rtol=1e-3)
    assert (merged - plain).abs().max() > 0.05
    save_file({"unet.nothing.lora_A.weight": torch.zeros(4, 4)}, tmp_path / "other.safetensors")
    for wrong in ("other.safetensors", "small.yaml"):
        with pytest.raises(Exception, match="Expected a LoRA for SDXL, but"):
            Composer.from_preset(
                write_preset(tmp_path, **local, adapter=adapter, lora={"source": ".", "file": wrong}), device="cpu"
            )
