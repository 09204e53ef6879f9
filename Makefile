.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint format types lock clean

PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.up-to-date
MODEL  := regression_model/regression_model/model_card.json
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-annotate --custom-compile-command "make lock"

help: ## What can be made here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## Make .venv from the hashed requirements; nothing to do when it is up to date

$(STAMP): requirements/uv.txt requirements/dev.txt pyproject.toml regression_model/pyproject.toml
	@echo "Setting up .venv (about a minute the first time) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with: make PYTHON=python3.13")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . --editable regression_model
	@touch $@

