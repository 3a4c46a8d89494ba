#!/bin/sh
# Leaves on this machine what the tests need besides Python: as root on Debian by installing what is missing, else by
# saying in one line what to install. A server whose address the environment gives needs no program here.
set -eu
missing=""
lacking=""

# is_here PLACE...: one of the places is a program on the path or a file.
is_here() {
    for place in "$@"; do
        if command -v "$place" > /dev/null || [ -e "$place" ]; then return 0; fi
    done
    return 1
}

# need PACKAGE PLACE...: without it tests fail.
need() {
    package=$1
    shift
    is_here "$@" || missing="$missing $package"
}

# want PACKAGE PLACE...: without it a few tests are left out.
want() {
    package=$1
    shift
    is_here "$@" || lacking="$lacking $package"
}

# install_packages PACKAGE...: quietly; in run level 1, so that no service starts by being installed: the tests start their own.
install_packages() {
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends "$@" > /dev/null
}

[ -n "${NXCAT_TEST_POSTGRESQL_URL:-}" ] || need postgresql postgres /usr/lib/postgresql/*/bin/postgres
[ -n "${NXCAT_TEST_REDIS_URL:-}" ] || need redis-server redis-server
[ -n "${NXCAT_TEST_STOMP_URL:-}" ] || need activemq /usr/share/activemq/bin/activemq.jar
[ -n "${NXCAT_TEST_ELASTICSEARCH_URL:-}" ] || need maven mvn
[ -n "${NXCAT_TEST_ELASTICSEARCH_URL:-}" ] || need openjdk-17-jdk-headless javac

want chromium chromium
want strace strace
want aria2 aria2c
want p7zip-full 7z
want unzip unzip
want curl curl
want jq jq

[ -n "$missing$lacking" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "installing$missing$lacking"
    # shellcheck disable=SC2086 # one word a package
    if install_packages $missing $lacking; then exit 0; fi
    echo "they could not be installed" >&2
fi
[ -z "$lacking" ] || echo "some tests are left out; for them: apt-get install$lacking" >&2
[ -z "$missing" ] || { echo "the tests need more programs: apt-get install$missing" >&2; exit 1; }
