"""A strip of pictures from one person to another, each a mix of the two with other shares.

    python examples/mixing.py examples/portraits/ada examples/portraits/isaac -o strip.png

Beneath each picture stands how much its face resembles either person, in the eyes of the preset's recogniser.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn.functional import cosine_similarity

from multiid import Composer, Identity, Scene

_WIDTH, _TEXT, _LINE = 240, 18, 26  # pixels: of a picture on the strip, of letters, from line to line


@dataclass(frozen=True)
class Step:
    """One picture of a strip.

    Attributes:
        share: the second person's, from 0 to 1; the first has the rest.
        image: the picture.
        likeness: cosine similarity of its face to the first and to the second person's photos; None where the
            preset does not recognise or no face was found.
    """

    share: float
    image: Image.Image
    likeness: tuple[float, float] | None


def mix_at(first: Identity, second: Identity, share: float, *, noun: str) -> Identity:
    """The two people mixed; at 0 and 1 one of them alone."""
    shares = {person: part for person, part in ((first, 1 - share), (second, share)) if part > 0}
    return Identity.mix("mix", shares, noun=noun)


def likeness(composer: Composer, image: Image.Image, people: Sequence[Identity]) -> tuple[float, ...] | None:
    """How much the largest face of a picture resembles each of the people."""
    recogniser = composer.faces.recogniser if composer.faces else None
    found = composer.faces.analyze(image) if composer.faces and recogniser else []
    if not recogniser or not found or found[0].embedding is None:
        return None
    face = torch.from_numpy(found[0].embedding)
    means = [person.face_embeddings[recogniser].mean(dim=0) for person in people]
    return tuple(cosine_similarity(face, mean, dim=0).item() for mean in means)


def make_strip(
    composer: Composer, first: Identity, second: Identity, *, pictures: int, noun: str, place: str, seed: int
) -> list[Step]:
    """Pictures of one person each, from the first alone to the second alone in even steps, all of one seed."""
    steps: list[Step] = []
    for index in range(pictures):
        share = index / (pictures - 1)
        person = mix_at(first, second, share, noun=noun)
        scene = Scene(f"a {{mix}} {place}", people=[person], template="single-portrait", seed=seed)
        image = composer.compose(scene).image
        alike = likeness(composer, image, [first, second])
        steps.append(Step(share, image, None if alike is None else (alike[0], alike[1])))
    return steps


def draw_strip(steps: Sequence[Step], names: tuple[str, str]) -> Image.Image:
    """The pictures side by side, with shares above and similarities beneath."""
    height = round(_WIDTH * steps[0].image.height / steps[0].image.width)
    strip = Image.new("RGB", (_WIDTH * len(steps), height + 3 * _LINE), (250, 245, 236))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(_TEXT)
    for index, step in enumerate(steps):
        middle = (index + 0.5) * _WIDTH
        strip.paste(step.image.resize((_WIDTH, height), Image.Resampling.LANCZOS), (index * _WIDTH, _LINE))
        lines = [f"{1 - step.share:.0%} {names[0]}, {step.share:.0%} {names[1]}"]
        lines += [f"like {name} {value:z.2f}" for name, value in zip(names, step.likeness or (), strict=False)]
        tops = (0, height + _LINE, height + 2 * _LINE)
        for line, top in zip(lines, tops, strict=False):
            draw.text((middle, top + _LINE / 2), line, font=font, fill=(50, 36, 48), anchor="mm")
    return strip


def main() -> None:
    """Reads the arguments, makes the pictures and writes the strip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="a folder of photos of one person")
    parser.add_argument("second", type=Path, help="a folder of photos of another")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--preset", default="mini")
    parser.add_argument("--noun", default="person", help="the class noun of all mixes")
    parser.add_argument("--place", default="in a garden")
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.pictures < 2:
        parser.error("expected at least 2 pictures: the ends of the strip")
    composer = Composer.from_preset(options.preset)
    first, second = (composer.identity(folder.name, options.noun, folder) for folder in (options.first, options.second))
    steps = make_strip(
        composer, first, second, pictures=options.pictures, noun=options.noun, place=options.place, seed=options.seed
    )
    draw_strip(steps, (first.name, second.name)).save(options.output)
    print(options.output)  # noqa: T201


if __name__ == "__main__":
    main()
