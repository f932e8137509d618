# What bench/closing and bench/import share: a database of providers, stores and day facts (bench/volume.sql), made once, and copies of it
# for what cannot be done to it twice. To be sourced after bench/lib.sh.
# shellcheck shell=bash

# As the superuser of the private PostgreSQL, in the database $1.
as_superuser() {
	local database=$1
	shift
	psql "$(database_url "$database" postgres)" -X -q -At -v ON_ERROR_STOP=1 "$@"
}

# database_url DATABASE [USER]
database_url() { sed "s#//assay@/assay#//${2:-assay}@/$1#" <<<"$url"; }

# volume_make NAME PROVIDERS STORES_EACH FIRST LAST
volume_make() {
	[ -z "$(as_superuser postgres -c "select 1 from pg_database where datname = '$1' and datistemplate")" ] || return 0
	say "Making $1: $2 providers with $3 stores each, and their figures from $4 to $5 (once)"
	as_superuser postgres -c "set client_min_messages = warning" -c "drop database if exists $1" -c "create database $1 owner assay"
	ASSAY_DATABASE_URL=$(database_url "$1") "$root/build/assayd" policy publish "$root/examples/policy-antiques-art.json" >/dev/null 2>&1
	psql "$(database_url "$1")" -X -q -v ON_ERROR_STOP=1 -v providers="$2" -v stores="$3" -v first="$4" -v last="$5" \
		-c "update clock set mode = 'test', today = '$5'::date + 1" -f "$root/bench/volume.sql" >/dev/null
	as_superuser postgres -c "alter database $1 is_template true"
}

# volume_copy FROM TO: a fresh copy; sets round_url.
volume_copy() {
	as_superuser postgres -c "set client_min_messages = warning" -c "drop database if exists $2 with (force)" \
		-c "create database $2 template $1 owner assay strategy file_copy"
	round_url=$(database_url "$2")
	ASSAY_DATABASE_URL=$round_url "$root/build/assayd" migrate >/dev/null
}

round_sql() { psql "$round_url" -X -q -At -v ON_ERROR_STOP=1 "$@"; }

# How many seconds a command takes: the sum of what psql's \timing says.
timed() { "$@" | awk '/^Time:/ { ms += $2 } END { printf "%.3f", ms / 1000 }'; }
