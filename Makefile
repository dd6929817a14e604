# The front door: `make help` prints the targets from their comments.
SHELL := /bin/sh
PY := .venv/bin/python
CODE := config marketplace orders settlement tests tools manage.py
# Two processes share the tests, as tests/scheduling.py says.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
# Some machines forbid Python to keep compiled files; every start would then take three times as long.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONUNBUFFERED := 1
DATA_ENV := $(if $(DATA),HENGSUAN_DATA="$(abspath $(DATA))")
PORT_ARG := $(if $(PORT),--port $(PORT))

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo demo-once test test-full test-fast check lint format types layers \
	migrations templates messages messages-check deploy-check pins vendor vendor-check bench bench-engine bench-market bench-parts \
	bench-books clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

setup: ## virtual environment with the pinned run-time packages
	@sh tools/setup.sh run

setup-dev: ## the same with the tools and the test packages
	@sh tools/setup.sh dev

run: setup ## the whole service in the foreground: make run [PORT=8000]
	@exec $(PY) manage.py run $(PORT_ARG)

demo: setup ## a trading day before your eyes, then a live market: make demo [DATA=directory] [PORT=8000]
	@sh tools/system_packages.sh pdf
	@exec env $(DATA_ENV) $(PY) manage.py demo $(PORT_ARG)

demo-once: setup ## the same trading day, ends after its summary
	@sh tools/system_packages.sh pdf
	@exec env $(DATA_ENV) $(PY) manage.py demo --once $(PORT_ARG)

test: setup-dev ## everything: packages and browser for the tests, static checks, all tests
	@sh tools/system_packages.sh browser
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -m "not fuller" $(TWO) $(ARGS)

test-full: setup-dev ## the fuller suite: tests that take minutes, after make test
	@sh tools/system_packages.sh browser
	@sh tools/system_packages.sh office
	$(PY) -m pytest -m fuller $(TWO) $(ARGS)

test-fast: setup-dev ## tests without browser and without started processes
	$(PY) -m pytest -m "not e2e and not processes and not fuller" $(ARGS)

check: setup-dev lint types layers migrations templates messages-check vendor-check deploy-check ## all static checks

lint: ## style of the Python code
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)

format: ## put the Python code into shape
	$(PY) -m ruff check --fix $(CODE)
	$(PY) -m ruff format $(CODE)

types: ## static types
	$(PY) -m mypy config marketplace orders settlement

layers: ## who may import whom
	.venv/bin/lint-imports

migrations: ## models and migrations agree
	$(PY) manage.py makemigrations --check --dry-run

templates: ## templates compile and keep the house rules
	$(PY) tools/check_templates.py

messages: ## merge, complete and compile the Chinese catalogue
	$(PY) tools/messages.py
	$(PY) tools/compile_messages.py

messages-check: ## every string has its Chinese, with the same placeholders
	$(PY) tools/messages.py --check

deploy-check: ## Django's deployment check on the production settings
	@sh tools/deploy_check.sh

pins: ## refresh requirements.txt and requirements-dev.txt from their .in files
	.venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -o requirements.txt requirements.in
	.venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes -o requirements-dev.txt requirements-dev.in

vendor: ## copy the pinned browser libraries into static/vendor
	$(PY) tools/vendor.py

vendor-check: ## the browser libraries are the recorded ones
	$(PY) tools/vendor.py --check

bench: bench-engine bench-market bench-parts bench-books ## time all of it, write docs/reference/benchmarks.md

bench-engine: setup-dev ## time the clearing engine
	$(PY) -m tools.bench

# Each measurement has a directory of its own, thrown away afterwards; servers run as another user.
BENCH = bench() { mkdir -m 755 $$all/$$1 && HENGSUAN_VAR=$$all/$$1 $(PY) manage.py bench_$$1 --out $$all/$$1.md; }; \
	all=$$(mktemp -d) && chmod 755 $$all && trap 'rm -rf $$all' EXIT

bench-market: setup-dev ## time order entry, a closing auction and the pages
	@$(BENCH) && bench market && $(PY) -m tools.bench_page market $$all/market.md

bench-parts: setup-dev ## time large books with one worker and with two
	$(PY) -m tools.bench_parts

bench-books: setup-dev ## time the ledger, settlement, exports and carbon statements
	@$(BENCH) && bench ledger && bench settlement && bench exports && bench carbon && \
		$(PY) -m tools.bench_page books $$all/ledger.md $$all/settlement.md $$all/exports.md $$all/carbon.md

clean: ## remove the virtual environment, data, logs and caches
	@$(PY) manage.py stop_servers 2>/dev/null || true
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
