"""The selftest of a preset: pictures in both layouts, with and without masks, of one to four people, and a verdict."""
