# Everything from a bare clone: `make demo`, `make test`. The virtual environment is made on the way.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := nxcat-demo

.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/installed  ## write sample masters, crawl, search and serve them until Ctrl-C
	$(BIN)/nxcat demo $(DEMO)

facility: $(VENV)/installed-dev  ## the set-up of docker-compose.yml on this machine, until Ctrl-C
	sh tests/tools.sh
	$(BIN)/python -m facility

test: $(VENV)/installed-dev  ## style, types, import contracts, and all tests
	sh tests/tools.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist worksteal

fuzz: $(VENV)/installed-dev  ## damage 10,000 copies of masters and read them; FUZZ=folder for other masters than the samples
	$(BIN)/python -m tests.robustness.fuzzing --copies 10000 $(FUZZ)

bench: $(VENV)/installed-dev  ## measure, and print the figures of docs/benchmarks.md
	$(BIN)/python benchmarks/reader.py
	$(BIN)/python benchmarks/end_to_end.py
	PYTHONPATH=. $(BIN)/python benchmarks/index.py
	PYTHONPATH=. $(BIN)/python benchmarks/index.py --elasticsearch
	$(BIN)/python benchmarks/reindex.py
	$(BIN)/python benchmarks/remap.py
	$(BIN)/python benchmarks/delivery.py
	PYTHONPATH=. $(BIN)/python benchmarks/large_listing.py
	PYTHONPATH=. $(BIN)/python benchmarks/servers.py

PIN := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra build
requirements: $(VENV)/installed-dev  ## pin what pyproject.toml asks for, with hashes
	$(PIN) --output-file requirements.txt pyproject.toml
	$(PIN) --extra dev --output-file requirements-dev.txt pyproject.toml

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(DEMO) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed

.PHONY: help demo facility test fuzz bench requirements clean
