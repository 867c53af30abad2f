.DEFAULT_GOAL := help
.PHONY: help run kafka test times slow faults check vendor seed demo bench lock clean

PYTHON ?= python3
BIN := .venv/bin
# What the Makefile has installed into .venv: what running the hub needs, and the development tools beside it.
RUN_READY := .venv/.installed-run
READY := .venv/.installed
# The tests also run the JavaScript client.
NODE_READY := node_modules/.installed
# The broker that `make run` starts: `embedded`, or `kafka` for Apache Kafka, which needs Java 17 and Maven.
BROKER ?= embedded
# Arguments for the command: make run PORT=9000 DATA_DIR=/tmp/clinic ARGS="--agents 2"; make test ARGS="-k slots -x"
ARGS ?=
# What the hub's clock shows when the tests begin, in UTC: make test AT="2028-02-29 23:40:00".
AT ?=

# How packages are installed: from wheels only, each with a hash in the lock file. uv is one of them and installs the
# others. Where uv cannot be had, pip installs the same packages, which takes several times as long.
PIP := $(BIN)/pip -q --disable-pip-version-check
WHEELS := --require-hashes --only-binary :all:
CHECKOUT := --no-deps --no-build-isolation -e .
ONLY_UV := awk '/^[^ \#]/ {uv = /^uv==/} uv'
ALL_BUT_UV := awk '/^[^ \#]/ {uv = /^uv==/} !uv'
COMPILE := -q --universal --generate-hashes pyproject.toml

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_READY) ## run the whole hub on this machine (PORT=8000, DATA_DIR=.data); Ctrl-C stops it
	@exec $(BIN)/clinic-hub run --die-with-parent $$PPID --broker $(BROKER) $(ARGS)

kafka: $(RUN_READY) ## run Apache Kafka alone on 127.0.0.1:9092, for a hub that is started by hand; Ctrl-C stops it
	@exec $(BIN)/clinic-hub kafka $(ARGS)

test: $(READY) $(NODE_READY) ## run every test but the slow ones (KAFKA=1, RETRYABLE=1, MONGODB=URL: see README)
	@AT="$(AT)" exec $(BIN)/pytest $(ARGS)

times: $(READY) $(NODE_READY) ## run every test but the slow ones at three times at which one may fail (an hour and more)
	AT="2028-02-29 23:40:00" $(BIN)/pytest $(ARGS)
	AT="2027-12-31 23:58:30" $(BIN)/pytest $(ARGS)
	TZ=Europe/Berlin AT="2028-03-26 00:59:50" $(BIN)/pytest $(ARGS)

slow: $(READY) $(NODE_READY) ## run the tests that take minutes
	@exec $(BIN)/pytest -m slow $(ARGS)

faults: $(READY) ## play faults from a seed and judge all promises (ARGS="--seed 7 --minutes 30 --broker kafka")
	@exec $(BIN)/python -m tests.tools.nemesis $(ARGS)

# ruff without its cache: the order of imports depends on which modules exist, and the cache does not notice a module
# that was added or removed.
check: $(READY) $(NODE_READY) ## format, lint, types, and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/lint-imports
	node_modules/.bin/tsc --project .
	node_modules/.bin/eslint --no-warn-ignored api/pages

vendor: $(READY) $(NODE_READY) ## copy the packages that the pages use from node_modules, as package-lock.json names them
	@$(BIN)/python -m tests.tools.vendor

seed: $(RUN_READY) ## fill an empty database: doctors, patients, appointments
	@exec $(BIN)/clinic-hub seed $(ARGS)

demo: $(RUN_READY) ## drive the running hub through a busy morning and check every promise
	@exec $(BIN)/clinic-hub demo $(ARGS)

bench: $(READY) $(NODE_READY) ## measure what a booking costs
	@exec $(BIN)/python -m tests.tools.bench $(ARGS)

lock: $(RUN_READY) ## write the three lock files; locked versions stay (ARGS=--upgrade: the newest that fit)
	@$(BIN)/uv pip compile $(COMPILE) $(ARGS) --extra bench --extra dev --extra local --extra setup -o requirements.lock
	@$(BIN)/uv pip compile $(COMPILE) -c requirements.lock --extra local --extra setup -o requirements-run.lock
	@$(BIN)/uv pip compile $(COMPILE) -c requirements.lock -o requirements-production.lock

clean: ## remove .venv, node_modules and all caches; DATA_DIR stays
	rm -rf .venv node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(1): the lock file
define install
	@if [ -x $(BIN)/uv ]; then \
	    $(BIN)/uv pip install -q --python $(BIN)/python $(WHEELS) -r $(1); \
	else \
	    $(ALL_BUT_UV) $(1) > .venv/without-uv.txt && $(PIP) install $(WHEELS) -r .venv/without-uv.txt; \
	fi
endef

$(RUN_READY): pyproject.toml requirements-run.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Clinic Hub needs Python 3.11 or newer")'
	@echo "[1/3] Making .venv with $$($(PYTHON) --version)"
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv .venv
	@echo "[2/3] Installing uv, the installer"
	@$(ONLY_UV) requirements-run.lock > .venv/uv.txt
	@$(PIP) install $(WHEELS) -r .venv/uv.txt || echo "      uv cannot be had here; pip takes its place, and takes longer"
	@echo "[3/3] Installing the $$(grep -c '^[a-z].*==' requirements-run.lock) packages that running needs"
	$(call install,requirements-run.lock)
	@if [ -x $(BIN)/uv ]; then $(BIN)/uv pip install -q --python $(BIN)/python $(CHECKOUT); else $(PIP) install $(CHECKOUT); fi
	@touch $@

$(READY): requirements.lock $(RUN_READY)
	@echo "Installing the development tools into .venv"
	$(call install,requirements.lock)
	@touch $@

$(NODE_READY): package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || { echo "The tests need Node 18 or newer, with npm"; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@
