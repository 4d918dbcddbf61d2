# What a newcomer types. Everything runs inside .venv, which is made on first use.
SHELL := /bin/bash
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
BIN := .venv/bin
# How many processes share the tests; 0: none but pytest itself.
TESTERS ?= 3
# Programs that are started a hundred times would be compiled a hundred times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test check format bench soak venv lock clean
help:            ## Show what can be made.
	@grep -hE '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

.venv/.run: requirements/run.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "Python could not make a virtual environment (on Debian: apt-get install python3-venv)."; exit 1; }
	@echo "Installing what Fairlead needs (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

venv: .venv/.run  ## The virtual environment .venv with fairlead in it.

run: .venv/.run   ## Start the server on http://127.0.0.1:8080, data in ./data.
	@exec $(BIN)/fairlead serve --data ./data

test: .venv/.dev  ## Run every test; what cannot run here is skipped and says why.
	@$(BIN)/python -m pytest -rs -n $(TESTERS) --no-loadscope-reorder $(ARGS)

check: .venv/.dev ## Format, lint, types and import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev ## Put the code into its one format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev ## Measure, as ratios against a floor of the same run.
	@$(BIN)/fairlead bench $(ARGS)

soak: .venv/.dev  ## The long fault tests: a hundred power cuts, a day's worth of polls.
	@$(BIN)/python -m pytest -rs -m soak --timeout=3600 tests/soak $(ARGS)

lock: .venv/.dev  ## Work out the locked requirements anew from pyproject.toml.
	@$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements/dev.lock

clean:           ## Remove the virtual environment and caches (never ./data).
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
