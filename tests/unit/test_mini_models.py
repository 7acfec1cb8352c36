"""The miniature's parts: their sizes, its tokenizer and scheduler, and that they make up an SDXL pipeline."""

import os
import subprocess
import sys

import pytest
import torch
from diffusers import StableDiffusionXLControlNetPipeline
from PIL import Image

from multiid.mini import models
from multiid.mini.vocabulary import mini_words
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.people import VALUES
from multiid.mini.world.words import GARMENTS, PLACES

FACE_NETWORKS = 0.6e6  # parameters that finder and recogniser may have


def test_all_parts_fit_into_the_package() -> None:
    """At two bytes a parameter: 25 MB in all, no file over 16 MB."""
    first, second = models.text_encoders()
    parts = {
        "unet": models.unet(),
        "controlnet": models.controlnet(),
        "autoencoder": models.autoencoder(),
        "text encoder": first,
        "text encoder 2": second,
        "ID encoder": models.id_encoder(),
    }
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
    for name, size in sizes.items():
        print(f"{name:<15}{size / 1e6:6.2f} M")
    total = sum(sizes.values()) + FACE_NETWORKS
    print(f"{'with faces':<15}{total / 1e6:6.2f} M (at most 12.3)")
    assert total <= 12.3e6
    assert sizes["unet"] <= 7.5e6
    assert sizes["controlnet"] <= 2.2e6


def test_any_shape_of_picture_goes_through() -> None:
    """At both levels of the UNet, sides need not be even."""
    first, second = models.text_encoders()
    words = models.tokenizer()
    pipeline = StableDiffusionXLControlNetPipeline(
        vae=models.autoencoder(),
        text_encoder=first,
        text_encoder_2=second,
        tokenizer=words,
        tokenizer_2=words,
        unet=models.unet(),
        controlnet=models.controlnet(),
        scheduler=models.scheduler(),
        add_watermarker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    assert pipeline.vae_scale_factor == models.LATENT_SCALE
    for size in ((232, 168), (72, 120)):
        picture = pipeline(
            "a man", image=Image.new("RGB", size), width=size[0], height=size[1], num_inference_steps=2
        ).images[0]
        assert picture.size == size


def test_cross_attention_hears_both_text_encoders_and_the_id_encoder() -> None:
    assert models.unet().config.cross_attention_dim == models.WIDTH == sum(models.TEXT_WIDTHS)
    assert models.controlnet().config.cross_attention_dim == models.WIDTH
    encoder = models.id_encoder()
    assert encoder.width == models.WIDTH
    portraits = encoder.preprocess([Image.new("RGB", (96, 96), "red")] * 2)
    with torch.no_grad():
        assert encoder.embed(portraits).shape == (2, 1, models.WIDTH)


def test_attention_is_at_both_levels_of_the_unet_and_in_the_controlnet() -> None:
    def widths(network: torch.nn.Module) -> set[int]:
        return {part.to_q.out_features for name, part in network.named_modules() if name.endswith("attn2")}

    assert widths(models.unet()) == {80, 144}
    assert widths(models.controlnet()) == {144}


def test_the_last_step_of_noise_is_noise_alone() -> None:
    scheduler = models.scheduler()
    assert scheduler.alphas_cumprod[-1] == 0
    scheduler.set_timesteps(20)
    assert scheduler.timesteps[0] == 999  # trailing: the first step is the noisiest
    assert scheduler.config["prediction_type"] == "v_prediction"
    assert scheduler.final_alpha_cumprod == 1


def test_the_same_seed_gives_the_same_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return models.controlnet().conv_in.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


# The tokenizer.


def test_words_of_the_world_are_read_whole() -> None:
    tokenizer = models.tokenizer()
    values = [value for name, kind in VALUES.items() if name != "glasses" for value in kind]
    nouns = ["old man", "old woman", "man", "woman", "boy", "girl"]
    for text in [*nouns, *CLOTHES, *GARMENTS, *PLACES, *PLACES.values(), *values, *mini_words()]:
        assert tokenizer.tokenize(text) == [f"{word}</w>" for word in text.split()]


@pytest.mark.parametrize("text", ["a zebra's xylophone!", "Überraschung 42", "雪 🙂", "well-dressed"])
def test_other_words_fall_into_pieces(text: str) -> None:
    tokenizer = models.tokenizer()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) > len(text.split())
    assert tokenizer.unk_token_id not in ids
    assert tokenizer.decode(ids).replace(" ", "") == text.lower().replace(" ", "")


def test_the_tokenizer_is_as_clip_s() -> None:
    tokenizer = models.tokenizer()
    ids = tokenizer("a man", padding="max_length").input_ids
    assert len(ids) == tokenizer.model_max_length == 77
    assert ids[0] == tokenizer.bos_token_id
    assert set(ids[3:]) == {tokenizer.eos_token_id} == {tokenizer.pad_token_id}
    for encoder in models.text_encoders():
        assert encoder.config.vocab_size == len(tokenizer)
        assert encoder.config.eos_token_id == tokenizer.eos_token_id


def test_the_pooled_text_is_that_of_the_first_end_token() -> None:
    """Padding is of end tokens too, and must not count."""
    tokenizer, (_, encoder) = models.tokenizer(), models.text_encoders()
    with torch.no_grad():
        short = encoder(torch.tensor([tokenizer("a man").input_ids])).text_embeds
        padded = encoder(torch.tensor([tokenizer("a man", padding="max_length").input_ids])).text_embeds
    assert torch.allclose(short, padded, atol=1e-5)


DIGEST = """
import hashlib, json
from multiid.mini.vocabulary import build_tokenizer, mini_words
vocabulary = build_tokenizer(mini_words()).get_vocab()
print(hashlib.sha256(json.dumps(sorted(vocabulary.items())).encode()).hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_ids_never_change(hash_seed: str) -> None:
    """The text encoders have learnt these ids; with others, in another process too, they would read nonsense."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    result = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.strip() == "994b11d59a86da0224ab78e1ec68a597f42374782f09e42e8db328b2387b92d5"
