# `make` lists the targets. A setting is given like this: make run GATEWAY_PORT=8090

PYTHON ?= python3
# The environment that dev/bootstrap.py makes.
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run stop status logs admin doctor backup restore up down test style types page-types sanitize e2e screenshots chaos chaos-log image-steps soak bench docs proto asyncapi configuration lock python venv venv-dev

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

run: venv ## start everything, wait until it is ready, print the page's address
	@$(VENV) -m dev run

stop: venv ## stop everything
	@$(VENV) -m dev stop

status: venv ## what is running, and where
	@$(VENV) -m dev status

logs: venv ## follow the logs; of one service: make logs SERVICE=rooms
	@$(VENV) -m dev logs

admin: venv ## accounts, for the operator: make admin ARGS="invite --uses 3", or ARGS=--help
	@$(VENV) -m dev admin $(or $(ARGS),--help)

doctor: venv ## what works from here, and what to change where something does not
	@$(VENV) -m dev doctor

backup: venv ## all that has to last of make run, into backups/; elsewhere: FOLDER=. After make up: deploy/backup
	@$(VENV) -m dev backup $(FOLDER)

restore: venv ## put back what make backup wrote: BACKUP=backups/…; what came later is gone
	@$(VENV) -m dev restore $(BACKUP)

up: ## for a server with a name: all of it with docker compose, TLS included; docs/deploy.md
	@docker compose version >/dev/null 2>&1 || \
	  { echo "make up wants Docker with its compose plugin: https://docs.docker.com/engine/install/"; exit 1; }
	@deploy/secrets
	docker compose up --detach --build --wait

down: ## stop what `make up` started; your data stays
	docker compose --profile "*" down

# Files of tests that run at a time, since tests wait more than they work; each process has servers of its own.
# In the order of the folders, whose tests share what is dear to start, and the small ones come last.
AT_ONCE ?= 2
PYTEST := $(VENV) -m pytest --numprocesses $(AT_ONCE) --dist loadfile --no-loadscope-reorder

test: venv-dev ## the tests, with a real PostgreSQL and Valkey; one at a time: AT_ONCE=0
	$(PYTEST) $(ARGS)

style: venv-dev ## lint, check the format, and that no merge is half done
	@! git grep -nE '^(<{7}|>{7})( |$$)' || { echo "A merge left its marks there: mend these lines."; exit 1; }
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .

types: venv-dev ## mypy --strict
	$(VENV) -m mypy

page-types: ## tsc --checkJs over the page; wants npm, which nothing else here does
	@npm ci --prefix dev/page --silent --no-audit --no-fund
	@dev/page/node_modules/.bin/tsc -p dev/page

e2e: venv-dev ## two people in real browsers; wants Chromium and Firefox
	@$(VENV) -m dev.browsers
	$(PYTEST) tests/e2e $(ARGS)

# Everything that reaches the packet loop in C; the sanitizer has to be the first library of the process.
# That of gcc 12 does not stand the addresses of a kernel with vm.mmap_rnd_bits=32: the same ones each time, where allowed.
STILL = $(shell setarch -R true 2>/dev/null && echo setarch -R)
SANITIZED := forwarding loss hostile_datagrams noise tcp_and_ipv6 native_loop overload

sanitize: venv-dev ## the packet loop in C under the address and undefined-behaviour sanitizers
	SANITIZE=address,undefined ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8 LD_PRELOAD=$$(cc -print-file-name=libasan.so) \
	  $(STILL) $(PYTEST) $(SANITIZED:%=tests/media/test_%.py) -k 'native or overload' $(ARGS)

screenshots: venv-dev ## pictures of every page, in docs/images/page; elsewhere: make screenshots FOLDER=/tmp/pictures
	@$(VENV) -m dev.browsers
	$(VENV) -m tests.e2e.screenshots $(FOLDER)

chaos: venv-dev ## each part killed, stopped, hung, cut off and slowed during a call: what it costs; wants root. ONLY=
	@$(VENV) -m tests.chaos.table --only "$(ONLY)"

chaos-log: venv-dev ## the promise of the chat under faults, for long; SEED=, SENDS=, CLIENTS=, ROOMS=, TIMES=
	@$(VENV) -m tests.chaos

image-steps: venv-dev ## what the Dockerfile says, done without Docker, and two people talk through it; wants root
	@$(VENV) -m tests.deploy.image

soak: venv-dev ## people come and go for an hour: memory, files and tasks of each service; MINUTES=
	$(VENV) -m bench.soak --minutes $(or $(MINUTES),60)

bench: venv ## everything that is measured, beside Janus and others where they are; bench/results/ has it then
	@$(VENV) -m bench $(ARGS)

proto: venv-dev ## generate proto/*_pb2* from proto/*.proto
	@$(VENV) -m dev.generate

asyncapi: venv ## write docs/asyncapi.json from the websocket's frames
	@$(VENV) -m rooms.frames.asyncapi

docs: venv-dev ## the docs as a site, in site/; says which link leads nowhere
	@$(VENV) -m dev.site

configuration: venv ## write docs/configuration.md from the services' settings
	@$(VENV) -m dev.configuration

lock: venv-dev ## pin the newest allowed versions of all packages
	@$(VENV) -m dev.lock

python:
	@command -v "$(firstword $(PYTHON))" >/dev/null || \
	  { echo "There is no $(firstword $(PYTHON)) here: install Python 3.11 or newer, or say which one, as in make run PYTHON=python3.12"; exit 1; }

venv: python
	@$(PYTHON) dev/bootstrap.py

venv-dev: python
	@$(PYTHON) dev/bootstrap.py --dev
