"""How the miniature is made: its stages, their settings, and the loop that trains any of them."""
