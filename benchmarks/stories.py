"""Whether characters stay themselves in stories, and whether balloons spare their faces, by the miniature.

    python benchmarks/stories.py

Runs stories of people on whom nothing was trained, and the example comic, and looks at every panel: who is recognised,
by portraits that the generator did not get (in the example by those that it did), and whether lettering changed a
pixel of any face: of any box that the recogniser finds in the picture as it was composed.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from drawn_stories import write_story
from PIL import Image

from multiid import find_preset, load_story
from multiid.errors import MultiIDError
from multiid.evaluation.likeness import read_reference
from multiid.evaluation.matching import Wanted, match_faces
from multiid.geometry import Box, Size
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.trials import UNSEEN, draw_references
from multiid.mini.world.people import Person
from multiid.pipeline.composer import Composer
from multiid.pipeline.quiet import quiet_composer
from multiid.poses.skeleton import Pose
from multiid.story.cutting import cut_around
from multiid.story.finish import draw_pages
from multiid.story.making import make_panels
from multiid.story.panels import expected_faces
from multiid.story.plan import StoryPlan, plan_story
from multiid.story.reading import StoryDocument
from multiid.story.seen import Seen
from multiid.story.store import Store

__all__ = ["main"]

_LEAST = 0.95  # of appearances, as themselves
_EXAMPLE = "examples/comic/story.yaml"


@dataclass
class _Tally:
    """What was counted."""

    appearances: int = 0
    nearest: int = 0
    found: int = 0
    faces: int = 0
    covered: int = 0

    def line(self, name: str) -> str:
        return (
            f"| {name} | {self.appearances} | {self.nearest / self.appearances:.3f} | "
            f"{self.found / self.appearances:.3f} | {self.faces} | {self.covered} |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints a table; 1 where a requirement is missed, 2 when it cannot be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--consistency", type=float, help="in place of the default; 0 turns it off")
    parser.add_argument("-o", "--output", type=Path, help="folder to keep the stories in (default: a temporary one)")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.output or Path(temporary)
            return _measure(folder, options.stories, options.consistency)
    except MultiIDError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


def _measure(folder: Path, stories: int, consistency: float | None) -> int:
    composer, judge = quiet_composer("mini"), MiniFaces()
    drawn, example = _Tally(), _Tally()
    for number in range(stories):
        file, people = write_story(folder / f"{number:02}", number)
        _look(file, folder / f"{number:02}" / "made", _kept_portraits(people, number, judge), composer, judge, drawn,
              consistency)  # fmt: skip
        print(f"story {number + 1} of {stories}: {drawn.line('so far')}", file=sys.stderr, flush=True)
    document = load_story(_EXAMPLE)
    references = {
        name: read_reference([photo.image for photo in photos], judge) for name, photos in document.photos.items()
    }
    _look(Path(_EXAMPLE), folder / "example", references, composer, judge, example, consistency)
    print("| | appearances | nearest to themselves | found as themselves | faces | covered by words |")
    print("|---|---|---|---|---|---|")
    print(drawn.line(f"{stories} stories"))
    print(example.line("the example comic"))
    kept = all(tally.found >= _LEAST * tally.appearances and not tally.covered for tally in (drawn, example))
    print(f"Found as themselves at least {_LEAST}, no face covered: {'met' if kept else '**missed**'}.")
    return 0 if kept else 1


def _look(
    file: Path,
    folder: Path,
    references: Mapping[str, np.ndarray | None],
    composer: Composer,
    judge: MiniFaces,
    tally: _Tally,
    consistency: float | None,
) -> None:
    """Runs a story and counts what is seen in its panels."""
    plan = plan_story(_document(file, consistency), find_preset("mini"), photo_pose=_no_photo)
    store = Store(folder)
    kept = make_panels(plan, store, lambda: composer)
    found: dict[str, list[Box]] = {}
    for number, panel in plan.panels.items():
        with Image.open(store.picture_file(panel.key)) as picture:
            faces = judge.analyze(picture.convert("RGB"))
        found[number] = [face.box for face in faces]
        meant = expected_faces(panel.staged).faces
        wanted = [Wanted(role.name, references[role.name], meant[role.name].box) for role in panel.staged.roles]
        for match in match_faces(faces, wanted, recogniser=judge.recogniser).people:
            tally.appearances += 1
            tally.nearest += match.nearest == match.name
            tally.found += match.status == "found"
    lettered, plain = (list(draw_pages(each, store, kept)) for each in (plan, _silent(plan)))
    for page, bare in zip(lettered, plain, strict=True):
        for number, panel in page.panels.items():
            changed = np.any(np.asarray(panel.image) != np.asarray(bare.panels[number].image), axis=2)
            seen, size = kept[number].seen, Size(*panel.image.size)
            on_page = Seen(seen.size, {}, tuple(found[number])).cut(cut_around(seen, size.aspect), size)
            for box in on_page.boxes:
                left, top, right, bottom = (max(0, round(corner)) for corner in box.corners)
                tally.faces += 1
                tally.covered += bool(changed[top:bottom, left:right].any())


def _document(file: Path, consistency: float | None) -> StoryDocument:
    document = load_story(file)
    if consistency is None:
        return document
    style = document.story.style.model_copy(update={"consistency": consistency})
    return replace(document, story=document.story.model_copy(update={"style": style}))


def _silent(plan: StoryPlan) -> StoryPlan:
    """The same pictures without any words."""
    story = plan.document.story
    mute = {"captions": [], "dialogue": [], "sounds": []}
    pages = [
        page.model_copy(update={"panels": [panel.model_copy(update=mute) for panel in page.panels]})
        for page in story.pages
    ]
    return replace(plan, document=replace(plan.document, story=story.model_copy(update={"pages": pages})))


def _kept_portraits(people: Mapping[str, Person], number: int, judge: MiniFaces) -> dict[str, np.ndarray | None]:
    return {
        name: read_reference(draw_references(person, seed=UNSEEN + number), judge) for name, person in people.items()
    }


def _no_photo(photo: Path) -> Pose:
    raise MultiIDError(f"Expected poses from templates, but {photo} is a photo.")


if __name__ == "__main__":
    sys.exit(main())
