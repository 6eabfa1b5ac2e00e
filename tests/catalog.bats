#!/usr/bin/env bats
# The catalog of deferred/: what queue-run writes of a million messages, and what qctl makes of it, also when it is old, torn or gone.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export spool=$PWD/spool
  "$TOP/build/tests/fill_spool" --count 1500 --octets 100 --domains 10 "$spool"
}

qctl() { command qctl --spool "$spool" "$@"; }
# What is listed, in one order.
listed() { qctl list deferred "$@" --json | jq -cS . | sort; }

# opens COUNT WORD...: qctl opens so many message files for it. Where the catalog settles a question that is none.
opens() {
  strace -f -qq -e trace=openat -o calls qctl --spool "$spool" "${@:2}" >/dev/null
  [ "$(grep -cE 'openat\([0-9]+, "[0-9A-Z]{18}"' calls)" -eq "$1" ]
}

serve() {
  start queue-run queue-run --spool "$spool"
  wait_for opens 0 list deferred --domain d3.invalid
}

@test "catalog: qctl lists by it what it lists by files, beside a queue-run and after it, and opens no file" {
  listed >all
  [ "$(wc -l <all)" = 1500 ]
  listed --domain d3.invalid --older 2h --reason 'connection timed out' --attempts 1 >some
  [ "$(wc -l <some)" -gt 100 ]
  qctl status deferred --by sender | grep -v ^No >counted
  opens 3000 list deferred  # each with its progress
  serve
  compare() {
    listed | diff all - && listed --domain d3.invalid --older 2h --reason 'connection timed out' --attempts 1 | diff some -
    [ -z "$(listed --domain d3.invalid --larger 10k)" ]
    qctl status deferred --by sender | grep -v ^No | diff counted -
    opens 0 list deferred && opens 0 status --by reason && opens 0 metrics && opens 0 hold --all --dry-run
  }
  compare
  stop queue-run
  compare
  # What a row does not say is read of those only that the row does not rule out: the subjects of a tenth.
  [ "$(qctl list deferred --domain d3.invalid --subject 'message 13' | wc -l)" = 12 ]
  qctl export --domain d3.invalid --sender sender3@from.invalid | wc -l >exported
  [ "$(cat exported)" = 15 ]
}

@test "catalog: what is moved, touched and removed by hand is seen at once" {
  serve
  local some
  mapfile -t some < <(ls "$spool/deferred" | head -n 6)
  mv "$spool/deferred/${some[0]}" "$spool/hold/"
  rm "$spool/deferred/${some[1]}"
  [ "$(qctl list deferred | wc -l)" = 1498 ]
  mv "$spool/hold/${some[0]}" "$spool/deferred/"
  touch -d '+3 days' "$spool/deferred/${some[2]}"
  [ "$(qctl list deferred --json | jq -r "select(.id == \"${some[2]}\") | .next_attempt")" = "$(date -u -r "$spool/deferred/${some[2]}" +%Y-%m-%dT%H:%M:%S.%6NZ)" ]
  [ "$(qctl list deferred | wc -l)" = 1499 ]
  stop queue-run
  # And while none runs.
  opens 0 list deferred
  mv "$spool/deferred/${some[3]}" "$spool/hold/"
  touch -d '+4 days' "$spool/deferred/${some[4]}"
  [ "$(qctl list deferred | wc -l)" = 1498 ]
  serve
  [ "$(qctl list deferred | wc -l)" = 1498 ]
  [ "$(qctl list deferred --json | jq -r .id | sort -u | wc -l)" = 1498 ]
}

@test "catalog: an attempt that fails is in it, with the reply, and a message that leaves is not" {
  serve
  local id
  id=$(ls "$spool/deferred" | head -n 1)
  stop queue-run
  printf '[queue]\nremote_transport = false\n' >vsmtp.ini
  start queue-run queue-run --config vsmtp.ini --spool "$spool"
  wait_for opens 0 list deferred --domain d3.invalid
  qctl retry "$id"
  tried_again() { qctl list deferred --attempts 2 --json | jq -e "select(.id == \"$id\")"; }
  wait_for tried_again
  wait_for opens 0 list deferred
  qctl remove --yes "$id"
  [ -z "$(qctl list deferred --attempts 2)" ]
  # What is there beside the others is the notice of the delay, which waits too.
  listed | jq -r .id | diff - <(ls "$spool/deferred" | sort)
  [ ! -e "$spool/deferred/$id" ]
}

@test "catalog: after a crash, torn, damaged or not ours, the files are listed; qctl repair and queue-run make it anew" {
  listed >all
  serve
  local id
  id=$(ls "$spool/deferred" | head -n 1)
  rm "$spool/deferred/$id" "$spool/progress/$id"
  wait_for opens 0 list deferred
  stop queue-run KILL || true
  listed >all
  [ "$(wc -l <all)" = 1499 ]
  opens 2998 list deferred
  run -0 qctl repair
  [ "$output" = "0 repaired, 0 for later, 0 left alone" ]
  opens 0 list deferred
  listed | diff all -
  printf 'X' | dd of="$spool/catalog.rows" bs=1 seek=6500 conv=notrunc status=none
  listed | diff all -
  printf 'X' | dd of="$spool/catalog.texts" bs=1 seek=6500 conv=notrunc status=none
  listed --domain d3.invalid >some
  diff <(jq -c 'select(.recipients[0] | endswith("@d3.invalid"))' all) some
  truncate -s 50000 "$spool/catalog.rows"
  listed | diff all -
  echo 'something else' >"$spool/catalog.texts"
  listed | diff all -
  run -0 qctl check
  serve
  listed | diff all -
  stop queue-run
  rm "$spool"/catalog.*
  listed | diff all -
  serve
}
