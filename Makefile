.DEFAULT_GOAL := help
.PHONY: help run kafka test slow faults check seed demo bench lock clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed
# Only for tests: the JavaScript client has to be run, too.
NODE_READY := node_modules/.installed
# The broker that `make run` starts: embedded, or kafka, which is Apache Kafka (Java 17 and Maven have to be there).
BROKER ?= embedded
# Passed on as they are: make run PORT=9000 DATA_DIR=/tmp/clinic ARGS="--agents 2"; make test ARGS="-k slots -x"
ARGS ?=
# requirements.lock has everything, requirements-run.lock no tools of development: that one is for the image.

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## run the whole hub on this machine (PORT=8000, DATA_DIR=.data); Ctrl-C stops it
	@exec $(BIN)/clinic-hub run --die-with-parent $$PPID --broker $(BROKER) $(ARGS)

kafka: $(READY) ## run Apache Kafka alone on 127.0.0.1:9092, for a hub that is started by hand; Ctrl-C stops it
	@exec $(BIN)/clinic-hub kafka $(ARGS)

test: $(READY) $(NODE_READY) ## run every test but the slow ones (KAFKA=1: on Apache Kafka; MONGODB=URL: contracts on yours)
	@exec $(BIN)/pytest $(ARGS)

slow: $(READY) $(NODE_READY) ## run the tests that take minutes
	@exec $(BIN)/pytest -m slow $(ARGS)

faults: $(READY) ## play faults from a seed and judge all promises (ARGS="--seed 7 --minutes 30 --broker kafka")
	@exec $(BIN)/python -m tests.tools.nemesis $(ARGS)

# Without its cache: that does not see that a module came or went, on which the order of imports depends.
check: $(READY) ## format, lint, types, and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/lint-imports

seed: $(READY) ## fill an empty database: doctors, patients, appointments
	@exec $(BIN)/clinic-hub seed $(ARGS)

demo: $(READY) ## drive the running hub through a busy morning and check every promise
	@exec $(BIN)/clinic-hub demo $(ARGS)

bench: $(READY) $(NODE_READY) ## measure what a booking costs
	@exec $(BIN)/python -m tests.tools.bench $(ARGS)

lock: ## write both lock files; what is locked stays (ARGS=--upgrade: the newest that fits)
	@uv=$$(mktemp -d) && trap 'rm -rf "$$uv"' EXIT && $(PYTHON) -m venv $$uv && $$uv/bin/pip install -q uv && \
	$$uv/bin/uv pip compile -q --universal --generate-hashes $(ARGS) --extra dev pyproject.toml -o requirements.lock && \
	$$uv/bin/uv pip compile -q --universal --generate-hashes -c requirements.lock pyproject.toml -o requirements-run.lock

clean: ## remove the set-up and all caches; DATA_DIR stays
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Clinic Hub needs Python 3.11 or newer")'
	@echo "Setting up .venv; this takes a minute, once."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_READY): package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || { echo "The tests need Node 18 or newer, with npm"; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@
