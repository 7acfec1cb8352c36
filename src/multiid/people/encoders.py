"""The two ID encoders of PhotoMaker: photos of a person in, ID embeddings out, fused with the class noun's embedding.

The work has two halves. `embed` looks at photos and knows no prompt, so its result can be kept in an identity
file; `fuse` joins that result with the class noun's text embedding and knows no photo. Both are pure: they read
weights and inputs only. Parameter names are the published checkpoints' (PhotoMaker, arXiv 2312.04461).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from multiid.errors import IdentityError
from multiid.people.perceiver import FacePerceiver

__all__ = ["EncoderConfig", "EncoderV2Config", "IDEncoder", "IDEncoderV2"]


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """Sizes of ID encoder V1; the defaults are the published ones, smaller numbers give a smaller encoder.

    Attributes:
        image_size: side of the square picture the vision transformer sees, in pixels; a multiple of `patch_size`.
        patch_size: side of a patch, in pixels.
        vision_width: length of the vision transformer's hidden states; a multiple of `vision_heads`.
        vision_mlp: hidden width of its feed-forward parts.
        vision_layers: its depth.
        vision_heads: its attention heads.
        projections: lengths of the two projections of a photo, one for each text encoder; their sum is the width
            of cross-attention.

    Raises:
        ValueError: when a size is not a positive whole number or does not divide as it must.
    """

    image_size: int = 224
    patch_size: int = 14
    vision_width: int = 1024
    vision_mlp: int = 4096
    vision_layers: int = 24
    vision_heads: int = 16
    projections: tuple[int, int] = (768, 1280)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = value if field.name == "projections" else (value,)
            if not all(isinstance(number, int) and number > 0 for number in numbers):
                raise ValueError(f"Expected positive whole numbers for {field.name}, but got {value!r}.")
        _check_multiple("image_size", self.image_size, "patch_size", self.patch_size)
        _check_multiple("vision_width", self.vision_width, "vision_heads", self.vision_heads)

    @property
    def width(self) -> int:
        """Length of an ID embedding: the width of the network's cross-attention."""
        return sum(self.projections)


@dataclass(frozen=True, kw_only=True)
class EncoderV2Config(EncoderConfig):
    """Sizes of ID encoder V2; the defaults are the published ones.

    Attributes:
        face_dims: length of a face embedding.
        face_hidden: width between the two layers that turn a face embedding into tokens.
        face_tokens: ID embeddings made from one photo.
        perceiver_layers: rounds in which these look over the photo.
        perceiver_heads: attention heads of each round; they divide the sum of `projections`.
        perceiver_expansion: hidden width of its feed-forward parts, in multiples of that sum.
    """

    face_dims: int = 512
    face_hidden: int = 2048
    face_tokens: int = 2
    perceiver_layers: int = 4
    perceiver_heads: int = 16
    perceiver_expansion: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_multiple("sum of projections", self.width, "perceiver_heads", self.perceiver_heads)


def _check_multiple(name: str, value: int, divisor_name: str, divisor: int) -> None:
    if value % divisor:
        raise ValueError(f"Expected {name} to be a multiple of {divisor_name} ({divisor}), but got {value}.")


class IDEncoder(nn.Module):
    """ID encoder V1: the photo's CLIP embedding, one ID embedding per photo.

    Gradients flow; turning them off is the caller's choice. Inputs are brought to the device and dtype of the
    weights, and results stay there.

    Args:
        config: sizes; the published ones by default.
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EncoderConfig()
        self.vision_model = _vision_transformer(config)
        self.visual_projection = nn.Linear(config.vision_width, config.projections[0], bias=False)
        self.visual_projection_2 = nn.Linear(config.vision_width, config.projections[1], bias=False)
        self.fuse_module = _FuseModule(config.width)

    @property
    def tokens_per_image(self) -> int:
        """ID embeddings made from one photo."""
        return 1

    @property
    def width(self) -> int:
        """Length of an ID embedding."""
        return self.config.width

    @property
    def needs_face_embeddings(self) -> bool:
        """Whether `embed` must be given face embeddings."""
        return False

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.visual_projection.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' dtype."""
        return self.visual_projection.weight.dtype

    def preprocess(self, images: Sequence[Image.Image]) -> Float[Tensor, "images 3 rows columns"]:
        """Pixels for `embed`, as CLIP's.

        RGB, the shortest side brought to the encoder's size (bicubic), the middle cropped, CLIP's mean and spread.
        """
        return self._processor(images=list(images), return_tensors="pt")["pixel_values"]

    @cached_property
    def _processor(self) -> CLIPImageProcessorPil:
        # The Pillow backend by name: where torchvision is installed, transformers picks that by default, and its
        # bicubic differs from the one the published weights were trained on.
        side = self.config.image_size
        return CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})

    def embed(
        self,
        pixels: Float[Tensor, "images 3 rows columns"],
        face_embeddings: Float[Tensor, "faces dims"] | None = None,
    ) -> Float[Tensor, "images tokens width"]:
        """ID embeddings of a person's photos, before fusion.

        Args:
            pixels: photos from `preprocess`.
            face_embeddings: V2 needs them; V1 sees the photo alone and does not use them.
        """
        del face_embeddings
        pooled = self._look(pixels).pooler_output
        embeddings = torch.cat([self.visual_projection(pooled), self.visual_projection_2(pooled)], dim=-1)
        return embeddings.unsqueeze(1)

    def fuse(
        self,
        embeddings: Float[Tensor, "images tokens_per_image width"] | Float[Tensor, "stack width"],
        class_embeds: Float[Tensor, "tokens width"],
    ) -> Float[Tensor, "tokens width"]:
        """Stacked ID embedding: each ID embedding joined with the class noun's text embedding at its place.

        Args:
            embeddings: from `embed`, image by image (image 0's tokens first).
            class_embeds: text embeddings at the class noun's places, one for each ID embedding.

        Raises:
            IdentityError: when the two differ in number or width.
        """
        flat = embeddings.reshape(-1, embeddings.shape[-1])
        if flat.shape != class_embeds.shape or flat.shape[-1] != self.width:
            raise IdentityError(
                f"Expected as many class embeddings as ID embeddings, each {self.width} long, but got "
                f"{tuple(class_embeds.shape)} for {tuple(flat.shape)}: expand the class noun to one token per ID "
                "embedding, and use identities made by this encoder."
            )
        return self.fuse_module(self._here(class_embeds), self._here(flat))

    def _look(self, pixels: Float[Tensor, "images 3 rows columns"]) -> BaseModelOutputWithPooling:
        size = self.config.image_size
        if pixels.shape[-2:] != (size, size):
            raise IdentityError(
                f"Expected photos preprocessed to {size}x{size} pixels, but got {pixels.shape[-1]}x{pixels.shape[-2]}: "
                "use this encoder's preprocess()."
            )
        return self.vision_model(pixel_values=self._here(pixels))

    def _here(self, tensor: Tensor) -> Tensor:
        return tensor.to(device=self.device, dtype=self.dtype)


