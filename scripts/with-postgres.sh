#!/bin/sh
# Runs a command beside a PostgreSQL server of its own, and leaves nothing of it behind:
#
#   scripts/with-postgres.sh psql                          DOXA_TEST_POSTGRES says where the server is
#   scripts/with-postgres.sh --control                     as tests use it (testkit/src/postgres.rs): commands come in on
#                                                          stdin, one a line, each is answered, and the end of input is
#                                                          the end of the server
#
# The server lives in a new folder, is reached through a socket in it and in no other way, syncs to disk as in earnest,
# and sorts text as a language does, not by bytes. It never runs as root, but then as `postgres` or `nobody`. If
# DOXA_TEST_POSTGRES is already set, that server is used, and the databases made on it are dropped in the end.
set -eu

fail() { echo "with-postgres: $*" >&2; exit 1; }

[ $# -gt 0 ] || fail "which command? usage: scripts/with-postgres.sh COMMAND [ARGUMENT...]"

# The newest of Debian's versions, or what is on the path elsewhere.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
[ -x "$bin/initdb" ] || fail "there is no PostgreSQL server here; install it: apt-get install postgresql"

server_user=""
if [ "$(id -u)" = 0 ]; then
    server_user=postgres
    id "$server_user" >/dev/null 2>&1 || server_user=nobody
fi

# Becomes one of the server's programs, as the user who owns it, in a folder that this user may enter.
as_owner() {
    cd "$home"
    [ -z "$server_user" ] || set -- setpriv --reuid "$server_user" --regid "$server_user" --init-groups -- "$@"
    exec "$@" >>"$home/log" 2>&1 </dev/null
}

server=""
start() {
    (as_owner "$bin/postgres" -D data -c listen_addresses= -c "unix_socket_directories=$home" -c port=5432 -c fsync=on) &
    server=$!
    until "$bin/pg_isready" --quiet --host "$home" --port 5432; do
        kill -0 "$server" 2>/dev/null || { cat "$home/log" >&2; fail "the server does not start"; }
        sleep 0.05
    done
}

workers() { ps -A -o pid= -o ppid= | awk -v server="$server" '$2 == server { print $1 }'; }

# The server stands still, and says nothing about it.
freeze() { kill -STOP $(workers) "$server"; }
thaw() { kill -CONT $(workers) "$server"; }

# Nobody of the server gets to say or to write another word.
crash() {
    workers=$(workers)
    for process in "$server" $workers; do
        kill -9 "$process" 2>/dev/null || true
    done
    wait "$server" 2>/dev/null || true
    # The shared memory is free once the last of them is gone; one that nobody has buried yet (Z) is gone.
    for process in $workers; do
        while ps -p "$process" -o state= | grep -qv Z; do sleep 0.02; done
    done
}

made=""
database() {
    "$bin/psql" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --command "CREATE DATABASE $1" "$DOXA_TEST_POSTGRES" >&2
    made="$made $1"
}

home=""
clean() {
    trap '' INT TERM HUP
    if [ -n "$home" ]; then
        # At once: what it has not written yet goes with the folder.
        [ -z "$server" ] || { thaw; kill -QUIT "$server" && wait "$server"; } 2>/dev/null || true
        rm -rf "$home"
    else
        for name in $made; do
            # Which fails if that server is gone already, and its databases with it.
            "$bin/psql" --quiet --no-psqlrc --command "DROP DATABASE $name WITH (FORCE)" "$DOXA_TEST_POSTGRES" \
                >/dev/null 2>&1 || true
        done
    fi
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

if [ -z "${DOXA_TEST_POSTGRES:-}" ]; then
    # A short path: a socket's may not have more than a hundred bytes.
    home=$(mktemp -d "${TMPDIR:-/tmp}/doxa-pg.XXXXXX")
    [ -z "$server_user" ] || chown "$server_user" "$home"
    (as_owner "$bin/initdb" --pgdata data --username doxa --auth trust --encoding UTF8 --no-sync \
        --locale-provider icu --icu-locale en --locale C.UTF-8) || { cat "$home/log" >&2; fail "initdb failed"; }
    start
    DOXA_TEST_POSTGRES="postgres://doxa@localhost:5432/postgres?host=$home"
    export DOXA_TEST_POSTGRES
fi

if [ "$1" != --control ]; then
    "$@"
    exit
fi

echo "$DOXA_TEST_POSTGRES"
while read -r command name; do
    case "$command" in
        database) database "$name" ;;
        crash | start | freeze | thaw)
            [ -n "$home" ] || fail "only a server of our own is told to $command"
            "$command"
            ;;
        *) fail "unknown command: $command" ;;
    esac
    echo "done"
done
