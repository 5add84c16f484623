# Each target makes .venv itself and needs nothing but Python 3.11 or newer and make; docs and ci need npm too.
# Another interpreter: make PYTHON=python3.12 test (after `make clean`).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTEST := $(BIN)/python -m pytest
# Each lane has a cache of its own for what it compiles: one lane's code is of no use to another.
CACHE := $(CURDIR)/.cache
AREAS := numerics infotheory storage consensus optim stochastic mining

.PHONY: help tour test test-slow test-bounds test-python lint docs bench ci clean

help:
	@echo "make tour         an algorithm at work on real input, with proof and speed"
	@echo "make test         the tests, but for the slow ones"
	@echo "make test-slow    the slow ones"
	@echo "make test-bounds  damaged input, with every index checked"
	@echo "make test-python  the books' numbers and a law a topic, without compiling, with coverage"
	@echo "make lint         ruff and mypy"
	@echo "make docs         the site, into site/ (needs npm)"
	@echo "make bench        measure beside NumPy, SciPy and the best peers"
	@echo "make ci           everything that must pass (needs npm)"

tour: $(VENV)/.installed-base
	$(BIN)/smlib tour

test: $(VENV)/.installed-test
	$(PYTEST) -n 2 --dist loadfile -m "not slow"

test-slow: $(VENV)/.installed-test
	$(PYTEST) -n 2 --dist loadfile -m slow

test-bounds: $(VENV)/.installed-test
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CACHE)/bounds $(PYTEST) -n 2 --dist loadfile -m untrusted tests

test-python: $(VENV)/.installed-test
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m coverage run --source=src/smlib -m pytest -m interpreted tests
	$(BIN)/python -m coverage report --skip-covered

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/scripts/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html is the first page"

# The figures that the site shows: measure on a machine with nothing else to do.
bench: $(VENV)/.installed-bench
	for area in $(AREAS); do $(BIN)/smlib bench $$area --json docs/benchmarks/$$area.json || exit 1; done

ci:
	bash .ci/run

clean:
	rm -rf $(VENV) $(CACHE) dist

$(VENV)/.installed-base: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-%: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[$*]"
	@touch $@ $(VENV)/.installed-base

$(VENV)/.made:
	@$(PYTHON) -c "" 2>/dev/null || { echo "smlib needs Python 3.11 or newer, and '$(PYTHON)' cannot be run: name one with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "smlib needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name another with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || { echo "'$(PYTHON)' comes without venv: install it (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
