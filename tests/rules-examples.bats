#!/usr/bin/env bats
# The rule sets in examples/rules/ pass the tests that stand beside them; and those tests notice what is changed.
load smtpd_helpers

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
@test "scanner: a content filter" { passes scanner; }
@test "scanner: points that a sender claims are noticed" { notices scanner "nobody tells us" 'remove_header("X-Spam-Flag")' 'break'; }
@test "senders: SPF, DKIM, DMARC and ARC" { passes senders; }
@test "senders: a name that anybody may write is noticed" { notices senders "somebody else writes her name" 'check_dmarc()' 'next()'; }
@test "senders: what our own people send is signed" {
  cd senders
  qctl dkim-key example.org mail
  cat >main_test.vsl <<'EOF'
[test "signed" #{ auth: "bob", tls: true, from: "bob@example.org", message: "From: bob@example.org\nSubject: hello\n\nhello\n", preq: "accept",
  expect: || "d=example.org" in get_header("DKIM-Signature") }]
EOF
  run -0 vsl-filter --config vsmtp.ini --test main_test.vsl
}
@test "strangers: by what the shield knows" { passes strangers; }
@test "strangers: points that are forgotten are noticed" {
  notices strangers "a list and no patience" 'points += 3' 'points += 0'
}
@test "lists: the fields of a mailing list" { passes lists; }

@test "office: the body of letters" { passes office; }

@test "gateway: an open relay is noticed" {
  notices gateway "nobody outside relays through us" "rule \"relay\" || check_rcpt_relay(site::own_hosts)" 'rule "relay" || next()'
}

@test "greylist: a delay that is too short is noticed" {
  notices greylist "a stranger is put off" 'delay: "5m"' 'delay: "5s"'
}

@test "attachments: a program that is let in is noticed" {
  notices attachments "programs are refused" 'types::programs' 'types::macros'
}

