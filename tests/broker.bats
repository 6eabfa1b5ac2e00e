# A spool on a broker, against a RabbitMQ of its own (broker_helpers.bash).
load helpers
load broker_helpers

setup_file() {
  export BATS_NO_PARALLELIZE_WITHIN_FILE=true  # one broker for all, which some of them stop
  broker_setup_file
}
teardown_file() { broker_teardown_file; }

setup() {
  cd "$BATS_TEST_TMPDIR"
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  printf 's3cret/@:\n' >password
  chmod 600 password
  cat >vsmtp.ini <<END
[queue]
spool = amqp://mail@127.0.0.1:$BROKER_PORT
broker_password_file = $PWD/password
broker_prefix = t$BATS_TEST_NUMBER-$RANDOM
broker_timeout = 10s
broker_settling = 0
remote_transport = $PWD/deliver
retry_min = 1s
retry_max = 1s
END
  # What it is given: a line of delivered for each recipient, with the number in the subject.
  cat >deliver <<'END'
#!/bin/sh
shift 2
number=$(sed -n 's/^Subject: //p;/^.$/q' | tr -d '\r')
for recipient; do
  printf '%s %s\n' "$number" "$recipient" >>"$DELIVERED"
  printf 'r\0'
done
printf 'Kok\0'
END
  chmod +x deliver
  export DELIVERED=$PWD/delivered
  : >delivered
}

message() { printf 'Subject: %s\n\nbody\n' "$1"; }
inject() { message "$1" | queue-inject -f me@a.test "${@:2}"; }
drain() { timeout 60 queue-run --drain "$@" 2>>run.log; }
is_drained() { [ "$(waiting_in working deliver deferred)" = 0 ]; }
# What was taken and is not delivered. Mail in queue-run's hands is not counted by the broker, so a drained one may have some.
missing() { sort taken | comm -23 - <(cut -d' ' -f1 delivered | sort -u); }
has_all() { [ -z "$(missing)" ]; }
has_delivered() { [ "$(sort -u delivered | wc -l)" -ge "$1" ]; }

@test "broker: what queue-inject takes is delivered by queue-run, octet by octet, and then gone" {
  head -c 5000000 /dev/urandom | base64 | sed 's/$/\r/' >body
  printf 'Subject: large\r\n\r\n' | cat - body >large
  printf 'Fme@a.test\0Tyou@b.test\0\0' >envelope
  queue-inject <large 1<envelope
  printf '#!/bin/sh\ncat >%s/came\nprintf "r\\0Kok\\0"\n' "$PWD" >deliver
  drain
  cmp large came
  is_drained
}

@test "broker: many calls of a resident queue-inject share its connection" {
  start inject queue-inject --resident "$PWD/inject.sock"
  wait_for serves inject.sock
  for i in $(seq 40); do
    message "$i" | queue-inject -f me@a.test you@b.test -- "unix:$PWD/inject.sock" &
  done
  wait $(jobs -p | grep -v "^$(pid_of inject)\$")
  [ "$(grep -c 'connected to the broker' inject.log)" = 1 ]
  drain
  [ "$(sort -un delivered | wc -l)" = 40 ]
  # Inside its sandbox, of which only the port of the broker is open.
  [ "$(awk '/^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$(pid_of inject)/status")" = '1 2 ' ]
  ! grep 'sandbox: process' inject.log || false
}

@test "broker: a message for several destinations becomes one for each, a delivery call each" {
  inject 1 a@b.test b@c.test c@b.test
  sed -i 's/printf .%s %s/printf "%s "; &/' deliver
  drain
  [ "$(grep -c ' part ' run.log)" = 2 ]
  grep ' part .*destination=b.test recipients=2' run.log
  [ "$(wc -l <delivered)" = 3 ]
}

@test "broker: what is put off waits for its time on the broker, keeps its history and is tried again" {
  printf '#!/bin/sh\nshift 2\nprintf "s451 4.7.1 later\\0Zno\\0"\n' >deliver
  inject 1 you@b.test
  drain
  [ "$(waiting_in deferred)" = 1 ]
  [ "$(qctl list deferred --json | jq -r .reason)" = '451 4.7.1 later' ]
  is_due() { [ "$(qctl status deferred --json | jq .due)" = 1 ]; }
  wait_for is_due
  drain
  id=$(qctl list deferred --json | jq -r .id)
  [ "$(qctl show "$id" --json | jq '[.history[] | select(.what == "deferred")] | length')" = 2 ]
  qctl remove "$id" --yes
  [ "$(waiting_in deferred)" = 0 ]
}

