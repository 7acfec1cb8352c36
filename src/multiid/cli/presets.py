"""`multiid presets`: which sets of models there are, the user's own among them."""

import click

__all__ = ["command"]


@click.group()
def command() -> None:
    """Presets: list them, show one.

    NAME is a preset of the package, one of your own, or the path of a .yaml file. Your own are YAML files in the folder
    that MULTIID_PRESETS_DIR names, or in `presets` of the configuration folder; `multiid schema preset` says what may
    stand in them.
    """


@command.command("list")
def list_presets() -> None:
    """List all presets: name, whether its models are here, and title."""
    import multiid

    for preset in multiid.list_presets():
        state = "invalid" if preset.missing is None else "missing" if preset.missing else "ready"
        own = f"  ({preset.file})" if preset.file and preset.missing is not None else ""
        click.echo(f"{preset.name:<12}{state:<9}{preset.title}{own}")


@command.command()
@click.argument("name")
def show(name: str) -> None:
    """Show one preset: its models with their licences, and its settings."""
    import multiid

    preset = multiid.find_preset(name)
    click.echo(f"{preset.name}: {preset.title}")
    for part in multiid.take_stock(preset):
        state = "here" if part.ready else f"lacks {', '.join(part.lacking)}"
        click.echo(f"  {part.name:<11}{part.source}  ({part.licence}): {state}")
    for setting, value in vars(preset.defaults).items():
        click.echo(f"  {setting:<16}{'-' if value is None else value}")
    if preset.file:
        click.echo(f"  {'file':<16}{preset.file}")
    if preset.notice:
        click.echo(preset.notice)
