# Every command of this checkout; `make help` reads the sentences from here.
# All need Python 3.11 or newer and nothing else: deploy/bootstrap.py makes .venv and keeps it current.

PYTHON ?= python3
IN_VENV := $(PYTHON) deploy/bootstrap.py --
IN_DEV_VENV := $(PYTHON) deploy/bootstrap.py --dev --
TESTS ?=
SOAK ?=
BENCH ?=

.DEFAULT_GOAL := help
.PHONY: run test check format engines livekit demo bench soak lock help

run: ## Start Pulse with dashboard, API and jobs on PORT (8000); the first time installs and builds what it needs
	@exec $(IN_VENV) -m pulse_dash run

test: ## Run all tests (TESTS="tests/core -k keys" runs some); names what is missing where one is skipped
	@exec $(IN_DEV_VENV) -m pytest $(TESTS)

check: ## Check style, types and who imports whom: exactly what CI checks
	@$(IN_DEV_VENV) -m ruff check .
	@$(IN_DEV_VENV) -m ruff format --check .
	@$(IN_DEV_VENV) -m pyright
	@.venv/bin/lint-imports

format: ## Bring the code into the one format and mend what ruff can mend by itself
	@$(IN_DEV_VENV) -m ruff check --fix .
	@$(IN_DEV_VENV) -m ruff format .

engines: ## Install or build the real programs that the tests use: LiveKit, Chromium, Redis
	@exec $(PYTHON) deploy/engines.py

livekit: ## Start LiveKit in the foreground, built if it is not there, with the keys and the webhook that `make run` expects
	@exec $(PYTHON) deploy/engines.py livekit

demo: ## Start LiveKit and Pulse with a sample organization, two projects and people in rooms
	@exec $(IN_DEV_VENV) deploy/demo.py

bench: ## Measure tokens and the store beside their neighbours; prints ratios (BENCH="store" runs one)
	@exec $(IN_DEV_VENV) -m bench $(BENCH)

soak: ## Hold a mixed load on a Pulse of its own with a kill -9 in the middle, look for all that was acknowledged, then kill the store 200 times and race 100 times for who is a member (SOAK="--seconds 3600")
	@$(IN_DEV_VENV) -m bench.soak $(SOAK)
	@PULSE_SOAK=200 $(IN_DEV_VENV) -m pytest tests/store/test_kill.py
	@PULSE_SOAK=25 $(IN_DEV_VENV) -m pytest tests/store/test_oracle.py
	@PULSE_SOAK=100 $(IN_DEV_VENV) -m pytest tests/core/test_races.py tests/core/test_memberships.py

lock: ## Write requirements.lock again after requirements*.txt changed
	@$(PYTHON) deploy/lock.py

help: ## List every command with its sentence
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
