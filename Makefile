# make test   everything, with all the set-up it needs: Dendrite, Synapse, PostgreSQL (see tools/setup.sh)
# make smoke  in seconds: the unit tests and the shortest scenario
# make demo   the whole system on this computer; ARGS=--once ends after the story
# make race   the race detector over the packages that have goroutines (needs a C compiler)
# make bench  the benchmarks
# make build  the static binary ./lanekeeper
#
# Test servers live in .cache; LANEKEEPER_TEST_CACHE=DIR shares them between checkouts.

LANEKEEPER_TEST_CACHE ?= $(CURDIR)/.cache
cache := $(LANEKEEPER_TEST_CACHE)
export CGO_ENABLED ?= 0
go_test = LANEKEEPER_TEST_CACHE=$(cache) go test -tags goolm

# Each scenario starts a homeserver: two packages at a time keep two cores busy.
P ?= 2
PKGS ?= ./...
TIMEOUT ?= 15m

.PHONY: build test check unit policy smoke race bench demo dendrite servers clean

build:
	go build -tags goolm -trimpath -o lanekeeper ./cmd/lanekeeper

test: servers check unit policy

# What is wrong without running anything.
check:
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	  test -z "$$unformatted" || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	go vet -tags goolm ./...

unit:
	$(go_test) -p $(P) -timeout $(TIMEOUT) $(PKGS)

# The power levels that policy compiles, judged by mautrix's own event authorisation, which needs the jsonv2 experiment.
policy:
	GOEXPERIMENT=jsonv2 go test -tags goolm -timeout 5m ./bridge/policy

smoke: dendrite
	$(go_test) -short -timeout 3m ./...

race: servers
	CGO_ENABLED=1 $(go_test) -race -p $(P) -timeout $(TIMEOUT) ./...

bench: servers
	$(go_test) -run '^$$' -bench . -benchtime 1s -timeout $(TIMEOUT) ./...

demo: dendrite
	@env -u LANEKEEPER_TEST_CACHE go run -tags goolm ./cmd/lanekeeper demo --dendrite $(cache)/bin/dendrite $(ARGS)

dendrite:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh dendrite

servers:
	@LANEKEEPER_TEST_CACHE=$(cache) tools/setup.sh dendrite synapse postgres

clean:
	rm -rf lanekeeper $(CURDIR)/.cache