@test "broker: what fails for good is told to its sender by a message on the broker" {
  cat >deliver <<END
#!/bin/sh
shift
case \$1 in '') cat >$PWD/bounce; printf 'r\0Kok\0';; *) printf 'h550 5.1.1 nobody\0Dno\0';; esac
END
  inject 1 you@b.test
  drain
  grep 'Action: failed' bounce
  grep '550 5.1.1 nobody' bounce
  is_drained
}

@test "broker: of two queue-inject and two queue-run one each is killed while mail flows, and nothing is lost" {
  for n in 1 2; do
    start inject$n queue-inject --resident "$PWD/inject$n.sock"
    start run$n queue-run
  done
  wait_for serves inject1.sock
  wait_for serves inject2.sock
  : >taken
  feed() {
    local i
    for i in $(seq "$2" "$3"); do
      message "$i" | queue-inject -f me@a.test "you@d$((i % 7)).test" -- "unix:$PWD/inject$1.sock" 2>>refused$1 && echo "$i" >>taken
    done
    true
  }
  feed 1 1 80 & first=$!
  feed 2 1001 1080 & second=$!
  wait_for has_delivered 30
  kill -KILL "$(pid_of run1)" "$(pid_of inject1)"
  wait "$first" "$second"
  # All of the second, and what the first had taken when it was killed.
  [ "$(wc -l <taken)" -ge 80 ] || { cat refused2; false; }
  wait_for 60 is_drained
  stop run2
  start run3 queue-run              # what run1 had in hand is with run2; what was open when run2 ended would be here
  wait_for 60 has_all || { missing; false; }
  twice=$(cut -d' ' -f1 delivered | sort | uniq -d | wc -l)
  echo "taken $(wc -l <taken), lost 0, delivered twice $twice" >&3
  [ "$twice" -le 200 ]              # no more than the killed one had in hand (broker_prefetch)
}

@test "broker: it is killed and started again while mail flows: nothing is lost, and meanwhile mail is put off" {
  sed -i '/^broker_settling/d' vsmtp.ini  # the queues are new
  start inject queue-inject --resident "$PWD/inject.sock"
  start run queue-run
  wait_for serves inject.sock
  : >taken
  (for i in $(seq 400); do
    [ -e enough ] && break
    message "$i" | queue-inject -f me@a.test "you@d$((i % 7)).test" -- "unix:$PWD/inject.sock" 2>>refused && echo "$i" >>taken
  done; true) & feeder=$!
  wait_for has_delivered 20
  stop_broker KILL
  wait_for [ -s refused ]
  run -75 queue-inject -f me@a.test you@b.test <password
  touch enough
  wait $feeder
  start_broker
  inject 1000 you@b.test && echo 1000 >>taken
  wait_for 60 has_all || { missing; false; }
  stop run
  echo "taken $(wc -l <taken), delivered twice $(cut -d' ' -f1 delivered | sort | uniq -d | wc -l)" >&3
}

@test "broker: queue-run that is told to end gives back what it has not begun, and finishes what it has" {
  printf '#!/bin/sh\ntouch %s/begun\nwhile [ ! -e %s/go ]; do sleep 0.05; done\nshift 2\necho "x $1" >>"$DELIVERED"\nprintf "r\\0Kok\\0"\n' "$PWD" "$PWD" >deliver
  for i in 1 2 3 4; do inject $i you$i@b.test; done
  start run queue-run --remote-concurrency 1
  wait_for [ -e begun ]
  kill -TERM "$(pid_of run)"
  waits() { [ "$(waiting_in working)" = 3 ]; }
  wait_for waits
  touch go
  stop run 0
  [ "$(wc -l <delivered)" = 1 ]
  [ "$(waiting_in working deliver deferred)" = 3 ]
}

