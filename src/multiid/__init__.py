"""multiid: several people, each known by one to a few photos, in one SDXL picture."""

__version__ = "0.1.0"
