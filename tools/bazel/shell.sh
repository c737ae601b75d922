# shellcheck shell=bash
# Common to the scripts in tools/; sourced, never run.
#
#   root            the checkout's folder; self: the script's name, for messages
#   Die TEXT        one line on stderr, exit status 1
#   RunChild CMD…   runs a command that ends when this script is interrupted (INT, TERM, HUP); runs
#                   OnInterrupt then, where the script defines it, and exits with 130
#   TakeLock        one build at a time in a checkout
#   RunBazel ARG…   one Bazel command; no server stays behind

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
self=tools/${0##*/}
child=

Die() {
  echo "$self: $*" >&2
  exit 1
}

Interrupted() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then
    kill -TERM "$child" 2>/dev/null
    wait "$child" 2>/dev/null
  fi
  if declare -F OnInterrupt >/dev/null; then OnInterrupt; fi
  echo "$self: interrupted" >&2
  exit 130
}

# In the background and waited for: bash runs a trap at once only then. Such a child ignores Ctrl-C
# itself, so that TERM from Interrupted is the one signal that reaches it.
RunChild() {
  local status=0
  trap Interrupted INT TERM HUP
  "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return $status
}

# Waits for other builds in this checkout; the lock ends with this script, or with ReleaseLock.
TakeLock() {
  mkdir -p "$root/.bz" && exec 8>"$root/.bz/lock" || Die "cannot write to $root"
  flock -n 8 && return
  echo "$self: waits for another build in $root" >&2
  RunChild flock 8
}

ReleaseLock() {
  exec 8>&-
}

# REQUIRES: the lock.
RunBazel() {
  local command=$1 progress=(--show_progress --show_progress_rate_limit=20)
  shift
  if [ -t 2 ]; then progress=(--show_progress --curses=yes --color=yes); fi
  cd "$root" || return
  RunChild bazel --batch "$command" "${progress[@]}" "$@" 8>&-
}
