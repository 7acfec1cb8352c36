import numpy as np
import pytest
import torch
from golden import golden_photo
from PIL import Image
from small import SIZES, small_encoder, small_encoder_v2

from multiid.errors import IdentityError
from multiid.people.encoders import EncoderConfig, EncoderV2Config, IDEncoder, IDEncoderV2

FACES = torch.linspace(-2, 2, 3 * 512).reshape(3, 512)


@pytest.fixture(params=[small_encoder, small_encoder_v2])
def encoder(request):
    return request.param()


@pytest.mark.parametrize(
    ("kind", "tensors", "parameters"), [(IDEncoder, 407, 326_273_024), (IDEncoderV2, 463, 543_395_840)]
)
def test_default_sizes_are_the_published_ones(kind, tensors, parameters):
    with torch.device("meta"):
        weights = kind().state_dict()
    assert len(weights) == tensors
    assert sum(weight.numel() for weight in weights.values()) == parameters


@pytest.mark.parametrize(
    ("kind", "name", "shape"),
    [
        (IDEncoder, "vision_model.pre_layrnorm.weight", (1024,)),
        (IDEncoder, "vision_model.encoder.layers.23.self_attn.q_proj.weight", (1024, 1024)),
        (IDEncoder, "visual_projection_2.weight", (1280, 1024)),
        (IDEncoder, "fuse_module.mlp1.fc1.weight", (2048, 4096)),
        (IDEncoderV2, "qformer_perceiver.token_proj.2.weight", (4096, 2048)),
        (IDEncoderV2, "qformer_perceiver.token_norm.weight", (2048,)),
        (IDEncoderV2, "qformer_perceiver.perceiver_resampler.proj_in.weight", (2048, 1024)),
        (IDEncoderV2, "qformer_perceiver.perceiver_resampler.layers.3.0.to_kv.weight", (4096, 2048)),
        (IDEncoderV2, "qformer_perceiver.perceiver_resampler.layers.0.1.3.weight", (2048, 8192)),
    ],
)
def test_weights_have_the_checkpoints_names(kind, name, shape):
    with torch.device("meta"):
        assert tuple(kind().state_dict()[name].shape) == shape


def test_no_position_ids_in_the_state_dict(encoder):
    assert not [name for name in encoder.state_dict() if "position_ids" in name]


@torch.no_grad()
def test_embeds_each_photo_by_itself(encoder):
    pixels = torch.randn(3, 3, 28, 28)
    embeddings = encoder.embed(pixels, FACES)
    assert embeddings.shape == (3, encoder.tokens_per_image, encoder.width)
    assert encoder.tokens_per_image == (2 if encoder.needs_face_embeddings else 1)
    assert encoder.width == 64
    alone = torch.cat([encoder.embed(pixels[i : i + 1], FACES[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(embeddings, alone, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(embeddings[0], embeddings[1], atol=1e-3)


@torch.no_grad()
def test_v1_sees_the_photo_alone():
    encoder, pixels = small_encoder(), torch.randn(3, 3, 28, 28)
    assert torch.equal(encoder.embed(pixels), encoder.embed(pixels, FACES))


@torch.no_grad()
def test_v2_sees_photo_and_face():
    encoder, pixels = small_encoder_v2(), torch.randn(3, 3, 28, 28)
    embeddings = encoder.embed(pixels, FACES)
    assert not torch.allclose(embeddings, encoder.embed(pixels, FACES.flip(0)), atol=1e-3)
    assert not torch.allclose(embeddings, encoder.embed(pixels.flip(0), FACES), atol=1e-3)


@pytest.mark.parametrize(
    ("faces", "came"), [(None, "none"), (FACES[:2], r"\(2, 512\)"), (FACES[:, :128], r"\(3, 128\)")]
)
def test_v2_refuses_face_embeddings_that_do_not_fit(faces, came):
    with pytest.raises(IdentityError, match=rf"512 numbers for each of 3 photos.*{came}.*insightface"):
        small_encoder_v2().embed(torch.randn(3, 3, 28, 28), faces)


def test_embed_refuses_pixels_of_another_size(encoder):
    with pytest.raises(IdentityError, match=r"28x28.*32x30.*preprocess"):
        encoder.embed(torch.randn(3, 3, 30, 32), FACES)


@torch.no_grad()
def test_fuses_each_place_by_itself_in_the_photos_order(encoder):
    embeddings = torch.randn(3, encoder.tokens_per_image, encoder.width)
    flat = embeddings.flatten(0, 1)  # image 0's tokens first
    class_embeds = torch.randn(len(flat), encoder.width)
    fused = encoder.fuse(embeddings, class_embeds)
    assert torch.equal(fused, encoder.fuse(flat, class_embeds))
    alone = torch.cat([encoder.fuse(flat[i : i + 1], class_embeds[i : i + 1]) for i in range(len(flat))])
    torch.testing.assert_close(fused, alone, atol=1e-5, rtol=1e-5)
    swapped = encoder.fuse(class_embeds, flat)
    assert not torch.allclose(fused, swapped, atol=1e-3)


@pytest.mark.parametrize(("tokens", "width"), [(2, 64), (3, 32)])
def test_fuse_refuses_what_does_not_belong_together(tokens, width):
    with pytest.raises(IdentityError, match=r"each 64 long.*expand the class noun"):
        small_encoder().fuse(torch.randn(3, 1, width), torch.randn(tokens, width))


def test_computes_in_the_weights_dtype_and_lets_gradients_through(encoder):
    encoder.bfloat16()
    pixels = torch.randn(3, 3, 28, 28, requires_grad=True)
    embeddings = encoder.embed(pixels, FACES)
    fused = encoder.fuse(embeddings, torch.randn(embeddings.shape[0] * embeddings.shape[1], 64))
    assert embeddings.dtype == fused.dtype == encoder.dtype == torch.bfloat16
    assert fused.isfinite().all()
    fused.sum().backward()
    assert pixels.grad.abs().sum() > 0


@pytest.mark.parametrize(("width", "height"), [(300, 420), (500, 333), (28, 28)])
def test_preprocesses_as_pillow_does(width, height):
    photo = golden_photo("preprocess", width, height)
    scale = 28 / min(width, height)
    resized = photo.resize((int(width * scale), int(height * scale)), Image.Resampling.BICUBIC)
    left, top = (resized.width - 28) // 2, (resized.height - 28) // 2
    cropped = np.asarray(resized.crop((left, top, left + 28, top + 28)), dtype=np.float64) / 255
    mean, spread = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    expected = torch.from_numpy((cropped - mean) / spread).permute(2, 0, 1).float()

    pixels = small_encoder().preprocess([photo, photo])

    assert pixels.shape == (2, 3, 28, 28)
    difference = (pixels - expected).abs().max().item()
    print(f"greatest difference {difference:.2e}, allowed 1e-5")
    assert difference < 1e-5


@pytest.mark.parametrize(
    ("kind", "sizes", "named"),
    [
        (EncoderConfig, {"vision_layers": 0}, "vision_layers"),
        (EncoderConfig, {"projections": (24, -1)}, "projections"),
        (EncoderConfig, {"image_size": 30}, "image_size"),
        (EncoderConfig, {"vision_heads": 7}, "vision_width"),
        (EncoderV2Config, {"perceiver_heads": 7}, "perceiver_heads"),
    ],
)
def test_impossible_sizes_are_refused(kind, sizes, named):
    with pytest.raises(ValueError, match=named):
        kind(**SIZES | sizes)
