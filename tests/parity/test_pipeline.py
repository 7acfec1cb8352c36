"""Whole text-to-image runs of the PhotoMaker reference on a tiny SDXL, reproduced by the composer."""

import pytest
import torch
from conftest import needs
from golden import golden_encoders, golden_lora_state_dict, golden_photo, golden_sdxl, golden_tensor
from safetensors.torch import load_file

from multiid import Adapter, Composer, Scene

CASES = {
    "p1-a": ("a photo of a {who} wearing a red hat", "man", "blurry", 2),
    "p2-a": ("portrait of a {who} in a garden", "woman", "low quality", 1),
}


@pytest.mark.parametrize(("case", "number"), [("p1-a", 0), ("p2-a", 1)])
def test_one_person_inline_is_the_references_run(case: str, number: int) -> None:
    expected = load_file(needs("golden", f"pipeline_{case}.safetensors"))
    prompt, noun, negative, merge_step = CASES[case]
    pipeline = golden_sdxl()
    composer = Composer(pipeline, Adapter(golden_encoders()[number], golden_lora_state_dict(pipeline.unet)))
    photos = [golden_photo(f"{case}.photo{i}", width, 420) for i, width in enumerate((300, 340))]
    faces = golden_tensor(f"{case}.face", (2, 512)) if number else None
    scene = Scene(
        prompt,
        people=[composer.identity("who", noun, photos, faces)],
        negative_prompt=negative,
        layout="inline",
        merge_step=merge_step,
        steps=6,
        guidance=5.0,
        width=128,
        height=128,
        seed=0,
    )
    latents = golden_tensor(f"{case}.latents", (1, 4, 16, 16))
    picture = composer.compose(scene, latents=latents, output_type="latent")
    assert picture.latents is not None
    wanted = expected[next(key for key in expected if key.endswith("latents"))]
    error = ((picture.latents - wanted).norm() / wanted.norm()).item()
    print(f"{case}: relative error of the final latents {error:.2e}, at most 1e-3")
    assert error < 1e-3
    assert torch.isfinite(picture.latents).all()
