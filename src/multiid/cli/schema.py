"""`multiid schema`: the formats of the files that users write."""

import json

import click

__all__ = ["command"]


@click.command()
@click.argument("kind", type=click.Choice(["scene", "template"]))
def command(kind: str) -> None:
    """Print the JSON schema of scene.yaml or of a pose template, for editors and validators."""
    import multiid

    schema = multiid.scene_schema() if kind == "scene" else multiid.template_schema()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
