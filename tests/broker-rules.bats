# Rules behind a queue that is on a broker: what queue-run-rules.bats asks of a spool in a folder, against a RabbitMQ of its own
# (broker_helpers.bash), with two queue-run that share its queues.
load helpers
load broker_helpers

setup_file() { broker_setup_file; }
teardown_file() { broker_teardown_file; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export VSMTP_CONFIG=$PWD/vsmtp.ini OUT=$PWD/out TMPDIR=$PWD
  printf 's3cret/@:\n' >password
  chmod 600 password
  mkdir out
  cat >vsmtp.ini <<END
[queue]
spool = amqp://mail@127.0.0.1:$BROKER_PORT
broker_password_file = $PWD/password
broker_prefix = r$BATS_TEST_NUMBER-$RANDOM
broker_timeout = 10s
broker_settling = 0
remote_transport = $BATS_TEST_DIRNAME/data/transport
retry_min = 1s
retry_max = 1s
bounce = no
END
}

# inject SENDER RECIPIENT...
inject() { printf 'Subject: x\n\nbody\nEND\n' | queue-inject -v -f "$@" 2>&1 | sed -n 's/.*queued as //p'; }
drain() { timeout 60 queue-run --drain "$@" 2>>run.log || { cat run.log; false; }; }
is_drained() { [ "$(waiting_in working deliver deferred)" = 0 ]; }
lies_in() { [ "$(waiting_in "$1")" = "${2:-1}" ]; }
delivered() { [ "$(cat "out/$1"/* 2>/dev/null | grep -c '^END')" = "${2:-1}" ]; }
filter() {
  { echo '#!/bin/sh'; cat; } >"$1"
  chmod +x "$1"
}
# rules: resident vsl-filter with the rules on standard input.
rules() {
  cat >main.vsl
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
  echo "rules = unix:$PWD/rules.sock" >>vsmtp.ini
}
mark_and_sort() {
  rules <<'V'
#{
    postq: [
        action "mark" || prepend_header("X-Postq", "1"),
        rule "by sender" || switch mail_from().local_part {
            "denied" => deny("554 5.6.0 not this"),
            "odd" => quarantine("odd/ones"),
            "kept" => { queue::hold("to be looked at"); accept() }
            "fast" => faccept(),
            "late" => queue::defer("450 4.3.2 soon", 2),
            _ => next(),
        },
    ],
    delivery: [ action "mark" || prepend_header("X-Delivery", "1") ],
}
V
}

