"""Metrics that take the picture itself: who measures each, and what it says of one picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import PIL.Image

from multiid.errors import MissingExtraError, ModelFileError
from multiid.evaluation.encoders import CLIPEncoder, DINOEncoder, ImageEncoder, TextImageEncoder
from multiid.evaluation.pictures import image_similarity, text_similarity
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge
from multiid.mini.heads import HeadEncoder
from multiid.mini.reading_back import WordReader
from multiid.mini.world.scene import Scene
from multiid.pipeline.judging import draws_cartoons
from multiid.pipeline.preset_record import Preset

__all__ = ["ENCODED", "Encoders", "choose_encoders"]

ENCODED = ("clip_t", "clip_i", "dino")
"""Metrics that take the picture itself."""

_PROBE = 64  # pixels


@dataclass(frozen=True)
class Encoders:
    """Who measures what of pictures themselves.

    Attributes:
        words: compares pictures with words, in CLIP-T's place or as CLIP-T; None where that is not measured.
        photos: by metric, who compares pictures with photos.
        unmeasured: by metric, why it is not measured though it was asked for.
    """

    words: TextImageEncoder | WordReader | None
    photos: Mapping[str, ImageEncoder]
    unmeasured: Mapping[str, str]

    @property
    def names(self) -> dict[str, str]:
        """By metric, who measures it."""
        names = {} if self.words is None else {"clip_t": self.words.name}
        return names | {metric: encoder.name for metric, encoder in self.photos.items()}

    def measure(
        self,
        image: PIL.Image.Image,
        *,
        text: str,
        photos: Sequence[PIL.Image.Image],
        truth: Callable[[], Scene] | None,
    ) -> dict[str, float]:
        """What they say of one picture, by metric.

        Args:
            image: the picture.
            text: what it should show, in words, with everybody's phrase.
            photos: of the people in it.
            truth: draws the true render of the same scene, if somebody can.
        """
        values: dict[str, float] = {}
        if isinstance(self.words, WordReader):
            drawn = None if truth is None else truth()
            if drawn is not None and drawn.picture.size == image.size:
                values["clip_t"] = self.words.score(image, text, drawn)
        elif self.words is not None:
            values["clip_t"] = float(text_similarity([image], [text], encoder=self.words)[0])
        for metric, encoder in self.photos.items():
            values[metric] = float(image_similarity([image], photos, encoder=encoder)[0])
        return values


def choose_encoders(metrics: Sequence[str], preset: Preset, *, places: PlaceJudge | None) -> Encoders:
    """Who measures some metrics; one whose model cannot be had is left out, and the metric with it.

    Args:
        metrics: that are wanted; others than those of `ENCODED` are passed over.
        preset: makes the pictures. Those of the miniature are read by networks of its own.
        places: tells the places of the miniature's world; None where nobody knows the true ones.
    """
    wanted = [metric for metric in ENCODED if metric in metrics]
    unmeasured: dict[str, str] = {}
    words: TextImageEncoder | WordReader | None = None
    photos: dict[str, ImageEncoder] = {}
    for metric in wanted:
        try:
            if metric == "clip_t":
                words = _words(preset, places)
            else:
                encoder = _photos(metric, preset)
                photos |= {} if encoder is None else {metric: encoder}
        except (ModelFileError, MissingExtraError) as error:
            unmeasured[metric] = str(error)
    known = {*photos, *unmeasured, *(["clip_t"] if words else [])}
    unmeasured |= {metric: "the miniature has nothing to measure it with" for metric in wanted if metric not in known}
    return Encoders(words, photos, unmeasured)


def _words(preset: Preset, places: PlaceJudge | None) -> TextImageEncoder | WordReader | None:
    if draws_cartoons(preset):
        return None if places is None else WordReader(MiniFaces(), places)
    encoder = CLIPEncoder()
    _require(encoder)
    return encoder


def _photos(metric: str, preset: Preset) -> ImageEncoder | None:
    if draws_cartoons(preset):
        return HeadEncoder(MiniFaces()) if metric == "clip_i" else None
    encoder = CLIPEncoder() if metric == "clip_i" else DINOEncoder()
    _require(encoder)
    return encoder


def _require(encoder: ImageEncoder) -> None:
    """Has an encoder load its model, so that one which cannot be had is told before any work."""
    encoder.encode_images([PIL.Image.new("RGB", (_PROBE, _PROBE))])
