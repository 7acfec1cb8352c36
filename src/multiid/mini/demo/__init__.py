"""The demonstration: a few people of the miniature's world in one picture, with and without masks, on one sheet."""
