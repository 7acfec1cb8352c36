"""A deterministic renderer of cartoon people: who they are, portraits of them, and scenes of several."""
