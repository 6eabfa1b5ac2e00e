# mime-check(1), executed: by hand, and as a filter in both of its lives.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  PATH="$TOP/build/tests:$PATH"
  printf 'Date: Fri, 21 Nov 1997 09:55:06 -0600\nFrom: a@b.example\nMessage-ID: <1@b.example>\n\nbody\n' >good
  printf 'Date: yesterday\nFrom: a@b.example\nMessage-ID: <1@b.example>\n\nbody\n' >bad
  printf 'Date: Fri, 21 Nov 97 09:55 GMT\nFrom: a@b.example\nMessage-ID: <1@b.example>\n\nbody\n' >old
  printf 'Fa@b.example\0Tc@d.example\0\0' >envelope
  sed 's/$/\r/' good >good.wire
  sed 's/$/\r/' bad >bad.wire
  sed 's/$/\r/' old >old.wire
}
make_call() { call --from a@b.example --to c@d.example -- "$@"; }

@test "mime-check: a message without fault prints the counts and exits 0" {
  run -0 mime-check good
  [ "$output" = "0 errors, 0 warnings, 0 notes" ]
  run -0 mime-check good.wire
}

@test "mime-check: a finding is file, line, column, severity, text, RFC section and id, then the line and a caret" {
  run -1 mime-check bad
  [ "${lines[0]}" = "bad:1:7: error: not a date: expected the name of a day, such as Mon [RFC 5322 §3.3] (bad-date)" ]
  [ "${lines[1]}" = "    1 | Date: yesterday" ]
  [ "${lines[2]}" = "      |       ^" ]
  [ "${lines[3]}" = "1 error, 0 warnings, 0 notes" ]
}

@test "mime-check: the standard input is read when no file is named, and where it is named -" {
  run -1 mime-check <bad
  [[ ${lines[0]} == "standard input:1:7: error: "* ]]
  run -1 mime-check good - <bad
  [[ ${lines[0]} == "standard input:1:7: error: "* ]]
  # shellcheck disable=SC2002 # a pipe is what is tested
  run -0 mime-check < <(cat good)
}

@test "mime-check: --fail-on says from which severity on the exit code is 1" {
  run -0 mime-check old
  [[ $output == *"(obsolete-date)"* ]]
  run -1 mime-check --fail-on warning old
  run -1 mime-check --fail-on note old
  run -0 mime-check --fail-on never bad
  run -0 mime-check --fail-on note good
}

@test "mime-check: --least hides what is less, which is counted all the same" {
  run -0 mime-check --least error old
  [ "$output" = "0 errors, 1 warning, 0 notes" ]
}

@test "mime-check: what is disabled is not looked for" {
  run -0 mime-check --disable bad-date,nul bad
  [ "$output" = "0 errors, 0 warnings, 0 notes" ]
  run -64 mime-check --disable no-such bad
  [[ $output == *"no such id"* ]]
}

@test "mime-check: --quiet prints nothing, the exit code says it" {
  run -1 mime-check --quiet bad
  [ -z "$output" ]
  run -0 mime-check -q good
}

@test "mime-check: --json prints an object a line, counts last" {
  run -1 mime-check --json bad good
  [ "$(jq -r '.id // empty' <<<"$output")" = bad-date ]
  [ "$(jq -c 'select(.id) | [.file, .line, .column, .offset, .severity, .section]' <<<"$output")" = '["bad",1,7,6,"error","RFC 5322 3.3"]' ]
  [ "$(jq -c 'select(.errors != null) | [.file, .errors, .warnings, .notes]' <<<"$output")" = $'["bad",1,0,0]\n["good",0,0,0]' ]
}

@test "mime-check: --list prints a row for each id, and each is what --disable takes" {
  mime-check --list >table
  [ "$(wc -l <table)" -gt 50 ]
  mime-check --list --json | jq -r .id >ids
  diff ids <(awk '{ print $2 }' table)
  run -0 mime-check --disable "$(paste -sd, ids)" bad
  [ "$output" = "0 errors, 0 warnings, 0 notes" ]
}

@test "mime-check: the line end is what most lines have; on the wire it is CR LF" {
  run -1 mime-check --wire --quiet good
  run -0 mime-check --wire --quiet good.wire
  printf 'one more\n' >>good.wire
  run -1 mime-check good.wire
  [[ ${lines[0]} == "good.wire:6:9: error: LF without CR"* ]]
}

