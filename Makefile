# Everything a developer or an operator runs. `make` alone lists it. Needs Python 3.11 or later, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
STAGE ?= prod
RUN := .venv/bin/python
READY := .venv/ready
# In the order of the files: the longest would otherwise come last, for one worker alone.
PYTEST := $(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-22s %s\n", $$1, $$2}'

# PYTHON=... chooses another interpreter.
$(READY): requirements-dev.lock
	@set -e; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "setting up .venv with $$($$python --version) (once; a minute or two)"; \
	    $$python -m venv .venv; \
	    $(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock; \
	    touch $@; exit 0; \
	  fi; \
	done; \
	echo "Signalbox needs Python 3.11 or later: install it, or name one with 'make PYTHON=/path/to/python ...'" >&2; exit 1

run: $(READY) ## Start everything, play the main job, stay up until Ctrl-C (ONCE=1: leave after the job)
	@$(RUN) -m infra.local.stack run $(if $(ONCE),--once) $(if $(COMPANY),--company $(COMPANY))

up: $(READY) ## Start the one-machine stack in the background
	@$(RUN) -m infra.local.stack up $(if $(COMPANY),--company $(COMPANY))

down: $(READY) ## Stop it; its state stays in .local
	@$(RUN) -m infra.local.stack down

status: $(READY) ## What runs, and where
	@$(RUN) -m infra.local.stack status

test: $(READY) ## All tests that need nothing but Python
	$(PYTEST)

test-browser: $(READY) ## Tests in a headless Chromium
	$(RUN) -m pytest -m browser tests/browser

test-bluesky: $(READY) ## Tests against a real Bluesky server from npm
	$(RUN) -m pytest -m bluesky tests/bluesky

pictures: $(READY) ## Take the pictures of docs/pictures anew, on a stack of their own
	$(RUN) -m tests.browser.pictures

lint: $(READY) ## Style, types, security, templates, policies
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m bandit --quiet --configfile pyproject.toml --recursive app.py chalicelib infra
	$(RUN) -m infra.package --stage prod
	.venv/bin/cfn-lint infra/template.yaml build/prod/template.json
	$(RUN) -m infra.lint_policies

bench: $(READY) ## Measure on this machine; writes bench/results.md
	$(RUN) -m bench

package: $(READY) ## Build the deployment package of STAGE in build/
	@$(RUN) -m infra.package --stage $(STAGE)

deploy: $(READY) ## Deploy STAGE to AWS: make deploy STAGE=prod PARAMETERS="PublicUrl=https://... MailFrom=..."
	@$(RUN) -m infra.deploy --stage $(STAGE) $(PARAMETERS)

lock: $(READY) ## Resolve requirements*.txt anew into requirements*.lock
	$(RUN) -m infra.lock

clean: ## Stop the stack and remove what was made: environment, packages, state
	@if [ -x $(RUN) ]; then $(RUN) -m infra.local.stack down; fi
	rm -rf .venv .local build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help run up down status test test-browser test-bluesky pictures lint bench package deploy lock clean
