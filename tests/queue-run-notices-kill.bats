# queue-run is killed at random moments while it tells senders of failures: each is told of his message once. What is delivered
# twice because a kill cut the record of its delivery is the same notification, with the same id.
# VSMTP_KILLS: how often (25). The numbers grow with it.
load helpers
load queue_run_kill_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  start sink sink_transport --resident "$PWD/sink.sock" --file "$PWD/noted"
  wait_for serves sink.sock
  kills=${VSMTP_KILLS:-25}
  messages=$((kills * 12))
  settings=(--spool spool --retry-min 1h --local-transport "unix:$PWD/sink.sock" --remote-transport "unix:$PWD/sink.sock")
}

# Of each message, the ids of notifications that are there.
stored_notices() { grep -ho '"of":"[0-9A-Z]*"' spool/deferred/* | sort; }
# SENDER ID of each notification that was delivered.
delivered_notices() { sed -n 's/.* delivery id=\([0-9A-Z]*\) status=sent recipient=\(ok-s[0-9]*\)@.*/\2 \1/p' run.log | sort -u; }

@test "queue-run: killed at random moments, with mail in files: each sender is told once" {
  "$TOP/tests/tools/store-items" --sender 'later-{n}@d.test' --count "$messages" spool working 'bad-{n}@e.test' >ids
  kill_again_and_again
  queue-run "${settings[@]}" --drain 2>>run.log
  diff <(sed 's/.*/"of":"&"/' ids | sort) <(stored_notices)
  [ "$(ls spool/deferred | wc -l)" = "$messages" ]  # the notifications, and nothing else
  [ -z "$(find spool/working spool/deliver spool/dead -type f)" ]
}

@test "queue-run: killed at random moments, with mail in the log: each sender is told once" {
  log_store --sender 'later-{n}@d.test' --count "$messages" spool 'bad-{n}@e.test' >ids
  kill_again_and_again
  queue-run "${settings[@]}" --drain 2>>run.log
  diff <(sed 's/.*/"of":"&"/' ids | sort) <(stored_notices)
  [ "$(ls spool/deferred | wc -l)" = "$messages" ]
  [ -z "$(find spool/working spool/deliver spool/dead -type f)" ]
}

@test "queue-run: a notification is recorded as stored when its name is durable, however soon it is delivered" {
  "$TOP/tests/tools/store-items" --sender 'ok-s@d.test' spool working bad@e.test later@f.test
  strace -f -qq -y -s 100 -o trace -e trace=renameat2,fsync,write -e inject=renameat2:delay_exit=300000 queue-run "${settings[@]}" --drain
  local recorded durable
  recorded=$(grep -n 'write(.* noticed \* ' trace | head -n 1 | cut -d: -f1)
  durable=$(grep -n 'fsync(.*/spool/working>' trace | head -n 1 | cut -d: -f1)
  [ "$durable" -lt "$recorded" ]
}

@test "queue-run: a notification that has left is not made again, though its message stays and the record was cut" {
  "$TOP/tests/tools/store-items" --sender 'ok-s{n}@d.test' --count "$messages" spool working 'bad-{n}@e.test' 'later-{n}@f.test' >ids
  log_store --sender 'ok-log{n}@d.test' --count 1 spool 'bad-l{n}@e.test' 'later-l{n}@f.test' >>ids
  kill_again_and_again
  queue-run "${settings[@]}" --drain 2>>run.log
  queue-run "${settings[@]}" --drain --now 2>>run.log
  diff <(sort ids) <(ls spool/deferred)
  # A kill may have cut the line of a delivery, and its sender has been told all the same.
  [ "$(delivered_notices | cut -d' ' -f1 | sort | uniq -d | wc -l)" = 0 ]
  for ((n = 0; n < messages; n++)); do grep -q "^ok-s$n@d.test " noted || { echo "ok-s$n was not told"; return 1; }; done
}
