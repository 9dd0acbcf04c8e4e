# make run    install into .venv and start the demo        make test    the whole test suite
# make audit  advisories against the pinned versions
# make lint   ruff and mypy                                 make bench   the benchmarks' commands
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# No byte code ahead of need: compiling all of torch takes longer than unpacking it, and Python compiles what it imports.
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

# … and keeps it: where this is set, every process of ours would compile its libraries anew, two seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint audit fuzz bench clean

run: $(VENV)/installed
	$(BIN)/frontdesk demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

# What is known against the pinned versions (asks the advisory database over the network).
audit: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip

# The file readers under coverage-guided fuzzing, ten minutes; a crash leaves its input here.
fuzz: $(VENV)/installed-dev
	$(PIP) --editable '.[fuzz]'
	PYTHONPATH=. $(BIN)/python tests/fuzzing/readers.py -max_total_time=600 -rss_limit_mb=4096

bench: $(VENV)/installed-dev
	$(BIN)/frontdesk bench --help

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Frontdesk needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[train]'
	touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) build dist *.egg-info
