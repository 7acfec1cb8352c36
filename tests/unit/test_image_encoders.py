"""CLIP and DINO, tiny ones with random weights, kept in folders and loaded as published ones are."""

from collections.abc import Sequence
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import PIL.Image
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    ViTConfig,
    ViTImageProcessorPil,
    ViTModel,
)

from multiid.errors import ModelFileError
from multiid.evaluation.encoders import CLIPEncoder, DINOEncoder, ImageEncoder, TextImageEncoder
from multiid.mini.models import tokenizer

SIDE = 32
_LAYERS = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = _LAYERS | {"image_size": SIDE, "patch_size": 8}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a CLIP whose processor is unlike the default: whoever uses another gets other vectors."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("clip")
    words = tokenizer()
    text = CLIPTextConfig(
        **_LAYERS, vocab_size=len(words), bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )  # fmt: skip
    CLIPModel(
        CLIPConfig(text_config=text.to_dict(), vision_config=CLIPVisionConfig(**_VISION).to_dict(), projection_dim=12)
    ).save_pretrained(folder)
    words.save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": SIDE},
        crop_size={"height": SIDE, "width": SIDE},
        image_mean=[0.1] * 3,
        image_std=[0.7] * 3,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dino")
    ViTModel(ViTConfig(**_VISION)).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def pictures(count: int) -> list[PIL.Image.Image]:
    """Pictures of noise, each of another size."""
    noise = np.random.default_rng(0)
    return [PIL.Image.fromarray(noise.integers(0, 256, (40 + index, 48, 3), dtype=np.uint8)) for index in range(count)]


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors.double(), dim=1).numpy()


def test_clip_sees_pictures_as_its_own_processor_says(clip: Path) -> None:
    encoder, images = CLIPEncoder(str(clip)), pictures(3)
    model, processor = CLIPModel.from_pretrained(clip).eval(), CLIPImageProcessorPil.from_pretrained(clip)
    with torch.inference_mode():
        wanted = model.get_image_features(**processor(images, return_tensors="pt")).pooler_output
    assert encoder.encode_images(images) == pytest.approx(unit(wanted), abs=1e-6)
    other = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    with torch.inference_mode():
        unwanted = model.get_image_features(**other(images, return_tensors="pt")).pooler_output
    assert np.abs(unit(unwanted) - unit(wanted)).max() > 1e-3


def test_clip_reads_texts_of_any_length(clip: Path) -> None:
    encoder = CLIPEncoder(str(clip))
    texts = ["a man", "a woman at the beach", "a man " * 80]
    vectors = encoder.encode_texts(texts)
    assert vectors.shape == (3, 12)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0] * 3)
    # What stands beside a text in a batch changes nothing in it, nor does what is beyond the window.
    assert encoder.encode_texts(texts[:1])[0] == pytest.approx(vectors[0], abs=1e-6)
    assert encoder.encode_texts([texts[2] + "at the beach"])[0] == pytest.approx(vectors[2], abs=1e-6)
    model, words = CLIPModel.from_pretrained(clip).eval(), tokenizer()
    with torch.inference_mode():
        wanted = model.get_text_features(**words(["a woman at the beach"], return_tensors="pt")).pooler_output
    assert vectors[1] == pytest.approx(unit(wanted)[0], abs=1e-6)


def test_dino_reads_the_class_token(dino: Path) -> None:
    encoder, images = DINOEncoder(str(dino)), pictures(2)
    model, processor = ViTModel.from_pretrained(dino).eval(), ViTImageProcessorPil.from_pretrained(dino)
    with torch.inference_mode():
        output = model(**processor(images, return_tensors="pt"))
    assert encoder.encode_images(images) == pytest.approx(unit(output.last_hidden_state[:, 0]), abs=1e-6)


def test_many_pictures_are_read_batch_by_batch(clip: Path, dino: Path) -> None:
    images = pictures(18)
    images[17] = images[17].convert("RGBA")
    for encoder in (CLIPEncoder(str(clip)), DINOEncoder(str(dino))):
        vectors = encoder.encode_images(images)
        assert vectors.dtype == np.float64
        assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0] * 18)
        for index in (0, 15, 16, 17):
            assert encoder.encode_images([images[index]])[0] == pytest.approx(vectors[index], abs=1e-6)
        assert len(encoder.encode_images([])) == 0


def test_a_report_can_name_them(clip: Path, dino: Path) -> None:
    assert isinstance(CLIPEncoder(), TextImageEncoder)
    assert isinstance(DINOEncoder(), ImageEncoder)
    assert not isinstance(DINOEncoder(), TextImageEncoder)
    assert CLIPEncoder().name == "CLIP openai/clip-vit-large-patch14"
    assert DINOEncoder().name == "DINO facebook/dino-vits16"
    assert CLIPEncoder(str(clip)).name == f"CLIP {clip}"
    assert DINOEncoder(str(dino)).name == f"DINO {dino}"


def test_a_folder_may_lie_among_the_users_models(clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MULTIID_MODELS_DIR", str(clip.parent))
    monkeypatch.chdir(tmp_path)
    assert CLIPEncoder(f"someone/{clip.name}").encode_texts(["a man"]).shape == (1, 12)


def refused(encoder: ImageEncoder, images: Sequence[PIL.Image.Image] | None = None) -> str:
    with pytest.raises(ModelFileError) as caught:
        encoder.encode_images(pictures(1) if images is None else images)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_what_is_no_model_is_refused(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # whatever went before: it tries for long
    nowhere = refused(CLIPEncoder(str(tmp_path / "nowhere")))
    assert "a folder or a hub repository owner/name, but there is no" in nowhere
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(DINOEncoder(str(empty))).endswith("again.")
    assert "be online, or give a folder" in refused(CLIPEncoder("nobody/no-such-clip"))
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in clip.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes()[: 300 if file.suffix == ".safetensors" else None])
    assert f"Expected a CLIP model in {damaged}, but cannot load it" in refused(CLIPEncoder(str(damaged)))
    (damaged / "model.safetensors").write_bytes((clip / "model.safetensors").read_bytes())
    (damaged / "preprocessor_config.json").unlink()
    assert f"Expected an image processor in {damaged}" in refused(CLIPEncoder(str(damaged)))
