# A wall clock that is set while queue-run runs: build/tests/queue-run-clock is queue-run with a clock that is wrong by the seconds in
# $WRONG_CLOCK. Here the clock of the files is always right, so it is queue-run's that is set forward, or goes from right to behind.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  PATH="$TOP/build/tests:$PATH"
  export OUT=$PWD/out WRONG_CLOCK=$PWD/wrong
  mkdir out
  set_clock 0
  queue-inject --spool spool --make-spool
  settings=(--spool spool --remote-transport "$BATS_TEST_DIRNAME/data/transport" --destination-failures 1000)
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@"; }
set_clock() { echo "$1" >wrong.new && mv wrong.new wrong; }
calls() { grep -c . out/calls; }
has_calls() { [ "$(calls)" -ge "$1" ]; }
delivered() { [ "$(cat out/"$1"/* 2>/dev/null | grep -c '^END')" = 1 ]; }
day=86400
# It looks at the clock once a minute when nothing happens, else once a second.
is_noticed() {
  store spool working "ok-$RANDOM$RANDOM@new.test" >/dev/null
  sleep 0.5
  grep -q "the clock was set seconds=$1" run.log
}

@test "clock: set forward by more than a lifetime, mail is tried at once and does not fail for that" {
  old=$(store spool working later-1@a.test)
  start run queue-run-clock "${settings[@]}" --retry-min 1h --retry-max 4h
  wait_for has_calls 1
  set_clock $((6 * day))
  wait_for is_noticed '51[78]'
  tried() { [ "$(grep -c later-1 out/calls)" = 2 ]; }
  wait_for tried
  new=$(store spool working later-2@a.test)
  wait_for [ -e "spool/deferred/$new" ]
  [ -e "spool/deferred/$old" ] && [ -e "spool/deferred/$new" ] || { cat run.log; false; }
  ! grep 'notice\|status=failed' run.log || false  # nor is anybody warned
  # By the clock as it is now, and no later than an hour and a tenth.
  at=$(($(stat -c %Y "spool/deferred/$old") - $(date +%s) - 6 * day))
  [ $at -gt 3500 ] && [ $at -le 3960 ]
  # Without knowing that it was set the message is older than its lifetime.
  stop run
  queue-run-clock "${settings[@]}" --drain --now 2>again.log || true
  grep 'status=failed' again.log
}

@test "clock: set back by a day, what waits is tried when its time is over, and not a day later" {
  store spool working once-1@a.test
  start run queue-run-clock "${settings[@]}" --retry-min 3s --retry-max 3s
  wait_for has_calls 1
  set_clock -$day
  wait_for is_noticed '-86'
  wait_for delivered once-1@a.test || { cat run.log; false; }
  # New mail goes on as before, and is put off for as long as always.
  store spool working once-2@a.test
  wait_for delivered once-2@a.test
}

@test "clock: set back before queue-run is started, what waits is tried when its time is over" {
  store spool working once-1@a.test
  queue-run-clock "${settings[@]}" --drain --retry-min 2s
  set_clock -$day
  start run queue-run-clock "${settings[@]}"
  wait_for delivered once-1@a.test || { cat run.log; ls -l spool/deferred; false; }
}

@test "clock: set back, qctl and the catalog know the mail that waits" {
  for i in 1 2 3; do store spool working later-$i@a.test >>ids; done
  start run queue-run-clock "${settings[@]}" --retry-min 1h --retry-max 1h
  wait_for has_calls 3
  set_clock -$day
  wait_for is_noticed '-86'
  three() { [ "$(qctl --spool spool list --json | jq -r .id | sort)" = "$(sort ids)" ]; }
  wait_for three
  [ "$(qctl --spool spool status deferred --json | jq .messages)" = 3 ]
  id=$(head -n 1 ids)
  qctl --spool spool retry "$id"
  is_tried_again() { [ "$(grep -c later out/calls)" = 4 ]; }
  wait_for is_tried_again
  wait_for qctl --spool spool remove "$id" --yes
  [ ! -e "spool/deferred/$id" ]
}
