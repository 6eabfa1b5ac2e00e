#!/usr/bin/env bats
# Bulk changes of qctl: thousands of messages at once, beside a queue-run and without one.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export spool=$PWD/spool
}

qctl() { command qctl --spool "$spool" "$@"; }
fill() { "$TOP/build/tests/fill_spool" --octets 100 --domains 10 "$@" "$spool"; }
ask() { "$TOP/build/tests/call" --timeout 5s -- "unix:$spool/queue-run.sock" "$@" </dev/null | sed -n 's/^reply: //p'; }
count() { find "$spool/$1" -type f | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
knows() { [ "$(ask status | jq .deferred)" = "$1" ]; }
is_cataloged() { [ -z "$(ask uncataloged)" ]; }

# start_queue_run [OPTION...]: its transport puts everything off.
start_queue_run() {
  printf '%s\n' '#!/bin/bash' '[ ! -e slow ] || { : >begun; until [ -e go ]; do sleep 0.05; done; }' \
    'for recipient in "${@:3}"; do printf "s451 4.7.1 come back\0"; done; printf "Z\0"' >transport
  chmod +x transport
  start queue-run queue-run --spool "$spool" --remote-transport "$PWD/transport" --retry-min 1h "$@"
  wait_for serves "$spool/queue-run.sock"
}

@test "qctl: thousands are held, released and removed at once, without a queue-run" {
  fill --count 5000
  run -0 --separate-stderr qctl hold --all
  [ "$stderr" = "qctl: holding 5000 messages: deferred 5000
qctl: held 5000 of 5000 messages" ]
  [ "${#lines[@]}" = 5000 ]
  has deferred 0 && has hold 5000 && has progress 5000
  local id=${lines[4999]%% *}
  [[ $(qctl why "$id") == *"- moved from deferred to hold with qctl by uid "*"it waits for qctl release"* ]]
  [ "$(wc -l <"$spool/bulk.notes")" = 3 ]
  run -0 qctl move --queue hold --sender 'sender7@*' quarantine/flood
  has hold 4950 && has quarantine/flood 50
  run -0 qctl release --all
  has hold 0 && has working 4950
  run -0 qctl remove --all --yes
  has working 0 && has quarantine 0 && has progress 0
}

@test "qctl: what is busy or gone in a bulk change is told, the others are changed" {
  fill --count 600
  local busy
  busy=$(ls "$spool/deferred" | sed -n 300p)
  exec 8<"$spool/deferred/$busy"
  flock 8
  run -75 --separate-stderr qctl hold --all
  [[ $stderr == *"$busy is being delivered right now; try again later"*"held 599 of 600 messages; 1 failed"* ]]
  has hold 599 && has deferred 1
  run -75 qctl remove --all --yes
  has hold 0 && has deferred 1 && has progress 1
}

# killed_soon SECONDS COMMAND...
killed_soon() {
  "${@:2}" >out 2>&1 &
  sleep "$1"
  kill -KILL $! 2>/dev/null || true
  wait $! || true
}

@test "qctl: a bulk change that is killed leaves each message in one queue, with its record" {
  fill --count 5000
  local try moved=0
  # What 5,000 take depends on the machine: the pauses grow until one ends in the middle, and begin anew behind the end.
  local pause=10
  for try in {1..60}; do
    killed_soon "$(printf '0.%03d' "$pause")" command qctl --spool "$spool" hold --queue deferred --all
    [ $(($(count hold) + $(count deferred))) = 5000 ]
    [ -z "$( (ls "$spool/hold"; ls "$spool/deferred") | sort | uniq -d)" ]
    has progress 5000
    if (($(count hold) == 0)); then
      pause=$((pause + 5))
    elif (($(count deferred) == 0)); then
      pause=$((pause > 15 ? pause - 13 : 2))
    else
      moved=$((moved + 1))
    fi
    run -0 qctl move --queue hold --all deferred
    ((moved < 3)) || break
  done
  ((moved))
  run -0 qctl check
  killed_soon 0.05 command qctl --spool "$spool" remove --all --yes
  run qctl repair --yes
  [ "$(count progress)" = "$(count deferred)" ]
}

@test "qctl: a message that could not be looked at when all are changed is told as failed" {
  fill --count 3
  run -0 qctl move --queue deferred --all working
  local looked
  strace -f -qq -o calls -e trace=newfstatat qctl --spool "$spool" hold --all --dry-run
  looked=$(grep -n 'AT_SYMLINK_NOFOLLOW' calls | sed -n '2s/:.*//p')
  run -75 --separate-stderr strace -f -qq -o calls -e trace=newfstatat -e "inject=newfstatat:error=EIO:when=$looked" qctl --spool "$spool" hold --all
  [[ $stderr == *"Input/output error"*"held 2 of 2 messages"* ]]
  has hold 2 && has working 1
}

@test "qctl: a queue-run beside it follows bulk changes at once" {
  fill --count 5000 --catalog
  start_queue_run
  wait_for knows 5000
  wait_for is_cataloged
  run -0 --separate-stderr qctl hold --domain d0.invalid
  [[ $stderr == *"held 500 of 500 messages"* ]]
  wait_for knows 4500
  run -0 --separate-stderr qctl remove --domain d3.invalid --yes
  [[ $stderr == *"removed 500 of 500 messages"* ]]
  wait_for knows 4000
  [ "$(qctl list deferred | wc -l)" = 4000 ]
  ! grep -q 'too many changes' queue-run.log
}

@test "queue-run: after more changes than the kernel tells of it knows what came and what has gone" {
  local events
  events=$(cat /proc/sys/fs/inotify/max_queued_events)
  ((events <= 65536)) || skip "the kernel keeps $events events: that many take too long here"
  fill --count 100
  start_queue_run
  wait_for knows 100
  mkdir away
  find "$spool/deferred" -type f | head -n 50 >known
  kill -STOP "$(pid_of queue-run)"
  fill --count $((events / 2 + 100))  # a file that is written is two events
  xargs mv -t away <known
  kill -CONT "$(pid_of queue-run)"
  wait_for knows $((events / 2 + 150))
  [ "$(grep -c 'too many changes at once' queue-run.log)" -ge 1 ]
  wait_for is_cataloged
  [ "$(qctl list deferred | wc -l)" = $((events / 2 + 150)) ]
}

@test "qctl retry: a selection is tried by a queue-run, whatever it thought of its destinations" {
  fill --count 200 --age 3600
  printf '#!/bin/bash\nprintf "Zno connection to %%s\\0" "$1"\n' >transport
  chmod +x transport
  start queue-run queue-run --spool "$spool" --remote-transport "$PWD/transport" --retry-min 1h --destination-failures 1 --destination-pause 1h
  wait_for serves "$spool/queue-run.sock"
  wait_for knows 200
  run -0 qctl retry --sender 'sender3@*'
  tried() { [ "$(ask status | jq "[.put_off, .deferred] == [$1, 200]")" = true ]; }
  wait_for tried 2
  suspended() { [ "$(ask status | jq -r '.destinations[] | select(.suspended_seconds > 0) | .host')" = d3.invalid ]; }
  wait_for suspended
  printf '#!/bin/bash\nprintf "r250 2.0.0 taken\\0K\\0"\n' >transport
  run -0 qctl retry --sender 'sender3@*'
  sent() { [ "$(ask status | jq "[.sent, .deferred] == [$1, 198]")" = true ]; }
  wait_for sent 2
}

# fill_log: 40 messages in the log of a queue-run, which is delivering two of them.
fill_log() {
  queue-inject --spool "$spool" --make-spool
  start inject queue-inject --spool "$spool" --resident "$PWD/inject.sock"
  wait_for serves inject.sock
  touch slow
  start_queue_run --destination-concurrency-start 2 --destination-concurrency 2
  local i
  for i in {1..40}; do printf 'Subject: %s\n\nThis one.\n' "$i"  | queue-inject -f me@here.example "a@one.example" -- "unix:$PWD/inject.sock"; done
  wait_for test -e begun
  in_hand() { [ "$(ask status | jq .messages)" = 40 ]; }
  wait_for in_hand
}

@test "qctl: many messages of the log are held and removed by a queue-run at once" {
  fill_log
  run -75 --separate-stderr qctl hold --all
  [[ $stderr == *"is being delivered right now; queue-run was asked and will do it if the attempt fails"*"held 38 of 40 messages; 2 failed"* ]]
  has hold 38
  : >go
  wait_for has hold 40
  [ "$(cat "$spool"/progress/* | grep -c 'moved from working to hold')" = 38 ]
  has deferred 0
}

@test "qctl: messages of the log that are removed together share a sync" {
  fill_log
  strace -f -qq -e trace=fsync,fdatasync,syncfs -o syncs -p "$(pid_of queue-run)" &
  wait_for grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$(pid_of queue-run)/status"
  run -75 --separate-stderr qctl remove --all --yes
  [[ $stderr == *"removed 38 of 40 messages"* ]]
  local syncs
  syncs=$(grep -c sync syncs)
  ((syncs >= 1 && syncs <= 10))
  : >go
}

@test "qctl quarantine: thousands are forwarded, released, expired and deleted" {
  fill --count 2000
  qctl move --all quarantine/virus >out
  run -0 --separate-stderr qctl quarantine forward abuse@here.example --queue quarantine/virus --sender 'sender1@*'
  [[ $stderr == "qctl: forwarded 20 of 20 messages" && ${#lines[@]} = 20 ]]
  has deliver 20 && has quarantine/virus 2000 && has tmp 0
  [ "$(grep -l 'forwarded to abuse@here.example as\|copy .* forwarded to abuse@here.example with qctl' "$spool"/progress/* | wc -l)" = 20 ]
  run -0 --separate-stderr qctl quarantine release --queue quarantine/virus --domain d0.invalid
  [[ $stderr == *"released 200 of 200 messages" ]]
  has working 200
  run -0 --separate-stderr qctl quarantine expire virus --older 2d
  [[ $stderr == *"deleted "*" of "*" messages" ]]
  local left
  left=$(count quarantine/virus)
  ((left > 500 && left < 1300))
  run -0 qctl quarantine delete --all --yes
  has quarantine 0
  has progress 200
}

@test "qctl: what only waits in the hands of queue-run is changed as well, and what is under way is told" {
  fill --count 40 --domains 1 --due 0
  touch slow
  start_queue_run --destination-concurrency 1 --destination-concurrency-start 1
  wait_for test -e begun
  under_way() { [ "$(ask status | jq '.calls_open == 1 and .calls_waiting >= 9')" = true ]; }
  wait_for under_way
  run -75 --separate-stderr qctl hold --all
  [[ $stderr == *"is being delivered right now; queue-run was asked and will do it if the attempt fails"*"held 39 of 40 messages; 1 failed"* ]]
  has hold 39
  touch go
  wait_for has hold 40
}
