# `make demo` and `make test` set up a virtual environment in .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint previews clean

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

previews: .venv/demo.stamp
	$(BIN)/multiid templates preview -o pose_templates/previews

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet -e .
	touch $@

.venv/test.stamp: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet -e ".[dev]"
	touch $@ .venv/demo.stamp

clean:
	rm -rf .venv out dist build
