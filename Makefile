# TheatreOS
# SPDX-License-Identifier: Apache-2.0
# make run, make test: everything on a machine that has only the Swift toolchain.

SHELL := /bin/bash
# The host and the benchmarks share a build folder, whose plan would be kept from the one to the other.
RELEASE := swift build -c release --disable-build-manifest-caching
CHAPTER ?=
KILLS ?= 200
MINUTES ?= 0
SEED ?= $(shell date +%s)
CONFIGURATION ?= release
PREFIX ?= /usr/local
DESTDIR ?=
# Debian package : what needs it
RUN_PACKAGES := libsqlite3-dev:Storage/SQLite libpq-dev:Storage/PostgreSQL libargon2-dev:Identity/Password \
    libssl-dev:Storage/LocalBlobs pkg-config:finding-them tzdata:time-zones
TEST_PACKAGES := json-schema-test-suite:JSONSchemaTests python3:the-checks \
    postgresql-15:PostgreSQLTests pgbouncer:PostgreSQLTests \
    binutils:InstallationTests curl:GuideTests openssl:GuideTests \
    python3-grpcio:RemoteTests python3-protobuf:RemoteTests \
    python3-jwt:KeyRotationTests python3-cryptography:KeyRotationTests \
    cargo:plugins-in-Rust rustc:plugins-in-Rust

BENCH_PACKAGES := wrk:the-HTTP-benchmarks curl:the-HTTP-benchmarks postgresql-15:the-storage-benchmarks

.PHONY: run test real-model soak fuzz tour bench bench-packages check lint build packages test-packages contracts install uninstall clean \
    help

help:
	@echo "make run      build and serve the default deployment on loopback (release)"
	@echo "make tour     serve on a free port, run the main job, stop  [CHAPTER=FILE]"
	@echo "make test     everything that proves it"
	@echo "make real-model  Content/OpenAI before a small real model on loopback (130 MB of PyPI)"
	@echo "make soak     longer search for faults: KILLS of each engine (200), MINUTES or more in all, from SEED"
	@echo "make fuzz     search for input that is answered wrongly: MINUTES (5), from SEED"
	@echo "make bench    ratios against the bare equivalents (release)"
	@echo "make check    prove plugins.d without serving it"
	@echo "make install  put a build into PREFIX (/usr/local), below DESTDIR  [CONFIGURATION=debug]; make uninstall removes it"
	@echo "make contracts  regenerate what is made from the contracts"

packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES)

test-packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES) $(TEST_PACKAGES)
	@Tests/Checks/install-languages
	@Tests/Checks/install-openbao

bench-packages:
	@Tests/Checks/install-packages $(RUN_PACKAGES) $(BENCH_PACKAGES)

build: packages
	@echo "==> building the host and $(words $(wildcard Plugins/*/*/plugin.json)) plugins (release) into .build/release; swift build counts the steps"
	@[ -x .build/release/theatre ] || echo "==> this is the first build here: it fetches the dependencies and takes about ten minutes on two cores, later ones seconds"
	@$(RELEASE)

run: build
	@echo "==> built; starting the default deployment of plugins.d, with its state in .theatre (Ctrl-C drains and stops)"
	@exec .build/release/theatre serve

check: build
	@.build/release/theatre check

tour: build
	@.build/release/theatre tour --serve $(if $(CHAPTER),--chapter "$(CHAPTER)")

lint:
	@echo "==> checking the tree, the contracts and the texts"
	@Tests/Checks/all

test: test-packages lint
	@echo "==> building everything and its tests (debug); the first build takes about six minutes on two cores"
	@swift build
	@swift build --build-tests
	@echo "==> testing"
	@Tests/Checks/run-tests

# Power cuts, kills, lost and failed-over servers, for longer: see Tests/EndToEnd/Faults/README.md.
# Not a part of make test: it fetches a model and takes minutes.
real-model: test-packages
	@swift build --build-tests
	@Tests/Checks/real-model

soak: test-packages
	@swift build
	@swift build --build-tests
	@echo "==> $(KILLS) kills of each engine, $(MINUTES) minutes, seed $(SEED)"
	@THEATRE_FAULT_KILLS=$(KILLS) THEATRE_FAULT_MINUTES=$(MINUTES) THEATRE_FAULT_SEED=$(SEED) THEATRE_VALIDATE_ALL=1 \
	    SWIFT_BACKTRACE=enable=no swift test --skip-build --no-parallel \
	    --filter 'KillTests|TwoHostsTests|ServerLossTests|StorageFaultTests|FullDiskTests|PowerCutTests|TransferTests|SoundLibraryTests|ScaffoldTests|GuideTests|SignInFloodTests'

# What comes from outside, damaged and made up: Tests/Fuzzing/README.md.
fuzz: MINUTES := $(if $(filter 0,$(MINUTES)),5,$(MINUTES))
fuzz: SEED := $(SEED)
fuzz: test-packages
	@swift build
	@swift build --build-tests
	@echo "==> $(MINUTES) minutes, seed $(SEED)"
	@THEATRE_FUZZ_MINUTES=$(MINUTES) THEATRE_FUZZ_SEED=$(SEED) SWIFT_BACKTRACE=enable=no \
	    swift test --skip-build --no-parallel --filter 'FuzzTests|noiseIs|whatIsReadIsRead|GarbageTests'

# The benchmarks share the dependencies' build with the host.
bench: bench-packages
	@echo "==> building the host, every plugin and the benchmarks (release)"
	@$(RELEASE)
	@$(RELEASE) --package-path Tests/Benchmarks --scratch-path .build
	@.build/release/benchmarks $(BENCH)

contracts:
	@PluginAPI/Contracts/generate

# With CONFIGURATION=debug what `make test` built is installed as it is; a release is built first.
install: $(if $(filter release,$(CONFIGURATION)),build)
	@CONFIGURATION="$(CONFIGURATION)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Host/Installing/install

uninstall:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" Host/Installing/uninstall

clean:
	@rm -rf .build .build-* .theatre
