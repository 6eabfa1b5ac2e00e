# queue-run and the messages of the log (tests/tools/log_store puts them there), its requests, and its peace when idle.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  make_spool spool
  : >noted
  settings=(--spool spool --local-domains d.test --retry-min 1h --bounce no --local-transport "unix:$PWD/sink.sock" --remote-transport "unix:$PWD/sink.sock")
}

make_spool() { mkdir -p "$1"/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}; }
start_sink() {
  start sink sink_transport --resident "$PWD/sink.sock" --file "$PWD/noted"
  wait_for serves sink.sock
}
start_queue_run() {
  start queue-run queue-run "${settings[@]}" "$@"
  wait_for grep -q ' started ' queue-run.log
}
noted() { [ "$(wc -l <noted)" = "$1" ]; }
noted_once() { noted "$1" && [ "$(sort -u noted | wc -l)" = "$1" ] && ! grep -v ' whole$' noted; }
files() { find spool/working spool/deliver spool/deferred spool/dead spool/hold spool/quarantine spool/progress -type f | wc -l; }
has_files() { [ "$(files)" = "$1" ]; }
ask() { call --timeout 5s -- "unix:$PWD/spool/queue-run.sock" "$@" </dev/null; }
status() { ask status | sed -n 's/^reply: //p' | jq -r "$1"; }
status_is() { [ "$(status "$1")" = "$2" ]; }

@test "queue-run: mail in the log is delivered, and leaves the log" {
  start_sink
  log_store --count 500 spool 'a-{n}@d.test' 'b-{n}@far.test' >/dev/null
  queue-run "${settings[@]}" --drain
  noted_once 1000
  has_files 0
  [ -z "$(find spool/log -name '*.log' -o -name '*.done')" ]
  : >noted
  queue-run "${settings[@]}" --drain
  noted 0
}

@test "queue-run: new mail in the log is noticed at once, without polling" {
  start_sink
  start_queue_run
  sleep 1.2 # so that the first looks are over
  before=$(grep ctxt "/proc/$(pid_of queue-run)/status")
  sleep 2.5
  [ "$(grep ctxt "/proc/$(pid_of queue-run)/status")" = "$before" ]
  log_store spool a@d.test
  wait_for 5 noted 1
  log_store spool b@d.test
  wait_for 5 noted 2
}

