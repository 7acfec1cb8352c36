"""Scenes and the composer that makes them into pictures with stock diffusers pipelines."""
