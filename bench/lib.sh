# What the benchmarks share: the packages they need, a sandbox of their own, and medians. Sourced, not run.
# shellcheck shell=bash

# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../scripts/lib.sh"

# A home of its own, kept between runs so that the data is made once: build/bench/home, or BENCH_HOME.
bench_home=${BENCH_HOME:-$root/build/bench/home}
bench_server=

bench_prepare() {
	install_packages "${build_packages[@]}" wrk jq curl
	install_postgres
	say "Building"
	build "" -DASSAY_TESTS=OFF
	programs=$(dirname "$(find /usr/lib/postgresql/*/bin -name pgbench | sort -V | tail -n 1)")
	PATH=$programs:$PATH
	mkdir -p "$bench_home"
}

bench_stop() {
	[ -z "$bench_server" ] || { kill "$bench_server" 2>/dev/null && wait "$bench_server" 2>/dev/null; } || :
	bench_server=
}

# Starts assayd on a free port; sets api, key and url (the database's).
bench_start() {
	local log=$bench_home.log
	: >"$log"
	trap bench_stop EXIT
	ASSAY_HOME=$bench_home ASSAY_LISTEN=127.0.0.1:0 "$root/build/assayd" serve --sandbox 2>"$log" &
	bench_server=$!
	api=
	for ((i = 0; i < 1200; i++)); do
		api=$(sed -n 's/^Assay serves on \(http:[^ ]*\).*/\1/p' "$log")
		[ -z "$api" ] || break
		kill -0 "$bench_server" 2>/dev/null || die "$(cat "$log")"
		sleep 0.1
	done
	[ -n "$api" ] || die "assayd did not start: $(cat "$log")"
	key=$(cat "$bench_home/admin.key")
	url=$(cat "$bench_home/postgres/url")
}

sql() { psql "$url" -X -q -At -v ON_ERROR_STOP=1 "$@"; }

# median NUMBER...
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# ratio A B
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
