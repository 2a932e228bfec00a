#!/bin/bash
# Test the program from before the newest migration on the newest schema. tests/deploy/upgrade.py does the work.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root

usage() {
        cat <<'USAGE'
usage: tests/deploy/upgrade.sh [COMMIT]

Builds the older program from the project's own history: as of COMMIT, or of the last commit before the newest migration. Then it
upgrades an open shop from the older program to this one, and checks the declarations of the migrations in between:

  all are compatible      they run while the older program serves; both serve together, and each continues orders of the
                          other; the older one can be stopped and started, and the upgrade be taken back
  one of them is not      it does not run while the older program is connected; afterwards the older one refuses to serve, and
                          an instance that was only cut off from the database is not ready and writes nothing

Customers order, and associates pick and hand over, all the time; no request may fail, and the audit must be clean in the end.
It needs the whole history: in a shallow clone or an export it says so and exits 1.

example: tests/deploy/upgrade.sh v1.2.0
USAGE
}

fail() {
        printf 'upgrade: %s\n' "$*" >&2
        exit 1
}

history() {
        git -C "$root" "$@"
}

need_history() {
        [ "$(history rev-parse --show-toplevel 2>/dev/null)" = "$root" ] || fail "this needs the project's history, and $root is not a clone"
        [ "$(history rev-parse --is-shallow-repository)" = false ] || fail "this needs the whole history: git fetch --unshallow"
}

# A migration that is not committed yet comes after all commits.
before_newest_migration() {
        local newest added
        newest=$(cd "$root" && printf '%s\n' sql/migrations/*.sql | tail -n 1)
        added=$(history log --diff-filter=A --format=%H -n 1 -- "$newest")
        if [ -n "$added" ]; then echo "$added^"; else echo HEAD; fi
}

case ${1-} in
-h | --help) usage && exit 0 ;;
-*) usage >&2 && exit 2 ;;
esac

export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH PYTHONDONTWRITEBYTECODE=1
"$root/deploy/packages.sh" build run database test
need_history
commit=$(history rev-parse --verify --quiet "${1:-$(before_newest_migration)}^{commit}") || fail "there is no commit ${1-before the newest migration}"
history cat-file -e "$commit:src/db/schema.c" 2>/dev/null ||
        fail "the program of ${commit:0:12} knows no newer schema than its own, whatever a migration says; name a later commit"
readonly commit older=$root/build/upgrade/${commit:0:12}

# Not optimised: the build serves this test only, and should be quick.
if [ ! -x "$older/build/holdfast" ]; then
        rm -rf -- "$older"
        mkdir -p "$older"
        history archive "$commit" -- . ':(exclude)tests' | tar -x -C "$older"
        meson setup -Dbuildtype=debug -Dwerror=false "$older/build" "$older" >/dev/null
        ninja -C "$older/build" holdfast >/dev/null
fi
[ -e "$root/build/release/build.ninja" ] || meson setup -Dbuildtype=release "$root/build/release" "$root" >/dev/null
ninja -C "$root/build/release" holdfast >/dev/null

unset ${!PG@}
history log -1 --format='older program: %h %s' "$commit"
export HOLDFAST_BINARY=$root/build/release/holdfast HOLDFAST_OLDER_BINARY=$older/build/holdfast
exec python3 -u "$root/tests/deploy/upgrade.py"
