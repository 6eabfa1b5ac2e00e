# Who waits for whom: mailings beside other mail, throttles of one destination, and one that comes back; with transports that are scripts.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  queue-inject --spool spool --make-spool
  cat >transport <<F
#!/bin/sh
# As tests/data/transport; with a note of when it begins and ends, and only to hosts that are up.
echo "+ \$1 \$(date +%s%3N)" >>"\$OUT/times"
sleep "\$(cat "\$OUT/slow" 2>/dev/null || echo 0)"
[ -e "\$OUT/down" ] && { printf 'Zno connection to %s\000' "\$1"; exit 0; }
"$BATS_TEST_DIRNAME/data/transport" "\$@"
echo "- \$1" >>"\$OUT/times"
F
  chmod +x transport
  settings=(--spool spool --remote-transport "$PWD/transport" --delivery-timeout 10s --retry-min 1h --retry-max 4h --bounce no)
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@" >/dev/null; }
start_queue_run() {
  start queue-run queue-run "${settings[@]}" "$@"
  wait_for grep -q ' started ' queue-run.log
}
has() { [ "$(find "spool/$1" -type f | wc -l)" = "$2" ]; }
delivered() { [ "$(find out -mindepth 2 -type f -path "*@$1/*" | wc -l)" = "$2" ]; }
calls() { [ "$(cat out/calls 2>/dev/null | wc -l)" -ge "$1" ]; }
# most_open HOST: calls to it that were open at once.
most_open() { awk -v host="$1" '$2 == host { open += $1 == "+" ? 1 : -1; if (open > most) most = open } END { print most + 0 }' out/times; }

@test "fairness: a message to hundreds of domains does not stand before one that comes while it is delivered" {
  recipients=()
  for n in $(seq 300); do recipients+=("ok-$n@d$n.test"); done
  store --sender list@bulk.test spool working "${recipients[@]}"
  start_queue_run --remote-concurrency 2
  wait_for calls 20
  store --sender person@here.test spool working ok-person@a.test
  before=$(wc -l <out/calls)
  wait_for delivered a.test 1
  its=$(grep -n ok-person@ out/calls | cut -d: -f1)
  [ "$its" -le $((before + 40)) ] || { echo "call $its, and there were $before when it came"; false; }
}

@test "fairness: what was put off while its destination was dead goes there when that answers, not at its own next time" {
  : >out/down
  store --count 30 spool working 'ok-{n}@a.test'
  store --count 2 spool working 'ok-{n}@b.test'
  start_queue_run --destination-failures 1 --destination-pause 300ms
  wait_for has deferred 32
  rm out/down
  sleep 0.5  # the pause: what comes within it is put off too
  store spool working ok-new@a.test
  wait_for delivered a.test 31 || { tail queue-run.log; false; }
  grep -q 'destination is back destination=a.test deferred=30' queue-run.log
  # Of another one nobody knows that.
  delivered b.test 0
  has deferred 2
}

@test "fairness: retry of a domain takes its mail along at once, also to a destination that is suspended, and leaves the rest" {
  : >out/down
  store --count 5 spool working 'ok-{n}@a.test'
  store --count 5 spool working 'ok-{n}@b.test'
  start_queue_run --destination-failures 1 --destination-pause 1h
  wait_for has deferred 10
  rm out/down
  qctl --spool spool retry --domain a.test
  wait_for delivered a.test 5
  has deferred 5
  delivered b.test 0
}

@test "fairness: messages_per_minute and connections of a [relay] section hold for it and for nobody else" {
  echo 0.2 >out/slow
  printf '[relay "slow.test"]\nmessages_per_minute = 200\n[relay "narrow.test"]\nconnections = 2\n' >vsmtp.ini
  for domain in slow narrow other; do store --count 6 spool working "ok-{n}@$domain.test"; done
  VSMTP_CONFIG=$PWD/vsmtp.ini queue-run "${settings[@]}" --drain --destination-concurrency-start 6 2>drain.log
  for domain in slow narrow other; do delivered $domain.test 6; done
  # Six calls, 300 ms from the begin of each to that of the next; a process may begin late, but the first one not early.
  mapfile -t at < <(awk '$1 == "+" && $2 == "slow.test" { print $3 }' out/times | sort -n)
  [ $((at[5] - at[0])) -ge 1200 ] || { echo "${at[*]}"; false; }
  [ "$(most_open narrow.test)" -le 2 ]
  [ "$(most_open other.test)" -ge 3 ]
}