@test "broker: without room on its disk mail is put off, and taken again when there is some" {
  inject 1 you@b.test
  with_broker_environment $RABBITMQ_BIN/rabbitmqctl -q set_disk_free_limit mem_relative 1000
  run -75 inject 2 you@b.test
  [[ $output == *'the broker takes nothing: low on disk'* ]]
  with_broker_environment $RABBITMQ_BIN/rabbitmqctl -q set_disk_free_limit 10MB
  wait_for inject 3 you@b.test
  drain
  cut -d' ' -f1 delivered | grep -qx 1
  cut -d' ' -f1 delivered | grep -qx 3
}

@test "broker: qctl counts, lists, shows, holds, releases, moves and removes" {
  inject 1 you@b.test
  message 2 | queue-inject --queue hold -f me@a.test held@b.test
  message 3 | queue-inject --quarantine virus/x -f me@a.test bad@b.test
  [ "$(qctl status --json | jq -c '[.queue, .messages]' | tr '\n' ' ')" = '["working",1] ["deliver",0] ["deferred",0] ["delegated",0] ["hold",1] ["dead",0] ' ]
  [ "$(qctl list --json | jq -r .queue | tr '\n' ' ')" = 'working hold ' ]
  [ "$(qctl list --recipient 'held@*' --json | jq -r .sender)" = me@a.test ]
  id=$(qctl list hold --json | jq -r .id)
  qctl show "$id" | grep -F '<held@b.test>'
  [ "$(qctl cat "$id" | sed -n 's/^Subject: //p' | tr -d '\r')" = 2 ]
  qctl release "$id"
  qctl hold --recipient you@b.test
  [ "$(qctl list --json | jq -r '.queue + " " + .recipients[0]' | tr '\n' ' ')" = 'working held@b.test hold you@b.test ' ]
  bad=$(qctl list quarantine/virus/x --json | jq -r .id)
  qctl move "$bad" dead --queue quarantine/virus/x
  [ "$(waiting_in dead)" = 1 ]
  qctl remove --all --queue dead --yes
  [ "$(waiting_in dead)" = 0 ]
  run -64 qctl check
  [[ $output == *'is for a spool in a folder'* ]]
}

@test "broker: qctl retry brings back at once what waits for its time" {
  printf '#!/bin/sh\nshift 2\nprintf "s451 4.7.1 later\\0Zno\\0"\n' >deliver
  inject 1 you@b.test
  drain --retry-min 1h --retry-max 1h
  [ "$(qctl status deferred --json | jq -c '[.messages, .due]')" = '[1,0]' ]
  qctl retry --all
  [ "$(qctl status deferred --json | jq -c '[.messages, .due]')" = '[1,1]' ]
}

@test "broker: a message that is none of ours goes into dead, and does not stop the others" {
  queue-inject --make-spool
  prefix=$(sed -n 's/^broker_prefix = //p' vsmtp.ini)
  with_broker_environment $RABBITMQ_BIN/rabbitmqctl -q eval \
    "rabbit_basic:publish(rabbit_misc:r(<<\"/\">>, exchange, <<>>), <<\"$prefix.working\">>, rabbit_basic:properties([]), <<\"nonsense\">>)."
  inject 1 you@b.test
  drain
  grep 'not a message' run.log
  [ "$(wc -l <delivered)" = 1 ]
  dead() { [ "$(waiting_in dead)" = 1 ]; }
  wait_for dead
}

@test "broker: what is wrong with its address, its password or its queues is said, and no password ever" {
  run -78 queue-run --spool amqps://mail:s3cret@127.0.0.1/
  [[ $output == *'amqps is not spoken here'* && $output != *s3cret* ]]
  run -78 queue-inject --spool amqp://mail:s3cret@127.0.0.1:99999/ --make-spool
  [[ $output == *"'99999' is not a port"* && $output != *s3cret* ]]
  echo wrong >password
  run -78 qctl status
  [[ $output == *'ACCESS_REFUSED'* && $output != *wrong* ]]
  run -75 inject 1 you@b.test
  chmod 644 password
  run -78 qctl status
  [[ $output == *'others can read or change this password'* ]]
}

@test "broker: a message that it does not take is refused for good" {
  run -65 inject 1 you@b.test --broker-message-limit 100
  [[ $output == *'552 5.3.4 message of more than 100 octets'* ]]
}

@test "broker: what queue-run can do in a folder only is refused" {
  run -64 queue-run --spool amqp://mail:s3cret@127.0.0.1/ --once 1NH7ZK4TQ2N00A3W05
  [[ $output != *s3cret* ]]
}
