# queue-inject killed with SIGKILL at each of its steps and at random moments under load: what was acknowledged is there and
# whole, nothing is there in part. KILLS=500 for a longer run.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  call=$TOP/build/tests/call
  { printf 'Subject: x\r\n\r\n'; head -c 3000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/'; } >message
  printf 'Fme@x\0Tyou@x\0\0' >envelope
  queue-inject --spool spool --make-spool
}

killed_inject() { strace -f -qq -o trace -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" queue-inject --spool spool <message 1<envelope 3>&-; }
whole() { tail -c "$(stat -c %s message)" "$1" | cmp -s - message && grep -aqx "message $(stat -c %s message)" "$1"; }
logged() { qctl --spool spool list working --json | jq -r .id | sort; }

@test "queue-inject: killed before any step of storing a file, the message is there whole or not at all" {
  kills=0
  for step in openat write fsync renameat2 close; do
    for ((when = 1; when <= 30; when++)); do
      find spool/working spool/tmp -type f -delete
      run killed_inject "$step" "$when"
      echo "$step $when: $status"
      if [ "$status" = 0 ]; then break; fi
      kills=$((kills + 1))
      for file in spool/working/*; do
        [ ! -e "$file" ] || whole "$file"
      done
    done
    [ "$status" = 0 ]
    whole spool/working/*
  done
  echo "$kills kills"
  [ "$kills" -ge 10 ]
}

@test "queue-inject: one-shot, killed at random moments under load, all that exited 0 are there" {
  inject_many() {
    for _ in {1..6}; do
      queue-inject --spool spool <message 1<envelope 6>reply.$1 3>&- && cat reply.$1 >>taken.$1 && echo >>taken.$1
    done
  }
  for round in $(seq "${KILLS:-20}"); do
    inject_many a 2>/dev/null &
    first=$!
    inject_many b 2>/dev/null &
    second=$!
    sleep "0.0$((RANDOM % 60 + 10))"
    for parent in $first $second; do
      child=$(pgrep -P "$parent" queue-inject) && kill -KILL "$child" 2>/dev/null
    done || true
    wait "$first" "$second" || true
  done
  sed 's/.*queued as //' taken.* | sort >taken
  [ "$(wc -l <taken)" -ge "${KILLS:-20}" ]
  ls spool/working | sort >stored
  [ -z "$(comm -23 taken stored)" ]
  for file in spool/working/*; do whole "$file"; done
}

@test "queue-inject: resident, killed at random moments under load, all that was acknowledged is in the log, whole" {
  : >taken
  for round in $(seq "${KILLS:-40}"); do
    start resident queue-inject --spool spool --resident "$PWD/queue.sock" --segment-size 1m
    wait_for serves queue.sock
    "$call" --repeat 400 --at-once 8 --from me@x --to you@x -- "unix:$PWD/queue.sock" <message >answers &
    caller=$!
    sleep "0.0$((RANDOM % 90 + 10))"
    kill -KILL "$(pid_of resident)"
    wait "$(pid_of resident)" 2>/dev/null || true
    rm resident.pid
    wait "$caller" || true
    sed -n 's/^reply: .*queued as //p' answers >>taken
    # As queue-run gives segments back; nothing that was acknowledged may be lost by that.
    [ "$(ls spool/log/*.log | wc -l)" -le 200 ]
  done
  sort -o taken taken
  echo "# acknowledged: $(wc -l <taken)"
  [ "$(wc -l <taken)" -ge "${KILLS:-40}" ]
  logged >stored
  [ -z "$(comm -23 taken stored)" ]
  # Whole: the checksum of each was right, and so are the octets of some.
  shuf -n 50 stored >some
  xargs qctl --spool spool cat <some >octets
  for _ in $(cat some); do cat message; done | cmp - octets
}
