"""The miniature from a run's folders to the folder that is shipped, and from there to pictures."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from diffusers import StableDiffusionXLControlNetPipeline
from minis import WholeFaces, load_miniature, random_parts
from photos import blocks
from safetensors import safe_open
from safetensors.torch import save_file
from tinies import small_scene

from multiid import PRESETS, Adapter, Composer, OutputError, TrainingError
from multiid.cli import main
from multiid.mini import models
from multiid.mini.pack import LARGEST_FILE, LARGEST_FOLDER, Parts, collect, pack


@pytest.fixture(scope="module")
def parts() -> Parts:
    return random_parts()


@pytest.fixture(scope="module")
def run(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a training run, with such weights as stages save."""
    run = tmp_path_factory.mktemp("run")
    denoiser = run / "denoiser" / "weights"
    copy.deepcopy(parts.vae).half().save_pretrained(run / "decoder" / "weights")
    for name in ("unet", "controlnet", "text_encoder", "text_encoder_2"):
        copy.deepcopy(getattr(parts, name)).half().save_pretrained(denoiser / name)
    (denoiser / "id_encoder").mkdir()
    state = {name: value.half().contiguous() for name, value in parts.id_encoder.state_dict().items()}
    save_file(state, denoiser / "id_encoder" / "model.safetensors")
    for stage in ("recogniser", "finder"):
        (run / stage / "weights").mkdir(parents=True)
        save_file({"weight": torch.zeros(2)}, run / stage / "weights" / f"{stage}.safetensors")
    return run


@pytest.fixture(scope="module")
def packed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packed") / "weights"
    result = CliRunner().invoke(main, ["mini", "pack", str(run), "-o", str(folder)])
    assert result.exit_code == 0, result.stderr
    assert "faces/finder.safetensors" in result.stdout
    return folder


def latents(composer: Composer) -> torch.Tensor:
    people = [composer.identity("ada", "woman", blocks(0)), composer.identity("isaac", "man", blocks(1))]
    scene = small_scene(people, merge_step=None, width=None, height=None)
    made = composer.compose(scene, output_type="latent").latents
    assert made is not None
    return made


def test_what_is_packed_is_what_was_trained(parts: Parts, packed: Path) -> None:
    words = models.tokenizer()
    networks = {name: value for name, value in vars(parts).items() if name not in ("id_encoder", "faces")}
    pipeline = StableDiffusionXLControlNetPipeline(
        **networks, tokenizer=words, tokenizer_2=words, scheduler=models.scheduler(), add_watermarker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    adapter = Adapter(parts.id_encoder, {})
    memory = Composer(pipeline, adapter, WholeFaces(), defaults=PRESETS["mini"].defaults)
    loaded = load_miniature(packed)
    assert loaded.adapter.fingerprint == adapter.fingerprint
    assert torch.equal(latents(loaded), latents(memory))


def test_files_are_small_and_in_16_bits(packed: Path) -> None:
    sizes = {str(file.relative_to(packed)): file.stat().st_size for file in packed.rglob("*") if file.is_file()}
    for name, size in sizes.items():
        print(f"{size:>12,}  {name}")
    print(f"{sum(sizes.values()):>12,}  of {LARGEST_FOLDER:,}")
    assert max(sizes.values()) <= LARGEST_FILE == 16_000_000
    assert sum(sizes.values()) <= LARGEST_FOLDER == 25_000_000
    assert {"model_index.json", "adapter.safetensors", "unet/config.json", "faces/recogniser.safetensors"} <= set(sizes)
    assert {Path(name).suffix for name in sizes} == {".json", ".safetensors"}
    for file in packed.glob("[!f]*/*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"F16"}, file  # noqa: SIM118


def test_no_path_of_the_trainer_is_in_it(run: Path, packed: Path) -> None:
    for file in packed.rglob("*.json"):
        assert str(run) not in file.read_text()
        assert "_name_or_path" not in json.loads(file.read_text())


def test_packing_leaves_the_parts_as_they_are(parts: Parts, tmp_path: Path) -> None:
    pack(parts, tmp_path / "weights")
    assert {parts.unet.dtype, parts.vae.dtype, parts.id_encoder.dtype} == {torch.float32}
    assert not list((tmp_path / "weights" / "faces").iterdir())


def test_a_miniature_is_replaced_whole(parts: Parts, packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    (folder / "faces").mkdir(parents=True)
    (folder / "faces" / "old.safetensors").touch()
    pack(replace(parts, faces=[packed / "faces" / "finder.safetensors"]), folder)
    assert [file.name for file in (folder / "faces").iterdir()] == ["finder.safetensors"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights"]


def test_other_folders_are_left_alone(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for folder in (tmp_path, tmp_path / "thesis.txt", tmp_path / "absent" / "weights"):
        with pytest.raises(OutputError):
            pack(parts, folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("files", "size", "said"), [(1, 17, "of at most 16 MB, but faces/0"), (3, 9, "at most 25 MB in")]
)
def test_what_is_too_large_is_refused(parts: Parts, tmp_path: Path, files: int, size: int, said: str) -> None:
    (tmp_path / "large").mkdir()
    large = [tmp_path / "large" / str(number) for number in range(files)]
    for file in large:
        file.write_bytes(bytes(size * 1_000_000))
    with pytest.raises(OutputError, match=said):
        pack(replace(parts, faces=large), tmp_path / "weights")
    assert [entry.name for entry in tmp_path.iterdir()] == ["large"]


def test_the_autoencoder_stands_in_until_its_decoder_is_trained_again(run: Path, tmp_path: Path) -> None:
    again = tmp_path / "run"
    again.mkdir()
    for stage in ("denoiser", "recogniser", "finder"):
        (again / stage).symlink_to(run / stage)
    with pytest.raises(TrainingError, match=r"autoencoder.weights, but there are none: train autoencoder first\.$"):
        collect(again)
    (again / "autoencoder").symlink_to(run / "decoder")
    assert collect(again).vae.config.latent_channels == models.LATENT_CHANNELS


@pytest.mark.parametrize("stage", ["denoiser", "recogniser", "finder"])
def test_a_stage_that_was_not_trained_is_named(run: Path, tmp_path: Path, stage: str) -> None:
    for other in {"decoder", "denoiser", "recogniser", "finder"} - {stage}:
        (tmp_path / other).symlink_to(run / other)
    result = CliRunner().invoke(main, ["mini", "pack", str(tmp_path), "-o", str(tmp_path / "weights")])
    assert result.exit_code == 2
    assert result.stderr.endswith(f"but there are none: train {stage} first.\n")


def test_other_weights_are_named(run: Path, tmp_path: Path) -> None:
    for stage in ("decoder", "recogniser", "finder"):
        (tmp_path / stage).symlink_to(run / stage)
    weights = tmp_path / "denoiser" / "weights"
    weights.mkdir(parents=True)
    for part in (run / "denoiser" / "weights").iterdir():
        (weights / part.name).symlink_to(part)
    (weights / "id_encoder").unlink()
    (weights / "id_encoder").mkdir()
    save_file({"weight": torch.zeros(2)}, weights / "id_encoder" / "model.safetensors")
    with pytest.raises(TrainingError, match=r"Expected the miniature's ID encoder in .*, but got other weights"):
        collect(tmp_path)
    (weights / "unet").unlink()
    (weights / "unet").mkdir()
    with pytest.raises(TrainingError, match=r"Expected a UNet2DConditionModel in .*unet, but it cannot be loaded"):
        collect(tmp_path)
