# A RabbitMQ of its own for a test file: one node on free ports of loopback, started in setup_file, stopped with its epmd in
# teardown_file. What it knows and says is in $BROKER.

RABBITMQ_BIN=/usr/lib/rabbitmq/bin

# Each test has queues of its own on it: $PREFIX.
broker_setup_file() {
  if [ ! -x $RABBITMQ_BIN/rabbitmq-server ]; then
    [ "${CI:-}" = true ] && { echo 'rabbitmq-server is not installed (tests/deps)' >&2; return 1; }
    skip 'rabbitmq-server is not installed (tests/deps)'
  fi
  export BROKER="$BATS_FILE_TMPDIR/broker"
  mkdir -p "$BROKER"
  BROKER_PORT=$(free_port) DIST_PORT=$(free_port) EPMD_PORT=$(free_port)
  export BROKER_PORT
  cat >"$BROKER/environment" <<END
HOME=$BROKER
RABBITMQ_NODENAME=vsmtp-$BROKER_PORT@localhost
RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
RABBITMQ_NODE_PORT=$BROKER_PORT
RABBITMQ_DIST_PORT=$DIST_PORT
ERL_EPMD_PORT=$EPMD_PORT
ERL_EPMD_ADDRESS=127.0.0.1
RABBITMQ_MNESIA_BASE=$BROKER/mnesia
RABBITMQ_LOG_BASE=$BROKER/log
RABBITMQ_PID_FILE=$BROKER/rabbitmq.pid
RABBITMQ_ENABLED_PLUGINS_FILE=$BROKER/plugins
RABBITMQ_CONFIG_FILE=$BROKER/rabbitmq
RABBITMQ_CONF_ENV_FILE=$BROKER/none
RABBITMQ_GENERATED_CONFIG_DIR=$BROKER/generated
RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none
END
  echo '[].' >"$BROKER/plugins"
  printf '%s\n' 'default_user = mail' 'default_pass = s3cret/@:' 'disk_free_limit.absolute = 10MB' >"$BROKER/rabbitmq.conf"
  # 4: bats reads it until nobody has it any more
  with_broker_environment exec "$(dirname "$(readlink -f "$(command -v erl)")")/epmd" </dev/null >"$BROKER/epmd.log" 2>&1 3>&- 4>&- &
  echo $! >"$BROKER/epmd.pid"
  wait_for_port "$EPMD_PORT"
  start_broker
}

# with_broker_environment [exec] COMMAND...: exec, where its pid is to be that of the subshell.
with_broker_environment() {
  local -a environment
  local run=
  mapfile -t environment <"$BROKER/environment"
  [ "$1" = exec ] && { run=exec; shift; }
  $run env "${environment[@]}" "$@"
}

start_broker() {
  rm -f "$BROKER/rabbitmq.pid"
  : >"$BROKER/server.log"  # now: what an earlier one said is not waited for
  with_broker_environment setsid $RABBITMQ_BIN/rabbitmq-server </dev/null >>"$BROKER/server.log" 2>&1 3>&- 4>&- &
  wait_for 120 grep -q 'completed with' "$BROKER/server.log"
}

# stop_broker [SIGNAL]
stop_broker() {
  local pid
  pid=$(cat "$BROKER/rabbitmq.pid")
  kill "-${1:-TERM}" "$pid" 2>/dev/null || true
  wait_for 60 has_ended "$pid"
}

broker_teardown_file() {
  [ -e "$BROKER/rabbitmq.pid" ] && stop_broker KILL
  [ -e "$BROKER/epmd.pid" ] && kill "$(cat "$BROKER/epmd.pid")"
  true
}

# How many messages lie in these queues of the test.
waiting_in() {
  local name total=0 json
  for name; do
    json=$(qctl status "$name" --json) || return 1
    total=$((total + $(jq -r '.messages' <<<"$json")))
  done
  echo "$total"
}
