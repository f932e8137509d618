# What the scripts here share; to be sourced by bash. Sets `root`, the project's directory.
# shellcheck shell=bash

set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# ---- packages ----

# shellcheck disable=SC2034 # for those who source this
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev libpq-dev libssl-dev zlib1g-dev
	libcjose-dev)

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Of the packages named, those that are not installed; in the array `missing`.
find_missing() {
	missing=()
	command -v dpkg-query >/dev/null || { say "Not a Debian system: make sure that these are installed: $*"; return; }
	local installed package
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' || :)
	for package in "$@"; do
		grep -qxF "$package" <<<"$installed" || missing+=("$package")
	done
}

# apt COMMAND...: apt-get, one at a time whoever else installs on this machine, with never a question. Its many words go to
# build/install.log, and are shown when it fails.
apt() {
	local log=$root/build/install.log try
	mkdir -p "$root/build"
	for try in 1 2 3 4; do
		as_root env DEBIAN_FRONTEND=noninteractive flock /var/lock/assay-install \
			apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq -y "$@" </dev/null >>"$log" 2>&1 && return
		# Another program may hold the lists' lock, for which apt-get has no patience of its own; a mirror may be busy.
		sleep $((try * 3))
	done
	tail -n 40 "$log" >&2
	die "apt-get $* failed; see build/install.log"
}

install_packages() {
	local missing
	find_missing "$@"
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		die "Only root can install packages, or a user with sudo. Please have these installed: ${missing[*]}"
	say "Installing ${missing[*]}"
	apt update
	apt --no-install-recommends install "${missing[@]}"
}

# PostgreSQL's programs, 15 or newer, with the extensions that come with it.
have_postgres() {
	local programs
	for programs in /usr/lib/postgresql/*/bin; do
		local version=${programs#/usr/lib/postgresql/}
		version=${version%/bin}
		[[ $version =~ ^[0-9]+$ ]] && [ "$version" -ge 15 ] && [ -x "$programs/initdb" ] && return 0
	done
	command -v initdb >/dev/null
}

# Debian's package makes and starts a cluster of its own when it is installed; ours does without. So it is told not to, for
# this once, and a cluster that exists is not touched.
install_postgres() {
	have_postgres && return
	local missing=(postgresql-15) conf=/etc/postgresql-common/createcluster.conf kept
	install_packages postgresql-common
	say "Installing postgresql-15"
	kept=$(mktemp)
	cp "$conf" "$kept"
	# shellcheck disable=SC2064 # now, not then
	trap "as_root cp '$kept' '$conf'; rm -f '$kept'" EXIT
	(cat "$kept" && echo "create_main_cluster = false") | as_root tee "$conf" >/dev/null
	apt --no-install-recommends install postgresql-15
	as_root cp "$kept" "$conf"
	rm -f "$kept"
	trap - EXIT
	have_postgres || die "postgresql-15 was installed, but its programs are not in /usr/lib/postgresql/15/bin"
}

# ---- building ----

# build DIR [CMAKE OPTION...]: configures DIR (below build/) if that was not done with these options, and builds it.
build() {
	local dir=$root/build${1:+/$1} options
	shift
	mkdir -p "$dir"
	options=$(printf '%s\n' "$root" "${CC:-}" "$@")
	(
		# One build at a time in a directory, whoever else was started in this tree.
		flock 9
		if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir/.options" 2>/dev/null)" != "$options" ]; then
			rm -rf "$dir/CMakeCache.txt" "$dir/CMakeFiles"
			cmake -S "$root" -B "$dir" -G Ninja "$@" >"$dir/configure.log" 2>&1 9>&- || { cat "$dir/configure.log" >&2; exit 1; }
			printf '%s\n' "$options" >"$dir/.options"
		fi
		# On a terminal ninja shows one line that changes; elsewhere only what went wrong is printed.
		if [ -t 2 ]; then
			ninja -C "$dir" -j "$(nproc)" 9>&- >&2 || exit 1
		else
			ninja -C "$dir" -j "$(nproc)" 9>&- >"$dir/build.log" 2>&1 || { grep -v '^\[' "$dir/build.log" | tail -n 60 >&2; exit 1; }
		fi
	) 9>"$dir/.lock"
}
