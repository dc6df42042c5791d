#!/bin/sh
# programs.sh: print the folders in which the programs of PostgreSQL, Redis and Ceph are, one a line: the system's own,
# else those of Debian's packages, unpacked into a folder of their own. Nothing is installed.
set -eu
here=$(dirname "$0")
. "$here/../debian.sh"
folder=${LITEGATE_SERVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/litegate-servers}

debian_postgresql() { find "$1/usr/lib/postgresql" -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1; }

where_is() {
    found=$(command -v "$1" 2>/dev/null) && dirname "$found" && return
    [ -x "$folder/usr/bin/$1" ] && echo "$folder/usr/bin"
}

postgresql() {
    found=$(debian_postgresql "")
    [ -n "$found" ] || found=$(debian_postgresql "$folder")
    [ -n "$found" ] || found=$(where_is initdb)
    [ -n "$found" ] && echo "$found"
}

every() { postgresql && where_is redis-server && where_is ceph-mon && where_is ceph-osd && where_is radosgw; }

missing() {
    postgresql >/dev/null || echo postgresql-15
    where_is redis-server >/dev/null || echo redis-server
    for each in ceph-mon ceph-osd radosgw; do where_is $each >/dev/null || echo $each; done
}

every >/dev/null || {
    packages=$(missing | tr '\n' ' ')
    echo "distributed: unpacking Debian's packages $packages into $folder" >&2
    unpack "$folder" "bookworm bookworm-security" "$packages"
}
every | sort -u || {
    echo "distributed: expected the programs of $(missing | tr '\n' ' ') in $folder or on the PATH, got none" >&2
    exit 1
}
