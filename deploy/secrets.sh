#!/bin/sh
# Make the secrets of a private service, once: one file each in DIR, readable by its owner only.
set -eu

usage() {
        cat <<'USAGE'
usage: deploy/secrets.sh DIR NAME...

Makes DIR/NAME with 64 random hexadecimal digits for each NAME without a file, and prints nothing.

example: deploy/secrets.sh build/demo/secrets jwt_secret pickup_secret
USAGE
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac
[ $# -ge 2 ] || { usage >&2 && exit 2; }
directory=$1
shift

umask 077
mkdir -p -- "$directory"
for name in "$@"; do
        [ -s "$directory/$name" ] && continue
        # Written to another file and renamed: a secret is complete or absent.
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$directory/.$name"
        mv -- "$directory/.$name" "$directory/$name"
done
