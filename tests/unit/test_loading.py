"""From names to models: folders, files and the models folder give what memory gives; what is absent is named."""

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import PIL.Image
import pytest
import torch
from photos import blocks
from safetensors.torch import save_file
from tinies import small_scene

from multiid import (
    PRESETS,
    Box,
    CheckpointError,
    Composer,
    Face,
    ModelFileError,
    PresetError,
    find_preset,
    load_adapter,
)
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.pipeline.stock import sister
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline


class WholeFaces:
    """Takes any picture for one face."""

    recogniser = None

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        return [Face(Box(0, 0, image.width, image.height), ((1.0, 1.0),) * 5, 1.0)]


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, an empty cache and no folder of the user's."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(MODELS_DIR_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def memory() -> Composer:
    """A composer whose models never were files, with the settings of sdxl."""
    composer = Composer(tiny_pipeline(), tiny_adapter(), WholeFaces(), defaults=PRESETS["sdxl"].defaults)
    composer.pipeline.set_progress_bar_config(disable=True)
    return composer


@pytest.fixture(scope="module")
def saved(memory: Composer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same models as files, named as they are published."""
    folder = tmp_path_factory.mktemp("models")
    sister(memory.pipeline, control=False, init=False).save_pretrained(folder / "RealVisXL_V4.0")
    memory.pipeline.controlnet.save_pretrained(folder / "controlnet-openpose-sdxl-1.0")
    memory.pipeline.vae.save_pretrained(folder / "sdxl-vae-fp16-fix")
    memory.adapter.save(folder / "photomaker-v1.bin")
    return folder


def sources(saved: Path) -> dict[str, str]:
    return {
        "base": str(saved / "RealVisXL_V4.0"),
        "controlnet": str(saved / "controlnet-openpose-sdxl-1.0"),
        "vae": str(saved / "sdxl-vae-fp16-fix"),
        "adapter": str(saved / "photomaker-v1.bin"),
    }


def load(**settings: Any) -> Composer:
    return Composer.from_preset("sdxl", device="cpu", faces=WholeFaces(), **settings)


def refusal(error: type[Exception] = ModelFileError, **settings: Any) -> str:
    with pytest.raises(error) as caught:
        load(**settings)
    text = str(caught.value)
    assert "\n" not in text
    return text


def final_latents(composer: Composer) -> torch.Tensor:
    people = [composer.identity("ada", "woman", blocks(0)), composer.identity("isaac", "man", blocks(1))]
    latents = composer.compose(small_scene(people), output_type="latent").latents
    assert latents is not None
    return latents


def test_folders_give_the_same_picture_as_memory(memory: Composer, saved: Path) -> None:
    composer = load(**sources(saved))
    composer.pipeline.set_progress_bar_config(disable=True)
    assert torch.equal(final_latents(composer), final_latents(memory))
    assert composer.adapter.fingerprint == memory.adapter.fingerprint
    assert composer.defaults == PRESETS["sdxl"].defaults
    assert isinstance(composer.faces, WholeFaces)
    assert composer.preset is None  # a recipe must not name models that were replaced


def test_published_names_are_found_in_the_models_folder(
    memory: Composer, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repositories by the last part of their name, single files of a repository by theirs."""
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(saved))
    composer = load()
    assert composer.preset == "sdxl"
    composer.pipeline.set_progress_bar_config(disable=True)
    assert torch.equal(final_latents(composer), final_latents(memory))


def test_a_file_may_lie_in_a_folder_of_its_repositorys_name(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "PhotoMaker").mkdir(parents=True)
    shutil.copy(saved / "photomaker-v1.bin", tmp_path / "models" / "PhotoMaker")
    monkeypatch.setenv(MODELS_DIR_VARIABLE, str(tmp_path / "models"))
    assert load_adapter(PRESETS["sdxl"]).fingerprint == tiny_adapter().fingerprint


def test_networks_come_in_the_dtype_asked_for(saved: Path) -> None:
    composer = load(**sources(saved), dtype=torch.bfloat16)
    parts = (
        composer.pipeline.unet,
        composer.pipeline.controlnet,
        composer.pipeline.vae,
        composer.pipeline.text_encoder,
    )
    assert {part.dtype for part in parts} == {torch.bfloat16}


@pytest.mark.parametrize("part", ["base", "vae", "controlnet"])
def test_absent_weights_are_named_with_what_to_do(saved: Path, part: str) -> None:
    text = refusal(**sources(saved) | {part: "somebody/absent"})
    assert text == (
        "Expected the weights somebody/absent, but they are not on this machine and could not be fetched "
        "(HF_HUB_OFFLINE is set). Download them from the Hugging Face hub while online, or put them into the folder "
        "that MULTIID_MODELS_DIR names."
    )


def test_absent_checkpoints_are_named_with_their_repository() -> None:
    assert "Expected the weights photomaker-v1.bin of TencentARC/PhotoMaker, but" in refusal()
    assert "Expected the weights best.bin of somebody/absent, but" in refusal(adapter="somebody/absent/best.bin")
    for source in ("somebody/absent", "/no/such.bin", "such.bin", "a" * 300):
        assert f"or one on the hub as owner/name/file, but there is no {source}." in refusal(adapter=source)


