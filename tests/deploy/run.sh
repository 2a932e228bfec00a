#!/bin/bash
# deploy/compose.yaml from nothing to a handed-over order, for whoever has Docker.
set -euo pipefail

root=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")")
readonly root
readonly ready_within_s=120 stop_within_s=40

usage() {
        cat <<'USAGE'
usage: tests/deploy/run.sh [--no-build]

Builds the image, starts deploy/compose.yaml as a project of its own on a free port, loads the demo retailer, walks an
order through it, looks at what the containers may do, restarts and stops it, and removes everything but the image.
Where no Docker answers it says so and ends with 0.

  --no-build   use the image that is there

example: tests/deploy/run.sh
USAGE
}

fail() {
        printf 'FAILED: %s\n' "$*" >&2
        compose logs --tail=40 >&2 || true
        exit 1
}

passed() {
        printf 'passed: %s\n' "$*"
}

compose() {
        "${program[@]}" --project-name "$project" --file "$root/deploy/compose.yaml" "$@"
}

# Debian 12 has the first spelling, everybody else the second.
find_compose() {
        docker version >/dev/null 2>&1 || { echo "skipped: no Docker answers here" && exit 0; }
        if docker compose version >/dev/null 2>&1; then
                program=(docker compose)
        elif command -v docker-compose >/dev/null; then
                program=(docker-compose)
        else
                echo "skipped: there is no docker compose" && exit 0
        fi
}

free_port() {
        python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

container() {
        compose ps -q "$1"
}

state_of() {
        docker inspect --format "$2" "$(container "$1")"
}

wait_healthy() {
        local end=$((SECONDS + ready_within_s))
        until [ "$(state_of holdfast '{{.State.Health.Status}}')" = healthy ]; do
                [ $SECONDS -lt $end ] || fail "the service is not healthy after $ready_within_s s"
                sleep 0.2
        done
}

inside() {
        compose exec -T holdfast "$@"
}

check_refused() {
        local what=$1
        shift
        ! inside "$@" >/dev/null 2>&1 || fail "the service's container can $what"
        passed "the service's container cannot $what"
}

check_container() {
        [ "$(inside id -u)" = 10001 ] || fail "the service does not run as 10001"
        passed "the service runs as 10001"
        check_refused "write to its files" touch /written
        check_refused "compile" sh -c 'command -v cc || command -v gcc'
        check_refused "read the superuser's password" cat /run/secrets/postgres/superuser_password
        inside grep -q '^CapBnd:[[:space:]]*0*$' /proc/self/status || fail "the service's container has capabilities"
        passed "it has no capability"
        [ "$(docker port "$(container holdfast)")" = "8080/tcp -> 127.0.0.1:$HOLDFAST_PORT" ] || fail "it publishes more than the API on loopback"
        [ -z "$(docker port "$(container postgres)")" ] || fail "PostgreSQL is published"
        passed "only the API is published, on loopback"
}

# The walk makes its tokens by `holdfast`, which is in the container.
walk() {
        printf '#!/bin/bash\nexec %s exec -T holdfast holdfast "$@"\n' "$(printf '%q ' "${program[@]}" --project-name "$project" --file "$root/deploy/compose.yaml")" >"$scratch/holdfast"
        chmod +x "$scratch/holdfast"
        PATH=$scratch:$PATH API=http://127.0.0.1:$HOLDFAST_PORT "$root/deploy/walk.py" >"$scratch/walk" ||
                fail "the walk: $(tail -n 20 "$scratch/walk")"
}

secrets_digest() {
        inside sh -c 'cat /run/secrets/holdfast/* | sha256sum'
}

stop_gracefully() {
        docker stop --time $stop_within_s "$(container holdfast)" >/dev/null
        [ "$(state_of holdfast '{{.State.ExitCode}}')" = 0 ] || fail "the service ended with $(state_of holdfast '{{.State.ExitCode}}') on its stop signal"
}

leave() {
        local code=$?
        trap - EXIT
        compose down --volumes --remove-orphans --timeout 10 >/dev/null 2>&1 || true
        rm -rf -- "$scratch"
        exit $code
}

build=yes
case ${1-} in
-h | --help) usage && exit 0 ;;
--no-build) build=no ;;
'') ;;
*) usage >&2 && exit 2 ;;
esac

find_compose
project=holdfast-test-$$
scratch=$(mktemp -d)
HOLDFAST_PORT=$(free_port)
export HOLDFAST_PORT
trap leave EXIT
trap 'exit 130' HUP INT TERM

[ $build = no ] || compose build
compose up --detach --no-build >"$scratch/up" 2>&1 || fail "it does not come up: $(tail -n 20 "$scratch/up")"
wait_healthy
passed "it comes up from nothing"
check_container
compose run --rm -T demo >"$scratch/demo" 2>&1 || fail "the demo retailer is not loaded: $(tail -n 20 "$scratch/demo")"
passed "the demo retailer is loaded"
walk
passed "an order is walked through"
before=$(secrets_digest)
stop_gracefully
passed "it stops on its signal with 0"
compose up --detach --no-build >"$scratch/up" 2>&1 || fail "it does not come up again: $(tail -n 20 "$scratch/up")"
wait_healthy
[ "$(secrets_digest)" = "$before" ] || fail "the secrets are others after a restart"
walk
passed "after a restart secrets and data are as before"
