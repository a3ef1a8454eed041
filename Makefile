# The two commands of the README are `make demo` and `make test`; each does its own set-up.
PYTHON ?= $(shell for v in python3.11 python3.12 python3.13 python3; do \
	$$v -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && echo $$v && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check docs clean

demo: $(VENV)/.core
	$(BIN)/crossrank demo

test: $(VENV)/.test
	$(BIN)/python -m pytest

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Regenerates what is generated from the code: the CLI reference.
docs: $(VENV)/.test
	$(BIN)/python -m crossrank.cli.reference docs/cli.md

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed (on Debian: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml
	$(PIP) --editable .
	@touch $@

# The CPU build of torch is enough for every test; the extras bring the rest.
$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[test,dev,export,train,ltr]'
	@touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
