# queue-run is killed at random moments while it delivers from the log and from files: nothing is lost, nothing is delivered
# in part, and a message comes twice only when it was being delivered at the moment of a kill.
# VSMTP_KILLS: how often (40). The numbers grow with it.
load helpers
load queue_run_kill_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  mkdir -p spool/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}
  : >noted
  start sink sink_transport --resident "$PWD/sink.sock" --file "$PWD/noted"
  wait_for serves sink.sock
  kills=${VSMTP_KILLS:-40}
  at_once=5
  settings=(--spool spool --local-domains d.test --retry-min 1h --bounce no --local-transport "unix:$PWD/sink.sock"
    --remote-transport "unix:$PWD/sink.sock" --local-concurrency $at_once --remote-concurrency $at_once)
}

# check EXPECTED: a file with "RECIPIENT" lines that must all be in `noted`, whole, with few copies.
check() {
  ! grep -v ' whole$' noted
  sort -u "$1" >expected
  cut -d' ' -f1 noted | sort -u >got
  diff expected got
  local copies=$(($(wc -l <noted) - $(wc -l <got)))
  echo "# $(wc -l <got) recipients, $kills kills, $copies copies" >&3
  [ "$copies" -le $((kills * 2 * at_once)) ]
}

@test "queue-run: killed at random moments with mail in the log: each message once, or twice if a kill cut its record" {
  messages=$((kills * 100))
  { log_store --count $messages --batch 20 spool 'ok-a{n}@d.test' 'ok-b{n}@e.test' 'later-{n}@f.test' >ids 2>store.log; echo $? >stored; } 3>&- &
  kill_again_and_again
  wait_for [ -e stored ]
  [ "$(cat stored)" = 0 ]
  queue-run "${settings[@]}" --drain 2>>run.log
  for ((n = 0; n < messages; n++)); do printf 'ok-a%d@d.test\nok-b%d@e.test\n' $n $n; done >wanted
  check wanted
  # What is deferred has a file, one each, which says who has the message already.
  diff <(sort ids) <(ls spool/deferred)
  [ "$(ls spool/working spool/deliver | wc -w)" = 0 ] || [ -z "$(find spool/working spool/deliver -type f)" ]
  : >noted
  queue-run "${settings[@]}" --drain --now 2>>run.log
  [ ! -s noted ]
}

@test "queue-run: killed at random moments with mail in files: each message once, or twice if a kill cut its record" {
  messages=$((kills * 30))
  "$TOP/tests/tools/store-items" --count $messages spool working 'ok-a{n}@d.test' 'ok-b{n}@e.test' >ids
  "$TOP/tests/tools/store-items" --count $kills spool working 'ok-c{n}@d.test' 'bad-{n}@e.test' >bad
  kill_again_and_again
  queue-run "${settings[@]}" --drain 2>>run.log
  {
    for ((n = 0; n < messages; n++)); do printf 'ok-a%d@d.test\nok-b%d@e.test\n' $n $n; done
    for ((n = 0; n < kills; n++)); do printf 'ok-c%d@d.test\n' $n; done
  } >wanted
  check wanted
  diff <(sort bad) <(ls spool/dead)
  diff <(sort bad) <(ls spool/progress)
  [ -z "$(find spool/working spool/deliver spool/deferred spool/tmp -type f)" ]
}
