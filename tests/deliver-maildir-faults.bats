# deliver-maildir(8) when the disk is full, fails or is read-only, and when it is killed at any moment: nothing is called
# delivered that is not, and there is never a part of a message in new/.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  PATH="$TOP/build/tests:$PATH"
  { printf 'Subject: hello\r\n\r\n'; for ((i = 0; i < 100; i++)); do printf '%064d\r\n' $i; done; } >message
  tr -d '\r' <message >message.lf
}
teardown() {
  stop_all
  if mountpoint -q "$BATS_TEST_TMPDIR/disk"; then umount "$BATS_TEST_TMPDIR/disk"; fi
}

mount_or_skip() {
  [ "$(id -u)" = 0 ] || skip "needs root to mount"
  mkdir disk
  mount "$@" disk || skip "cannot mount here"
}
deliver() { deliver-maildir --template "$PWD/{domain}/{user}" --log-destination log "$@" <message | tr '\0' '\n'; }
# What lies in new/ is the whole message, so many times.
holds_whole() {
  local file
  [ "$(ls "$1/new" | wc -l)" = "$2" ] || return
  for file in "$1"/new/*; do
    [ ! -e "$file" ] || grep -vE '^(Return-Path|Delivered-To): ' "$file" | cmp - message.lf || return
  done
}
# traced CALLS EXPRESSION PROGRAM...: with EXPRESSION for strace's inject, the calls in the file trace.
traced() { strace -f -qq -o trace -e "trace=$1" ${2:+-e "inject=$2"} "${@:3}"; }
# creating_openat PROGRAM...: which of its openat calls is the one that makes the file.
creating_openat() {
  traced openat '' "$@" <message >/dev/null
  grep -n O_TMPFILE trace | cut -d: -f1
  rm joe/new/*
}

@test "deliver-maildir: on a full disk the message waits and no part of it stays; with room again it is delivered" {
  mount_or_skip -t tmpfs -o size=64k tmpfs
  make_maildir disk/joe
  head -c 60000 /dev/zero >disk/filler || true
  [ "$(deliver disk '' joe)" = $'s452 4.3.1 mail system full\nZno mailbox took it' ]
  run -75 deliver-maildir --maildir disk/joe <message
  [[ $output == *": No space left on device" ]]
  holds_whole disk/joe 0
  [ -z "$(ls disk/joe/tmp)" ]
  rm disk/filler
  [[ $(deliver disk '' joe) == r* ]]
  holds_whole disk/joe 1
}

@test "deliver-maildir: without inodes the message waits" {
  mount_or_skip -t tmpfs -o size=1m,nr_inodes=8 tmpfs
  make_maildir disk/joe
  local i
  for ((i = 0; i < 8; i++)); do : >"disk/$i" || break; done 2>/dev/null
  [[ $(deliver disk '' joe) == "s452 4.3.1 "* ]]
  holds_whole disk/joe 0
  [[ $(deliver --create yes disk '' jane) == "s452 4.3.1 "* ]]
}

@test "deliver-maildir: on a read-only file system the message waits" {
  mount_or_skip -t tmpfs -o size=1m tmpfs
  make_maildir disk/joe
  mount -o remount,ro disk
  [[ $(deliver disk '' joe) == "s451 4.3.0 "* ]]
  grep -q 'Read-only file system' log
}

@test "deliver-maildir: where the file system has no files without a name, tmp/ is used, and is empty afterwards" {
  make_maildir joe
  traced openat,linkat "openat:error=EOPNOTSUPP:when=$(creating_openat deliver-maildir --maildir joe)" deliver-maildir --maildir joe <message
  grep -q 'linkat([0-9]*, "[0-9]*\.M' trace
  holds_whole joe 1
  [ -z "$(ls joe/tmp)" ]
}

@test "deliver-maildir: without /proc, tmp/ is used" {
  make_maildir joe
  # It asks once whether there is one; nothing here can really be without, since who may not mount cannot unmount either.
  traced '?access,?faccessat,?faccessat2,openat,linkat' '?access,?faccessat,?faccessat2:error=ENOENT' deliver-maildir --maildir joe <message
  grep -q '"/proc/self/fd", .*INJECTED' trace
  grep -q 'linkat([0-9]*, "[0-9]*\.M' trace
  ! grep -q O_TMPFILE trace
  holds_whole joe 1
  [ -z "$(ls joe/tmp)" ]
}

@test "deliver-maildir: old files in tmp/ are removed, young ones are not" {
  make_maildir joe
  touch -d '37 hours ago' joe/tmp/old
  touch -d '35 hours ago' joe/tmp/young
  deliver-maildir --maildir joe <message
  [ "$(ls joe/tmp)" = young ]
}

@test "deliver-maildir: whichever system call fails, the recipient is deferred with the status that fits, and nothing is left" {
  make_maildir joe
  local which call error expected one_shot=(deliver-maildir --template '{user}' --log-destination log h '' joe)
  which=$(creating_openat "${one_shot[@]}")
  for call in "openat $which" 'write 1' 'fsync 1' 'linkat 1'; do
    for error in EIO:4.3.0 ENOSPC:4.3.1 EDQUOT:4.2.2 EROFS:4.3.0; do
      traced "${call% *}" "${call% *}:error=${error%:*}:when=${call#* }" "${one_shot[@]}" <message | tr '\0' '\n' >report
      grep -q INJECTED trace
      expected=${error#*:}
      [[ $(head -1 report) == s45[12]" $expected "* ]] || { echo "$call $error: $(cat report)"; return 1; }
      [ -z "$(ls joe/new joe/tmp | grep M)" ]
    done
  done
}

@test "deliver-maildir: a file or directory that cannot be synced is not called delivered" {
  make_maildir joe
  run -75 strace -f -qq -o trace -e trace=fsync -e inject=fsync:error=EIO:when=1 deliver-maildir --maildir joe <message
  [[ $output == *"fsync joe: Input/output error" ]]
  holds_whole joe 0
  # The second one is of new/: the file is there, and whole, but may not be after a crash.
  run -75 strace -f -qq -o trace -e trace=fsync -e inject=fsync:error=EIO:when=2 deliver-maildir --maildir joe <message
  holds_whole joe 1
}

@test "deliver-maildir: resident, a failed sync of all is asked about file by file, and only what failed waits" {
  make_maildir joe
  start resident strace -D -f -qq -o trace -e trace=syncfs,fsync -e inject=syncfs:error=EIO -e inject=fsync:error=EIO:when=3 \
    deliver-maildir --resident "$PWD/socket" --template "$PWD/{user}" --local-domains '*'
  wait_for grep -q ' info ready ' resident.log
  run call --to joe@h --repeat 200 --at-once 50 -- "unix:$PWD/socket" <message
  grep -q 'syncfs(.*INJECTED' trace || skip "no syncfs for this file system"
  grep -q 'fsync(.*INJECTED' trace
  local taken waiting
  taken=$(sed -n 's/^\([0-9]*\) times taken/\1/p' <<<"$output")
  waiting=$(sed -n 's/^\([0-9]*\) times temporary/\1/p' <<<"$output")
  [ "$((taken + waiting))" = 200 ]
  [ "$waiting" -lt 50 ]  # those of the file that failed, or of new/ when it was that
  local stored
  stored=$(ls joe/new | wc -l)
  [ "$stored" -ge "$taken" ]
  holds_whole joe "$stored"
}

@test "deliver-maildir: resident, when a sync of all takes long, files are synced one by one for a while" {
  make_maildir joe
  start resident strace -D -f -qq -o trace -e trace=syncfs,fsync -e inject=syncfs:delay_exit=300000:when=1 \
    deliver-maildir --resident "$PWD/socket" --template "$PWD/{user}" --local-domains '*'
  wait_for grep -q ' info ready ' resident.log
  run -0 call --to joe@h --repeat 100 --at-once 10 -- "unix:$PWD/socket" <message
  grep -q 'syncfs(' trace || skip "no syncfs for this file system"
  [ "$(grep -c 'syncfs(' trace)" = 1 ]
  [ "$(grep -c 'fsync(' trace)" -ge 90 ]
  holds_whole joe 100
}

@test "deliver-maildir: killed at any system call, it leaves a whole message or none" {
  make_maildir joe
  local n code calls=openat,write,fsync,linkat,unlinkat,close
  for ((n = 1; n < 100; n++)); do
    rm -f joe/new/*
    code=0
    strace -f -qq -o trace -e "trace=$calls" -e "inject=$calls:signal=KILL:when=$n" deliver-maildir --maildir joe <message || code=$?
    [ "$code" != 0 ] || break
    [ "$code" = 137 ]
    holds_whole joe "$(ls joe/new | wc -l)"
  done
  [ "$n" -gt 5 ]
  holds_whole joe 1
}

@test "deliver-maildir: killed at any system call with a name in tmp/, it leaves nothing in new/ that is not whole" {
  [ "$(id -u)" = 0 ] || skip "needs root to unmount /proc"
  make_maildir joe
  local n code calls=openat,write,fsync,linkat,unlinkat,close
  for ((n = 1; n < 100; n++)); do
    rm -f joe/new/* joe/tmp/*
    code=0
    unshare -m sh -c "umount -l /proc && exec strace -f -qq -o trace -e trace=$calls -e inject=$calls:signal=KILL:when=$n deliver-maildir --maildir joe <message" || code=$?
    [ "$code" != 0 ] || break
    holds_whole joe "$(ls joe/new | wc -l)"
  done
  [ "$n" -gt 5 ]
  holds_whole joe 1
}

@test "deliver-maildir: resident, killed again and again under load: what was answered is there, and all of it is whole" {
  local boxes=(a b c d) round box taken=0
  for box in "${boxes[@]}"; do make_maildir "$box"; done
  for ((round = 0; round < 15; round++)); do
    start resident deliver-maildir --resident "$PWD/socket" --template "$PWD/{user}" --local-domains '*' --log-level error
    wait_for eval 'call --to a@h -- "unix:$PWD/socket" <message'
    taken=$((taken + 1))
    local pids=()
    for box in "${boxes[@]}"; do
      call --timeout 2s --to "$box@h" --repeat 3000 --at-once 10 -- "unix:$PWD/socket" <message >"ends.$box" & pids+=($!)
    done
    sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
    stop resident KILL || true
    wait "${pids[@]}" || true
    taken=$((taken + $(awk '/ times taken/ { sum += $1 } END { print sum + 0 }' ends.*)))
  done
  [ "$taken" -gt 500 ]
  [ "$(ls ?/new | grep -c M)" -ge "$taken" ]
  for box in "${boxes[@]}"; do
    for file in "$box"/new/*; do tail -n +3 "$file" | cmp -s - message.lf || { echo "$file is not whole"; return 1; }; done
  done
}
