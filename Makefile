# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed
NODE_STAMP := sdk_js/node_modules/.installed
LISTENER_STAMP := tests/listener/node_modules/.installed
SENDERS_STAMP := tests/senders/node_modules/.installed
# The Python SDKs of others, each in a folder of its own beside all others: no two of them agree on what they need.
SENDERS := $(patsubst tests/senders/requirements-%.txt,.cache/senders/%/.installed,$(wildcard tests/senders/requirements-*.txt))

.PHONY: demo test e2e chaos pictures lint types sdk sdk-check bench lock install senders pin-sender browser clean \
	size tick live soak gate import intake delivery evaluate people backtest visible banner

demo: $(RUN_STAMP)
	$(BIN)/micromoment up --demo

install: $(DEV_STAMP) $(NODE_STAMP) $(LISTENER_STAMP) senders browser

# The SDKs of others, which the tests let send to the collector.
senders: $(SENDERS_STAMP) $(SENDERS)

test: install sdk-check
	cd sdk_js && npm test --silent
	$(BIN)/pytest tests --numprocesses 3 --dist loadfile
	$(BIN)/pytest e2e --numprocesses 2 --dist loadfile
	MICROMOMENT_E2E=separate $(BIN)/pytest e2e --numprocesses 2 --dist loadfile

# Once in one process with the embedded engine, once with each role in its own and a real listener.
e2e: install
	$(BIN)/pytest e2e --numprocesses 2 --dist loadfile
	MICROMOMENT_E2E=separate $(BIN)/pytest e2e --numprocesses 2 --dist loadfile

# Kills, freezes, fills and cuts off each part at random under load, and proves the ledger: `make chaos ARGS="--times 10"`.
chaos: install
	$(BIN)/python -m tests.chaos --layout together $(ARGS)
	$(BIN)/python -m tests.chaos --layout apart $(ARGS)

# Takes the pictures of README.md and docs/banners.md anew.
pictures: install
	MICROMOMENT_PICTURES=1 $(BIN)/pytest e2e/test_moments.py e2e/test_capture.py e2e/test_banner_forms.py

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP) $(NODE_STAMP)
	$(BIN)/mypy
	cd sdk_js && npm run --silent types

# Builds the file that the collector serves; it is committed, so that a wheel needs no Node.
sdk: $(NODE_STAMP)
	cd sdk_js && npm run --silent build

# Proves that the committed build is the source's.
sdk-check: $(NODE_STAMP)
	cd sdk_js && npm run --silent check

# `make bench live` runs one of them; `make bench live ARGS="--against 0d85195"` gives it options.
bench: install
	$(BIN)/python -m bench $(filter-out bench install,$(MAKECMDGOALS)) $(ARGS)

size tick live soak gate import intake delivery evaluate people backtest visible banner:
	@:

# Pins every dependency with its hash and without naming a registry.
lock: $(DEV_STAMP)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --output-file requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --output-file requirements/dev.txt --constraint requirements/run.txt pyproject.toml requirements/dev.in

# Pins an SDK of others: `make pin-sender NAME=segment-2.4.0 OF=segment-analytics-python==2.4.0`.
pin-sender: $(DEV_STAMP)
	echo '$(OF)' | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --no-annotate --output-file tests/senders/requirements-$(NAME).txt -

browser: $(DEV_STAMP)
	$(BIN)/python -m e2e.browser

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Micromoment needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): pyproject.toml requirements/run.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(DEV_STAMP): requirements/dev.txt $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	touch $@

$(NODE_STAMP): sdk_js/package-lock.json
	cd sdk_js && npm ci --silent
	touch $@

$(LISTENER_STAMP): tests/listener/package-lock.json
	cd tests/listener && npm ci --silent
	touch $@

# Nothing of them is built here, nor may they run anything while they are installed.
$(SENDERS_STAMP): tests/senders/package-lock.json
	cd tests/senders && npm ci --silent --ignore-scripts
	touch $@

.cache/senders/%/.installed: tests/senders/requirements-%.txt | $(DEV_STAMP)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --require-hashes --target $(@D) -r $<
	touch $@

clean:
	rm -rf $(VENV) .cache/senders sdk_js/node_modules tests/listener/node_modules tests/senders/node_modules build dist
