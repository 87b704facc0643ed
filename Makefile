# Every command of this repository; `make help` prints them. Each fills .venv first when it has to.

PYTHON ?= python3
CONFORMANCE_VECTORS ?= ../shared/conformance
LAWS_EXAMPLES ?= 10000
WORKERS ?= 2
BASE ?= python:3.12-slim
IMAGE ?= formation-autoscaler:$(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' autoscaler/__init__.py)
IMAGE_PYTHON ?= 3.12
IMAGE_MACHINE ?= x86_64
PLATFORMS := $(foreach each,manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014,--platform=$(each)_$(IMAGE_MACHINE))
WHEELS_FOR := --only-binary=:all: --implementation=cp --python-version=$(IMAGE_PYTHON) $(PLATFORMS)
RUN := .venv/bin/python -m

.DEFAULT_GOAL := help
.PHONY: help demo test check bench conformance laws fidelity wheel image test-env test-servers clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: test-env  ## watch a local formation scale out and in under a real load, for a minute
	@$(RUN) autoscaler demo

test: test-env  ## run every test, two files at a time (WORKERS), with branch coverage of at least 90 %
	@$(RUN) pytest --numprocesses=$(WORKERS) --dist=loadfile --cov --cov-report=term-missing:skip-covered

check: test-env  ## lint, format, types, import layers, dead code
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@.venv/bin/lint-imports --no-cache --no-logo
	@$(RUN) vulture

bench: test-env  ## print measured figures: a decision, a tick, memory, idle cost, start of the command, reaction, simulation, systemd, engines
	@.venv/bin/python bench/run.py

conformance: test-env  ## run the peers' figures of CONFORMANCE_VECTORS (a folder)
	@CONFORMANCE_VECTORS="$(CONFORMANCE_VECTORS)" $(RUN) pytest tests/conformance

laws: test-env  ## search for a counterexample to every law of policies and pipeline, 10,000 examples each
	@HYPOTHESIS_PROFILE=laws LAWS_EXAMPLES=$(LAWS_EXAMPLES) $(RUN) pytest --timeout=0 tests/laws

fidelity: test-env  ## hold the simulator against formulas, its own two kinds, a real formation and a real record: twenty minutes
	@.venv/bin/python simulations/fidelity/run.py

wheel: test-env  ## build the wheel into dist/
	@$(RUN) hatchling build --target wheel

image: test-env  ## build the container image IMAGE from BASE, whose Python is IMAGE_PYTHON (needs a Docker Engine)
	@rm -rf build/wheels
	@$(RUN) hatchling build --target wheel --directory build/wheels
	@$(RUN) pip download --quiet --disable-pip-version-check --no-deps $(WHEELS_FOR) --dest=build/wheels --requirement=requirements/core.txt
	docker build --build-arg BASE=$(BASE) --tag $(IMAGE) .

test-env:  ## fill .venv from the pinned requirements; PYTHON names the interpreter it is made from
	@command -v "$(PYTHON)" >/dev/null || { echo "make test-env: $(PYTHON) is not installed; install Python 3.11 or newer with its venv module" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make test-env: $(PYTHON) is $$("$(PYTHON)" --version 2>&1), older than 3.11; name another one: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" requirements/fill.py

test-servers:  ## install the Debian packages that the tests marked server need (as root)
	@requirements/install-servers

clean:  ## remove what these commands made
	rm -rf .venv build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
