"""The best of several attempts at a picture: failing faces are painted anew, then another seed is tried."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from multiid.errors import SceneError
from multiid.evaluation.matching import Matching
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.pipeline.merging import Progress
from multiid.pipeline.refining import PictureMaker, refine_faces
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import MOST_SEED, Scene
from multiid.pipeline.verification import Attempt
from multiid.pipeline.verifying import check_image

__all__ = ["Finish", "Watch", "compose_verified", "require_verifiable"]

Finish = Callable[[Picture], Picture]
"""What is done to a picture as soon as it is made, such as refining its small faces."""

Watch = Callable[[Attempt], None]
"""Told of each attempt as soon as it is checked; what it raises stops the work."""

_ANY_WIDTH = 1e6  # pixels: faces of any size are painted anew
_STRENGTH = 0.85


def require_verifiable(judge: FaceAnalyzer | None, *, attempts: int, own_latents: bool, pixels: bool) -> FaceAnalyzer:
    """Who is to check a scene's pictures; made sure before the work that they can be checked.

    Raises:
        SceneError: when there is no face analyzer, no attempt or no picture, or another seed would change nothing.
    """
    if judge is None:
        raise SceneError(
            "verify: expected a face analyzer to check the picture with, but this composer has none: use a preset with "
            'one, or give judge=face_analyzer("opencv").'
        )
    if attempts < 1:
        raise SceneError(f"attempts: expected at least 1, but got {attempts}.")
    if not pixels:
        raise SceneError("verify: expected pictures to check, but latents alone were asked for: leave out output_type.")
    if own_latents and attempts > 1:
        raise SceneError(
            f"attempts: expected 1 where latents are given, since no other seed can change them, but got {attempts}."
        )
    return judge


def compose_verified(
    maker: PictureMaker,
    scene: Scene,
    make: Callable[[], Picture],
    *,
    judge: FaceAnalyzer,
    attempts: int,
    finish: Finish | None,
    watch: Watch | None,
    progress: Progress | None,
) -> Picture:
    """The best of several attempts at each image of a scene.

    An image that lacks somebody is mended first by painting anew, alone, the faces of those who are missing or
    mixed; then by another seed, mended likewise.

    Args:
        maker: makes further pictures, and refines them.
        scene: what to make.
        make: makes the scene's pictures for the first time.
        judge: finds and compares faces.
        attempts: how often an image is made, at most.
        finish: is done to each further picture as soon as it is made.
        watch: told of each attempt.
        progress: called after each denoising step of each picture and each refinement.

    Returns:
        For each image the attempt with most people found, then fewest mixed or doubled, then the highest mean
        similarity, then the earliest.
    """
    first = make()
    trial = _Trial(maker, scene, [person.identity for person in scene.cast], judge, finish, progress)
    kept: list[Picture] = []
    for index in range(len(first.images)):
        tried: list[tuple[Attempt, Picture]] = []
        for attempt, picture in trial.run(first.only(index), attempts, step=len(first.images)):
            tried.append((attempt, picture))
            if watch is not None:
                watch(attempt)
            if attempt.matching.is_complete:
                break
        best = max(range(len(tried)), key=lambda number: _merit(tried[number][0].matching))
        picture = tried[best][1]
        (verification,) = picture.verifications
        verification = replace(verification, attempts=tuple(attempt for attempt, _ in tried), kept=best)
        kept.append(replace(picture, verifications=(verification,)))
    return replace(
        first,
        images=tuple(picture.image for picture in kept),
        recipes=tuple(picture.recipe for picture in kept),
        verifications=tuple(verification for picture in kept for verification in picture.verifications),
    )


@dataclass(frozen=True, eq=False)
class _Trial:
    """What all attempts at a scene have in common."""

    maker: PictureMaker
    scene: Scene
    people: Sequence[Identity]
    judge: FaceAnalyzer
    finish: Finish | None
    progress: Progress | None

    def run(self, picture: Picture, attempts: int, *, step: int) -> Iterator[tuple[Attempt, Picture]]:
        """Picture after picture, each as it came and with its failing faces painted anew.

        Args:
            picture: the first.
            attempts: how many pictures, at most.
            step: from one seed to the next; the seeds between are other images'.
        """
        first = picture.recipe.seed
        for number in range(attempts):
            if number:
                again = replace(self.scene, images=1, seed=(first + number * step) % (MOST_SEED + 1))
                picture = self.maker.compose_batch([again], progress=self.progress)[0]
                picture = picture if self.finish is None else self.finish(picture)
            attempt, picture = self._checked(picture, ())
            yield attempt, picture
            # Where somebody is doubled, the face too many is at another's place, who fails too, or at nobody's.
            failing = [match.name for match in attempt.matching.people if match.status in ("missing", "mixed")]
            mended = self._mended(picture, failing)
            if mended is not None:
                yield self._checked(mended, tuple(failing))

    def _checked(self, picture: Picture, refined: tuple[str, ...]) -> tuple[Attempt, Picture]:
        verification = check_image(picture, self.people, self.judge)
        attempt = Attempt(picture.recipe.seed, refined, verification.matching)
        return attempt, replace(picture, verifications=(verification,))

    def _mended(self, picture: Picture, failing: Sequence[str]) -> Picture | None:
        """The picture with other faces of those who fail; None where there is none to paint anew."""
        if not failing or (picture.stage.pose is None and self.maker.faces is None):
            return None
        steps = self.scene.steps or self.maker.defaults.steps
        mended = refine_faces(
            self.maker,
            self.scene,
            picture,
            below=_ANY_WIDTH,
            strength=_STRENGTH if steps > 1 else 1.0,  # a share of one step is none
            people=failing,
            progress=self.progress,
        )
        return None if mended.image is picture.image else mended


def _merit(matching: Matching) -> tuple[int, int, float]:
    """The better, the greater."""
    statuses = [match.status for match in matching.people]
    known = [match.similarity for match in matching.people if match.similarity is not None]
    wrong = statuses.count("mixed") + statuses.count("doubled")
    return statuses.count("found"), -wrong, sum(known) / len(known) if known else 0.0