@pytest.mark.parametrize("source", ["/no/such/folder", "no such name", "a" * 300, "a/b/c"])
def test_what_is_neither_file_nor_repository_is_refused(saved: Path, source: str) -> None:
    text = refusal(**sources(saved) | {"base": source})
    assert text.endswith(f"a hub repository owner/name, but there is no {source}.")


@pytest.mark.parametrize("part", ["base", "vae", "controlnet"])
def test_folders_of_other_things_are_refused(saved: Path, tmp_path: Path, part: str) -> None:
    (tmp_path / "empty").mkdir()
    text = refusal(**sources(saved) | {part: str(tmp_path / "empty")})
    assert f"but {tmp_path / 'empty'} cannot be loaded as one: " in text
    assert "The configuration of a single file" not in text


def test_damaged_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(saved / "controlnet-openpose-sdxl-1.0", tmp_path / "damaged")
    weights = damaged / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    text = refusal(**sources(saved) | {"controlnet": str(damaged)})
    assert f"Expected a whole ControlNetModel in diffusers' format, but {damaged} cannot be loaded" in text


def test_weights_that_lack_some_are_refused(saved: Path) -> None:
    """The stock loader would only warn, and go on without numbers."""
    text = refusal(**sources(saved) | {"controlnet": str(saved / "sdxl-vae-fp16-fix")})
    assert "Expected all weights of a ControlNetModel, but" in text
    assert "sdxl-vae-fp16-fix lacks conv_in.weight, conv_in.bias, time_embedding.linear_1.weight and" in text


@pytest.mark.parametrize("part", ["base", "vae", "controlnet"])
def test_single_files_go_to_the_single_file_loader(saved: Path, tmp_path: Path, part: str) -> None:
    single = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(2)}, single)
    text = refusal(**sources(saved) | {part: str(single)})
    assert f"but {single} cannot be loaded as one: " in text
    assert text.endswith("The configuration of a single file comes from the hub, so be online.")
    single.write_text("no weights at all")
    assert "Unable to load weights from checkpoint file" in refusal(**sources(saved) | {part: str(single)})


def test_the_adapter_is_looked_at_first(tmp_path: Path) -> None:
    """It is small: what is wrong with it shows before gigabytes are fetched."""
    (tmp_path / "adapter.bin").write_text("no adapter at all")
    text = refusal(CheckpointError, base="somebody/absent", adapter=str(tmp_path / "adapter.bin"))
    assert "adapter.bin" in text


def test_faces_are_looked_at_before_the_large_models(saved: Path) -> None:
    with pytest.raises(ModelFileError, match=r"face_detection_yunet_2023mar\.onnx"):
        Composer.from_preset("sdxl", device="cpu", base="somebody/absent", adapter=str(saved / "photomaker-v1.bin"))


@pytest.mark.parametrize("device", ["cudda", "cuda:4096"])
def test_devices_that_are_not_there_are_refused_first(device: str) -> None:
    with pytest.raises(PresetError, match=f"Expected a device of this machine, such as .*, but {device} cannot be"):
        Composer.from_preset("tiny", device=device)


@pytest.mark.parametrize("part", ["base", "vae", "controlnet", "adapter"])
def test_parts_of_tiny_cannot_be_replaced(part: str) -> None:
    with pytest.raises(PresetError, match=f"{part}: expected a preset whose models can be replaced, but tiny is built"):
        Composer.from_preset("tiny", **{part: "somebody/model"})


def test_tiny_says_that_its_pictures_are_noise() -> None:
    composer = Composer.from_preset("tiny", device="cpu")
    assert composer.preset == "tiny"
    assert composer.faces is None
    assert "noise" in (composer.notice or "")


def test_every_preset_names_its_licences() -> None:
    for preset in PRESETS.values():
        parts = ("base", "vae", "controlnet", "adapter", "lora")
        downloaded = {part for part in parts if getattr(preset, part) is not None}
        downloaded |= {"faces"} if preset.faces else set()
        assert set(preset.licences) == downloaded
        assert all(preset.licences.values())
        assert PRESETS[preset.name] is preset
        assert preset.title
    assert "non-commercial" in PRESETS["sdxl-v2"].licences["faces"]
    for name in ("sdxl", "sdxl-fast"):
        assert not any("non-commercial" in licence for licence in PRESETS[name].licences.values())


def test_no_revision_is_claimed_that_nobody_verified() -> None:
    for preset in PRESETS.values():
        for weights in preset.parts.values():
            assert weights.revision is None


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(PresetError, match="but got 'sdlx-v2'; did you mean 'sdxl-v2'"):
        find_preset("sdlx-v2")
    with pytest.raises(PresetError, match="known are sdxl, sdxl-v2, sdxl-fast, mini, tiny"):
        find_preset("flux")
