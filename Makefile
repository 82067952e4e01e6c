# Chat Workbench. `make` lists the targets; every target is idempotent.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HOST ?= 127.0.0.1
export PORT ?= 8000
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# A production-like environment: what `check --deploy` must be content with.
PRODUCTION := SECRET_KEY=check-only-check-only-0123456789-abcdefghijklmnopqrstuvwxyz ALLOWED_HOSTS=chat.example.org WORKBENCH_TRUST_PROXY=on

.PHONY: help setup run test check bench screenshots format lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(VENV)/.made ## Make .venv from the pinned versions (nothing to do when they haven't changed)

$(VENV)/.made: requirements/uv.txt requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + "; choose one with make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	touch $@

run: setup ## Set up, migrate, make a demo user and an admin, and serve at HOST:PORT (127.0.0.1:8000), with DEBUG on
	@bash deploy/run-local

test: setup ## Run the tests (a service that isn't there is a named skip; WORKBENCH_TEST_*_URL name the services)
	$(BIN)/pytest

check: setup ## Format, lint, types, import rules, migrations, deployment settings, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DEBUG=on $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/pytest --quiet tests/test_requirements.py

bench: setup ## Measure the event log's speed; PASS or MISS per line, a MISS exits 1
	$(BIN)/python -m tests.benchmarks

screenshots: setup ## Take pictures of the page's states, desktop and phone, light and dark, into var/screenshots
	$(BIN)/python -m tests.browser.screenshots

format: setup ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## Pin pyproject's dependencies with hashes (UPGRADE=--upgrade chooses the newest that it allows)
	$(LOCK) $(UPGRADE) --extra postgres -o requirements/base.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra postgres --extra dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
	grep '^uv==' requirements/dev.txt | sed 's/ .*//' | $(LOCK) -c requirements/dev.txt -o requirements/uv.txt -
	$(MAKE) setup

clean: ## Remove what was built: .venv, caches, collected static files (never the database or .env)
	rm -rf $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
