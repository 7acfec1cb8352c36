"""Judges of words: which place a picture shows, and which colour somebody wears.

Both look only at pixels that show it in the true render of the same scene, so they need no network. How often each is
right on true renders and on the autoencoder's round trips belongs beside what it says of generated pictures.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import make_group
from multiid.mini.world.places import place_light
from multiid.mini.world.scene import Scene, cast_pose, draw_scene
from multiid.mini.world.words import PLACES

__all__ = ["PlaceJudge", "cloth_medians", "lit_clothes", "read_clothes", "train_place_judge"]

_Picture = UInt8[np.ndarray, "height width 3"]

_BANDS = 6  # horizontal: a place is sky above land
_FEWEST = 6  # pixels that tell anything
_STIFFNESS = 1.0  # of the regression, in standard deviations of a feature
_NEAR = 14.0  # steps of 256: the shades of one garment's plain cloth


@dataclass(frozen=True, eq=False)
class PlaceJudge:
    """Tells places by the colours of the background: a linear regression on them and on their squares.

    Attributes:
        mean: of each feature over the true renders.
        spread: the features' standard deviations.
        weights: of each feature, its square and a constant, for each place.
    """

    mean: Float64[np.ndarray, " features"]
    spread: Float64[np.ndarray, " features"]
    weights: Float64[np.ndarray, "inputs places"]

    def read(self, picture: _Picture, truth: Scene) -> str:
        """The place, a key of `words.PLACES`, that a picture shows where the true render shows no people."""
        inputs = self._inputs(_background(picture, truth)[None])
        return tuple(PLACES)[int((inputs @ self.weights).argmax())]

    def _inputs(self, features: Float64[np.ndarray, "scenes features"]) -> Float64[np.ndarray, "scenes inputs"]:
        return _inputs((features - self.mean) / self.spread)


def train_place_judge(*, scenes: int = 600, seed: int = 0) -> PlaceJudge:
    """A judge of places, from that many true renders of random groups."""
    dice = Dice("place judge", seed)
    features: list[np.ndarray] = []
    targets = np.zeros((scenes, len(PLACES)))
    for index in range(scenes):
        pose = make_group(1 + index % 8, dice.seed())
        cast = cast_pose(pose, seed=dice.seed())
        scene = draw_scene(pose, cast, seed=dice.seed())
        features.append(_background(np.asarray(scene.picture), scene))
        targets[index, tuple(PLACES).index(cast.place)] = 1.0
    mean, spread = np.mean(features, axis=0), np.std(features, axis=0) + 1e-6
    inputs = _inputs((np.stack(features) - mean) / spread)
    stiffness = _STIFFNESS * np.eye(inputs.shape[1])
    return PlaceJudge(mean, spread, np.linalg.solve(inputs.T @ inputs + stiffness, inputs.T @ targets))


def _inputs(features: Float64[np.ndarray, "scenes features"]) -> Float64[np.ndarray, "scenes inputs"]:
    return np.concatenate([features, features**2, np.ones((len(features), 1))], axis=1)


def _background(picture: _Picture, truth: Scene) -> Float64[np.ndarray, " features"]:
    """Middle and spread of the background's colours, in bands from top to bottom and over all."""
    people = cv2.dilate((truth.labels > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    seen: Bool[np.ndarray, "height width"] = people == 0
    pixels = picture[seen].astype(np.float64)
    overall = np.concatenate([pixels.mean(axis=0), pixels.std(axis=0)]) if len(pixels) else np.full(6, 128.0)
    features = [overall]
    for rows in np.array_split(np.arange(len(picture)), _BANDS):
        pixels = picture[rows][seen[rows]].astype(np.float64)
        enough = len(pixels) >= _FEWEST
        features.append(np.concatenate([np.median(pixels, axis=0), pixels.std(axis=0)]) if enough else overall)
    return np.concatenate(features)


def read_clothes(picture: _Picture, truth: Scene, place: str) -> tuple[str | None, ...]:
    """The colour that each person of a scene wears in a picture, a key of `colours.CLOTHES`.

    It is the one nearest to the median of the pixels that are the person's plain cloth in the true render.

    Args:
        picture: of the true render's size.
        truth: the true render.
        place: where it is, a key of `words.PLACES`, whose light changes the colours.

    Returns:
        One colour for each person; None where the true render shows next to nothing of their clothes.
    """
    lit = lit_clothes(place)
    return tuple(
        None if median is None else min(lit, key=lambda name: float(np.square(median - lit[name]).sum()))
        for median in cloth_medians(picture, truth, place)
    )


def lit_clothes(place: str) -> dict[str, Float64[np.ndarray, " 3"]]:
    """The colour words of clothes, each as red, green and blue in the light of a place, a key of `words.PLACES`."""
    light = place_light(place)
    return {
        name: cv2.LUT(np.array([[colour]], np.uint8), light)[0, 0].astype(np.float64)
        for name, colour in CLOTHES.items()
    }


def cloth_medians(picture: _Picture, truth: Scene, place: str) -> tuple[Float64[np.ndarray, " 3"] | None, ...]:
    """The median of each person's plain cloth: of the pixels that are that in the true render.

    Args:
        picture: of the true render's size.
        truth: the true render.
        place: where it is, a key of `words.PLACES`, whose light changes the colours.

    Returns:
        Red, green and blue for each person; None where the true render shows next to nothing of their clothes.
    """
    lit = lit_clothes(place)
    drawn = np.asarray(truth.picture).astype(np.float64)
    rows = np.arange(len(drawn))[:, None]
    medians: list[Float64[np.ndarray, " 3"] | None] = []
    for index, person in enumerate(truth.people):
        own = truth.labels == index + 1
        if person.face is not None:
            own &= rows > person.face.bottom  # hair may have the colour of clothes
        cloth = own & (np.abs(drawn - lit[person.clothes.colour]).max(axis=2) <= _NEAR)
        if cloth.sum() < _FEWEST:
            medians.append(None)
            continue
        medians.append(np.median(picture[cloth].astype(np.float64), axis=0))
    return tuple(medians)
