#!/bin/bash
# Install the Debian packages of the named groups that are not there yet; see deploy/packages.txt.
set -euo pipefail

readonly list=$(dirname -- "$(readlink -f -- "$0")")/packages.txt

usage() {
        cat <<'USAGE'
usage: deploy/packages.sh [--list | --missing] GROUP...

Installs the missing packages of the groups build, run, database, test, bench, ha (deploy/packages.txt).
If none is missing, it needs neither root nor a network.

  --list      print the packages of the groups, install nothing
  --missing   print the missing ones, install nothing

example: deploy/packages.sh build run database
USAGE
}

fail() {
        printf 'packages: %s\n' "$*" >&2
        exit 1
}

packages_of() {
        local group
        for group in "$@"; do
                awk -v group="$group" '{ sub(/#.*/, "") } $1 == group { print $2; found = 1 } END { exit !found }' "$list" ||
                        fail "no group '$group' in $list"
        done
}

# The nodejs of NodeSource has npm within.
is_installed() {
        [ "$1" = npm ] && command -v npm >/dev/null && return
        [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_of() {
        local package
        for package in $(printf '%s\n' "$@" | sort -u); do
                is_installed "$package" || printf '%s\n' "$package"
        done
}

# Word by word, so that a caller who cannot become root sees the exact command to run.
as_root() {
        if [ "$(id -u)" = 0 ]; then
                "$@"
        elif command -v sudo >/dev/null; then
                sudo "$@"
        else
                fail "neither root nor sudo; as root, run: apt-get install --no-install-recommends ${missing[*]}"
        fi
}

# RUNLEVEL=1: keeps a freshly installed PostgreSQL from starting its server, if init respects it.
install_missing() {
        local -a apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y -o DPkg::Lock::Timeout=300)
        printf 'packages: installing %s\n' "$*" >&2
        as_root "${apt[@]}" update >&2 || printf 'packages: apt-get update failed, trying with the lists that are there\n' >&2
        as_root "${apt[@]}" install --no-install-recommends "$@" >&2 ||
                fail "apt-get could not install: $*"
}

mode=install
case ${1-} in
-h | --help) usage && exit 0 ;;
--list | --missing) mode=${1#--} && shift ;;
-*) usage >&2 && exit 2 ;;
esac
[ $# -gt 0 ] || { usage >&2 && exit 2; }

command -v dpkg-query >/dev/null || fail "this is not Debian; install the packages of $list by hand"
packages=$(packages_of "$@")
[ "$mode" = list ] && printf '%s\n' "$packages" | sort -u && exit 0

mapfile -t missing < <(missing_of $packages)
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$mode" = missing ]; then
        printf '%s\n' "${missing[@]}"
else
        install_missing "${missing[@]}"
fi
