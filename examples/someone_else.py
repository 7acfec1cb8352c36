"""One person of a picture becomes somebody else, and everybody else stays as they are.

    python examples/someone_else.py -o out/someone_else.png

Makes the tea party of examples/tea.yaml, paints the region of one of its people anew with another identity
(inpainting), then the whole picture at night (image-to-image), and puts the three side by side.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import PIL.Image

from multiid import Composer, Identity, InitImage, Person, Picture, Scene, load_scene_file

_HERE = Path(__file__).parent


def someone_else(composer: Composer, scene: Scene, picture: Picture, leaves: str, comes: Identity) -> Picture:
    """The picture with one person's region painted anew as somebody else, whose name becomes the same."""
    people = [
        replace(person, identity=replace(comes, name=leaves)) if person.identity.name == leaves else person
        for person in scene.cast
    ]
    init = InitImage(picture.image, strength=0.9, people=[leaves])
    return composer.compose(replace(scene, people=people, init=init))


def at_night(composer: Composer, people: list[Person], picture: Picture) -> Picture:
    """The same people in a picture that starts from another: it keeps what the noise leaves of it."""
    names = " and ".join(f"a {{{person.identity.name}}}" for person in people)
    template = picture.recipe.scene.template
    return composer.compose(
        Scene(f"{names} at night", people, template=template, init=InitImage(picture.image, strength=0.75), seed=1)
    )


def side_by_side(pictures: list[Picture]) -> PIL.Image.Image:
    """Pictures of one size in a row."""
    width, height = pictures[0].image.size
    row = PIL.Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        row.paste(picture.image, (place * width, 0))
    return row


def main() -> None:
    """Reads the arguments and makes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    composer = Composer.from_preset("mini")
    scene = load_scene_file(_HERE / "tea.yaml", defaults=composer.defaults).scene(composer.identity)
    tea = composer.compose(scene)
    grace = composer.identity("grace", scene.cast[0].identity.noun, _HERE / "portraits" / "grace")
    changed = someone_else(composer, scene, tea, scene.cast[0].identity.name, grace)
    people = [replace(scene.cast[0], identity=grace), *scene.cast[1:]]
    side_by_side([tea, changed, at_night(composer, people, changed)]).save(options.output)


if __name__ == "__main__":
    main()
