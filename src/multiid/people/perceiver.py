"""The face perceiver of ID encoder V2: a face embedding becomes tokens that look over the photo's patches.

The layout is PhotoMaker V2's (arXiv 2312.04461 describes V1; V2's parts carry the names `qformer_perceiver.*` in the
published checkpoint), and the resampler in it is Flamingo's (arXiv 2204.14198, 3.1.1).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["FacePerceiver"]


class FacePerceiver(nn.Module):
    """Face embeddings and photo patches in, ID embeddings out.

    Args:
        face_dims: length of a face embedding.
        face_hidden: width between the two layers that turn a face embedding into tokens.
        tokens: tokens made from one face.
        width: length of a token.
        vision_width: length of a patch embedding.
        layers: rounds of looking.
        heads: attention heads; they divide `width`.
        expansion: hidden width of the feed-forward parts, in multiples of `width`.
    """

    def __init__(
        self,
        *,
        face_dims: int,
        face_hidden: int,
        tokens: int,
        width: int,
        vision_width: int,
        layers: int,
        heads: int,
        expansion: int,
    ) -> None:
        super().__init__()
        self.tokens, self.width = tokens, width
        self.token_proj = nn.Sequential(
            nn.Linear(face_dims, face_hidden), nn.GELU(), nn.Linear(face_hidden, tokens * width)
        )
        self.token_norm = nn.LayerNorm(width)
        self.perceiver_resampler = _Resampler(width, vision_width, layers, heads, expansion)

    def forward(
        self, faces: Float[Tensor, "images dims"], patches: Float[Tensor, "images patches channels"]
    ) -> Float[Tensor, "images tokens width"]:
        """ID embeddings of photos, each with the embedding of its face and its patches (class token included)."""
        tokens = self.token_norm(self.token_proj(faces).reshape(-1, self.tokens, self.width))
        return tokens + self.perceiver_resampler(tokens, patches)


class _Resampler(nn.Module):
    """Tokens gather from the patches, round by round."""

    def __init__(self, width: int, vision_width: int, layers: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.proj_in = nn.Linear(vision_width, width)
        self.layers = nn.ModuleList(
            nn.ModuleList([_Look(width, heads), _feed_forward(width, expansion)]) for _ in range(layers)
        )
        self.proj_out = nn.Linear(width, width)
        self.norm_out = nn.LayerNorm(width)

    def forward(
        self, tokens: Float[Tensor, "images tokens width"], patches: Float[Tensor, "images patches channels"]
    ) -> Float[Tensor, "images tokens width"]:
        patches = self.proj_in(patches)
        for layer in self.layers:
            look, feed_forward = layer.children()
            tokens = tokens + look(tokens, patches)
            tokens = tokens + feed_forward(tokens)
        return self.norm_out(self.proj_out(tokens))


class _Look(nn.Module):
    """Attention of the tokens over the patches and themselves."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_kv = nn.Linear(width, 2 * width, bias=False)
        self.to_out = nn.Linear(width, width, bias=False)

    def forward(
        self, tokens: Float[Tensor, "images tokens width"], patches: Float[Tensor, "images patches width"]
    ) -> Float[Tensor, "images tokens width"]:
        patches, tokens = self.norm1(patches), self.norm2(tokens)
        query = self._split(self.to_q(tokens))
        key, value = map(self._split, self.to_kv(torch.cat([patches, tokens], dim=1)).chunk(2, dim=-1))
        # Scaling both sides before the product keeps it inside fp16's range, where scaling it afterwards would not.
        scale = query.shape[-1] ** -0.25
        logits = (query * scale) @ (key * scale).transpose(-1, -2)  # (images, heads, tokens, patches + tokens)
        mixed = logits.softmax(dim=-1, dtype=torch.float32).to(value.dtype) @ value
        return self.to_out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Float[Tensor, "images length width"]) -> Float[Tensor, "images heads length dims"]:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _feed_forward(width: int, expansion: int) -> nn.Sequential:
    hidden = width * expansion
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, hidden, bias=False), nn.GELU(), nn.Linear(hidden, width, bias=False)
    )
