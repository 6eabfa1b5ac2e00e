# The sentences of queue-run(8), with transports that are scripts (tests/data/transport) and messages that were stored as
# files (tests/tools/store-items). queue-run-log.bats has the messages of the log, queue-run-kill.bats the crashes.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out
  make_spool spool
  transport=$BATS_TEST_DIRNAME/data/transport
  settings=(--spool spool --delivery-timeout 5s --retry-min 1h --retry-max 4h --bounce no)
}

make_spool() { mkdir -p "$1"/{working,deliver,deferred,delegated,hold,dead,quarantine,progress,tmp,log,lock}; }
store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@"; }
queue_run() { queue-run "${settings[@]}" --local-transport "$transport" --remote-transport "$transport" "$@"; }
start_queue_run() {
  start queue-run queue-run "${settings[@]}" --local-transport "$transport" --remote-transport "$transport" "$@"
  wait_for grep -q ' started ' queue-run.log
}
# delivered RECIPIENT [COUNT]: so many whole messages are there.
delivered() { [ "$(cat out/"$1"/* 2>/dev/null | grep -c '^END')" = "${2:-1}" ]; }
all_delivered() { [ "$(find out -mindepth 2 -type f | wc -l)" -ge "$1" ]; }
count() { find "spool/$1" -maxdepth 1 -type f | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
is_empty() { has working 0 && has deliver 0 && has deferred 0 && has dead 0 && has progress 0; }
calls() { wc -l <out/calls; }

# ---- results ------------------------------------------------------------------------------------------------------------

@test "queue-run: --drain delivers what is fresh, leaves nothing behind, and ends with 0" {
  store spool working ok@one.test ok-2@two.test
  store spool deliver ok-3@three.test
  queue_run --drain
  delivered ok@one.test
  delivered ok-2@two.test
  delivered ok-3@three.test
  is_empty
}

@test "queue-run: the transport gets HOST SENDER RECIPIENT... and the message as it was stored" {
  id=$(store --sender me@here.test spool working ok@one.test ok-2@ONE.test)
  sed '1,/^{}$/d' "spool/working/$id" >expected
  grep -q '^END' expected
  queue_run --drain
  [ "$(cat out/calls)" = "one.test me@here.test ok@one.test ok-2@ONE.test" ]
  cmp expected out/ok@one.test/*
}

@test "queue-run: local domains go to the local transport, all else to the remote one, a relay host takes that" {
  cat >local <<'END'
#!/bin/sh
echo "local $1 $3" >>"$OUT/calls"; printf 'rok\0Kok\0'
END
  chmod +x local
  store spool working ok@here.test ok@sub.there.test ok@far.test
  queue-run "${settings[@]}" --drain --local-domains here.test --local-domains .there.test --local-transport "$PWD/local" --remote-transport "$transport" --relay-host '[127.0.0.1]:2525'
  [ "$(sort out/calls)" = "[127.0.0.1]:2525 sender@example.net ok@far.test
local here.test ok@here.test
local sub.there.test ok@sub.there.test" ]
}

@test "queue-run: recipients of one message at one destination go in one call, at most recipients_per_call" {
  store spool working ok-{1..7}@one.test
  queue_run --drain --recipients-per-call 3
  [ "$(awk '{ print NF - 2 }' out/calls | sort | tr '\n' ' ')" = "1 3 3 " ]
}

@test "queue-run: each recipient has its own result; what is settled is not tried again" {
  id=$(store spool working ok@a.test bad@a.test once@a.test ok@b.test later@c.test)
  queue_run --drain
  [ "$(cut -d' ' -f2,3 "spool/progress/$id" | sort -k2)" = "sent 1
failed 2
deferred 3
sent 4
deferred 5" ]
  has deferred 1
  : >out/calls
  queue_run --drain --now
  [ "$(sort out/calls)" = "a.test sender@example.net once@a.test
c.test sender@example.net later@c.test" ]
  delivered ok@a.test
  delivered once@a.test
}

@test "queue-run: a message of which a recipient failed for good goes to dead/, with the reasons in progress/" {
  id=$(store spool working ok@a.test bad@a.test)
  run -0 queue_run --drain
  [ -e "spool/dead/$id" ]
  grep -q 'failed 2 a.test bad@a.test 550 5.1.1 no such user$' "spool/progress/$id"
  [[ $output == *"error dead id=$id"* ]]
}

@test "queue-run: logs each result with id, recipient, status, delay, destination and reply" {
  id=$(store spool working ok@a.test bad@a.test later@b.test)
  run -0 queue_run --drain
  [[ $output =~ "info delivery id=$id status=sent recipient=ok@a.test transport=remote destination=a.test delay="[0-9]+\.[0-9]{3}" reply=\"250 2.0.0 delivered\"" ]]
  [[ $output =~ "warning delivery id=$id status=failed recipient=bad@a.test transport=remote destination=a.test delay="[0-9.]+" reply=\"550 5.1.1 no such user\"" ]]
  [[ $output =~ "warning delivery id=$id status=deferred recipient=later@b.test transport=remote destination=b.test delay="[0-9.]+" reply=\"450 4.2.0 not now\"" ]]
}

@test "queue-run: transports that crash, hang, print garbage or exit with a code defer the message, and others go on" {
  store spool working crash@a.test
  store spool working hang@b.test
  store spool working garbage@c.test
  store spool working odd@d.test
  store spool working dead@e.test
  store spool working ok@f.test
  settings+=(--delivery-timeout 1s)
  run -0 queue_run --drain
  delivered ok@f.test
  has deferred 5
  has dead 0
  [[ $output == *"recipient=crash@a.test"*"signal 11"* ]]
  [[ $output == *"recipient=dead@e.test"*"no connection to e.test"* ]]
}

@test "queue-run: a recipient whose transfer method is None is not delivered" {
  store --context '{"envelop":{"rcpt":[{"address":"ok@a.test","transfer_method":"None"},{"address":"ok@b.test","transfer_method":"Deliver"}]}}' spool working ok@a.test ok@b.test
  queue_run --drain
  [ "$(cat out/calls)" = "b.test sender@example.net ok@b.test" ]
  is_empty
}

@test "queue-run: rules say how long a message is tried, how often, and what waits behind other mail" {
  short=$(store --context '{"expire":0}' spool working later@a.test)
  often=$(store --context '{"retry_after":60}' spool working later@b.test)
  plain=$(store spool working later@c.test)
  queue_run --drain
  [ -e "spool/dead/$short" ]
  now=$(date +%s)
  due=$(stat -c %Y "spool/deferred/$often")
  [ "$due" -ge $((now + 30)) ] && [ "$due" -le $((now + 70)) ]
  [ "$(stat -c %Y "spool/deferred/$plain")" -ge $((now + 3000)) ]
  rm out/calls "spool/deferred/$often" "spool/deferred/$plain"
  store --context '{"priority":-1}' spool working ok-bulk@d.test
  store spool working ok-1@e.test ok-2@f.test
  queue_run --drain --remote-concurrency 1
  [ "$(tail -n 1 out/calls)" = "d.test sender@example.net ok-bulk@d.test" ]
}

@test "queue-run: of what waits, a higher priority is delivered first" {
  store spool working gate@here.test
  start_queue_run --remote-concurrency 1 --delivery-timeout 1m
  wait_for test -s out/calls
  local priority
  for priority in 0 -3 10 1 -10 5; do store --context "{\"priority\":$priority}" spool working "ok-$priority@h$priority.test"; done
  store --context '{"priority":5}' spool working ok-again@h5.test
  all_wait() { call --timeout 5s -- "unix:$PWD/spool/queue-run.sock" status </dev/null | sed -n 's/^reply: //p' | jq -e '.calls_waiting == 7'; }
  wait_for all_wait
  touch out/gate
  wait_for is_empty
  [ "$(sed 's/.* //' out/calls | paste -sd' ')" = 'gate@here.test ok-10@h10.test ok-5@h5.test ok-again@h5.test ok-1@h1.test ok-0@h0.test ok--3@h-3.test ok--10@h-10.test' ]
}

@test "queue-run: transports that rules gave win over the routes" {
  printf '#!/bin/sh\necho "local $1 $3" >>"$OUT/calls"; printf "rok\\0Kok\\0"\n' >local
  chmod +x local
  store --context '{"envelop":{"rcpt":[{"address":"ok@a.test","transfer_method":"Maildir"},{"address":"ok@here.test","transfer_method":{"Forward":{"Socket":"[2001:db8::5]:2525"}}},{"address":"ok@b.test","transfer_method":{"Forward":{"Domain":"mx.b.test"}}},{"address":"ok@c.test","transfer_method":"Deliver"},{"address":"ok@d.test","transfer_method":"None"}]}}' \
    spool working ok@a.test ok@here.test ok@b.test ok@c.test ok@d.test
  queue-run "${settings[@]}" --drain --local-domains here.test --local-transport "$PWD/local" --remote-transport "$transport" --relay-host relay.test
  [ "$(sort out/calls)" = "[IPv6:2001:db8::5]:2525 sender@example.net ok@here.test
[mx.b.test] sender@example.net ok@b.test
local a.test ok@a.test
relay.test sender@example.net ok@c.test" ]
  is_empty
}

@test "queue-run: what asks for a transport that is not there waits, and is not sent elsewhere" {
  store --context '{"envelop":{"rcpt":[{"address":"ok@a.test","transfer_method":{"Program":"pigeon"}},{"address":"ok@b.test","transfer_method":{"Forward":{"Url":"smtps://me:secret@mx.b.test"}}},{"address":"ok@c.test","transfer_method":"Deliver"}]}}' \
    spool working ok@a.test ok@b.test ok@c.test
  run -0 queue_run --drain
  [ "$(sort out/calls)" = "c.test sender@example.net ok@c.test
smtps://me@mx.b.test sender@example.net ok@b.test" ]
  has deferred 1
  [[ $output == *"status=deferred recipient=ok@a.test"*"451 4.3.5 no transport is called pigeon"* ]]
  [[ $output != *secret* ]]
}

@test "queue-run: a domain that looks like an option is no HOST" {
  id=$(store spool working ok@a.test ok@--config=evil.ini)
  run -0 queue_run --drain
  [ "$(cat out/calls)" = "a.test sender@example.net ok@a.test" ]
  [ -e "spool/dead/$id" ]
  [[ $output == *"status=failed recipient=ok@--config=evil.ini"*"553 5.1.2 bad domain"* ]]
}

@test "queue-run: a transport that is a program has no more than queue.processes, and another has its own" {
  counting_transport
  store --count 8 spool working 'ok-{n}@here.test'
  store --count 8 spool working 'ok-{n}@far.test'
  queue_run --drain --local-domains here.test --processes 3
  [ "$(most_open here.test)" = 3 ]
  [ "$(most_open far.test)" = 3 ]
}

# ---- retries ------------------------------------------------------------------------------------------------------------

@test "queue-run: the next attempt of a deferred message is its file's modification time, which grows with its age" {
  young=$(store spool working later@a.test)
  old=$(store --age 7200 spool working later@b.test)
  queue_run --drain
  now=$(date +%s)
  wait=$(($(stat -c %Y "spool/deferred/$young") - now))
  [ "$wait" -ge 3590 ] && [ "$wait" -le 3970 ]
  wait=$(($(stat -c %Y "spool/deferred/$old") - now))
  [ "$wait" -ge 7190 ] && [ "$wait" -le 7930 ]
}

@test "queue-run: what is not due is left alone, unless --now" {
  store --due 3600 spool deferred ok@a.test
  store --due -1 spool deferred ok@b.test
  queue_run --drain
  delivered ok@b.test
  has deferred 1
  queue_run --drain --now
  delivered ok@a.test
  is_empty
}

@test "queue-run: retries when the time has come" {
  settings+=(--retry-min 300ms --retry-max 300ms)
  start_queue_run
  store spool working once@a.test
  wait_for delivered once@a.test
  wait_for is_empty
}

@test "queue-run: gives up when the message is older than lifetime, with one last attempt" {
  settings+=(--retry-min 200ms --retry-max 200ms --lifetime 1s)
  start_queue_run
  id=$(store spool working ok@a.test later@a.test)
  wait_for [ -e "spool/dead/$id" ]
  grep -q 'failed 2 a.test later@a.test given up, too long in the queue; last: 450 4.2.0 not now$' "spool/progress/$id"
  delivered ok@a.test
}

@test "queue-run: touch deferred/ID makes it due at once" {
  id=$(store --due 3600 spool deferred ok@a.test)
  start_queue_run
  sleep 0.3
  [ ! -e out/calls ]
  touch "spool/deferred/$id"
  wait_for delivered ok@a.test
  wait_for is_empty
}

@test "queue-run: SIGALRM makes all that is deferred due" {
  store --due 3600 --count 3 spool deferred 'ok-{n}@a.test'
  start_queue_run
  wait_for 20 eval "kill -ALRM $(pid_of queue-run); grep -q 'retry messages=3' queue-run.log || is_empty"
  wait_for is_empty
  [ "$(calls)" = 3 ]
}

# ---- what is noticed ----------------------------------------------------------------------------------------------------

@test "queue-run: new files and files moved by hand are noticed at once" {
  start_queue_run
  id=$(store spool hold ok@a.test)
  mv "spool/hold/$id" spool/working/
  wait_for 5 delivered ok@a.test
  id=$(store spool hold ok@b.test)
  mv "spool/hold/$id" spool/deliver/
  wait_for 5 delivered ok@b.test
  id=$(store --due -1 spool hold ok@c.test)
  mv "spool/hold/$id" spool/deferred/
  wait_for 5 delivered ok@c.test
  wait_for is_empty
}

@test "queue-run: what is moved or removed by hand while it waits is not delivered" {
  store --due 2 spool deferred ok@a.test
  mv spool/deferred/* spool/hold/
  id=$(store --due 2 spool deferred ok@b.test)
  start_queue_run
  rm "spool/deferred/$id"
  id=$(store --due 1 spool deferred ok@c.test)
  wait_for delivered ok@c.test
  sleep 1.5
  [ "$(calls)" = 1 ]
  has hold 1
}

@test "queue-run: moved by hand to hold/ while it is delivered: what is delivered goes, what is deferred stays held" {
  start_queue_run
  first=$(store spool working gate@a.test)
  second=$(store spool working gate@b.test later@b.test)
  wait_for grep -q a.test out/calls
  wait_for grep -q b.test out/calls
  mv "spool/working/$first" "spool/working/$second" spool/hold/
  touch out/gate
  wait_for delivered gate@a.test
  wait_for grep -q deferred "spool/progress/$second"
  wait_for has hold 1
  [ "$(ls spool/hold)" = "$second" ]
  mv "spool/hold/$second" spool/working/
  wait_for has deferred 1
  delivered gate@b.test 1
}

@test "queue-run: foreign and half-written files are reported once, left alone and never delivered" {
  echo hello >spool/working/README
  mkdir spool/deferred/folder
  id=$(store spool hold ok@half.test)
  head -c 300 "spool/hold/$id" >"spool/working/$id"
  rm "spool/hold/$id"
  store spool working ok@a.test
  start_queue_run
  wait_for delivered ok@a.test
  echo again >>spool/working/README
  touch spool/working/README "spool/working/$id"
  store spool working ok@b.test
  wait_for delivered ok@b.test
  [ ! -e out/ok@half.test ]
  [ -e spool/working/README ] && [ -e "spool/working/$id" ] && [ -d spool/deferred/folder ]
  [ "$(grep -c 'foreign file.*README' queue-run.log)" = 1 ]
  [ "$(grep -c "foreign file.*$id" queue-run.log)" = 1 ]
  [ "$(grep -c 'foreign file.*deferred/folder' queue-run.log)" = 1 ]
}

@test "queue-run: a file that somebody has locked is tried again" {
  id=$(store spool working ok@a.test)
  flock "spool/working/$id" sleep 1.5 &
  locker=$!
  sleep 0.2
  start_queue_run
  sleep 0.5
  [ ! -e out/calls ]
  wait "$locker"
  wait_for delivered ok@a.test
}

# ---- limits -------------------------------------------------------------------------------------------------------------

# Most calls that were open at once, in all and to one host, from lines "+ HOST" and "- HOST".
most_open() { awk -v host="$1" 'host == "" || $2 == host { n += $1 == "+" ? 1 : -1; if (n > most) most = n } END { print most + 0 }' out/open; }
counting_transport() {
  cat >counting <<'END'
#!/bin/sh
echo "+ $1" >>"$OUT/open"; sleep 0.2; echo "- $1" >>"$OUT/open"
printf 'r\0K250 ok\0'
END
  chmod +x counting
  transport=$PWD/counting
}

@test "queue-run: no more calls at once than destination_concurrency to one host and remote_concurrency to all" {
  counting_transport
  for host in a b c; do store --count 8 spool working "ok-{n}@$host.test"; done
  queue_run --drain --destination-concurrency 3 --remote-concurrency 7
  [ "$(most_open a.test)" -le 3 ] && [ "$(most_open a.test)" -ge 2 ]
  [ "$(most_open '')" = 7 ]
  is_empty
}

@test "queue-run: local deliveries have their own limit" {
  counting_transport
  store --count 8 spool working 'ok-{n}@here.test'
  store --count 8 spool working 'ok-{n}@far.test'
  queue_run --drain --local-domains here.test --local-concurrency 2 --remote-concurrency 4
  [ "$(most_open here.test)" = 2 ]
  [ "$(most_open far.test)" = 4 ]
}

@test "queue-run: a destination that is dead is suspended: what waits for it is put off without a try, other mail goes on" {
  store --count 20 spool working 'dead-{n}@a.test'
  store spool working ok@b.test
  run -0 queue_run --drain --destination-concurrency 1 --destination-failures 3
  [ "$(grep -c a.test out/calls)" = 3 ]
  has deferred 20
  delivered ok@b.test
  [[ $output == *"not tried, suspended after: no connection to a.test"* ]]
}

@test "queue-run: mail waits for a transport that cannot be called, and is put off when patience ends" {
  store spool working ok@a.test
  start queue-run queue-run "${settings[@]}" --remote-transport "$PWD/not-yet" --transport-patience 20s
  wait_for grep -q 'transport unavailable' queue-run.log
  has working 1
  cp "$transport" not-yet
  wait_for delivered ok@a.test
  stop queue-run
  rm not-yet
  store spool working ok@b.test
  run -75 queue-run "${settings[@]}" --drain --remote-transport "$PWD/not-yet" --transport-patience 200ms
  has deferred 1
  [[ $output == *"mail is left deferred=1 cause="*"not-yet"* ]]
  [[ $output == *"recipient=ok@b.test"*"not tried, suspended after: "*"not-yet"* ]]
}

@test "queue-run: the message of one sender does not wait behind a mailing of another" {
  store --count 60 --sender 'list+{n}@bulk.test' spool working 'ok-{n}@a.test' >/dev/null
  store --count 60 --sender 'list+{n}@bulk.test' spool working 'ok-{n}@d{n}.test' >/dev/null
  sleep 0.01
  store --sender person@here.test spool working ok-person@a.test
  queue_run --drain --remote-concurrency 2 --destination-concurrency-start 1
  is_empty
  [ "$(grep -n ok-person@ out/calls | cut -d: -f1)" -le 100 ]  # files are found in no order, so not all were there before it
  [ "$(wc -l <out/calls)" = 121 ]
}

@test "queue-run: calls to a destination keep their distance, and a new one gets few at once" {
  store --count 4 spool working 'ok-{n}@a.test' >/dev/null
  began=$(date +%s%3N)
  queue_run --drain --destination-rate-delay 300ms
  [ $(($(date +%s%3N) - began)) -ge 900 ]
  is_empty
}

@test "queue-run: metrics are given as OpenMetrics text" {
  store --count 3 --due 3600 --age 7200 spool deferred 'ok-{n}@later.test' >/dev/null
  start_queue_run --metrics "unix:$PWD/metrics.sock" --metrics "file:$PWD/metrics.txt"
  store spool working ok@one.test bad@one.test later@two.test
  wait_for has deferred 4
  ask() { socat -t 5 - "UNIX:metrics.sock" </dev/null >now; }
  counted() { ask && /usr/bin/python3 - "$@" <<'END'
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {}
for family in text_string_to_metric_families(open('now', newline='').read()):
    assert family.documentation, family
    for one in family.samples:
        found[one.name + ''.join(f'{{{k}={v}}}' for k, v in one.labels.items())] = one.value
assert found['vsmtp_queue_deferred_oldest_seconds'] >= 7200, found
for wanted in sys.argv[1:]:
    name, _, value = wanted.rpartition(':')
    assert found[name] == float(value), (wanted, found[name])
END
  }
  wait_for counted 'vsmtp_queue_recipients_total{status=sent}:1' 'vsmtp_queue_recipients_total{status=failed}:1' 'vsmtp_queue_recipients_total{status=deferred}:1' \
    'vsmtp_queue_attempts_total{age=fresh}:1' vsmtp_queue_deferred:4 vsmtp_queue_deferred_due:0 vsmtp_queue_messages_in_hand:0 'vsmtp_queue_calls_total{outcome=answered}:2'
  curl -s --unix-socket metrics.sock http://x/metrics | tail -1 | grep -qx '# EOF'
  grep -q '^vsmtp_queue_deferred ' metrics.txt
  stop queue-run
}

# ---- life ---------------------------------------------------------------------------------------------------------------

@test "queue-run: one a spool; a second says who holds it and exits 75" {
  start_queue_run
  run -75 queue_run --drain
  [[ $output == *"another queue-run serves this spool"*"process $(pid_of queue-run))"* ]]
}

@test "queue-run: a spool that is none is a configuration error, and is not made" {
  run -78 queue-run --spool nowhere --drain
  [ ! -e nowhere ]
}

@test "queue-run: settings that are not sound together are a configuration error" {
  for wrong in '--retry-min 2h --retry-max 1h' '--retry-min 0' '--remote-concurrency 0' '--local-concurrency 0' '--destination-concurrency 0' \
    '--recipients-per-call 0' '--processes 0' '--destination-failures 0' '--messages-max 0'; do
    # shellcheck disable=SC2086 # words
    run -78 queue-run --spool spool --drain $wrong
  done
  run -78 queue-run --spool spool --drain --remote-transport 'one -- two'
  run -64 queue-run --spool spool --drain --remote-concurrency many
  queue-run --spool spool --drain --retry-min 1h --retry-max 1h --remote-concurrency 1 --messages-max 1
}

@test "queue-run: SIGTERM waits for open deliveries and starts no new ones" {
  start_queue_run --remote-concurrency 1
  store spool working gate@a.test
  wait_for grep -q gate@a.test out/calls
  store spool working ok@b.test
  kill "$(pid_of queue-run)"
  sleep 0.3
  touch out/gate
  stop queue-run 0
  delivered gate@a.test
  [ ! -e out/ok@b.test ]
  has working 1
}

@test "queue-run: at stop_timeout open deliveries are given up, and the message stays" {
  store spool working hang@a.test
  start_queue_run --stop-timeout 300ms
  wait_for grep -q hang out/calls
  code=0
  stop queue-run || code=$?
  [ "$code" = 75 ]
  has working 1
}

@test "queue-run: --once attempts the messages that are named and no others" {
  first=$(store --due 3600 spool deferred ok@a.test)
  second=$(store spool working later@b.test)
  store spool working ok@c.test
  run -75 queue_run --once "$first" "$second"
  delivered ok@a.test
  [ ! -e out/ok@c.test ]
  [ -e "spool/deferred/$second" ]
  [[ $output == *"still in the queue id=$second"* ]]
  run -64 queue_run --once nonsense
  run -64 queue_run --once
}

@test "queue-run: new mail is not held up by thousands that are deferred" {
  store --due -1 --count 3000 spool deferred 'later-{n}@old{n}.test' >/dev/null
  start_queue_run --remote-concurrency 4
  wait_for [ -s out/calls ]
  store spool working ok@fresh.test
  wait_for 5 delivered ok@fresh.test
  [ "$(count deferred)" = 3000 ]
}

@test "queue-run: a full disk stops no mail for ever: results are recorded when there is room again" {
  [ "$(id -u)" = 0 ] || skip 'mounting needs root'
  mkdir small
  mount -t tmpfs -o size=1m tmpfs small || skip 'no tmpfs here'
  make_spool small/spool
  store small/spool working ok@a.test later@b.test
  dd if=/dev/zero of=small/filler bs=4096 2>/dev/null || true
  settings=(--spool small/spool)
  start_queue_run
  wait_for delivered ok@a.test
  wait_for grep -q 'not recorded' queue-run.log
  rm small/filler
  wait_for eval '[ "$(ls small/spool/deferred | wc -l)" = 1 ]'
  delivered ok@a.test 1
  grep -q ' sent 1 ' small/spool/progress/*
  stop queue-run
  umount small
}

# ---- requests -----------------------------------------------------------------------------------------------------------

@test "queue-run: the FIFO takes retry, move and remove" {
  a=$(store --due 3600 spool deferred ok@a.test)
  b=$(store --due 3600 spool deferred ok@b.test)
  c=$(store --due 3600 spool deferred ok@c.test)
  start_queue_run
  printf 'retry %s\nmove %s hold\nremove %s\n' "$a" "$b" "$c" >spool/log/trigger
  wait_for delivered ok@a.test
  wait_for [ -e "spool/hold/$b" ]
  wait_for eval "[ ! -e spool/deferred/$c ]"
  [ "$(calls)" = 1 ]
}
