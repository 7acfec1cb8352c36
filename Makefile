# `make demo` and `make test` set up a virtual environment in .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint docs previews pictures clean

demo: .venv/demo.stamp
	mkdir -p out
	$(BIN)/multiid demo -o out/demo.png

test: .venv/test.stamp
	$(BIN)/python -m pytest

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# The pages, into out/site; nothing is fetched while they are built.
docs: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

previews: .venv/demo.stamp
	$(BIN)/multiid templates preview -o pose_templates/previews
	$(BIN)/multiid templates sheet -o docs/pictures/templates.png

# Every picture of the README and the pages, by the weights of the miniature as they are now.
pictures: .venv/demo.stamp previews
	mkdir -p docs/pictures out/people
	$(BIN)/multiid mini world --people 6 --seed 1 -o docs/pictures/world.png
	$(BIN)/multiid demo -o docs/demo.png
	$(BIN)/multiid compose examples/tea.yaml --preset mini --device cpu --explain -o docs/pictures/tea.png
	$(BIN)/multiid compose examples/team.yaml --preset mini --device cpu --save-people out/people -o docs/pictures/team.png
	$(BIN)/multiid verify docs/pictures/team.png --people out/people --explain docs/pictures/who.png
	$(BIN)/multiid compose examples/crowd.yaml --preset mini --device cpu -o docs/pictures/crowd.png
	$(BIN)/multiid compose examples/crowd.yaml --preset mini --device cpu --refine -o docs/pictures/crowd-refined.png
	$(BIN)/python examples/someone_else.py -o docs/pictures/someone_else.png
	$(BIN)/multiid story run examples/comic/story.yaml -o out/comic
	cp out/comic/pages/001.png docs/pictures/comic.png
	$(BIN)/multiid story run examples/family_album/story.yaml -o out/album
	cp out/album/pages/001.png docs/pictures/album.png
	$(BIN)/multiid story board examples/storyboard/story.yaml -o out/storyboard
	cp out/storyboard/board/001.png docs/pictures/storyboard.png
	$(BIN)/python examples/mixing.py examples/portraits/ada examples/portraits/isaac -o docs/mixing.jpg

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet -e .
	touch $@

.venv/docs.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet -e ".[docs]"
	touch $@ .venv/demo.stamp

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet -e ".[dev]"
	touch $@ .venv/demo.stamp .venv/docs.stamp

clean:
	rm -rf .venv out dist build
