# sgguard: `make demo` shows it, `make test` proves it. Only Python 3.11 (or newer) and make are needed.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VENV ?= .venv
EXTRAS ?= dev
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(EXTRAS)
# The services of `make live`, which have hundreds of packages of their own.
OPENSTACK := $(abspath $(VENV)-openstack)
# The newest that Debian 12's own Node.js runs.
REDOCLY := REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes @redocly/cli@1.34.5
# Much of the slow suite waits for processes and servers: two files at a time take half as long.
JOBS ?= 2
# Tests start processes: without compiled modules each of them would compile the package anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -q

.PHONY: help demo test slow openapi interop brokers live lint format bench mutants venv clean

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: $(READY) ## Judge deletes and launches on five emulated clouds, offline, in half a minute
	@$(BIN)/sgguard demo

test: $(READY) ## The quick suite
	@$(PYTEST) -m "not slow and not interop and not live"

slow: $(READY) ## Long property and stress runs, side by side
	@$(PYTEST) -n $(JOBS) --dist loadfile --no-loadscope-reorder --hypothesis-profile thorough -m "slow or hypothesis"

openapi: openapi-lint ## Lint the OpenAPI document by Redocly's rules, each warning an error
	@$(BIN)/sgguard openapi --output build/openapi.json
	@$(REDOCLY) lint --extends=recommended-strict build/openapi.json

.PHONY: openapi-lint
openapi-lint: $(READY)
	@mkdir -p build
	@$(REDOCLY) --version

interop: ## The vendors' own SDKs against the emulator, in a virtual environment of their own
	@$(MAKE) --no-print-directory VENV=$(VENV)-interop EXTRAS=dev,interop interop-run

brokers: ## Ten thousand events over Kafka and a thousand over RabbitMQ, with processes killed (minutes)
	@$(MAKE) --no-print-directory VENV=$(VENV)-interop EXTRAS=dev,interop brokers-run

.PHONY: brokers-run
brokers-run: $(READY)
	@$(BIN)/pytest -q -m "interop and slow"

.PHONY: interop-run
interop-run: $(READY)
	@INTEROP=required $(BIN)/pytest -q -m "interop and not slow"

live: live-venv ## Decisions about a real OpenStack on loopback, each delete really made (minutes)
	@LIVE=required OSVENV=$(OPENSTACK) $(PYTEST) -s -m live tests/live

.PHONY: live-venv
live-venv: $(READY)
	@OSVENV=$(OPENSTACK) PYTHON=$(BIN)/python bash tests/live/openstack/stack.sh install

lint: $(READY) ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Bring the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Measure ratios (start, CPU, calls) and write tests/bench/RESULTS.md; minutes
	@$(BIN)/python -m tests.bench --write
	@$(MAKE) --no-print-directory VENV=$(VENV)-interop EXTRAS=dev,interop bench-sdk

.PHONY: bench-sdk
bench-sdk: $(READY)
	@$(BIN)/python -m tests.bench --write sdk

mutants: $(READY) ## Break each completeness rule in a copy, and see which test notices (minutes)
	@$(BIN)/python -m tests.mutation

venv: $(READY) ## The virtual environment, with everything the other targets use

# The newest Python that will do, its venv module included; else a line that says what is missing.
$(READY): pyproject.toml hatch_build.py
	@python=""; \
	for name in python3.13 python3.12 python3.11 python3; do \
	  if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "sgguard needs Python 3.11 or newer with its venv module" \
	       "(on Debian and Ubuntu: apt-get install python3 python3-venv)" >&2; exit 1; \
	fi; \
	echo "setting up $(VENV) with $$($$python --version); the first time takes a minute"; \
	"$$python" -m venv $(VENV); \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$(EXTRAS)]'; \
	touch $@

clean: ## Remove what the other targets made
	@rm -rf $(VENV) $(VENV)-interop $(OPENSTACK) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
