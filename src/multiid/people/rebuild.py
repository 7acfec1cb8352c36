"""An ID encoder from its weights alone: version told by the names, sizes by the shapes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from multiid.errors import CheckpointError
from multiid.people.checkpoint import ADVICE, Checkpoint, few
from multiid.people.encoders import EncoderConfig, EncoderV2Config, IDEncoder, IDEncoderV2
from multiid.people.tensorfile import first_line

__all__ = ["build_encoder"]

_VISION = "vision_model."
_PERCEIVER = "qformer_perceiver."

# Shapes do not tell the number of attention heads; these are the widths of one head in the published encoders.
_VISION_HEAD, _PERCEIVER_HEAD = 64, 128


def build_encoder(checkpoint: Checkpoint) -> IDEncoder:
    """The ID encoder whose weights these are, in float32 and for use, not training (no gradients).

    The numbers of attention heads are those the checkpoint notes, else one for each 64 (vision) and 128 (perceiver)
    channels, as in the published encoders.

    Raises:
        CheckpointError: when names or shapes are not those of an ID encoder; the first few are listed.
    """
    weights = checkpoint.encoder
    kind = IDEncoderV2 if any(name.startswith(_PERCEIVER) for name in weights) else IDEncoder
    try:
        with torch.device("meta"):  # takes no memory, and no time for weights that are replaced at once
            encoder = kind(_config(weights, checkpoint.about, kind is IDEncoderV2))  # pyright: ignore[reportArgumentType]
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        cause = "a weight has too few axes" if isinstance(error, IndexError) else first_line(error)
        raise CheckpointError(
            f"Expected the weights of an ID encoder, but their shapes do not fit: {cause}. {ADVICE}"
        ) from error
    _check(weights, encoder.state_dict())
    encoder.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, assign=True)
    # The only buffer; checkpoints may leave it out, so it is counted anew.
    embeddings = encoder.vision_model.get_submodule("embeddings")
    positions = embeddings.get_parameter("position_embedding.weight").shape[0]
    embeddings.register_buffer("position_ids", torch.arange(positions).unsqueeze(0), persistent=False)
    return encoder.eval().requires_grad_(False)


def _config(weights: Mapping[str, Tensor], about: Mapping[str, Any], v2: bool) -> EncoderConfig:
    """Sizes from shapes. Where a name is absent the published size stands in, and the name is then seen to miss."""

    def length(name: str, axis: int = 0) -> int | None:
        return weights[name].shape[axis] if name in weights else None

    def count(prefix: str) -> int | None:
        return len({name[len(prefix) :].partition(".")[0] for name in weights if name.startswith(prefix)}) or None

    patch = length(f"{_VISION}embeddings.patch_embedding.weight", -1)
    positions = length(f"{_VISION}embeddings.position_embedding.weight")
    channels = length(f"{_VISION}embeddings.class_embedding")
    projections = length("visual_projection.weight"), length("visual_projection_2.weight")
    sizes: dict[str, Any] = {
        "patch_size": patch,
        "image_size": patch * round((positions - 1) ** 0.5) if patch and positions else None,
        "vision_width": channels,
        "vision_mlp": length(f"{_VISION}encoder.layers.0.mlp.fc1.weight"),
        "vision_layers": count(f"{_VISION}encoder.layers."),
        "vision_heads": _noted(about, "vision_heads") or (channels and max(1, channels // _VISION_HEAD)),
        "projections": projections if all(projections) else None,
    }
    if v2:
        width = length(f"{_PERCEIVER}token_norm.weight")
        all_tokens = length(f"{_PERCEIVER}token_proj.2.weight")
        hidden = length(f"{_PERCEIVER}perceiver_resampler.layers.0.1.1.weight")
        sizes |= {
            "face_dims": length(f"{_PERCEIVER}token_proj.0.weight", 1),
            "face_hidden": length(f"{_PERCEIVER}token_proj.0.weight"),
            "face_tokens": all_tokens // width if all_tokens and width else None,
            "perceiver_layers": count(f"{_PERCEIVER}perceiver_resampler.layers."),
            "perceiver_heads": _noted(about, "perceiver_heads") or (width and max(1, width // _PERCEIVER_HEAD)),
            "perceiver_expansion": hidden // width if hidden and width else None,
        }
    known = {name: size for name, size in sizes.items() if size}
    return EncoderV2Config(**known) if v2 else EncoderConfig(**known)


def _noted(about: Mapping[str, Any], name: str) -> int | None:
    number = about.get(name)
    if number is not None and not (isinstance(number, int) and number > 0):
        raise ValueError(f"{name} is noted as {number!r}")
    return number


def _check(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    faults = {
        "missing": [name for name in expected if name not in weights],
        "unexpected": [name for name in weights if name not in expected],
    }
    if not any(faults.values()):
        faults["of another shape"] = [name for name in expected if weights[name].shape != expected[name].shape]
    found = [f"{len(names)} {kind} ({few(names)})" for kind, names in faults.items() if names]
    if found:
        raise CheckpointError(
            f"Expected the {len(expected)} weights of an ID encoder, but found {' and '.join(found)}. {ADVICE}"
        )
