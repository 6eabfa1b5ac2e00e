# queue-run with the transports of this toolkit: deliver-maildir, and deliver-remote to Postfix's smtp-sink; exec'd and resident.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  SINK_USER=()
  [ "$(id -u)" != 0 ] || SINK_USER=(-u root) # it writes below this folder
  queue-inject --spool spool --make-spool
  mkdir mail sunk
  port=$(free_port)
  cat >vsmtp.ini <<END
[server]
domain = mx.here.test
[queue]
spool = spool
retry_min = 1s
retry_max = 1s
destination_pause = 500ms
[delivery]
local_domains = here.test
[maildir]
template = $PWD/mail/{local}
create = yes
[remote]
relay_host = [127.0.0.1]:$port
timeout_greeting = 5s
END
  export VSMTP_CONFIG=$PWD/vsmtp.ini
}

start_sink() {
  start sink smtp-sink "${SINK_USER[@]}" -d "$PWD/sunk/%M." "$@" "127.0.0.1:$port" 100
  wait_for_port "$port"
}
inject() { printf 'Subject: %s\n\nhello\nEND\n' "$1" | queue-inject -f "me@here.test" "${@:2}"; }
in_mailbox() { [ "$(cat mail/"$1"/new/* 2>/dev/null | grep -c '^END')" = "$2" ]; }
sunk() { [ "$(cat sunk/* 2>/dev/null | grep -c '^END')" = "$1" ]; }
spool_is_empty() { [ -z "$(find spool/working spool/deliver spool/deferred spool/dead -type f)" ]; }

@test "queue-run: one message to two Maildirs and to a remote host, with exec'd transports" {
  start_sink
  inject hello a@here.test b@here.test c@far.test d@elsewhere.test
  queue-run --drain
  in_mailbox a 1
  in_mailbox b 1
  sunk 1
  grep -q 'X-Rcpt-Args: <c@far.test>' sunk/*
  grep -q 'X-Rcpt-Args: <d@elsewhere.test>' sunk/*
  spool_is_empty
}

@test "queue-run: resident transports deliver what comes while they run" {
  start_sink
  start maildir deliver-maildir --resident "$PWD/maildir.sock"
  start remote deliver-remote --resident "$PWD/remote.sock"
  start run queue-run --local-transport "unix:$PWD/maildir.sock" --remote-transport "unix:$PWD/remote.sock"
  for i in 1 2 3 4 5; do inject "$i" a@here.test "x$i@far.test"; done
  wait_for in_mailbox a 5
  wait_for sunk 5
  wait_for spool_is_empty
  ! grep -q 'status=\(deferred\|failed\)' run.log
}

@test "queue-run: a remote host that is down gets its mail when it is up again" {
  start run queue-run
  inject hello c@far.test
  wait_for grep -q 'status=deferred' run.log
  [ "$(find spool/deferred -type f | wc -l)" = 1 ]
  start_sink
  wait_for sunk 1
  wait_for spool_is_empty
}

@test "queue-run: a remote host that refuses a recipient makes the message dead, with its words" {
  start_sink -f RCPT
  inject refused c@far.test
  queue-run --drain --bounce no
  [ "$(find spool/dead -type f | wc -l)" = 1 ]
  grep -q ' failed 1 .* 500 ' spool/progress/*
}

@test "queue-run: a remote host that defers a recipient gets it again" {
  start_sink -r RCPT
  start run queue-run
  inject deferred c@far.test
  wait_for grep -q 'status=deferred.* 450 ' run.log
  stop sink || true
  start_sink
  wait_for sunk 1
  wait_for spool_is_empty
}