@test "broker and rules: they see a message before it is divided, once; each part has what they made of it" {
  filter look <<'F'
stage=$(sed -n 's/.*"stage":"\([a-z]*\)".*/\1/p' /dev/fd/3)
echo "$stage" >>"$OUT/stages"
shift
if [ "$stage" = postq ] && [ -n "$CHANGES" ]; then
  { printf 'X-New: 1\r\n'; cat; } >new
  exec "$@" <new
fi
exec "$@"
F
  for changes in '' yes; do
    export CHANGES=$changes
    rm -rf out && mkdir out
    inject me@x.test ok-1@a.test ok-2@b.test ok-3@b.test
    drain --rules "$PWD/look"
    [ "$(cat out/stages)" = "postq
delivery" ] || { cat out/stages run.log; false; }
    for one in ok-1@a.test ok-2@b.test ok-3@b.test; do
      delivered $one
      [ "$(grep -c '^X-New: 1' out/$one/*)" = $([ -n "$changes" ] && echo 1 || echo 0) ]
    done
    [ "$(wc -l <out/calls)" = 2 ]
    is_drained
  done
  # Its socket is gone with it.
  [ -z "$(find . -name 'queue-run.*' -type d)" ]
}

@test "broker and rules: quarantined, held, refused and put off go to their queues, and go on from there where they stood" {
  mark_and_sort
  for who in denied odd kept fast late other; do declare "$who=$(inject "$who@x.test" "ok-$who@a.test" "ok-$who@b.test")"; done
  drain
  lies_in dead && lies_in quarantine/odd/ones && lies_in hold && lies_in deferred
  qctl show "$denied" | grep 'denied: 554 5.6.0 not this'
  qctl show "$kept" | grep 'held: to be looked at'
  for host in a b; do
    delivered ok-other@$host.test && delivered ok-fast@$host.test
    [ "$(grep -c '^X-\(Postq\|Delivery\)' out/ok-other@$host.test/*)" = 2 ]
    ! grep -q '^X-Delivery' out/ok-fast@$host.test/* || false
    [ ! -e out/ok-odd@$host.test ] && [ ! -e out/ok-kept@$host.test ] && [ ! -e out/ok-denied@$host.test ]
  done
  qctl release "$kept"
  qctl release "$odd" --queue quarantine/odd/ones
  late_is_due() { [ "$(qctl status deferred --json | jq .due)" = 1 ]; }
  wait_for late_is_due
  drain
  for host in a b; do
    for who in odd kept late; do
      delivered ok-$who@$host.test || { cat run.log; false; }
      [ "$(grep -c '^X-Postq' out/ok-$who@$host.test/*)" = 1 ]
    done
    [ "$(grep -c '^X-Delivery' out/ok-odd@$host.test/*)" = 1 ]
  done
  is_drained && lies_in hold 0 && lies_in quarantine/odd/ones 0
}

@test "broker and rules: a rule that fails puts the message off with the reason, and it goes on when they are mended" {
  rules <<'V'
#{ delivery: [ rule "broken" || if 1 / (rcpt_list().len - 2) == 0 { accept() } else { next() } ] }
V
  id=$(inject me@x.test ok@a.test ok@b.test)
  drain --retry-min 1h --retry-max 1h
  lies_in deferred
  qctl show "$id" | grep "rules failed delivery: 451 4.3.0 stage 'delivery' skipped => rule engine failed in 'broken': .*main.vsl:1:"
  qctl list deferred --json | jq -r .reason | grep "rule engine failed in 'broken'"
  echo '#{ delivery: [ action "mark" || prepend_header("X-A", "1") ] }' >main.vsl
  kill -HUP "$(pid_of rules)"
  wait_for grep -q 'rules loaded' rules.log
  qctl retry "$id"
  drain
  grep -q '^X-A' out/ok@a.test/* && grep -q '^X-A' out/ok@b.test/*
  is_drained
}

@test "broker and rules: what they make too large for the broker, and what they delegate, is put off with the reason" {
  echo 'broker_message_limit = 20k' >>vsmtp.ini
  rules <<'V'
service av smtp = #{ delegator: #{ address: "127.0.0.1:9" }, receiver: "127.0.0.1:10" };
#{ postq: [
     action "grow" || if mail_from().local_part == "large" { let line = "x"; line.pad(900, 'x'); for i in 0..30 { append_header("X-Much", line) } },
     rule "far" || if mail_from().local_part == "long" { let name = "q"; name.pad(64, 'q'); quarantine(name + "/" + name + "/" + name + "/" + name) } else { next() },
     rule "enough" || if mail_from().local_part == "large" { accept() } else { next() },
     delegate av "scan" || next() ] }
V
  large=$(inject large@x.test ok@a.test)
  filtered=$(inject filtered@x.test ok@a.test)
  long=$(inject long@x.test ok@a.test)
  drain --retry-min 1h --retry-max 1h
  lies_in deferred 3
  qctl show "$long" | grep 'rules failed postq: they put it into quarantine/qq*.*, which is too long for the name of a queue' || { qctl show "$long"; cat run.log rules.log; false; }
  qctl show "$large" | grep 'rules failed postq: they have made a message of [0-9]* octets of it; the broker takes 20480' || { qctl show "$large"; cat run.log; false; }
  qctl show "$filtered" | grep 'rules failed postq: .*no message can be delegated'
  [ ! -e out/ok@a.test ]
}

@test "broker and rules: before the queue, what they delegate is refused for now" {
  printf 'Fme@x.test\0Tyou@y.test\0\0' >envelope
  printf 'Subject: x\r\n\r\n' >message
  echo '{"stage":"preq","queue":"delegated","delegation":{"state":"waiting","stage":"preq","directive":"scan","service":"av","protocol":"smtp","address":"127.0.0.1:9","receiver":"127.0.0.1:10"}}' >context
  run -82 bash -c 'queue-inject <message 1<envelope 3<context 6>reply'
  [[ $output == *'delegate it to 127.0.0.1:9, and of a spool on a broker no message can be delegated'* ]]
  [[ $(tr '\0' '\n' <reply) == Z451\ 4.3.5* ]]
}

@test "broker and rules: queue-run is killed while they run, and again: nothing is lost, nothing goes past them" {
  mark_and_sort
  inject me@x.test ok@warm.test >/dev/null
  drain
  start inject queue-inject --resident "$PWD/inject.sock"
  wait_for serves inject.sock
  for i in $(seq 60); do
    who=me
    [ $((i % 4)) = 0 ] && who=odd
    printf 'Subject: x\n\nbody\nEND\n' | queue-inject -f $who@x.test "ok-$i@a.test" "ok-$i@b.test" -- "unix:$PWD/inject.sock" >/dev/null
  done
  for n in 1 2 3 4; do
    start run$n queue-run
    sleep "0.$((RANDOM % 50 + 20))"
    kill -KILL "$(pid_of run$n)"
  done
  start run queue-run
  wait_for 60 is_drained
  # What is in its hands the broker does not count.
  all_are_there() { [ "$(find out -mindepth 1 -maxdepth 1 -type d -name 'ok-*' | wc -l)" = 90 ]; }
  wait_for all_are_there || { cat run.log; find out -type d | sort; false; }
  stop run
  [ "$(waiting_in quarantine/odd/ones)" -ge 15 ]
  for i in $(seq 4 4 60); do [ ! -e "out/ok-$i@a.test" ]; done
  for file in out/ok-*/*; do
    [ "$(grep -c '^X-Postq' "$file")" = 1 ] && [ "$(grep -c '^X-Delivery' "$file")" = 1 ] || { echo "$file"; cat "$file"; false; }
  done
  echo "twice $(($(ls -d out/ok-*/* | wc -l) - 91))" >&3
}

@test "broker and rules: queue-inject --replace by hand is refused" {
  printf 'Fme@x.test\0Tyou@y.test\0\0' >envelope
  run -55 bash -c 'queue-inject --replace 1NH7ZK4TQ2N00A3W05 <password 1<envelope 3</dev/null'
  [[ $output == *'which adds --through'* ]]
  run -55 bash -c 'queue-inject --through x.sock <password 1<envelope 3</dev/null'
}
