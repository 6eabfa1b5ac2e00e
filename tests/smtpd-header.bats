#!/usr/bin/env bats
# What smtpd adds to the header of a message, and what it wants there.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
}
teardown() { stop_all; }

# header N: the names of the fields of the Nth message that was kept.
header() { tr -d '\r' <"kept/$1.msg" | sed '/^$/q' | sed -n 's/^\([A-Za-z-]*\):.*/\1/p' | paste -sd' '; }
# hand_in TEXT [COMMAND]: a message by DATA.
hand_in() { printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>%s\r\nRCPT TO:<b@b.example>\r\nDATA\r\n%b.\r\nQUIT\r\n' "$2" "$1" | say | tr -d '\r'; }

@test "smtpd header: a submission without Date and Message-ID gets them, whoever sends it and by DATA or BDAT" {
  start smtpd smtpd --listen 127.0.0.1:0 --listen-submission 127.0.0.1:0 --submission-security-level none --domain mx.example.org -- ./keep
  wait_for grep -q 'service=submission$' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=submission$/\1/p' smtpd.log)
  hand_in 'Subject: x\r\n\r\nDate: in the body\r\n'
  [ "$(header 1)" = 'Received Subject Date Message-ID' ]
  grep -qx $'Date: in the body\r' kept/1.msg
  id=$(sed -n 's/.* id \([0-9A-Z-]*\)\r*$/\1/p' kept/1.msg | head -n 1)
  grep -qx "Message-ID: <$id@mx.example.org>"$'\r' kept/1.msg
  [ "$(sed -n 's/^Date: \(.*\)\r/\1/p' kept/1.msg | head -n 1)" = "$(tr -d '\r' <kept/1.msg | sed -n 's/.*; \(.*\)/\1/p' | head -n 1)" ]
  # A real client that writes all of its own.
  run -0 swaks --server "127.0.0.1:$port" --from a@a.example --to b@b.example --add-header 'Message-ID: <own@a.example>'
  last=$(kept)
  [[ $(header "$last") != *'Message-ID '*Message-ID* ]]
  [ "$(grep -ci '^Date:' "kept/$last.msg")" = 1 ]
  grep -q '^Message-ID: <own@a.example>' "kept/$last.msg"
  # On port 25 nothing is added.
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=smtp$/\1/p' smtpd.log)
  hand_in 'Subject: x\r\n\r\nhello\r\n'
  [ "$(header "$(kept)")" = 'Received Subject' ]
}

@test "smtpd header: missing_fields says where fields are added; one that has no header gets one" {
  serve --missing-fields all
  hand_in 'no header\r\n'
  [ "$(header 1)" = 'Received Date Message-ID' ]
  [ "$(tr -d '\r' <kept/1.msg | tail -n 2)" = "$(printf '\nno header')" ]
  hand_in ''
  [ "$(header 2)" = 'Received Date Message-ID' ]
  # By BDAT, in chunks of any size.
  run -0 python3 - "$port" <<'END'
import socket, sys
client = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
replies = client.makefile('rb')
def reply():
    while True:
        line = replies.readline()
        if line[3:4] == b' ': return line
reply()
for command in b'EHLO c', b'MAIL FROM:<a@a.example>', b'RCPT TO:<b@b.example>':
    client.sendall(command + b'\r\n'); assert reply().startswith(b'250'), command
text = b'Message-id: <x>\r\nSubject: a\r\n b\r\n\r\nDate: body\r\n'
for i in range(len(text)):
    client.sendall(b'BDAT 1' + (b' LAST' if i + 1 == len(text) else b'') + b'\r\n' + text[i:i + 1])
    assert reply().startswith(b'250')
END
  [ "$(header 3)" = 'Received Message-id Subject Date' ]
  [ "$(tr -d '\r' <kept/3.msg | tail -n 2)" = "$(printf '\nDate: body')" ]
}

@test "smtpd header: octets over 127 in it are taken, unless they shall be declared" {
  serve
  [[ $(hand_in 'Subject: \xc3\xbc\r\n\r\nhello\r\n') == *'250 2.0.0 Ok: queued'* ]]
  stop smtpd
  serve --non-ascii-header refuse --log-level info
  [[ $(hand_in 'Subject: \xc3\xbc\r\n\r\nhello\r\n') == *'550 5.6.0 Header with non-ASCII'* ]]
  wait_for grep -q 'refused id=.*reply="550 5.6.0' smtpd.log
  [[ $(hand_in 'Subject: u\r\n\r\n\xc3\xbc\r\n' ' BODY=8BITMIME') == *'250 2.0.0 Ok: queued'* ]]
  [[ $(hand_in 'Subject: \xc3\xbc\r\n\r\nhello\r\n' ' SMTPUTF8') == *'250 2.0.0 Ok: queued'* ]]
  has_kept 3
}
