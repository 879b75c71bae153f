# `make help` lists the targets. Everything that is built or installed for the tests stays under
# target/, except Debian packages, which are installed only as root and only after saying so.

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
TRIPLE := $(shell sed -n 's/^target = "\(.*\)"/\1/p' .cargo/config.toml)
BINARY := $(TARGET_DIR)/release/linchpin

.DEFAULT_GOAL := help
.PHONY: help build run test test-long test-corpus-live lint behaviour sim fuzz bench soak clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.* ## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-16s %s\n", $$1, $$2 }'

# Cargo puts the static binary into the folder of its target; the link gives it a name that does not
# depend on the machine. The other names are those under which files and scripts call the original.
build: ## build the static release binary, target/release/linchpin
	cargo build --release --locked --package linchpin
	@mkdir -p $(TARGET_DIR)/release
	@for name in linchpin supervisord supervisorctl pidproxy echo_supervisord_conf; do \
		ln -sfn ../$(TRIPLE)/release/linchpin $(TARGET_DIR)/release/$$name; done

run: build ## build, install Redis, Caddy and PostgreSQL (as root), start the example product
	LINCHPIN_BIN=$(abspath $(BINARY)) examples/product/run

test: ## everything that CI runs: lints, unit tests, simulator, behaviour suites
	tests/all

test-long: build ## the suites that take longer than CI may: 10,000 kills, long histories
	LINCHPIN_LONG=1 tests/all python behaviour

test-corpus-live: ## start every real configuration file of LINCHPIN_CORPUS, made harmless, and compare with the original
	LINCHPIN_LONG=1 tests/all release python corpus_live

lint: ## formatting, clippy, documentation, licences
	tests/all format clippy documentation licences

behaviour: ## only the behaviour suites against the built binary (PYTEST_ARGS='-k name')
	tests/all release python behaviour

# SIM='--seed 7' replays one history, SIM='--seconds 3600' goes on for an hour.
SIM ?= --seconds 600
sim: ## the deterministic simulator of the core, for ten minutes (SIM='--seed 7' replays one history)
	cargo run --release --locked --package linchpin-core --example simulate -- $(SIM)

# FUZZ=60 is a minute each, TARGETS='config http' are those.
fuzz: ## each fuzz target for ten minutes, one after the other (FUZZ=60: a minute each)
	fuzz/run $(or $(FUZZ),600) $(TARGETS)

bench: build ## our own ratios against the least any supervisor must do
	bench/run

# SOAK='--seconds 600' is shorter.
soak: build ## an hour with 200 probed services, which fails if the daemon grows; the result goes into docs/benchmarks.md
	bench/soak.py --write docs/benchmarks.md $(SOAK)

clean: ## remove everything that was built
	cargo clean
