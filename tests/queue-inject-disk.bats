# queue-inject on disks that are full, fail, or are read-only: a temporary refusal with the right exit code, and never a
# message in part. Some need root, for a small file system of their own.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  printf 'Subject: x\r\n\r\nhello\r\n' >message
  printf 'Fme@x\0Tyou@x\0\0' >envelope
  call=$TOP/build/tests/call
}
teardown() {
  stop_all
  if mountpoint -q "$BATS_TEST_TMPDIR/small"; then umount -l "$BATS_TEST_TMPDIR/small"; fi
}

# small_disk MOUNT-OPTIONS: a file system in small/, with a spool.
small_disk() {
  [ "$(id -u)" = 0 ] || skip 'needs root, to mount a small file system'
  mkdir small
  mount -t tmpfs -o "$1" tmpfs small 2>/dev/null || skip 'cannot mount here'
  queue-inject --spool small/spool --make-spool
}
make_spool() { queue-inject --spool spool --make-spool; }
inject() { queue-inject --spool "$1" <"${2:-message}" 1<envelope 3>&-; }
# With a system call of it tampered with, as strace's -e inject= says.
tampered_inject() { strace -f -qq -o trace -e "inject=$1" queue-inject --spool spool <message 1<envelope 3>&-; }
has_none() { [ -z "$(find "$1"/working "$1"/tmp -type f)" ]; }
whole() { tail -c "$(stat -c %s message)" "$1" | cmp -s - message; }

start_resident() { # SPOOL OPTION...
  local spool=$1
  shift
  start resident "${prefix[@]}" queue-inject --spool "$spool" --resident "$PWD/queue.sock" "$@"
  wait_for serves queue.sock
}
call() { "$call" "$@" --from me@x --to you@x -- "unix:$PWD/queue.sock" <"${message:-message}"; }
logged() { qctl --spool "$1" list working --json | jq -r 'select(.in_log) | .id'; }

@test "queue-inject: a full disk exits 53, leaves nothing, and the next message that fits is taken" {
  small_disk size=1m
  head -c 2000000 /dev/zero | tr '\0' 'x' >large
  run -53 inject small/spool large
  [[ $output == *'No space left on device'* ]]
  has_none small/spool
  inject small/spool
  head -c 2000000 /dev/zero >small/filler || true
  run -53 inject small/spool
  rm small/filler
  inject small/spool
  [ "$(find small/spool/working -type f | wc -l)" = 2 ]
}

@test "queue-inject: a full inode table exits 53" {
  small_disk nr_inodes=20
  while : >"small/$((++n))"; do :; done 2>/dev/null
  run -53 inject small/spool
  [[ $output == *'No space left on device'* ]]
  rm small/1
  inject small/spool
}

@test "queue-inject: a read-only file system exits 53" {
  small_disk size=1m
  mount -o remount,ro small
  run -53 inject small/spool
  mount -o remount,rw small
  has_none small/spool
  inject small/spool
}

@test "queue-inject: whatever write, sync or rename fails, the exit code says so and no message is there" {
  make_spool
  for tamper in write fsync renameat2; do
    for error in EIO ENOSPC EROFS; do
      for ((when = 1; when <= 4; when++)); do
        rm -f spool/working/*
        run tampered_inject "$tamper:error=$error:when=$when"
        echo "$tamper $error $when: exit $status"
        if [ "$status" = 0 ]; then
          [ "$(find spool/working -type f | wc -l)" = 1 ]
          whole spool/working/*
        else
          [ "$status" = 53 ]
          has_none spool
        fi
      done
      # Each of them is called at least once.
      run -53 tampered_inject "$tamper:error=$error:when=1"
    done
  done
}

@test "queue-inject: memory and time that end have their own codes" {
  make_spool
  run -51 tampered_inject fsync:error=ENOMEM:when=1
  run -52 tampered_inject fsync:error=ETIMEDOUT:when=1
  has_none spool
}

@test "queue-inject: a failed fsync is never tried again" {
  make_spool
  run -53 tampered_inject fsync:error=EIO:when=1
  [ "$(grep -c ' fsync(' trace)" = 1 ]
}

@test "queue-inject: resident, a failed sync refuses its calls, closes the segment, and the next ones are taken" {
  make_spool
  prefix=(strace -D -f -qq -o "$PWD/trace" -e trace=fdatasync -e inject=fdatasync:error=EIO:when=3)
  start_resident spool --segment-size 1m
  prefix=()
  for i in 1 2 3 4 5; do
    call >answer || true
    cat answer
    if [ $i = 3 ]; then grep -q temporary answer
    else sed -n 's/^reply: .*queued as //p' answer >>taken
    fi
  done
  [ "$(wc -l <taken)" = 4 ]
  grep -q 'segment closed' resident.log
  logged spool | sort | diff - <(sort taken)
  [ "$(grep -c EIO trace)" = 1 ]
  # The same after a restart, when only checksums tell.
  stop resident
  logged spool | sort | diff - <(sort taken)
  start_resident spool --segment-size 1m
  call
  [ "$(logged spool | wc -l)" = 5 ]
}

@test "queue-inject: resident, writes that fail refuse their calls and no others" {
  make_spool
  prefix=(strace -D -f -qq -o "$PWD/trace" -e trace=pwritev -e inject=pwritev:error=ENOSPC:when=2+3)
  start_resident spool --segment-size 1m
  prefix=()
  for i in 1 2 3 4 5 6; do
    call >answer || true
    sed -n 's/^reply: .*queued as //p' answer >>taken
  done
  [ "$(wc -l <taken)" = 4 ]
  logged spool | sort | diff - <(sort taken)
}

@test "queue-inject: resident, a full disk is a temporary refusal, and there is service when there is room again" {
  small_disk size=3m
  message=large
  head -c 200000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/' >large
  start_resident small/spool --segment-size 1m
  call --repeat 100 --at-once 4 >answers || true
  sed -n 's/^reply: .*queued as //p' answers | sort >taken
  [ -s taken ]
  grep -q 'exit code 53' answers
  logged small/spool | sort | diff - taken
  is_running resident
  # Room: as queue-run gives a segment back whose messages are done.
  for segment in small/spool/log/*.log; do mv "$segment" "${segment%log}free"; break; done
  call >answer
  grep -q '^taken' answer
}

@test "queue-inject: resident, large messages on a full disk are refused, small ones still go into the log" {
  small_disk size=4m
  start_resident small/spool --segment-size 1m
  call
  wait_for eval 'ls small/spool/log/*.free'
  head -c 1500000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/' >large
  message=large call >answers
  run eval 'message=large call'
  [[ $output == *'exit code 53'* ]]
  has_one() { [ "$(find small/spool/working -type f | wc -l)" = 1 ]; }
  has_one
  [ -z "$(ls small/spool/tmp)" ]
  call
}
