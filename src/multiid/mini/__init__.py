"""The miniature: a world of cartoon people that the project draws itself."""