@test "queue-run: a log message that is put off or dead gets a file with its progress, and leaves the log" {
  start_sink
  later=$(log_store spool a@d.test later@far.test)
  bad=$(log_store spool b@d.test bad@far.test)
  queue-run "${settings[@]}" --drain
  [ "$(ls spool/deferred)" = "$later" ]
  [ "$(ls spool/dead)" = "$bad" ]
  [ "$(cut -d' ' -f2-4 "spool/progress/$later" | sort)" = "deferred 2 far.test
sent 1 d.test" ]
  grep -q 'failed 2 far.test bad@far.test 550 5.1.1 no such user' "spool/progress/$bad"
  [ "$(stat -c %Y "spool/deferred/$later")" -gt "$(($(date +%s) + 3500))" ]
  : >noted
  queue-run "${settings[@]}" --drain --now
  noted 0
  has_files 4
}

@test "queue-run: tens of thousands that wait stay in the log" {
  start_queue_run --transport-patience 1h
  log_store --count 20000 spool 'a-{n}@d.test' >/dev/null
  wait_for status_is .messages 20000
  has_files 0
  start_sink
  wait_for 60 noted 20000
  noted_once 20000
  has_files 0
}

@test "queue-run: what hinders the oldest segments of the log gets a file, and is delivered once" {
  start_queue_run --transport-patience 1h
  log_store --count 400 --batch 10 --octets 4000 --segment 64k spool 'a-{n}@d.test' >/dev/null
  wait_for eval '[ "$(ls spool/deliver | wc -l)" -ge 200 ]'
  wait_for eval '[ "$(ls spool/log | grep -c "log$")" -le 10 ]'
  start_sink
  wait_for 60 noted 400
  noted_once 400
  wait_for has_files 0
}

@test "queue-run: more than messages_max wait on the disk, and all are delivered" {
  start_sink
  log_store --count 1000 spool 'a-{n}@d.test' >/dev/null
  "$TOP/tests/tools/store-items" --count 300 spool working 'b-{n}@d.test' >/dev/null
  "$TOP/tests/tools/store-items" --count 300 --due -1 spool deferred 'c-{n}@d.test' >/dev/null
  queue-run "${settings[@]}" --drain --messages-max 7
  noted_once 1600
  has_files 0
}

@test "queue-run: a mailing larger than messages_max does not stand before the mail of others, and all of it is delivered" {
  export OUT=$PWD/out
  mkdir out
  start_sink
  # It goes where nothing gets through yet.
  log_store --count 150 --sender 'list+{n}@d.test' spool 'gate-{n}@far.test' >/dev/null
  start queue-run queue-run --spool spool --local-domains d.test --bounce no --local-transport "unix:$PWD/sink.sock" \
    --remote-transport "$BATS_TEST_DIRNAME/data/transport" --remote-concurrency 4 --messages-max 40
  is_parked() { [ "$(ls spool/deliver | wc -l)" -ge 100 ]; }
  wait_for is_parked
  log_store --count 30 --sender 'other-{n}@d.test' spool 'ok-{n}@d.test' >/dev/null
  wait_for noted 30
  # Files are not shut out either.
  "$TOP/tests/tools/store-items" spool working ok-file@d.test >/dev/null
  wait_for noted 31
  : >out/gate
  all_through() { [ "$(find out/gate-* -type f 2>/dev/null | wc -l)" = 150 ]; }
  wait_for all_through
  wait_for has_files 0
  [ "$(wc -l <out/calls)" = 150 ]
}

@test "queue-run: a full disk: what cannot be recorded is not lost, and nothing more is delivered until it can" {
  [ "$(id -u)" = 0 ] || skip 'mounting needs root'
  mkdir small
  mount -t tmpfs -o size=6m tmpfs small || skip 'no tmpfs here'
  make_spool small/spool
  log_store --count 300 --segment 1m small/spool 'a-{n}@d.test' >/dev/null
  dd if=/dev/zero of=small/filler bs=4096 2>/dev/null || true
  start_sink
  settings=(--spool small/spool --local-domains d.test --local-transport "unix:$PWD/sink.sock" --local-concurrency 10)
  start_queue_run
  wait_for grep -q 'results are not recorded, deliveries wait' queue-run.log
  sleep 1.5
  [ "$(wc -l <noted)" -le 20 ]
  rm small/filler
  wait_for noted 300
  noted_once 300
  grep -q 'recording works again' queue-run.log
  stop queue-run
  umount small
}

# ---- requests -----------------------------------------------------------------------------------------------------------

@test "queue-run: requests: status, move and remove of messages in the log, retry of an id, of a domain, of all" {
  settings=(--spool spool --local-domains d.test --local-transport "unix:$PWD/sink.sock" --remote-transport "unix:$PWD/later.sock" --transport-patience 1h)
  start_sink
  held=$(log_store spool x@far.test)
  gone=$(log_store spool y@far.test)
  due=$("$TOP/tests/tools/store-items" --due 3600 spool deferred one@d.test)
  "$TOP/tests/tools/store-items" --due 3600 spool deferred two@d.test >/dev/null
  "$TOP/tests/tools/store-items" --due 3600 spool deferred three@elsewhere.test two@D.Test >/dev/null
  "$TOP/tests/tools/store-items" --due 3600 spool deferred four@elsewhere.test >/dev/null
  start_queue_run
  wait_for status_is .deferred 4
  wait_for status_is .messages 2
  wait_for status_is '.destinations[] | select(.host == "far.test") | .waiting' 2

  [ "$(ask move "$held" quarantine/odd | head -1)" = taken ]
  [ -e "spool/quarantine/odd/$held" ]
  [ "$(ask remove "$gone" | head -1)" = taken ]
  status_is .messages 0
  [ "$(ask move "$held" hold | head -1)" = permanent ]
  [ "$(ask remove "$gone" | head -1)" = permanent ]

  [ "$(ask retry "$due" | head -1)" = taken ]
  wait_for noted 1
  [ "$(ask retry domain D.TEST | tail -1)" = 'reply: 2' ]
  wait_for noted 3
  grep -q ^two@D.Test noted
  [ "$(ask retry all | tail -1)" = 'reply: 1' ]
  wait_for status_is .messages 2
}

@test "queue-run: requests: a message that is being delivered is moved when the attempt has ended" {
  cat >slow <<'END'
#!/bin/sh
: >started; while [ ! -e gate ]; do sleep 0.05; done
shift 2; for r; do case $r in later*) printf 'snot now\0' ;; *) printf 'r\0' ;; esac; done; printf 'K\0'
END
  chmod +x slow
  settings=(--spool spool --remote-transport "$PWD/slow")
  start_queue_run
  id=$(log_store spool a@far.test later@far.test)
  wait_for [ -e started ]
  ask move "$id" hold >answer 3>&- &
  sleep 0.3
  touch gate
  wait_for [ -s answer ]
  [ "$(head -1 answer)" = taken ]
  [ "$(ls spool/hold)" = "$id" ]
  grep -q ' sent 1 ' "spool/progress/$id"
  rm gate started
  id=$(log_store spool a@far.test)
  wait_for [ -e started ]
  ask move "$id" hold >answer 3>&- &
  sleep 0.3
  touch gate
  wait_for grep -q 'nothing was left to deliver' answer
  [ "$(ls spool/hold | wc -l)" = 1 ]
}

@test "queue-run: requests: an unknown one is refused with what is known" {
  start_queue_run
  [[ $(ask dance) == permanent*'expected: back ID, forgive [ADDRESS...], move ID... FOLDER, remove ID..., replace ID, retry ID, retry all, retry domain NAME, status, summary SECONDS,..., uncataloged' ]]
  [[ $(ask move 0H8ZK4TQ2N700A3W05 hold) == permanent*'no message 0H8ZK4TQ2N700A3W05'* ]]
  [[ $(ask move 0H8ZK4TQ2N700A3W05 ../etc) == permanent*'not a folder for messages'* ]]
}
