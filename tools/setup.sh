#!/usr/bin/env bash
# Installs the servers that the tests and the demo start. Everything goes into one directory that may be deleted at any time:
# .cache in the repository, or $LANEKEEPER_TEST_CACHE. What is there already is kept.
#
#   tools/setup.sh dendrite    Dendrite, built from the Go module in tools/go.mod
#   tools/setup.sh linters     staticcheck, errcheck and govulncheck, as pinned there
#   tools/setup.sh synapse     Synapse in a Python virtual environment, as pinned in tools/synapse.txt
#   tools/setup.sh postgres    PostgreSQL's server programs, from Debian's packages (needs root) unless they are installed
#   tools/setup.sh compiler    a C compiler, likewise: the race detector needs one
#   tools/setup.sh extras      Chromium and strace, likewise; a few tests look through them, and are skipped without them
#   tools/setup.sh prism       Prism, which holds requests to Twilio's own description of its API; it needs Node with npm
#
# Several names may be given. The exit code is 0 only if everything asked for is there, extras and Prism aside.
set -euo pipefail
cd "$(dirname "$0")"
cache=${LANEKEEPER_TEST_CACHE:-$PWD/../.cache}
mkdir -p "$cache/bin"
cache=$(cd "$cache" && pwd)

say() { echo "setup: $*" >&2; }

# apt_install installs Debian packages; the package lists are fetched once per run of this script.
apt_updated=
apt_install() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		say "please install: $*"
		return 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	[ -n "$apt_updated" ] || apt-get -qq update
	apt_updated=yes
	say "apt-get install $*"
	apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# A file beside each result names the version, so that a new pin is built and an old result is not used.
dendrite() {
	local want
	want=$(cat go.mod go.sum | cksum)
	if [ -x "$cache/bin/dendrite" ] && [ "$(cat "$cache/bin/dendrite.version" 2>/dev/null)" = "$want" ]; then
		return
	fi
	say "building Dendrite (a minute or two, once)"
	# A pure Go build with SQLite included: no C compiler is needed. With the flags of the tests' own build, which then finds the
	# standard library compiled.
	CGO_ENABLED=0 go build -o "$cache/bin/" github.com/element-hq/dendrite/cmd/dendrite
	echo "$want" >"$cache/bin/dendrite.version"
}

linters() {
	local want
	want=$(cat go.mod go.sum <(go version) | cksum) # one that an older Go built cannot read newer code
	[ "$(cat "$cache/bin/linters.version" 2>/dev/null)" != "$want" ] || return 0
	say "building the linters (half a minute, once)"
	CGO_ENABLED=0 go build -o "$cache/bin/" \
		honnef.co/go/tools/cmd/staticcheck github.com/kisielk/errcheck golang.org/x/vuln/cmd/govulncheck
	echo "$want" >"$cache/bin/linters.version"
}

synapse() {
	local venv=$cache/venv want
	want=$(cksum <synapse.txt)
	if [ "$(cat "$venv/version" 2>/dev/null)" = "$want" ] && "$venv/bin/python" -c 'import synapse, psycopg2' 2>/dev/null; then
		return
	fi
	say "installing Synapse (half a minute, once)"
	rm -rf "$venv"
	if ! python3 -m venv "$venv" >/dev/null 2>&1; then # Debian keeps the module in a package of its own
		rm -rf "$venv"
		apt_install python3 python3-venv
		python3 -m venv "$venv"
	fi
	# Ready-made packages only: to compile some of them takes Rust. What is used is compiled to bytecode when it is first used.
	PIP_QUIET=${PIP_QUIET-1} "$venv/bin/pip" install --progress-bar off --disable-pip-version-check \
		--only-binary :all: --no-compile -r synapse.txt
	"$venv/bin/python" -c 'import synapse, psycopg2'
	echo "$want" >"$venv/version"
}

prism() {
	local dir=$cache/prism want=5.16.0
	if [ "$(cat "$dir/version" 2>/dev/null)" = "$want" ]; then
		return
	fi
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		apt_install nodejs npm || { say "no Node: the tests of Twilio's contract will be skipped"; return 0; }
	fi
	say "installing Prism (a minute, once)"
	rm -rf "$dir"
	mkdir -p "$dir"
	echo '{"private": true}' >"$dir/package.json"
	# It asks for a newer Node than it needs: npm warns of that. None of its packages has to run anything at installation.
	if ! npm install --prefix "$dir" --save-exact --ignore-scripts --no-audit --no-fund --loglevel error "@stoplight/prism-cli@$want" >/dev/null; then
		say "Prism cannot be installed: the tests of Twilio's contract will be skipped, or fail in CI"
		return 0
	fi
	echo "$want" >"$dir/version"
}

compiler() { command -v cc >/dev/null || apt_install gcc libc6-dev; }

have_postgres() { command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

postgres() {
	have_postgres && return
	# The tests start servers of their own: no cluster is made or started at installation.
	apt_install postgresql-common
	sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	apt_install postgresql
	have_postgres
}

extras() {
	local want=()
	command -v strace >/dev/null || want+=(strace)
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || want+=(chromium)
	[ ${#want[@]} = 0 ] || apt_install "${want[@]}" || say "tests that need ${want[*]} will be skipped"
}

[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "${0##*/}"; exit 2; }
compiled=() installed=()
for what; do
	case $what in
	dendrite | linters) compiled+=("$what") ;;
	synapse | compiler | postgres | extras | prism) installed+=("$what") ;;
	*)
		say "unknown: $what"
		exit 2
		;;
	esac
done
# What is compiled and what is downloaded go beside each other.
each() { for what; do $what; done; }
each ${compiled[@]+"${compiled[@]}"} & # empty lists are errors to old versions of bash
compiling=$!
each ${installed[@]+"${installed[@]}"} &
failed=0
wait $! || failed=1
wait $compiling || failed=1
exit $failed
