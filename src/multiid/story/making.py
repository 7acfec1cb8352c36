"""Making a story's pictures: those that are not there yet, one panel after the other, each checked and kept."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from multiid.errors import PromptError, SceneError, StoryError
from multiid.geometry import Box
from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.composer import Composer
from multiid.pipeline.refining import refine_faces
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Scene
from multiid.story.panels import expected_faces, panel_in_words
from multiid.story.plan import PlannedPanel, StoryPlan
from multiid.story.seen import Seen, SeenFace
from multiid.story.store import KeptPanel, PanelOutcome, Store
from multiid.validation import suggest

__all__ = ["PanelProgress", "make_panels", "panel_numbers"]

_SPARED = 0.12  # of a face's box, on both sides together: a finder's boxes vary by about as much

PanelProgress = Callable[[str, float, int], None]
"""Called with the panel under way, the panels done (and the share of this one), and how many there are to make."""


def panel_numbers(plan: StoryPlan, chosen: Collection[str]) -> tuple[str, ...]:
    """The panels that are meant: "3.2" is one of them, "3" all of a page; every panel if nothing is chosen.

    Raises:
        StoryError: when there is no such page or panel.
    """
    numbers: set[str] = set()
    for each in chosen:
        meant = {number for number in plan.panels if each in (number, number.partition(".")[0])}
        if not meant:
            raise StoryError(
                f"Expected a panel's number such as 1.2, or a page's, but got {each!r}"
                f"{suggest(each, list(plan.panels))}"
            )
        numbers |= meant
    return tuple(number for number in plan.panels if number in numbers or not chosen)


def make_panels(
    plan: StoryPlan,
    store: Store,
    load: Callable[[], Composer],
    *,
    only: Collection[str] = (),
    progress: PanelProgress | None = None,
) -> dict[str, KeptPanel]:
    """Every picture of a story: what the folder holds already, and what is made now.

    Each picture is written whole as soon as it is made, so a run that is stopped, in whatever way, goes on where it
    was and comes to the same pictures.

    Args:
        plan: what to make.
        store: where pictures are kept.
        load: gives the composer; called only where something has to be made.
        only: numbers of panels and pages to confine it to, with those that they follow.
        progress: told how far it is.

    Returns:
        What was kept of each panel, by its number, in reading order; without panels that are still to be made.

    Raises:
        StoryError: naming page and panel, when one cannot be made.
        OutputError: when the folder cannot be written.
        MultiIDError: what loading models and enrolling the cast raises.
    """
    wanted = _with_anchors(plan, panel_numbers(plan, only))
    kept = {number: store.recall(panel.key) for number, panel in plan.panels.items()}
    missing = [number for number in plan.order if number in wanted and kept[number] is None]
    if missing:
        studio = _Studio(plan, load(), kept)
        for index, number in enumerate(missing):

            def report(step: int, steps: int, number: str = number, index: int = index) -> None:
                if progress is not None:
                    progress(number, index + min(step / steps, 0.99), len(missing))

            report(0, 1)
            picture, found = studio.make(plan.panels[number], report)
            store.keep(picture, found)
            kept[number] = found
            studio.release(missing[index + 1 :])
        if progress is not None:
            progress(missing[-1], len(missing), len(missing))
    return {number: found for number, found in kept.items() if found is not None}


@dataclass(eq=False)
class _Studio:
    """Where panels are made: the models, the cast, and who is recorded for others at the moment."""

    plan: StoryPlan
    composer: Composer
    kept: Mapping[str, KeptPanel | None]

    def __post_init__(self) -> None:
        self._identities: dict[str, Identity] = {}
        self._anchors: dict[str, Mapping[str, Anchor]] = {}

    def make(self, panel: PlannedPanel, report: Callable[[int, int], None]) -> tuple[Picture, KeptPanel]:
        """A panel's picture, checked where it shows people and there is somebody to judge."""
        scene = panel.scene(self._cast(panel), self._followed(panel))
        style = self.plan.document.story.style
        picture = self._compose(
            panel,
            scene,
            verify=bool(scene.people) and self.composer.faces is not None,
            attempts=style.attempts,
            finish=partial(refine_faces, self.composer, scene) if style.refine and scene.people else None,
            progress=report,
        )
        found = KeptPanel(panel.key, picture.recipe.seed, _seen(picture, panel), _outcome(picture), picture.notes)
        return picture, found

    def release(self, still: Collection[str]) -> None:
        """Forgets the anchors that none of these panels follows."""
        needed = {anchor for number in still for anchor in self.plan.panels[number].anchors.values()}
        self._anchors = {number: anchors for number, anchors in self._anchors.items() if number in needed}

    def _cast(self, panel: PlannedPanel) -> dict[str, Identity]:
        """Those of a panel; everybody is encoded once."""
        document = self.plan.document
        for role in panel.staged.roles:
            if role.name in self._identities:
                continue
            given = document.identities.get(role.name)
            self._identities[role.name] = (
                self.composer.identity(role.name, role.noun, list(document.photos[role.name]))
                if given is None
                else replace(given, name=role.name)
            )
        return self._identities

    def _followed(self, panel: PlannedPanel) -> dict[str, Anchor]:
        """The anchors that people of a panel follow."""
        return {name: self._recorded(number)[name] for name, number in panel.anchors.items()}

    def _recorded(self, number: str) -> Mapping[str, Anchor]:
        """Who is recorded in a panel whose picture is there: it is made once more, by the seed that was kept."""
        found = self.kept[number]
        if number not in self._anchors and found is not None:
            panel = self.plan.panels[number]
            scene = replace(panel.scene(self._cast(panel), self._followed(panel)), seed=found.seed)
            self._anchors[number] = self._compose(panel, scene, record=self.plan.recorded(number)).anchors
        return self._anchors[number]

    def _compose(self, panel: PlannedPanel, scene: Scene, **options: Any) -> Picture:
        try:
            return self.composer.compose(scene, **options)
        except (PromptError, SceneError) as error:
            raise StoryError(f"{panel_in_words(panel.number)}: {error}") from error


def _seen(picture: Picture, panel: PlannedPanel) -> Seen:
    """The faces that were found, and where there was none those that were meant to be there."""
    meant = expected_faces(panel.staged)
    if picture.verification is None:
        return meant
    matching = picture.verification.matching
    found = {
        match.name: SeenFace(match.face.expanded(_SPARED), SeenFace.of(match.face).mouth)
        for match in matching.people
        if match.face is not None
    }
    further: list[Box] = [copy for match in matching.people for copy in match.copies]
    return Seen(meant.size, {**meant.faces, **found}, (*further, *matching.strangers, *meant.others))


def _outcome(picture: Picture) -> PanelOutcome:
    verification = picture.verification
    if verification is None:
        return PanelOutcome(dict.fromkeys(picture.names, "unchecked"), {})
    people = verification.matching.people
    return PanelOutcome(
        {match.name: match.status for match in people},
        {match.name: match.similarity for match in people if match.similarity is not None},
        len(verification.attempts),
    )


def _with_anchors(plan: StoryPlan, numbers: Collection[str]) -> set[str]:
    """These panels, those that they follow, those that these follow, and so on."""
    found = set(numbers)
    for number in reversed(plan.order):  # a panel is made after those that it follows
        if number in found:
            found |= set(plan.panels[number].anchors.values())
    return found
