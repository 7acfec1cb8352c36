"""The preset "tiny": every part of SDXL in its real class, a few numbers wide and with random weights.

It shows that everything runs, in seconds and without a download. Its pictures are noise.
"""

from typing import Any, cast

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionXLControlNetPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from multiid.mini.vocabulary import build_tokenizer
from multiid.people.adapter import Adapter
from multiid.people.encoders import EncoderConfig, IDEncoder
from multiid.prompts import CLIP_WINDOW

__all__ = ["tiny_adapter", "tiny_pipeline"]

_WIDTHS = (16, 32)  # of the two text encoders; cross-attention has their sum
_WORDS = (
    "a an and the in on at with of one two three woman man girl boy old young child person people friend family "
    "mother father having tea garden red green blue yellow white black coat hat dress shirt beach night day city "
    "park table house tree photo portrait picture film grain light sun smiling standing sitting together happy"
)


def tiny_pipeline(dtype: torch.dtype = torch.float32) -> StableDiffusionXLControlNetPipeline:
    """A new tiny SDXL pipeline with ControlNet in that dtype; the same weights every time."""
    tokenizer = build_tokenizer(_WORDS.split())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pipeline = StableDiffusionXLControlNetPipeline(
            vae=cast(Any, AutoencoderKL)(
                block_out_channels=(8, 8, 8, 8),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                latent_channels=4,
                norm_num_groups=4,
                force_upcast=False,
            ),
            text_encoder=CLIPTextModel(_text_config(tokenizer, _WIDTHS[0])),
            text_encoder_2=CLIPTextModelWithProjection(_text_config(tokenizer, _WIDTHS[1])),
            tokenizer=tokenizer,
            tokenizer_2=tokenizer,
            unet=_attentive(
                UNet2DConditionModel(
                    **_NETWORK,
                    sample_size=32,
                    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                )
            ),
            controlnet=_awake(
                _attentive(ControlNetModel(**_NETWORK, conditioning_embedding_out_channels=(4, 4, 8, 8)))
            ),
            scheduler=cast(Any, EulerDiscreteScheduler)(
                beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
            ),
            add_watermarker=False,
        )
    # Only where it changes something: diffusers remarks on every cast.
    return pipeline if dtype == torch.float32 else pipeline.to(dtype=dtype)


def tiny_adapter() -> Adapter:
    """An ID encoder of random weights that fits, and no LoRA."""
    config = EncoderConfig(
        image_size=56,
        patch_size=14,
        vision_width=32,
        vision_mlp=64,
        vision_layers=2,
        vision_heads=2,
        projections=_WIDTHS,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Adapter(IDEncoder(config).eval(), {})


_NETWORK: dict[str, Any] = {
    "block_out_channels": (16, 16, 32),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "attention_head_dim": (1, 2, 4),
    "transformer_layers_per_block": (1, 1, 2),
    "use_linear_projection": True,
    "norm_num_groups": 4,
    "cross_attention_dim": sum(_WIDTHS),
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": _WIDTHS[1] + 6 * 8,
}


def _attentive(network: Any) -> Any:
    """A network that hears its text: in a new one cross-attention is all but drowned by the rest."""
    for name, parameter in network.named_parameters():
        if name.endswith("attn2.to_out.0.weight"):
            nn.init.normal_(parameter, std=3.0)
    return network


def _awake(controlnet: ControlNetModel) -> ControlNetModel:
    """A ControlNet with something to say: a new one's outputs are all zero."""
    for parameter in (
        *controlnet.controlnet_down_blocks.parameters(),
        *controlnet.controlnet_mid_block.parameters(),
    ):
        nn.init.normal_(parameter, std=0.1)
    nn.init.normal_(controlnet.controlnet_cond_embedding.conv_out.weight, std=0.1)
    return controlnet


def _text_config(tokenizer: Any, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CLIP_WINDOW,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