@test "office: a signature that is broken, and a program that stays, are noticed" {
  cp -R office other
  notices office "what is signed stays as it is" 'prepend_header("X-Disclaimer"' 'prepend_header("X-Nothing"'
  notices other "programs are taken out" '&& mime::remove_part(part)' ''
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

# ---- the same rules at work: asked in the session as Postfix asks, and as a filter behind smtpd ------------------------------

# work FOLDER: resident, behind smtpd; what passes is in kept/
work() {
  cd "$BATS_TEST_TMPDIR"
  make_keep
  local config=()
  if [ -e "rules/$1/vsmtp.ini" ]; then config=(--config "rules/$1/vsmtp.ini"); fi
  start filter vsl-filter "${config[@]}" --resident "$PWD/filter.sock" "rules/$1/main.vsl"
  wait_for serves filter.sock
  serve -- "unix:$PWD/filter.sock" -- ./keep
}
# asked STATE CLIENT SENDER RECIPIENT: the action
asked() {
  printf 'request=smtpd_access_policy\nprotocol_state=%s\nclient_address=%s\nhelo_name=mx.client.example\nsender=%s\nrecipient=%s\ninstance=%s\n\n' \
    "$1" "$2" "$3" "$4" "$2.$3.$4" | socat -t 10 - "UNIX-CONNECT:$PWD/filter.sock" | sed -n 's/^action=//p'
}
# mail_from_to SENDER RECIPIENT SUBJECT <BODY: the reply to the message
mail_from_to() {
  { printf 'EHLO c.example\nMAIL FROM:<%s>\nRCPT TO:<%s>\nDATA\nFrom: <%s>\nSubject: %s\n' "$1" "$2" "$1" "$3"; cat; printf '.\nQUIT\n'; } | crlf | say |
    tr -d '\r' | sed -n '/^354/{n;p;}'
}
text() { printf '\ntext\n'; }
envelope() { tr '\n' ' ' <"kept/$1.env"; }

@test "gateway: at work" {
  work gateway
  [[ $(asked RCPT 203.0.113.7 ann@client.example eve@elsewhere.example) == '5'* ]]
  [ "$(asked RCPT 203.0.113.7 ann@client.example me@example.org)" = DUNNO ]
  [ "$(asked RCPT 192.0.2.5 me@example.org eve@elsewhere.example)" = DUNNO ]
  [[ $(asked CONNECT 203.0.113.66 '' '') == '554 5.7.1 No mail from you'* ]]
  [[ $({ echo 'X-Gateway: from inside'; text; } | mail_from_to ann@client.example me@example.org hello) == 250* ]]
  [ "$(grep -i '^x-gateway' kept/1.msg | tr -d '\r')" = 'X-Gateway: from outside, 127.0.0.1' ]
}

@test "greylist: at work" {
  work greylist
  [[ $(asked RCPT 203.0.113.7 bob@client.example me@example.org) == '45'* ]]
  [[ $(text | mail_from_to me@example.org bob@client.example 'how are you') == 250* ]]
  [ "$(asked RCPT 203.0.113.8 bob@client.example me@example.org)" = DUNNO ]
}

@test "attachments: at work" {
  work attachments
  attached() { printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/octet-stream; name="%s"\n\nMZ\n--b--\n' "$1"; }
  [ "$(attached invoice.exe | mail_from_to ann@client.example me@example.org invoice)" = '554 5.7.1 We do not take programs by mail: invoice.exe' ]
  [[ $(attached minutes.docm | mail_from_to ann@client.example me@example.org minutes) == 250* ]]
  [ "$(jq -r .quarantine.name kept/1.ctx)" = macros ]
  [[ $(attached photo.jpeg | mail_from_to ann@client.example me@example.org photo) == 250* ]]
  [ "$(jq -r '.quarantine // ""' kept/2.ctx)" = '' ]
}

@test "office: at work" {
  work office
  attached() { printf 'Date: Fri, 20 Nov 2026 10:00:00 +0000\nMessage-ID: <1@a.example>\nTo: me@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: application/octet-stream; name="%s"\n\nMZ\n--b--\n' "$1"; }
  [[ $(attached invoice.exe | mail_from_to ann@client.example me@example.org invoice) == 250* ]]
  grep -q '^X-Removed: invoice.exe' kept/1.msg
  grep -q '^\[The attachment invoice.exe was taken out' kept/1.msg
  run ! grep -q '^MZ' kept/1.msg
  [ "$(jq -r '.quarantine // ""' kept/1.ctx)" = '' ]
  local i
  for i in {1..20}; do [[ $(text | mail_from_to ann@client.example me@example.org "$i") == 250* ]]; done
  [[ $(text | mail_from_to ann@client.example me@example.org again) == '450 4.7.1 Too many messages like this one'* ]]
}

@test "family: at work" {
  work family
  [ "$(asked RCPT 203.0.113.7 ann@client.example anna+games@example.org)" = 'PREPEND X-Detail: games' ]
  [[ $(asked RCPT 203.0.113.7 ann@client.example nobody@example.org) == '550 5.1.1 There is no nobody@example.org here'* ]]
  [ "$(asked RCPT 203.0.113.7 ann@client.example grandpa@example.org)" = DUNNO ]
  [ "$(asked DATA 203.0.113.7 ann@client.example grandpa@example.org)" = 'REDIRECT albert@elsewhere.example' ]
  [[ $(text | mail_from_to stranger@client.example dora@example.org 'a game') == 250* ]]
  [ "$(envelope 1)" = 'Fstranger@client.example Tanna@example.org Tben@example.org  ' ]
  grep -q '^X-For-Child: dora@example.org' kept/1.msg
}

@test "lists: at work" {
  work lists
  [[ $(asked RCPT 203.0.113.7 ann@client.example flowers@lists.example.org) == '550 5.1.1 There is no list'* ]]
  [[ $(text | mail_from_to ann@client.example garden@lists.example.org 'the water') == 250* ]]
  [ "$(envelope 1)" = 'Fgarden-bounces@lists.example.org Tann@client.example Tbob@elsewhere.example Tcarla@example.net  ' ]
  grep -q '^Subject: \[garden\] the water' kept/1.msg
  [[ $(text | mail_from_to stranger@client.example garden@lists.example.org 'cheap seeds') == 250* ]]
  [ "$(jq -r .quarantine.name kept/2.ctx)" = moderate-garden ]
}
