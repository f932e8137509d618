# What the scripts here share; to be sourced by bash. Sets `root`, the project's directory.
# shellcheck shell=bash

set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# ---- packages ----

# shellcheck disable=SC2034 # for those who source this
build_packages=(gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libjansson-dev libpq-dev libssl-dev zlib1g-dev)

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "Missing packages can be installed only by root, or with sudo. Please install: ${missing[*]}"
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

# One at a time, whoever else installs on this machine; never a question.
apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive flock /var/lock/assay-install \
		apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends install "$@" </dev/null >&2
}

# apt-get update may meet another's lock, for which it has no patience of its own.
apt_update() {
	local try
	for try in 1 2 3 4 5; do
		as_root flock /var/lock/assay-install apt-get -qq update >&2 && return
		sleep $((try * 3))
	done
	die "apt-get update failed"
}

install_packages() {
	local missing
	find_missing "$@"
	[ ${#missing[@]} -gt 0 ] || return 0
	say "Installing ${missing[*]}"
	apt_update
	apt_install "${missing[@]}"
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

# Debian's package makes and starts a cluster of its own when it is installed; ours does without, so it is told not to, for
# this once, and a cluster that exists is not touched.
install_postgres() {
	have_postgres && return
	local missing conf=/etc/postgresql-common/createcluster.conf
	say "Installing postgresql-15"
	install_packages postgresql-common
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_root env DEBIAN_FRONTEND=noninteractive flock /var/lock/assay-install bash -euc '
		conf=$1 kept=$(mktemp)
		cp -p "$conf" "$kept"
		trap "cp -p \"$kept\" \"$conf\"; rm -f \"$kept\"" EXIT
		echo "create_main_cluster = false" >>"$conf"
		apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -qq -y --no-install-recommends install postgresql-15
	' bash "$conf" </dev/null >&2
	have_postgres || die "postgresql-15 was installed but its programs are not in /usr/lib/postgresql/15/bin"
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
