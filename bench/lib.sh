# What the benchmarks share: the packages they need, a sandbox of their own, and medians. Sourced, not run.
# shellcheck shell=bash

# shellcheck source=scripts/lib.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../scripts/lib.sh"

export LC_ALL=C # numbers have points

# A home of its own, kept between runs so that the data is made once: build/bench/home, or BENCH_HOME.
bench_home=${BENCH_HOME:-$root/build/bench/home}
bench_server=

bench_prepare() {
	install_packages "${build_packages[@]}" wrk jq curl python3
	install_postgres
	say "Building"
	build "" -DASSAY_TESTS=OFF
	programs=$(dirname "$(find /usr/lib/postgresql/*/bin -name pgbench | sort -V | tail -n 1)")
	PATH=$programs:$PATH
	mkdir -p "$bench_home"
}

# The peers that are written for Node.js, with exactly the packages that package-lock.json names; sets node_dir.
bench_node() {
	node_dir=$root/build/bench/node
	command -v node >/dev/null || install_packages nodejs
	command -v npm >/dev/null || install_packages npm
	mkdir -p "$node_dir"
	cmp -s "$root/bench/node/package-lock.json" "$node_dir/installed" || {
		say "Installing the peers' packages from npm"
		cp "$root"/bench/node/package*.json "$node_dir"
		(cd "$node_dir" && npm install --no-save --omit=dev --no-audit --no-fund >install.log 2>&1) || die "$(tail -n 40 "$node_dir/install.log")"
		cp "$node_dir/package-lock.json" "$node_dir/installed"
	}
	cp "$root"/bench/node/*.js "$node_dir"
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

# bench_copy FROM TO: a home of its own with the same data, for what cannot be done to it twice. FROM is not in use.
bench_copy() {
	rm -rf "$2"
	cp -a --reflink=auto "$1" "$2"
	rm -f "$2/postgres/data/postmaster.pid"
}

# bench_months NAME [OPTION...] [-- LOAD OPTION...]: sets bench_home to one with the months of bench_generate OPTION..., loaded through the
# API by bench/load LOAD OPTION...; the data are made once, and stay in $bench_data.
bench_months() {
	local name=$1 made=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do made+=("$1") && shift; done
	[ $# = 0 ] || shift
	bench_home=$root/build/bench/home-$name bench_data=$root/build/bench/$name
	[ ! -e "$bench_home.loaded" ] || return 0
	say "Making $name (once)"
	"$root/build/bench_generate" "${made[@]}" "$bench_data"
	rm -rf "$bench_home"
	bench_start
	"$root/bench/load" "$api" "$key" "$bench_data" "$@"
	sql -c "set client_min_messages = error" -c "vacuum (analyze)"
	bench_stop
	touch "$bench_home.loaded"
}

sql() { psql "$url" -X -q -At -v ON_ERROR_STOP=1 "$@"; }

# median NUMBER...
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# ratio A B
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# ---- cores: how much of a processor the server, PostgreSQL and the load (what this shell has run and waited for) take ----

# cpu_of PID...: of each, in hundredths of a second, with its children, also those that ended.
cpu_of() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v pids="$*" '
		{ pid = $1; sub(/.*\) /, "") } # from the state on: the parent is 2, utime 12, stime 13, those of children waited for 14 and 15
		{ used[$2] += $12 + $13; own[pid] = $12 + $13 + $14 + $15 }
		END { n = split(pids, p, " "); for (i = 1; i <= n; i++) printf "%d%s", own[p[i]] + used[p[i]], i < n ? " " : "\n" }'
}

# Sets cpu_load, likewise. Not in a subshell: that one has waited for nobody.
read_cpu_of_load() {
	times >"$bench_home.times"
	cpu_load=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); n += t[1] * 60 + t[2] } print n * 100 }' "$bench_home.times")
}

# cores_from NAME PID: of that server.
cores_from() {
	cores_name=$1 cores_pid=$2
	cores_postgres=$(head -n 1 "$bench_home/postgres/data/postmaster.pid")
	read_cpu_of_load
	cores_load=$cpu_load cores_began=$EPOCHREALTIME
	read -r cores_server cores_database < <(cpu_of "$cores_pid" "$cores_postgres")
}

# Sets cores to "assayd=0.80 postgres=0.95 load=0.25": since cores_from.
cores_to() {
	local server database now=$EPOCHREALTIME
	read -r server database < <(cpu_of "$cores_pid" "$cores_postgres")
	read_cpu_of_load
	# shellcheck disable=SC2034 # for the caller
	cores=$(awk -v s="$now" -v t="$cores_began" -v a="$((server - cores_server))" -v d="$((database - cores_database))" \
		-v l="$cpu_load" -v m="$cores_load" -v name="$cores_name" \
		'BEGIN { t = (s - t) * 100; printf "%s=%.2f postgres=%.2f load=%.2f", name, a / t, d / t, (l - m) / t }')
}

# ---- results ----

# result NAME OURS BOUND RATIO [CORES]: one round's, for bench/run, which reads them from the file BENCH_RESULTS.
result() {
	[ -z "${BENCH_RESULTS:-}" ] || printf 'RESULT %s\n' "$*" >>"$BENCH_RESULTS"
}
