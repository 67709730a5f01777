# Works on a machine that has only Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READERS := .venv-readers
SCANS ?=
OUT ?= out
.DEFAULT_GOAL := help
# Where it is set, every process would compile Dagster anew: seconds each.
unexport PYTHONDONTWRITEBYTECODE
# The installation that up, down and image are about: docker/<ENVIRONMENT>.env.
ENVIRONMENT ?= development
.PHONY: help setup readers run ui test check test-containers image up down register sbom format lock clean

help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(VENV)/ready ## build the environment in .venv from requirements.lock

# uv is ten times faster and comes from the lock itself; where it cannot run, pip reads the same lock.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make setup PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	if $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.lock && \
	   $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; then :; else \
	   echo "uv did not work here; pip takes a few minutes for the same packages" && \
	   $(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock; fi
	if test -x $(BIN)/uv; then $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	   else $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .; fi
	touch $@

readers: $(READERS)/ready ## programs that are not ours: readers of our exports for the tests, and what lists the image

$(READERS)/ready: tests/readers/requirements.lock | setup
	test -x $(READERS)/bin/python || $(PYTHON) -m venv $(READERS)
	if test -x $(BIN)/uv; then $(BIN)/uv pip sync --quiet --python $(READERS)/bin/python --require-hashes $<; \
	   else $(READERS)/bin/python -m pip install --quiet --require-hashes --no-deps -r $<; fi
	touch $@

run: setup ## make scans searchable: make run SCANS=path [OUT=dir]; without SCANS, a demo archive
	$(if $(SCANS),$(BIN)/archive-pipeline run $(SCANS) --out $(OUT),$(BIN)/archive-pipeline demo --out $(OUT))

ui: setup ## Dagster's UI on http://127.0.0.1:3000
	$(BIN)/archive-pipeline ui

test: setup readers ## unit and integration tests
	$(BIN)/pytest -n auto tests/unit
	$(BIN)/pytest -n 2 --dist loadfile tests/integration

test-containers: setup ## tests on a real Docker engine
	$(BIN)/pytest tests/containers

check: setup ## format, lint, types, import layers, docs against code, Dagster definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit/test_docs.py
	$(BIN)/dg check defs

image: ## build the images of the containers
	docker/build.sh $(ENVIRONMENT)

up: ## start the installation in containers: make up [ENVIRONMENT=production] [ARCHIVE_UPLOADS=dir]
	docker/up.sh $(ENVIRONMENT)

down: ## stop it, and runs under way; what is in volumes stays
	docker/down.sh $(ENVIRONMENT)

register: ## make documents of what is in the upload folder
	docker/compose.sh $(ENVIRONMENT) exec -T documents archive-pipeline register

sbom: setup readers ## list what is in the image, as CycloneDX, in dist/sbom.json
	mkdir -p dist
	sed '/^# Only for development/,$$d' requirements.lock > dist/runtime.lock
	$(READERS)/bin/cyclonedx-py requirements dist/runtime.lock --pyproject pyproject.toml --output-format JSON -o dist/sbom.json

format: setup ## write the code in its one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-annotate --no-header --quiet
lock: setup ## resolve pyproject.toml anew into requirements.lock, and the readers of the tests into theirs
	cp requirements.lock $(VENV)/whole.lock
	$(LOCK) --group dev -o $(VENV)/whole.lock
	$(LOCK) --constraint $(VENV)/whole.lock -o $(VENV)/runtime.lock
	$(BIN)/python docker/arrange_lock.py $(VENV)/whole.lock $(VENV)/runtime.lock > $(VENV)/arranged.lock
	mv $(VENV)/arranged.lock requirements.lock
	$(BIN)/uv pip compile tests/readers/requirements.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet -o tests/readers/requirements.lock

clean: ## remove the environment
	rm -rf $(VENV) $(READERS)
