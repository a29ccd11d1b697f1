#!/usr/bin/env bash
# Makes what the demo needs (the program and a homeserver, side by side), says how far it is, and starts the demo.
#
#   tools/demo.sh auto|synapse|dendrite [ARGUMENTS OF lanekeeper demo]
#
# auto: Synapse, whose packages for Python are there in half a minute; Dendrite where Python or its module venv is missing,
# or where no such packages are made for this computer. Dendrite has to be compiled, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${LANEKEEPER_TEST_CACHE:-$PWD/.cache}
mkdir -p "$cache/bin"
homeserver=${1:-auto}
[ $# = 0 ] || shift
case " $* " in *" --dendrite"* | *" -dendrite"* | *" --synapse"* | *" -synapse"*) homeserver=given ;; esac
if [ "$homeserver" = auto ]; then
	homeserver=synapse or=dendrite
	if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
		echo "  Python 3.10 with its module venv is not here, so the demo runs on Dendrite, which takes some minutes to compile, once." >&2
		homeserver=dendrite or=
	fi
fi

# Each job has a process group of its own, so that Ctrl-C ends all that it started, and leaves its exit code in a file.
set -m
logs=$(mktemp -d)
groups=()
trap 'rm -rf "$logs"' EXIT
trap 'stop; echo >&2; exit 130' INT TERM
stop() { for g in ${groups[@]+"${groups[@]}"}; do kill -- "-$g" 2>/dev/null || true; done; }

begin() { # NAME COMMAND…
	local name=$1
	shift
	rm -f "$logs/$name.code"
	(
		set +e
		"$@" >"$logs/$name" 2>&1
		echo $? >"$logs/$name.ended" && mv "$logs/$name.ended" "$logs/$name.code"
	) </dev/null &
	groups+=($!)
	disown # no words of the shell about its end
}

# The compiler works a fifth less if it collects its garbage less often, which costs it some hundred megabytes.
export GOGC=${GOGC:-300}
compile() { go build -v -tags goolm -o "$cache/bin/demo" ./cmd/lanekeeper; }
synapse() { PIP_QUIET=0 nice tools/setup.sh synapse; } # the compiler takes longer: it goes first
dendrite() { GOFLAGS="${GOFLAGS:-} -v" tools/setup.sh dendrite; }

# doing says in a few words what a job does at the moment.
doing() {
	local last count
	last=$(tail -n 1 "$logs/$1" 2>/dev/null || true)
	case $1 in synapse) printf 'installing Synapse' ;; dendrite) printf 'compiling Dendrite' ;; compile) printf 'compiling Lanekeeper' ;; esac
	case $last in
	"go: downloading "*) printf ' (fetching %s)' "$(basename "$(cut -d' ' -f3 <<<"$last")")" ;;
	Collecting* | *Downloading*) printf ' (fetching %s)' "$(grep '^Collecting' "$logs/$1" | tail -n 1 | sed 's/^Collecting \([A-Za-z0-9._-]*\).*/\1/')" ;;
	Installing*) printf ' (unpacking)' ;;
	*)
		[ "$1" = synapse ] && return
		count=$(grep -c '^[^ ]*$' "$logs/$1" 2>/dev/null || true)
		[ "${count:-0}" = 0 ] || printf ' (%d packages so far)' "$count"
		;;
	esac
}

# On a terminal one line is written again and again; elsewhere there is a line now and then.
terminal=
[ ! -t 2 ] || [ "${TERM:-dumb}" = dumb ] || terminal=yes
columns=$({ [ -z "$terminal" ] || tput cols; } 2>/dev/null || true)
line() { # WORDS: for good
	printf '%s%s\n' "${terminal:+$'\r\033[K'}" "  $1" >&2
}
spoken=-1
progress() { # WORDS: until the next
	local words
	words=$(printf '  %3d s  %s' "$SECONDS" "$1")
	if [ -n "$terminal" ]; then
		printf '\r\033[K%s' "${words:0:$((${columns:-80} - 1))}" >&2
	elif [ $((SECONDS / 10)) != "$spoken" ]; then
		spoken=$((SECONDS / 10))
		echo "$words" >&2
	fi
}

waiting=(compile)
begin compile compile
if [ "$homeserver" != given ]; then
	waiting+=("$homeserver")
	begin "$homeserver" "$homeserver"
fi
SECONDS=0
told=
while [ ${#waiting[@]} -gt 0 ]; do
	sleep 0.3
	still=() words=
	for job in "${waiting[@]}"; do
		if [ ! -e "$logs/$job.code" ]; then
			still+=("$job")
			words+="${words:+ · }$(doing "$job")"
			continue
		fi
		if [ "$(cat "$logs/$job.code")" != 0 ]; then
			line "This failed: $(doing "$job")"
			tail -n 12 "$logs/$job" | sed 's/^/    /' >&2
			if [ "$job" != synapse ] || [ -z "${or:-}" ]; then
				stop
				exit 1
			fi
			line "So the demo runs on Dendrite, which is compiled now: that takes some minutes, once."
			homeserver=$or
			still+=("$or")
			begin "$or" "$or"
			continue
		fi
		[ -z "$told" ] || case $job in
		compile) line "Lanekeeper is compiled ($SECONDS s)." ;;
		synapse) line "Synapse is installed ($SECONDS s)." ;;
		dendrite) line "Dendrite is compiled ($SECONDS s)." ;;
		esac
	done
	if [ -z "$told" ] && [ -n "$words" ] && [ "$SECONDS" -ge 2 ]; then
		told=yes
		line "Setting up, side by side. The first time takes a minute or two, later ones a few seconds."
	fi
	[ -z "$words" ] || [ -z "$told" ] || progress "$words"
	waiting=(${still[@]+"${still[@]}"})
done
[ -z "$terminal" ] || printf '\r\033[K' >&2

case $homeserver in
synapse) set -- --synapse "$cache/venv/bin/python" "$@" ;;
dendrite) set -- --dendrite "$cache/bin/dendrite" "$@" ;;
esac
rm -rf "$logs" # exec runs no trap
exec env -u LANEKEEPER_TEST_CACHE -u GOGC "$cache/bin/demo" demo "$@"
