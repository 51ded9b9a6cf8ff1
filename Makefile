# The commands of the project. Every one sets up what it needs first; a second time that costs nothing.

python := .venv/bin/python
pytest := $(python) -m pytest -rs
# A file's tests run in one process, which makes what they share once; the longest files begin first.
by_file := --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint bench

help: ## say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## set up and start the dashboards and the worker on http://127.0.0.1:8050
	@.ci/setup requirements.txt
	@exec $(python) app.py

test: ## set up and run the tests, the browser ones included
	@.ci/setup requirements-dev.txt
	@CHROME=$$(.ci/browser) && export CHROME && \
	$(pytest) -n 3 $(by_file) -m "not matrix and not browser" && \
	$(pytest) -n 3 -m "browser and not matrix" tests/browser

test-all: ## run every test, the full matrices too
	@.ci/setup requirements-dev.txt
	@CHROME=$$(.ci/browser) && export CHROME && \
	$(pytest) -n 2 -m "not browser" && \
	$(pytest) -n 2 -m browser

lint: ## check style, format and types
	@.ci/setup requirements-dev.txt
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy

bench: ## measure ingest, publishing and serving beside plain code doing the same
	@.ci/setup requirements-dev.txt
	@CHROME=$$(.ci/browser) PYTHONPATH=. $(python) tests/bench/run.py
