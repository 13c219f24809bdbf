# `make` alone lists the targets. Every target that needs it sets up the environment first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
RUN := scripts/run
PDF ?= examples/contract/contract.pdf

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: dev ## everything from nothing: enrol a made-up person, sign a PDF, verify it (PDF=path for yours)
	@$(RUN) python -m deploy.demo "$(PDF)"

.PHONY: up
up: dev ## start every process and stay until Ctrl-C (ARGS="--vaults 2 --signers 2 --database URL")
	@$(RUN) python -m deploy.up $(ARGS)

.PHONY: partner
partner: dev ## a made-up partner's site to sign in at, beside a `make up` in another terminal
	@$(RUN) python -m deploy.partner $(ARGS)

.PHONY: down
down: dev ## stop what a `make up` in another terminal, or a killed one, left running
	@$(RUN) python -m deploy.down

.PHONY: doctor
doctor: dev ## examine every process of the running system; a made-up person enrols and signs
	@$(RUN) signer doctor $(ARGS)

.PHONY: dev
dev: ## virtual environment with locked packages, and SoftHSM
	@scripts/bootstrap

.PHONY: test
test: dev ## the whole suite, on SoftHSM, end to end (ARGS="-k name")
	@scripts/bootstrap tests
	@$(RUN) pytest -n 2 --dist loadfile $(ARGS)

.PHONY: test-fast
test-fast: dev ## the tests that need neither a token, nor processes, nor a browser
	@scripts/bootstrap tests
	@$(RUN) pytest -m "not softhsm and not e2e and not browser" $(ARGS)

.PHONY: fuzz
fuzz: dev ## random and mutated messages to every public method (FUZZ_SECONDS=600)
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) $(RUN) pytest -s tests/fuzz

.PHONY: check
check: lint types imports test ## what CI runs first

.PHONY: fmt
fmt: dev ## repair what can be repaired, format
	@$(RUN) ruff check --fix . && $(RUN) ruff format .

.PHONY: lint
lint: dev ## ruff, and buf on the protos
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) buf lint

.PHONY: types
types: dev ## mypy --strict
	@$(RUN) mypy && $(RUN) mypy -p deploy

.PHONY: imports
imports: dev ## who may import whom
	@$(RUN) lint-imports

.PHONY: proto
proto: dev ## regenerate grpc_api/gen; fails when that changes anything
	@$(RUN) python scripts/make_proto.py && git diff --exit-code -- grpc_api/gen

.PHONY: lock
lock: dev ## write requirements.lock anew from pyproject.toml
	@$(RUN) uv pip compile -q --generate-hashes --extra dev --python-version 3.11 -o requirements.lock pyproject.toml
	@sed -i '1,2d;3i # Versions and hashes of every dependency. Written by `make lock`; do not edit.' requirements.lock

.PHONY: vectors
vectors: dev ## regenerate tests/vectors; fails when that changes anything
	@$(RUN) python scripts/make_vectors.py && $(RUN) python -m scripts.make_record_vectors && git diff --exit-code -- tests/vectors

.PHONY: bench
bench: dev ## benchmarks/, a table each with ratios (some 20 minutes)
	@for name in machine protocol token documents whole_way load offers login waiting waiting_browsers callbacks; do \
	  echo "== $$name"; $(RUN) python -m "benchmarks.$$name" || exit 1; done

.PHONY: bench-million
bench-million: dev ## a signature beside a million keys in PostgreSQL (10 GB of disk)
	@$(RUN) python -m benchmarks.million

MINUTES ?= 20
.PHONY: soak
soak: dev ## steady load: memory and file handles flat, or not (MINUTES=20)
	@$(RUN) python -m benchmarks.soak $(MINUTES)
