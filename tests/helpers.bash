# Loaded by every test file. A test lives in $BATS_TEST_TMPDIR, finds our programs in front of $PATH, starts others with
# `start` and waits for conditions with `wait_for`; what is still running at its end is stopped, by its pid.
bats_require_minimum_version 1.8.0

TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
export PATH="$TOP/bin:/usr/sbin:/sbin:$PATH"
export VSMTP_TESTDATA="${VSMTP_TESTDATA:-$TOP/../shared/testdata}"
export LC_ALL=C.UTF-8
unset VSMTP_CONFIG NO_COLOR

teardown() { stop_all; }

# wait_for [SECONDS] COMMAND...: until it succeeds; 20 seconds if not said.
wait_for() {
  local seconds=20
  [[ $1 =~ ^[0-9]+$ ]] && { seconds=$1; shift; }
  local deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "after $seconds seconds still not: $*" >&2
      return 1
    fi
    sleep 0.02
  done
}

# serves SOCKET: somebody listens on it. The file alone may be left from an earlier life.
serves() { grep -q "00010000 .* $(realpath "$1")\$" /proc/net/unix; }

# start NAME COMMAND...: in the background, output in NAME.log, pid in NAME.pid.
start() {
  local name=$1
  shift
  : >"$BATS_TEST_TMPDIR/$name.log"  # now: nobody shall wait for a line and find that of an earlier start
  "$@" >>"$BATS_TEST_TMPDIR/$name.log" 2>&1 3>&- </dev/null &
  echo $! >"$BATS_TEST_TMPDIR/$name.pid"
}

pid_of() { cat "$BATS_TEST_TMPDIR/$1.pid"; }
is_running() { kill -0 "$(pid_of "$1")"; }

# stop NAME [SIGNAL]: sends it (TERM; 0 is none) and waits for the end, whose exit code it returns. KILL follows after 20 seconds.
# Not under `run`, which is another process and cannot wait for it.
stop() {
  local pid
  pid=$(pid_of "$1")
  rm -f "$BATS_TEST_TMPDIR/$1.pid"
  kill "-${2:-TERM}" "$pid" 2>/dev/null || true  # it may have ended by itself
  wait_for has_ended "$pid" || kill -KILL "$pid"
  wait "$pid"
}
has_ended() {
  local stat
  { read -r stat </proc/"$1"/stat; } 2>/dev/null || return 0  # it may go between any two looks
  [[ $stat == *") Z "* ]]
}

stop_all() {
  local file
  for file in "$BATS_TEST_TMPDIR"/*.pid; do
    if [ -e "$file" ]; then stop "$(basename "$file" .pid)" || true; fi
  done
}

# A port of 127.0.0.1 that nobody listens on and that no other test of this run was given.
free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 22000))
    is_listening "$port" || { mkdir "$BATS_RUN_TMPDIR/port-$port" 2>/dev/null && break; }
  done
  echo "$port"
}

# Whether somebody listens on that TCP port of this host.
is_listening() { awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' /proc/net/tcp /proc/net/tcp6; }
wait_for_port() { wait_for is_listening "$1"; }

make_maildir() { mkdir -p "$1/tmp" "$1/new" "$1/cur"; }
