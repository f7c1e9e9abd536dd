# make demo: install and score an example.  make test: install and pass every check and test.
# make docs: build the site into docs/_build; a broken link ends it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Label Studio wants other versions of much that we use, so it has an environment of its own.
STUDIO := .venv-label-studio

.PHONY: demo test check docs clean

demo: $(VENV)/run-time
	$(BIN)/forewarn score examples/ministry-statement.txt --highlight

test: check $(STUDIO)/installed
	$(BIN)/pytest

check: $(VENV)/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pydoclint --quiet src
	$(BIN)/forewarn corpus check

docs: $(VENV)/development
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build
	@echo docs/_build/index.html

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "forewarn needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run-time: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/development: $(VENV)/run-time
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

$(STUDIO)/installed: src/forewarn/annotation/server.py
	$(PYTHON) -m venv $(STUDIO)
	$(STUDIO)/bin/python -m pip install --quiet --disable-pip-version-check \
	  label-studio==$$(sed -n 's/^VERSION: Final = "\(.*\)"/\1/p' $<)
	touch $@

clean:
	rm -rf $(VENV) $(STUDIO) docs/_build docs/generated
