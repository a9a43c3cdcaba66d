# The doors of the house: `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt bench deny tools

CARGO ?= cargo
say = @printf '\n==> %s\n'

help: ## lists what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Without optimisation: a demo's rows are few, so the time from a clone to its result is the time of the build.
demo: ## builds Doxa and shows what it does with a small sample
	$(CARGO) run --locked --package doxa -- demo

test: tools lint ## runs everything that must pass before a change is merged
	$(say) 'all tests, all features; PostgreSQL is started in a temporary folder and stopped after'
	$(CARGO) test --locked --workspace --all-features
	$(say) 'the rules of the house'
	$(CARGO) xtask tidy
	$(say) 'an import killed at every call that changes the disk, and run again'
	$(CARGO) xtask crash --binary "$${CARGO_TARGET_DIR:-target}/debug/doxa"

lint: ## checks formatting, lints and documentation
	$(say) 'formatting'
	$(CARGO) fmt --all --check
	$(say) 'lints, as a user builds it'
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings
	$(say) 'lints, with all features'
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- --deny warnings
	$(say) 'documentation'
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --locked --workspace --all-features --no-deps

fmt: ## formats the source
	$(CARGO) fmt --all

bench: ## measures imports and table puts against named peers, in one run, as ratios
	@scripts/install-missing time strace python3-venv
	$(CARGO) xtask bench import
	$(CARGO) xtask bench table

deny: ## checks licences, advisories and sources of all dependencies (needs cargo-deny)
	$(CARGO) deny check

tools:
	$(say) 'what the tests need besides cargo'
	@scripts/install-missing cc git strace postgres rustfmt clippy