@test "mime-check: reports hold no octet that moves a terminal, whatever the message and its name are" {
  printf 'From: a@b\nDate: \033[31m\302\233x\n\n\r\001\377' >$'evil\033[2J'
  run -1 mime-check evil*
  [ -z "$(LC_ALL=C tr -d '\n\40-\176' <<<"${output//§/}")" ]
  [[ $output == *'evil\x1b[2J:2:7: error: '* ]]
}

@test "mime-check: colours are for terminals, and not with NO_COLOR" {
  run script -qec 'mime-check bad' /dev/null
  [[ $output == *$'\033[1;31merror: '* ]]
  NO_COLOR=1 run script -qec 'mime-check bad' /dev/null
  [[ $output != *$'\033'* ]]
}

@test "mime-check: a file that cannot be read is said and exits 75, the others are looked at all the same" {
  run -75 --separate-stderr mime-check nowhere good old
  [[ $stderr == "mime-check: fatal: open nowhere: No such file or directory" ]]
  [[ $output == *"2 files: 0 errors, 1 warning, 0 notes" ]]
}

@test "mime-check: a message larger than message_max is refused, at the limit it is not" {
  run -0 mime-check --message-max "$(stat -c %s good)" good
  run -65 mime-check --message-max "$(($(stat -c %s good) - 1))" good
}

@test "mime-check: limits are settings, and reaching one is said" {
  { cat good.wire; for _ in $(seq 30); do head -c 100 /dev/zero | tr '\0' x; printf '\r\n'; done; } >long
  [ "$(mime-check long | grep -c '(long-line)$')" = 11 ] # ten, and how many more
  [[ $(mime-check long) == *"long: note: and 20 more like it (long-line)"*"30 notes" ]]
  [ "$(mime-check --findings-of-a-kind-max 30 long | grep -c '(long-line)$')" = 30 ]
  printf '[mime]\nfindings_max = 3\n' >vsmtp.ini
  [ "$(mime-check --config vsmtp.ini long | grep -c ': note: line')" = 3 ]
  run -0 mime-check --fields-max 2 good
  [[ $output == *"(limit-reached)"* ]]
}

@test "mime-check: a wrong command line exits 64, a wrong configuration 78" {
  run -64 mime-check --least everything good
  run -64 mime-check --no-such-option
  printf '[mime]\nfindings_max = many\n' >vsmtp.ini
  run -78 mime-check --config vsmtp.ini good
}

@test "mime-check: 100 MB are looked at in a few seconds and little memory of its own" {
  {
    head -n 3 good.wire
    printf 'MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    head -c 75000000 /dev/urandom | base64 | sed 's/$/\r/'
  } >large
  [ "$(stat -c %s large)" -gt 100000000 ]
  run -0 timeout 20 mime-check large
  # Mapped pages of the file do not count: only what the program allocates is limited.
  run -0 bash -c 'ulimit -d 20000; mime-check large'
}

# ---- in a chain

@test "mime-check: in a chain a message without fault goes on as it is" {
  run --separate-stderr make_call mime-check -- sh -c 'cmp - good.wire && printf K250 >&6' <good.wire
  [ "$output" = $'taken\nreply: 250' ]
}

@test "mime-check: in a chain a message with an error is refused with a reply that names it, and goes no further" {
  run --separate-stderr make_call mime-check -- sh -c 'touch reached' <bad.wire
  [ "${lines[0]}" = permanent ]
  [ "${lines[1]}" = "reply: 554 5.6.0 line 1: not a date: expected the name of a day, such as Mon (RFC 5322 section 3.3); 1 error, 0 warnings, 0 notes" ]
  [ ! -e reached ]
}

@test "mime-check: exit 82 and descriptor 6 are the refusal" {
  local code=0
  mime-check -- true <bad.wire 1<envelope 6>report 2>log || code=$?
  [ $code = 82 ]
  [[ $(cat report) == "D554 5.6.0 line 1: "* ]]
}

@test "mime-check: in a chain only CR LF ends a line" {
  run --separate-stderr make_call mime-check -- sh -c 'printf K250 >&6' <good
  [[ ${lines[1]} == "reply: 554 5.6.0 line 1: LF without CR"* ]]
}

@test "mime-check: --refuse-on chooses what is refused" {
  run --separate-stderr make_call mime-check --refuse-on warning -- sh -c 'printf K250 >&6' <old.wire
  [ "${lines[0]}" = permanent ]
  run --separate-stderr make_call mime-check -- sh -c 'printf K250 >&6' <old.wire
  [ "${lines[0]}" = taken ]
  run --separate-stderr make_call mime-check --refuse-on never -- sh -c 'cmp - bad.wire && printf K250 >&6' <bad.wire
  [ "${lines[0]}" = taken ]
}

@test "mime-check: --mark puts a field in front and leaves the rest octet by octet" {
  make_call mime-check --refuse-on never --mark X-MIME-Check -- sh -c 'cat >seen; printf K250 >&6' <bad.wire
  [ "$(head -n 1 seen)" = $'X-MIME-Check: errors=1 warnings=0 notes=0\r' ]
  [ "$(sed -n 2p seen)" = $'\tfirst="line 1: not a date: expected the name of a day, such as Mon (RFC 5322 section 3.3)"\r' ]
  tail -n +3 seen | cmp - bad.wire
  make_call mime-check --mark X-MIME-Check -- sh -c 'cat >seen; printf K250 >&6' <good.wire
  tail -n +2 seen | cmp - good.wire
  run -0 mime-check --wire --quiet seen
}

@test "mime-check: a wrong option in a chain is temporary: mail waits" {
  local options
  for options in '--mark No:Field' '--refuse-on sometimes' 'file'; do
    # shellcheck disable=SC2086 # words
    mime-check $options -- true <good.wire 1<envelope 6>report 2>log && return 1
    [ $? = 55 ]
  done
}

@test "mime-check: resident, it serves many calls at once as the one-shot program does" {
  start resident mime-check --resident "$BATS_TEST_TMPDIR/socket" --mark X-MIME-Check
  wait_for grep -q ready resident.log
  run --separate-stderr make_call unix:socket -- sh -c 'printf D554 >&6; exit 82' <bad.wire
  [[ ${lines[1]} == "reply: 554 5.6.0 line 1: not a date"* ]]
  make_call unix:socket -- sh -c 'cat >seen; printf K250 >&6' <good.wire
  [ "$(head -n 1 seen)" = $'X-MIME-Check: errors=0 warnings=0 notes=0\r' ]
  tail -n +2 seen | cmp - good.wire
  run --separate-stderr call --to c@d.example --repeat 500 --at-once 50 -- unix:socket <bad.wire
  [[ $output == *"500 times permanent"* ]]
  run --separate-stderr make_call unix:socket --refuse-on never -- true <good.wire
  [ "${lines[0]}" = temporary ]
  stop resident
}