class IDEncoderV2(IDEncoder):
    """ID encoder V2: a face embedding that looks over the photo's patches, two ID embeddings per photo.

    The face embeddings are raw (not normalised) vectors of the recogniser the weights were trained with: for the
    published ones the recogniser of InsightFace's pack buffalo_l. The projections of V1 are among the published
    weights and so among the parameters, but take no part.

    Args:
        config: sizes; the published ones by default.
    """

    def __init__(self, config: EncoderV2Config | None = None) -> None:
        config = config or EncoderV2Config()
        super().__init__(config)
        self.qformer_perceiver = FacePerceiver(
            face_dims=config.face_dims,
            face_hidden=config.face_hidden,
            tokens=config.face_tokens,
            width=config.width,
            vision_width=config.vision_width,
            layers=config.perceiver_layers,
            heads=config.perceiver_heads,
            expansion=config.perceiver_expansion,
        )
        self._face_dims, self._face_tokens = config.face_dims, config.face_tokens

    @property
    def tokens_per_image(self) -> int:
        """ID embeddings made from one photo."""
        return self._face_tokens

    @property
    def needs_face_embeddings(self) -> bool:
        """Whether `embed` must be given face embeddings."""
        return True

    def embed(
        self,
        pixels: Float[Tensor, "images 3 rows columns"],
        face_embeddings: Float[Tensor, "faces dims"] | None = None,
    ) -> Float[Tensor, "images tokens width"]:
        """ID embeddings of a person's photos, before fusion.

        Args:
            pixels: photos from `preprocess`.
            face_embeddings: the embedding of the face in each photo, in the photos' order.

        Raises:
            IdentityError: when the face embeddings are absent, of another length, or not one for each photo.
        """
        expected = (len(pixels), self._face_dims)
        if face_embeddings is None or tuple(face_embeddings.shape) != expected:
            came = "none" if face_embeddings is None else f"shape {tuple(face_embeddings.shape)}"
            raise IdentityError(
                f"Expected a face embedding of {self._face_dims} numbers for each of {len(pixels)} photos, as ID "
                f"encoder V2 needs, but got {came}: find them with the insightface analyzer or pass face_embeddings."
            )
        patches = self._look(pixels).last_hidden_state
        return self.qformer_perceiver(self._here(face_embeddings), patches)


class _FuseModule(nn.Module):
    """Two small networks with residuals, at each place on its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp1 = _MLP(2 * width, width)
        self.mlp2 = _MLP(width, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(
        self, class_embeds: Float[Tensor, "tokens width"], embeddings: Float[Tensor, "tokens width"]
    ) -> Float[Tensor, "tokens width"]:
        fused = self.mlp1(torch.cat([class_embeds, embeddings], dim=-1)) + class_embeds
        fused = self.mlp2(fused) + fused
        return self.layer_norm(fused)


class _MLP(nn.Module):
    """Norm, linear, exact GELU, linear."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(inputs)
        self.fc1 = nn.Linear(inputs, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "tokens inputs"]) -> Float[Tensor, "tokens width"]:
        return self.fc2(nn.functional.gelu(self.fc1(self.layernorm(x))))


def _vision_transformer(config: EncoderConfig) -> nn.Module:
    model = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=config.vision_width,
            intermediate_size=config.vision_mlp,
            num_hidden_layers=config.vision_layers,
            num_attention_heads=config.vision_heads,
            image_size=config.image_size,
            patch_size=config.patch_size,
            hidden_act="quick_gelu",
            layer_norm_eps=1e-5,
        )
    )
    # Some releases of transformers 5 still wrap the transformer itself in one more module; names start inside it.
    return getattr(model, "vision_model", model)
