"""The miniature's parts: the classes that make up SDXL, a few numbers wide, with random weights.

Each builder draws from torch's global random numbers, so a caller who wants the same weights again seeds those.
Pictures are taken to latents at an eighth of their size and 16 channels; texts to 77 vectors of `WIDTH` numbers,
the halves from two encoders, and one pooled vector. What stands for no text is zeros, as in SDXL.
"""

from typing import Any, cast

from diffusers import AutoencoderKL, ControlNetModel, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from multiid.mini.vocabulary import build_tokenizer, mini_words
from multiid.people.encoders import EncoderConfig, IDEncoder
from multiid.prompts import CLIP_WINDOW

__all__ = [
    "ID_ENCODER",
    "LATENT_CHANNELS",
    "LATENT_SCALE",
    "TEXT_WIDTHS",
    "WIDTH",
    "autoencoder",
    "controlnet",
    "id_encoder",
    "scheduler",
    "text_encoders",
    "tokenizer",
    "unet",
]

LATENT_CHANNELS = 16
LATENT_SCALE = 8
"""Pixels along each side of the square that one latent stands for."""

TEXT_WIDTHS = (64, 64)
"""Lengths of the two text encoders' vectors; the second is also the pooled text's."""

WIDTH = sum(TEXT_WIDTHS)
"""Width of cross-attention, and so length of an ID embedding."""

ID_ENCODER = EncoderConfig(
    image_size=64,
    patch_size=8,
    vision_width=128,
    vision_mlp=256,
    vision_layers=4,
    vision_heads=4,
    projections=TEXT_WIDTHS,
)

_TIME_WIDTH = 8  # of each of SDXL's six numbers about the picture's size and crop
_NETWORK: dict[str, Any] = {
    "in_channels": LATENT_CHANNELS,
    "block_out_channels": (80, 144),
    "layers_per_block": 1,
    "transformer_layers_per_block": [1, 1],
    "attention_head_dim": [2, 3],  # diffusers' name for the number of heads, 40 and 48 wide: fused kernels want 8s
    "use_linear_projection": True,
    "norm_num_groups": 8,
    "cross_attention_dim": WIDTH,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": _TIME_WIDTH,
    "projection_class_embeddings_input_dim": TEXT_WIDTHS[1] + 6 * _TIME_WIDTH,
}


def autoencoder() -> AutoencoderKL:
    """The autoencoder between pictures and latents, without attention, so that any size goes through.

    Its `scaling_factor` is diffusers' own number for SD until training has measured the latents' spread:
    `register_to_config(scaling_factor=...)`.
    """
    return cast(Any, AutoencoderKL)(
        block_out_channels=(16, 32, 64, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        mid_block_add_attention=False,
        force_upcast=False,
        sample_size=128,
    )


def unet() -> UNet2DConditionModel:
    """The denoiser: two levels, cross-attention at both, SDXL's `text_time` conditioning."""
    return UNet2DConditionModel(
        **_NETWORK,
        out_channels=LATENT_CHANNELS,
        sample_size=16,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    )


def controlnet() -> ControlNetModel:
    """The ControlNet that reads skeletons; its outputs are zero at first.

    Attention is in its lower level alone: the upper costs most time, a middle with attention most weights.
    """
    return ControlNetModel(
        **_NETWORK,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        conditioning_embedding_out_channels=(8, 16, 32, 64),  # narrow: the first runs at the picture's own size
    )


def text_encoders() -> tuple[CLIPTextModel, CLIPTextModelWithProjection]:
    """SDXL's two text encoders. What SDXL reads is the last layer but one; the last of the second is pooled."""
    first, second = (_text_config(width) for width in TEXT_WIDTHS)
    return CLIPTextModel(first), CLIPTextModelWithProjection(second)


def tokenizer() -> CLIPTokenizer:
    """The tokenizer of both text encoders; it reads the world's words and everyday ones whole."""
    return build_tokenizer(mini_words())


def scheduler() -> DDIMScheduler:
    """DDIM on v-prediction with zero terminal SNR and trailing steps (arXiv 2305.08891)."""
    return cast(Any, DDIMScheduler)(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


def id_encoder() -> IDEncoder:
    """The ID encoder with its fuse module: one ID embedding of `WIDTH` numbers from a picture of 64 by 64 pixels."""
    return IDEncoder(ID_ENCODER)


def _text_config(width: int) -> CLIPTextConfig:
    words = cast(Any, tokenizer())
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=CLIP_WINDOW,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
