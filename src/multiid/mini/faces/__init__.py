"""Finds and reads the faces of the miniature's world."""

from multiid.mini.faces.analyzer import MiniFaces, looks_drawn

__all__ = ["MiniFaces", "looks_drawn"]
