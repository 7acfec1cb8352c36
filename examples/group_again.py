"""Everybody of a group photo, cut out one by one and put into a pose template with as many places.

    python examples/group_again.py group.jpg friends-six -o out/friends.png

Needs the face detector YuNet (in MULTIID_MODELS_DIR, or downloaded at first use).
"""

import argparse
from pathlib import Path

from multiid import Composer, Picture, Scene, face_analyzer, load_photo

_MARGIN = 1.0  # a portrait is the face's box and as much again around it


def group_again(photo: Path, template: str, *, preset: str, width: int, height: int) -> Picture:
    """Composes the people of a group photo, from left to right, into a template."""
    group = load_photo(photo)
    faces = sorted(face_analyzer("opencv").analyze(group), key=lambda face: face.box.left)
    portraits = [group.crop(tuple(map(round, face.box.expanded(_MARGIN).corners))) for face in faces]
    composer = Composer.from_preset(preset)
    people = [composer.identity(f"friend{i}", "person", portrait) for i, portrait in enumerate(portraits, start=1)]
    scene = Scene("friends at the beach", people=people, template=template, width=width, height=height, seed=1)
    return composer.compose(scene)


def main() -> None:
    """Reads the arguments, makes the picture and its explanation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("template")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--width", type=int, default=1216)
    parser.add_argument("--height", type=int, default=832)
    options = parser.parse_args()
    picture = group_again(
        options.photo, options.template, preset=options.preset, width=options.width, height=options.height
    )
    picture.save(options.output)
    picture.explain().save(options.output.with_stem(f"{options.output.stem}-explain"))
    print(*picture.notes, sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
