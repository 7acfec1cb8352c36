"""`multiid people mix`: a new identity between several."""

from pathlib import Path

import click

from multiid.files import require_place

__all__ = ["command"]


class _Part(click.ParamType):
    """An identity file and its share: FILE=SHARE, or FILE alone with share 1."""

    name = "part"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Path, float]:
        file, found, share = str(value).rpartition("=")
        try:
            return (Path(file), float(share)) if found else (Path(share), 1.0)
        except ValueError:
            self.fail(f"expected FILE=SHARE with a number, such as ada.safetensors=0.6, but got {value}.", param, ctx)


@click.command()
@click.argument("name")
@click.argument("parts", metavar="FILE=SHARE...", nargs=-1, required=True, type=_Part())
@click.option("--noun", help="Class noun of the mix; needed where those of the people differ.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Identity file (.safetensors).")
def command(name: str, parts: tuple[tuple[Path, float], ...], noun: str | None, output: Path) -> None:
    """Mix the identity NAME of several identity files.

    \b
    multiid people mix child ada.safetensors=0.6 isaac.safetensors=0.4 --noun child -o child.safetensors

    Shares are any positive numbers; their proportions count. A file without a share has share 1.
    """
    require_place(output)

    import multiid
    from multiid.people.mixing import normalise_shares

    people = {multiid.Identity.load(file): share for file, share in parts}
    mixed = multiid.Identity.mix(name, people, noun=noun)
    mixed.save(output)
    parts_of_one = zip(people, normalise_shares(list(people.values())), strict=True)
    of = ", ".join(f"{person.name} {share:.0%}" for person, share in parts_of_one)
    click.echo(f"{output}: {mixed.name} ({mixed.noun}), {of}, {mixed.images} photo(s), {mixed.tokens} token(s)")
