"""Small ID encoders with random weights: the real classes, a thousandth of the size."""

from multiid.people.encoders import EncoderConfig, EncoderV2Config, IDEncoder, IDEncoderV2

SIZES = {
    "image_size": 28,
    "patch_size": 14,
    "vision_width": 64,
    "vision_mlp": 96,
    "vision_layers": 2,
    "projections": (24, 40),
}
V2_SIZES = {"face_dims": 512, "face_hidden": 32, "perceiver_layers": 2, "perceiver_expansion": 2}


def small_encoder(*, vision_heads: int = 1) -> IDEncoder:
    """ID encoder V1, 64 wide; one head of 64 channels as in the published one, unless told otherwise."""
    return IDEncoder(EncoderConfig(**SIZES, vision_heads=vision_heads)).eval()


def small_encoder_v2(*, vision_heads: int = 1, perceiver_heads: int = 1) -> IDEncoderV2:
    """ID encoder V2, 64 wide, two tokens per photo."""
    config = EncoderV2Config(**SIZES, **V2_SIZES, vision_heads=vision_heads, perceiver_heads=perceiver_heads)
    return IDEncoderV2(config).eval()
