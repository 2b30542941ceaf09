# Every target sets up what it needs by itself (deploy/bootstrap.py) and does nothing twice.
#
#   make test PART=call      one part:  call quiet media evidence transcripts screens house
#   make test ARGS="-k seal" more words for pytest
#   make bench PART=quiet    one part's measurements, each against a named peer

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv/bin
PYTEST := $(VENV)/python -m pytest
SETUP  := $(PYTHON) deploy/bootstrap.py
PARTS  := call quiet media evidence transcripts screens house
PART   ?=
ARGS   ?=
POOL   ?= ../shared/typing

ifneq ($(filter-out $(PARTS),$(PART)),)
$(error PART is one of: $(PARTS))
endif

.DEFAULT_GOAL := help
.PHONY: help demo run test check format bench docs pages wheel lock desk clean train-suppressor train-recogniser

help:           ## this list
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\): *## /  \1	/p' Makefile | expand -t 20

demo:           ## set up, place the demonstration call, print its report (var/demo)
	@$(SETUP) run
	@$(VENV)/callsvc demo

run:            ## set up, start the service, print its address; Ctrl-C ends it
	@$(SETUP) run
	@exec $(VENV)/callsvc serve

test:           ## set up, run every test with its real peers (PART=, ARGS=)
	@$(SETUP) test
	@$(PYTEST) $(if $(PART),-m $(PART)) $(ARGS) || { test $$? -eq 1 && echo 'ONCE MORE, ALONE: what passes only now is unsteady and wants mending' \
	    && $(PYTEST) --last-failed --last-failed-no-failures=none $(if $(PART),-m $(PART)) $(ARGS); }

check:          ## format, lint, types, import rules
	@$(SETUP) check
	@$(VENV)/ruff format --check
	@$(VENV)/ruff check
	@$(VENV)/mypy
	@$(VENV)/lint-imports

format:         ## bring the code into its form
	@$(SETUP) check
	@$(VENV)/ruff format
	@$(VENV)/ruff check --fix

bench:          ## measure (PART=); each figure is a ratio against a named peer
	@$(SETUP) bench
	@set -e; for file in $(foreach part,$(or $(PART),$(PARTS)),$(wildcard benchmarks/$(part)_*.py)); do \
	    $(VENV)/python -m benchmarks.$$(basename $$file .py); done

train-suppressor: ## make the suppressor's weights anew; POOL=a folder of speech and keys
	@$(SETUP) train
	@var/train/bin/python -m models.suppressor.training --pool $(POOL) $(ARGS)

train-recogniser: ## make the small recogniser of the demonstration anew
	@$(SETUP) train
	@var/train/bin/python -m models.recogniser.training.train --work var/recogniser $(ARGS)

docs:           ## build the documentation (docs/_build/html)
	@$(SETUP) docs
	@$(VENV)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

pages:          ## write the reference pages that follow from the code
	@$(SETUP) check
	@$(VENV)/python docs/pages.py

wheel:          ## build the wheel (dist), pages and weights included
	@$(SETUP) run
	@$(VENV)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w dist .
	@ls dist/*.whl

desk:           ## sound devices, too: compiles PyAudio for `callsvc desk`
	@$(SETUP) run --desk

lock:           ## make the locks of deploy/lock anew from pyproject.toml
	@$(SETUP) lock
	@$(PYTHON) deploy/lock.py

clean:          ## remove what was built, the demonstration and the environment; recordings in var/callsvc stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis docs/_build build dist \
	    callsvc/web/static callsvc/web/ui/node_modules var/demo
	@find audio models callsvc tests benchmarks deploy -name __pycache__ -prune -exec rm -rf {} +
