"""`multiid download`: a preset's models, before they are needed."""

import click

__all__ = ["command"]


@click.command()
@click.argument("preset")
@click.option("--dry-run", is_flag=True, help="Only say what is missing and how large it is.")
def command(preset: str, dry_run: bool) -> None:
    """Download the models of PRESET into the Hugging Face cache.

    Only files that are missing are fetched, so a download that stopped goes on with the same command. The sizes are
    the hub's. Without room for all of it nothing is fetched. What its licence does not let us fetch is named.
    """
    import multiid

    download = multiid.plan_download(multiid.find_preset(preset))
    for shipment in download.shipments:
        click.echo(f"{_size(shipment.missing)}  {shipment.part:<11}{shipment.repository}  ({shipment.licence})")
    if download.shipments:
        click.echo(f"{_size(download.missing)}  in all, into {download.folder}, with {_size(download.free)} free")
        download.require_space()
        if not dry_run:
            download.fetch()
    for task in download.by_hand:
        click.echo(f"by hand: {task}")
    if not download.shipments and not download.by_hand:
        click.echo(f"{download.preset.name}: nothing to do, all of it is here.")
    elif not dry_run:
        rest = "all is here but what you get by hand" if download.by_hand else "ready"
        click.echo(f"{download.preset.name}: {rest}.")


def _size(size: int) -> str:
    return f"{size / 1e9:8.2f} GB" if size >= 1e7 else f"{size / 1e6:8.2f} MB"
