# Rapport, the interaction ledger. `make` alone lists what there is.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .venv/bin
SETUP := .venv/.stamp
BUF := node_modules/.stamp
# One worker a core, at most four: each test has a database of its own, all share two servers.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n > 4 ? 4 : n)))
# A run of the torture kit: what everything random in it comes from (empty: any), and how long.
SEED :=
MINUTES := 3
# What to give to pytest or to `rapport up`, e.g. make test ARGS="tests/unit -x".
ARGS :=

# The generator of the protos calls its plugins by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup run test bench torture check proto lock clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

setup: $(SETUP) ## Make .venv with the `rapport` command

$(SETUP): requirements.lock pyproject.toml clients/python/pyproject.toml scripts/setup.sh
	@scripts/setup.sh

run: $(SETUP) ## Run everything with the demo data until Ctrl-C
	@$(BIN)/rapport up --demo $(ARGS)

test: $(SETUP) ## Run every test, those against real PostgreSQL and NATS included
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

bench: $(SETUP) ## Measure against limits of this machine (ARGS="--quick")
	@$(BIN)/rapport bench $(ARGS)

torture: $(SETUP) ## Break everything at once and judge the history: SEED=… MINUTES=… ARGS="--faults a,b"
	@$(BIN)/python -m tests.faults.torture $(if $(SEED),--seed $(SEED)) --minutes $(MINUTES) $(ARGS)

check: $(SETUP) $(BUF) ## Check format, lint, types, import contracts, protos, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/buf.sh lint proto
	scripts/check_breaking.sh
	$(BIN)/python scripts/generate_proto.py --check

$(BUF): package.json package-lock.json
	@command -v npm >/dev/null || { echo "check: buf comes through npm, which is missing"; exit 1; }
	@npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p node_modules && touch $(BUF)

proto: $(SETUP) ## Generate the Python code of the protos
	$(BIN)/python scripts/generate_proto.py

lock: $(SETUP) ## Resolve the dependencies anew into requirements.lock (needs uv)
	@uv=$$(command -v $(BIN)/uv || command -v uv) || { echo "lock: uv is missing"; exit 1; }; \
	UV_CUSTOM_COMPILE_COMMAND="make lock" $$uv pip compile pyproject.toml --quiet --universal \
	  --python-version 3.12 --group dev --extra charts --extra embedded --extra archive --no-emit-package rapport \
	  --generate-hashes --no-emit-index-url --output-file requirements.lock && \
	UV_CUSTOM_COMPILE_COMMAND="make lock" $$uv pip compile --group pyproject.toml:bench --quiet \
	  --universal --python-version 3.12 --constraint requirements.lock --no-annotate \
	  --generate-hashes --no-emit-index-url --output-file requirements-bench.lock

clean: ## Remove what was made here, except the data of `make run`
	rm -rf .venv node_modules dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -not -path './.rapport/*' -prune -exec rm -rf {} +
