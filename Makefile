# TheatreOS
# SPDX-License-Identifier: Apache-2.0
# make run, make test: everything on a machine that has only the Swift toolchain.

SHELL := /bin/bash
RELEASE := swift build -c release
CHAPTER ?=
# Debian package : what needs it
RUN_PACKAGES := libsqlite3-dev:Storage/SQLite libpq-dev:Storage/PostgreSQL libargon2-dev:Identity/Password \
    libssl-dev:Storage/LocalBlobs pkg-config:finding-them tzdata:time-zones
TEST_PACKAGES := json-schema-test-suite:JSONSchemaTests postgresql-15:PostgreSQLTests

BENCH_PACKAGES := wrk:the-HTTP-benchmarks

.PHONY: run test tour bench bench-packages check lint build packages test-packages contracts clean help

help:
	@echo "make run      build and serve the default deployment on loopback (release)"
	@echo "make tour     serve on a free port, run the main job, stop  [CHAPTER=FILE]"
	@echo "make test     everything that proves it"
	@echo "make bench    ratios against the bare equivalents (release)"
	@echo "make check    prove plugins.d without serving it"
	@echo "make contracts  regenerate what is made from the contracts (needs buf: pip install buf-bin)"

packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES)

test-packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES) $(TEST_PACKAGES)

bench-packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES) $(BENCH_PACKAGES)

build: packages
	@echo "==> building the host and every plugin (release); the first build takes about ten minutes, later ones seconds"
	@$(RELEASE)

run: build
	@exec .build/release/theatre serve

check: build
	@.build/release/theatre check

tour: build
	@.build/release/theatre tour --serve $(if $(CHAPTER),--chapter "$(CHAPTER)")

lint:
	@Tests/Checks/all

test: test-packages lint
	@echo "==> building everything and its tests (debug); the first build takes about six minutes"
	@swift build
	@swift build --build-tests
	@echo "==> testing"
	@SWIFT_BACKTRACE=enable=no swift test --skip-build --no-parallel

# The benchmarks share the dependencies' build with the host.
bench: bench-packages
	@echo "==> building the host, every plugin and the benchmarks (release)"
	@$(RELEASE)
	@$(RELEASE) --package-path Tests/Benchmarks --scratch-path .build
	@.build/release/benchmarks $(BENCH)

contracts:
	@PluginAPI/Contracts/generate

clean:
	@rm -rf .build .build-* .theatre
