# make test   everything, with all the set-up it needs: Dendrite, Synapse, PostgreSQL, Prism (see tools/setup.sh)
# make check  what the compiler, three linters and the database of known vulnerabilities say
# make smoke  in seconds: the decisions, and the shortest scenario on Dendrite
# make demo   the whole system on this computer; ARGS=--once ends after the story. It runs on Synapse where Python 3.10 and venv
#             are there, else, or with HOMESERVER=dendrite, on Dendrite
# make race   what has goroutines under the race detector, the bridge's own binary too (needs a C compiler)
# make bench  the benchmarks
# make build  the static binary ./lanekeeper
#
# Test servers live in .cache; LANEKEEPER_TEST_CACHE=DIR shares them between checkouts.

LANEKEEPER_TEST_CACHE ?= $(CURDIR)/.cache
cache := $(abspath $(LANEKEEPER_TEST_CACHE))
export CGO_ENABLED ?= 0
# Tests kill programs, not machines: what they write may stand in memory, where there is much of it. Waiting for a disk is most of
# what homeservers do. (Benchmarks pay for durability.)
memory := $(shell [ $$(df -Pk /dev/shm 2>/dev/null | awk 'NR==2 {print $$4}') -ge 4000000 ] 2>/dev/null && ! grep -q '^[^ ]* /dev/shm .*noexec' /proc/mounts && echo TMPDIR=/dev/shm)
go_test = LANEKEEPER_TEST_CACHE=$(cache) $(memory) go test -vet=off -tags goolm # make check vets

# What to test, how many packages at a time (scenarios wait for homeservers: three keep two cores busy), and how long each may
# take. The longest begin first, as they would be left alone at the end.
PKGS ?= ./bridge/scenario/durability ./bridge/scenario/access ./...
P ?= 3
TIMEOUT ?= 15m

.PHONY: test check unit policy smoke race bench demo build dendrite compiler linters servers setup clean

test: check unit policy

# What is wrong without running anything: few rules, and none that may be broken. Staticcheck's are those about bugs, needless code
# and dead code; an error that nobody reads is written `_ =`, save for those in tools/errcheck.txt.
check: linters
	@unformatted=$$(gofmt -l bridge cmd config) && test -z "$$unformatted" || { echo "not gofmt'ed: $$unformatted"; exit 1; }
	go vet -tags goolm ./...
	$(cache)/bin/staticcheck -tags goolm -checks 'SA*,S1*,U1000' ./...
	$(cache)/bin/errcheck -tags goolm -exclude tools/errcheck.txt ./...
	@tools/vulnerable.sh $(cache)/bin/govulncheck

unit: servers
	$(go_test) -p $(P) -timeout $(TIMEOUT) $(PKGS)

# The power levels that policy compiles, judged by mautrix's own event authorisation, which needs this experiment.
policy:
	GOEXPERIMENT=jsonv2 $(go_test) -short -timeout 5m ./bridge/policy

# The decisions, and one scenario that goes from a command to a room.
smoke: dendrite
	$(go_test) -short -timeout 2m ./config ./cmd/... ./bridge/project ./bridge/policy ./bridge/handoff ./bridge/markup ./bridge/text ./bridge/command
	$(go_test) -short -timeout 2m -run 'TestSmoke|TestImports|TestPurePackages' ./bridge ./bridge/scenario/story

# Where goroutines meet: the packages that run some, and two conversations with the bridge's own binary. What is pure has no races.
RACE_PKGS = ./bridge/queue ./bridge/intake ./bridge/outbox ./bridge/reconcile ./bridge/relay ./bridge/phone ./bridge/handle ./bridge/store ./bridge/emulator ./bridge/matrix
race: dendrite compiler
	CGO_ENABLED=1 $(go_test) -race -short -p $(P) -timeout 10m $(RACE_PKGS)
	CGO_ENABLED=1 $(go_test) -race -short -p $(P) -timeout 10m -run '^(TestSmoke|TestStop|TestTwilioFails)$$' ./bridge/scenario/story ./bridge/scenario/durability

bench: memory =
bench: servers
	$(go_test) -run '^$$' -bench . -p 1 -timeout 30m $(PKGS)

HOMESERVER := auto
demo:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/demo.sh $(HOMESERVER) $(ARGS)

build:
	go build -tags goolm -trimpath -o lanekeeper ./cmd/lanekeeper

dendrite:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh dendrite

compiler:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh compiler

linters:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh linters

servers:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh dendrite synapse postgres extras prism

# All of that at once, for a machine that has nothing yet.
setup:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh dendrite linters synapse postgres extras compiler prism

clean:
	rm -rf lanekeeper .cache
