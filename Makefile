# Two commands for everybody: `make demo` and `make test`. Both make what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo

.PHONY: help demo test lint docs bench clean fuzz mutate soak

help:
	@echo "make demo    install, make an identity, label a photograph, verify it"
	@echo "make test    the whole suite: lint, types, layers, docs, tests"
	@echo "make bench   speed against plain Pillow and plain c2pa-python"
	@echo "make mutate  mutants of every format through the sandbox (COUNT=20000)"
	@echo "make fuzz    pictures in depth, then every parser of our own (MINUTES=10 each)"
	@echo "make soak    the same files for an hour: memory, descriptors, speed (MINUTES=60)"
	@echo "make docs    the documentation, into build/docs"
	@echo "make clean   remove everything made here"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(VENV)/.package: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

$(VENV)/.scale: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group scale
	@touch $@

demo: $(VENV)/.package
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(BIN)/aikz-label init --name 'ЖШС «Үлгі»' --bin 051140000004 --role owner --dir $(DEMO)/identity
	cp fixtures/dandelion.jpg $(DEMO)/photo.jpg
	$(BIN)/aikz-label mark $(DEMO)/photo.jpg --origin created --system PhotoGen/2.1 --imitates none --config $(DEMO)/identity/aikz-label.toml
	$(BIN)/aikz-label verify $(DEMO)/photo.labelled.jpg --config $(DEMO)/identity/aikz-label.toml
	@echo
	@echo "Look at $(DEMO)/photo.labelled.jpg; the untouched original is $(DEMO)/photo.jpg."

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python fixtures/build.py --check

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

test: lint docs $(VENV)/.scale
	$(BIN)/python -m pytest -n auto

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/pictures.py

mutate: $(VENV)/.dev
	$(BIN)/python benchmarks/campaign.py --count $(or $(COUNT),20000) --seed $(or $(SEED),20261125) $(if $(KEEP),--keep $(KEEP))

fuzz: $(VENV)/.dev
	$(BIN)/python benchmarks/mutate.py --minutes $(or $(MINUTES),10)
	$(BIN)/python benchmarks/fuzz.py --minutes $(or $(MINUTES),10)

soak: $(VENV)/.dev
	$(BIN)/python benchmarks/soak.py --minutes $(or $(MINUTES),60)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -exec rm -rf {} +
