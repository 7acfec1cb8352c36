"""Both ID encoders in their published sizes give the reference implementation's numbers."""

import pytest
import torch
from conftest import needs
from golden import golden_encoders, golden_photo, golden_tensor
from safetensors.torch import load_file

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def encoders():
    needs("golden")
    return dict(zip(("v1", "v2"), golden_encoders(), strict=True))


def assert_near(measured, expected, tolerance=TOLERANCE):
    difference = (measured - expected).abs().max().item()
    print(f"greatest difference {difference:.2e}, allowed {tolerance:.0e}")
    assert difference <= tolerance


@pytest.mark.parametrize(("version", "case", "images"), [("v1", "v1-a", 3), ("v2", "v2-a", 2)])
@torch.no_grad()
def test_stack_is_the_references(encoders, version, case, images):
    golden = load_file(needs("golden", f"encoder_{case}.safetensors"))
    encoder = encoders[version]
    pixels = golden_tensor(f"{case}.pixels", (1, images, 3, 224, 224))[0]
    faces = golden_tensor(f"{case}.face", (1, images, 512))[0] if version == "v2" else None
    class_embeds = golden_tensor(f"{case}.prompt", (1, 77, 2048))[golden["mask"].bool()]

    embeddings = encoder.embed(pixels, faces)

    assert embeddings.shape == (images, {"v1": 1, "v2": 2}[version], 2048)
    assert_near(encoder.fuse(embeddings, class_embeds), golden["stack"])


@pytest.mark.parametrize(("version", "case"), [("v1", "p1-a"), ("v2", "p2-a")])
@torch.no_grad()
def test_photos_to_fused_prompt_are_the_references(encoders, version, case):
    golden = load_file(needs("golden", f"pipeline_{case}.safetensors"))
    encoder, mask = encoders[version], golden["mask"].bool()
    pixels = encoder.preprocess([golden_photo(f"{case}.photo{i}", width, 420) for i, width in enumerate((300, 340))])
    faces = golden_tensor(f"{case}.face", (2, 512)) if version == "v2" else None

    assert_near(pixels.mean(dim=(2, 3)), golden["pixels_mean"], 1e-6)
    assert_near(encoder.fuse(encoder.embed(pixels, faces), golden["prompt_embeds"][mask]), golden["fused"][mask])
