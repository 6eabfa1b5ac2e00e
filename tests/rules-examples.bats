#!/usr/bin/env bats
# The rule sets in examples/rules/ pass the tests that stand beside them; and those tests notice what is changed.
load helpers

setup() {
  cp -R "$TOP/examples/rules" "$BATS_TEST_TMPDIR/rules"
  cd "$BATS_TEST_TMPDIR/rules"
}

# filter_in FOLDER ARGUMENT...: vsl-filter with the configuration that stands there.
filter_in() {
  local folder=$1
  shift
  if [ -e "$folder/vsmtp.ini" ]; then set -- --config "$folder/vsmtp.ini" "$@"; fi
  vsl-filter "$@"
}

passes() {
  run -0 filter_in "$1" --check "$1/main.vsl"
  [ -z "$output" ] || { echo "$output"; return 1; }
  run -0 filter_in "$1" --test "$1/main_test.vsl"
}

# notices FOLDER TEST FROM TO: with FROM replaced by TO in the rules, that test fails and is named.
notices() {
  local text
  text=$(<"$1/main.vsl")
  [[ $text == *"$3"* ]]
  printf '%s\n' "${text/"$3"/"$4"}" >"$1/main.vsl"
  run ! filter_in "$1" --test "$1/main_test.vsl"
  [[ $output == *"$2"* ]]
}

@test "gateway: relay control" { passes gateway; }
@test "greylist: strangers come again" { passes greylist; }
@test "attachments: quarantine by type" { passes attachments; }
@test "family: mailboxes and aliases" { passes family; }
@test "lists: the fields of a mailing list" { passes lists; }

@test "gateway: an open relay is noticed" {
  notices gateway "nobody outside relays through us" "rule \"relay\" || check_rcpt_relay(site::own_hosts)" 'rule "relay" || next()'
}

@test "greylist: a delay that is too short is noticed" {
  notices greylist "a stranger is put off" 'delay: "5m"' 'delay: "5s"'
}

@test "attachments: a program that is let in is noticed" {
  notices attachments "programs are refused" 'types::programs' 'types::macros'
}

@test "family: mail for children that goes to them is noticed" {
  notices family "parents read first" 'replace_recipient(recipient, people::parents)' 'add_rcpt_envelop(people::parents[0])'
}

@test "lists: an answer that is marked again is noticed" {
  notices lists "an answer is not marked twice" 'if !subject.contains(`[${list.name}]`)' 'if true'
}

@test "every folder of examples/rules is tested here, and is in its README" {
  local folder
  for folder in */; do
    grep -q "{ passes ${folder%/}; }" "$BATS_TEST_FILENAME"
    grep -q "^| \`$folder\`" README.md
  done
}

@test "the rules of the README do what it says" {
  sed -n '/^```js$/,/^```$/p' "$TOP/README.md" | sed '/^```/d' >readme.vsl
  echo friend.example >friends.txt
  run -0 vsl-filter --check readme.vsl
  [ -z "$output" ]
  printf 'From: a@b.example\nTo: me@example.org\nSubject: win the lottery\n\ntext\n' >message.eml
  run -1 vsl-filter --config "$TOP/examples/vsmtp.ini" readme.vsl message.eml
  [ "${lines[0]}" = 'message.eml: refused at preq: 554 5.7.1 No, thank you' ]
  sed -i 's/b.example/friend.example/' message.eml
  run -0 --separate-stderr vsl-filter --config "$TOP/examples/vsmtp.ini" readme.vsl <message.eml
  [ "${lines[3]}" = 'X-Checked: yes' ]
  run -0 vsl-filter --config "$TOP/examples/vsmtp.ini" --from a@friend.example --to x@elsewhere.example --to me@example.org readme.vsl message.eml
  [[ $output == *'rcpt <x@elsewhere.example>: info 554 5.7.1 We do not relay by "only for us"'* ]]
}
