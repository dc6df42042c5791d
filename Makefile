# The few verbs of this project; each is one command that also works by itself.
export LITEGATE_HOME ?= .litegate
# Some shells forbid it; but each of the many processes would then compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
UV := $(shell command -v uv || echo .venv-tools/bin/uv)
COMPILE := $(UV) pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	-c deploy/locks/constraints.txt
# Each process gets tests that follow each other, which share servers, and when it has none left half of another's.
PARALLEL := --numprocesses logical --maxprocesses 4 --dist worksteal
# Quick tests wait more than they compute: for time limits, for signals, for processes that start.
WAITING := --numprocesses $(shell expr $$(nproc) + 1) --maxprocesses 4 --dist worksteal
# Tests that start all servers, and those of several hosts; nothing in there is quick.
SERVERS := tests/e2e
HOSTS := tests/distributed

.PHONY: help setup run stop test quick slow-tests server-tests screenshots docs zoo bench bench-gate bench-targets bench-recovery bench-predict bench-promotion bench-scale chaos e2e-distributed setup-distributed matrix lint lock

help:  ## Show this list.
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t 24

setup:  ## Install the two locked environments; does nothing if they are up to date.
	@deploy/setup.sh .venv deploy/locks/service.txt
	@deploy/setup.sh .venv-tensorflow deploy/locks/tensorflow.txt

setup-distributed: setup  ## The same for several machines: Celery, and the programs of PostgreSQL, Redis and Ceph.
	@deploy/setup.sh .venv-distributed deploy/locks/distributed.txt locked
	@deploy/distributed/programs.sh >/dev/null

run: setup  ## Start the servers, train the digits example, quantize, gate and promote it.
	@$(BIN)/litegate demo

stop:  ## Stop the servers and all that they have started.
	@if [ -x $(BIN)/litegate ]; then $(BIN)/litegate stop; else echo "nothing is set up, so nothing runs"; fi

test: quick  ## Run every test: those of `make quick`, then the slow ones; those with servers one by one.
	@$(MAKE) --no-print-directory --jobs 2 slow-tests server-tests

# Servers wait much and must answer soon: the other tests take what they leave of the cores.
slow-tests:
	@nice $(BIN)/python -m pytest -m e2e $(PARALLEL) $(addprefix --ignore ,$(SERVERS) $(HOSTS))

server-tests:
	@$(BIN)/python -m pytest $(SERVERS)

e2e-distributed: setup-distributed  ## Run a model on Celery with two workers, PostgreSQL, Redis and Ceph, and on the embedded servers: the same verdicts.
	@$(BIN)/python -m pytest $(HOSTS)

quick: setup  ## Run the tests without the slow ones, on all cores.
	@$(BIN)/python -m pytest -m "not e2e" $(WAITING) $(addprefix --ignore ,$(SERVERS) $(HOSTS))

screenshots: setup  ## Test in a real browser, and take the documentation's pictures anew.
	@LITEGATE_BROWSER="$$(deploy/chromium.sh)" LITEGATE_SCREENSHOTS=docs/images $(BIN)/python -m pytest tests/e2e/test_browser*.py

bench: setup  ## Measure what docs/benchmarks.md says, all of it or ROWS="...", and write that page and build/bench.json.
	@$(BIN)/python -m tests.benchmarks.bench $(ROWS)

bench-gate: setup  ## Simulate how often the gate is wrong, in up to 15 minutes; writes build/bench-gate.json.
	@$(BIN)/python -m tests.benchmarks.bench_gate

bench-targets: setup  ## Measure each target's runtime again, beside what was measured first; writes build/bench-targets.json.
	@$(BIN)/python -m tests.benchmarks.bench_targets

bench-recovery: setup  ## Recover models that 8 bits ruin, and one that cannot be; writes build/bench-recovery.json.
	@$(BIN)/python -m tests.benchmarks.bench_recovery

bench-promotion: setup  ## Promote from eight processes at once, on SQLite and PostgreSQL; writes build/bench-promotion.json.
	@$(BIN)/python -m tests.benchmarks.bench_promotion

bench-scale: setup-distributed  ## Run 50 models at once on the distributed profile, and count what a run costs; writes build/bench-scale.json.
	@$(BIN)/python -m tests.benchmarks.bench_scale

chaos: setup  ## Kill servers, workers and steps 100 times, break S3, fill the disk; prints what was lost. KILLS=20 for less.
	@$(BIN)/python -m tests.chaos --kills $(or $(KILLS),100) --seed $(or $(SEED),1)

bench-predict: setup  ## Measure what the MLflow flavor adds to the interpreter's time; writes build/bench-predict.json.
	@$(BIN)/python -m tests.benchmarks.bench_predict

matrix: setup  ## Test on the oldest and newest versions of Python, Airflow, MLflow and TensorFlow, or ROWS="..."; writes docs/versions.md.
	@$(BIN)/python -m tests.matrix $(if $(ROWS),--rows $(ROWS))

lint: setup  ## Check style, types and who imports whom.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup  ## Write the spec reference anew from the schema.
	@$(BIN)/litegate schema --markdown > docs/spec-reference.md

zoo: setup  ## Send a model of each architecture family through all variants, and write docs/zoo.md.
	@$(BIN)/python -m tests.zoo.make_table

lock:  ## Write both lock files anew from pyproject.toml.
	$(COMPILE) --extra tensorflow --extra targets --extra quantizer --group build -o deploy/locks/tensorflow.txt
	$(COMPILE) --extra service --extra targets --extra quantizer --group build --group dev -o deploy/locks/service.txt
	$(COMPILE) -c deploy/locks/service.txt --extra airflow --extra distributed --extra kubernetes --extra targets \
		--extra quantizer -o deploy/locks/distributed.txt
