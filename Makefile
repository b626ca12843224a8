# PYTHON=python3.12 picks the interpreter; without it the first one from 3.11 to 3.13 is taken.
SHELL := /bin/bash
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help install demo test coverage check light-install clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/.train  ## Make .venv and install unmask with all it needs for training

demo: .venv/.train  ## From nothing to a scored leaderboard, on real faces
	.venv/bin/unmask demo

test: .venv/.dev  ## Run the tests
	scripts/test

coverage: .venv/.dev  ## Run the tests and say which lines they reach; takes half as long again
	scripts/test -m "not slow" -n 2 --dist loadscope --cov --cov-report=term

check: .venv/.dev  ## Lint, check the formatting, check the types
	scripts/check

light-install: .venv/.dev  ## Install the wheel without extras in a new place, and use it there
	scripts/light-install

clean:  ## Remove .venv and everything that tools have left behind
	rm -rf .venv build dist htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is newer than what was installed from; a changed pyproject.toml installs again.
.venv/.train: pyproject.toml
	scripts/install train
	@touch $@

.venv/.dev: .venv/.train
	scripts/install dev
	@touch $@
