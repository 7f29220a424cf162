# One verb a chore. `make run` and `make test` need nothing but Python 3.11 or newer, git and make.

PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin

# The tests start many interpreters: let the first one compile what all of them import.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run cluster test firefox torture torture-cluster bench history conformance wheel check style types pagetypes compiled format screenshots icons confusables frames man proto pins clean

help: ## show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

run: $(VENV)/run.stamp ## start the chat (ARGS="--port 9000" hands on options)
	@$(BIN)/besedka serve $(ARGS)

cluster: $(VENV)/cluster.stamp ## start a cluster to try it: three servers of NATS, three nodes (ports 8765 to 8767)
	@$(BIN)/python tools/run_cluster.py

test: ## check everything and run all tests (sets itself up, browser included)
	@$(MAKE) --no-print-directory -j 2 check $(VENV)/browser compiled
	BESEDKA_TEST_BROWSER="$$(cat $(VENV)/browser)" $(BIN)/pytest -n 4 --dist loadgroup $$(sh tools/left_out.sh) $(MINUTES:%=--ignore %) $(ARGS)

# These take minutes whatever is done: make torture.
MINUTES := tests/torture/test_cluster_redaction.py

firefox: $(VENV)/dev.stamp $(VENV)/firefox ## go through the page's stories in Firefox (five minutes; gets Debian's, as root)
	BESEDKA_TEST_FIREFOX="$$(cat $(VENV)/firefox)" $(BIN)/pytest tests/firefox $(ARGS)

torture: node_modules/.stamp $(VENV)/browser ## the long version of the tests with faults (three quarters of an hour), and those that measure time
	BESEDKA_TORTURE=1 $(BIN)/pytest -n 2 --dist loadgroup -rP $$(sh tools/left_out.sh) tests/torture tests/attacks/test_fuzz.py tests/attacks/test_fields.py tests/attacks/test_confusables.py $(TIMED:%=--ignore %) $(CLUSTER:%=--ignore %) $(ARGS)
	BESEDKA_TORTURE=1 $(BIN)/pytest -n 2 tests/remote tests/blackbox/test_send.py
	BESEDKA_TORTURE=1 $(BIN)/pytest -n 2 -m hypothesis tests/wire tests/serve tests/terminal tests/commands
	BESEDKA_TORTURE=1 BESEDKA_TEST_BROWSER="$$(cat $(VENV)/browser)" $(BIN)/pytest tests/browser/test_accessibility.py tests/browser/test_copies.py tests/browser/test_returning.py
	BESEDKA_TORTURE=1 BESEDKA_TEST_BROWSER="$$(cat $(VENV)/browser)" $(BIN)/pytest -rP $(TIMED)

torture-cluster: $(VENV)/dev.stamp ## the long version of the tests of clusters: faults, ends of everything, pauses, rolling updates (an hour)
	BESEDKA_TORTURE=1 $(BIN)/pytest -rP $(CLUSTER) tests/torture/cluster tests/blackbox/test_cluster*.py $(ARGS)

CLUSTER := tests/torture/test_cluster.py tests/torture/test_cluster_redaction.py

# What they measure is a figure of the machine as well: they run alone.
TIMED := tests/torture/test_greedy_address.py tests/browser/test_reading.py tests/attacks/test_slow_handshakes.py

bench: $(VENV)/bench.stamp ## measure what a delivery costs, beside other servers (an hour; ARGS=--quick: some minutes)
	$(BIN)/python bench/delivery.py $(ARGS)

history: $(VENV)/dev.stamp ## measure how a history of ten million messages opens (needs 2 GB of disk)
	$(BIN)/python bench/history_size.py

conformance: $(VENV)/dev.stamp ## run the Autobahn suite against the WebSocket door (needs a Python 2.7, as pyenv has)
	@sh tools/conformance.sh $(BIN)/python $(ARGS)

wheel: $(VENV)/dev.stamp ## build dist/besedka-….whl, for `pip install` elsewhere
	@$(BIN)/python -m flit_core.wheel --outdir dist

check: style types pagetypes ## the checks that run nothing: style, types, import contracts

style: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --cache-dir .cache/imports

types: $(VENV)/dev.stamp
	$(BIN)/mypy

pagetypes: node_modules/.stamp
	$(TSC) --project tsconfig.json
	$(TSC) --project tsconfig.strict.json

# Each of the test run's processes would compile all tests anew, all of them at the same time.
compiled: $(VENV)/dev.stamp
	@output=$$($(BIN)/pytest --collect-only -qq) || { echo "$$output"; exit 1; }

# The node of requirements/dev.txt runs the checker of package.json.
TSC := PATH="$(CURDIR)/$(BIN):$$PATH" node_modules/.bin/tsc

format: $(VENV)/dev.stamp ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

screenshots: $(VENV)/dev.stamp $(VENV)/browser ## take the pictures that the README shows (needs an emoji font, as fonts-noto-color-emoji)
	BESEDKA_TEST_BROWSER="$$(cat $(VENV)/browser)" $(BIN)/python tools/screenshots.py

icons: $(VENV)/dev.stamp $(VENV)/browser ## draw the page's icons for phones anew from icon.svg
	BESEDKA_TEST_BROWSER="$$(cat $(VENV)/browser)" $(BIN)/python tools/make_icons.py

confusables: $(VENV)/dev.stamp ## make the table of confusable characters (UTS #39) anew
	$(BIN)/python tools/make_confusables.py

frames: $(VENV)/dev.stamp ## make the types of all frames for the page's checks anew
	$(BIN)/python tools/make_frame_types.py

man: $(VENV)/dev.stamp ## make the manual pages of all commands anew
	$(BIN)/python tools/make_man.py

proto: $(VENV)/dev.stamp ## make the code for gRPC anew from chat.proto
	$(BIN)/python tools/make_proto.py

pins: ## pin the newest versions of everything (needs pip-tools: pip install pip-tools)
	pip-compile --upgrade $(PIN) --output-file requirements/run.txt pyproject.toml
	pip-compile --upgrade $(PIN) --output-file requirements/cluster.txt requirements/cluster.in
	pip-compile --upgrade $(PIN) --output-file requirements/nats.txt requirements/nats.in
	pip-compile --upgrade $(PIN) --output-file requirements/dev.txt requirements/dev.in
	pip-compile --upgrade $(PIN) --output-file requirements/bench.txt requirements/bench.in

PIN := --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

clean: ## remove all that make has made
	rm -rf $(VENV) .cache .hypothesis node_modules

$(VENV)/run.stamp: requirements/run.txt pyproject.toml tools/make_venv.sh
	@sh tools/make_venv.sh $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(VENV)/cluster.stamp: $(VENV)/run.stamp requirements/cluster.txt requirements/nats.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cluster.txt -r requirements/nats.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.stamp: $(VENV)/dev.stamp package.json package-lock.json
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements/bench.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

$(VENV)/browser: $(VENV)/dev.stamp tools/find_browser.py
	@$(BIN)/python tools/find_browser.py > $@.new && mv $@.new $@

$(VENV)/firefox: $(VENV)/dev.stamp tools/find_browser.py
	@$(BIN)/python tools/find_browser.py firefox > $@.new && mv $@.new $@
