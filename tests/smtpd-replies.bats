#!/usr/bin/env bats
# What smtpd says and offers, as configured.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
}
teardown() { stop_all; }

@test "smtpd replies: [smtp.codes] says them in other words, and a real client takes them" {
  cat >vsmtp.ini <<'END'
[smtp.codes]
Greetings = 220-{domain} ESMTP
  220 no unsolicited mail
EhloPain = {domain} nice to meet you
Help = ask postmaster@{domain}
  or read RFC 5321
Ok = 250 fine
RelayDenied = 551 5.7.1 not through us
Denied = 550 5.7.1 no
UnrecognizedCommand = 500 what?
Closing = 221 2.0.0 bye
[virtual "example.net"]
address = 127.0.0.2
hostname = mail.example.net
END
  start smtpd smtpd --config vsmtp.ini --listen 0.0.0.0:0 --domain mx.example.org --relay-clients 192.0.2.1 --local-domains b.example -- ./keep
  wait_for grep -q 'listening address=0' smtpd.log
  port=$(sed -n 's/.*listening address=0.0.0.0:\([0-9]*\).*/\1/p' smtpd.log)
  run -0 swaks --server "127.0.0.1:$port" --ehlo c.example --from a@a.example --to b@b.example
  has_kept 1
  printf 'EHLO c.example\nHELP\nNONSENSE\nMAIL FROM:<a@a.example>\nRCPT TO:<x@x.example>\nQUIT\n' | crlf | say | tr -d '\r' >out
  grep -v -E '^250-[A-Z0-9]' out | grep -v '^250 ENH' >said
  diff - said <<'END'
220-mx.example.org ESMTP
220 no unsolicited mail
250-mx.example.org nice to meet you
214-2.0.0 ask postmaster@mx.example.org
214 2.0.0 or read RFC 5321
500 5.5.1 what?
250 2.1.0 fine
551 5.7.1 not through us
221 2.0.0 bye
END
  printf 'QUIT\r\n' | socat -t 10 - "TCP4:127.0.0.2:$port" | grep -q '^220-mail.example.net ESMTP'
}

@test "smtpd replies: a text that would break the protocol is an error at the start, with file, line and what was expected" {
  bad() {
    printf '[smtp.codes]\n\n%s\n' "$1" >vsmtp.ini
    run -78 smtpd --config vsmtp.ini --listen 127.0.0.1:0 -- ./keep
    [[ $output == *"vsmtp.ini:3: bad value '"*"' for smtp.codes.${1%% *}; expected: $2"* ]] || { echo "$output"; return 1; }
  }
  bad 'Denied = 250 2.0.0 fine' 'a code of the class 5, such as 554'
  bad 'DataStart = 250 go on' 'the code 354'
  bad 'TlsGoAhead = 454 no' 'the code 220'
  bad 'Failure = 421 4.3.2 bye' 'another code than 421'
  bad 'Greetings = 220 *** hello' 'the name of the server in front'
  printf '[smtp.codes]\nDeny = no\n' >vsmtp.ini
  run -78 smtpd --config vsmtp.ini --listen 127.0.0.1:0 -- ./keep
  [[ $output == *"vsmtp.ini:2: unknown key 'Deny' in [smtp.codes]; expected: Greetings Help "* ]]
}

@test "smtpd replies: extensions are not offered, nor taken, as configured" {
  serve --disable-extensions 'smtputf8 CHUNKING' --message-size-max 1000
  run -0 bash -c "printf 'EHLO c\r\nMAIL FROM:<a@a.example> SMTPUTF8\r\nBDAT 0 LAST\r\nMAIL FROM:<a@a.example> SIZE=10 BODY=8BITMIME\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [[ $output == *250-SIZE* && $output != *SMTPUTF8* && $output != *CHUNKING* && $output != *BINARYMIME* ]]
  [ "$(codes <<<"$output")" = '220 250 555 502 250 221' ]
  stop smtpd
  serve --disable-ehlo yes
  run -0 bash -c "printf 'EHLO c\r\nHELO c\r\nMAIL FROM:<a@a.example> SIZE=10\r\nMAIL FROM:<a@a.example>\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [ "$(codes <<<"$output")" = '220 502 250 555 250 221' ]
  run -0 python3 -c "
import smtplib
with smtplib.SMTP('127.0.0.1', $port) as client: client.sendmail('a@a.example', ['b@b.example'], 'Subject: x\r\n\r\nhello\r\n')"
  has_kept 1
}

@test "smtpd replies: extensions that are asked for and cannot be offered are errors at the start" {
  wrong() {
    run -78 smtpd --listen 127.0.0.1:0 "${@:2}" -- ./keep
    [[ $output == *"$1"* ]] || { echo "$output"; return 1; }
  }
  wrong "bad value 'SPEED' for smtp.disable_extensions; expected: some of: PIPELINING SIZE" --disable-extensions SPEED
  wrong 'smtp.required_extension: the service smtp cannot offer STARTTLS AUTH; expected:' --required-extension 'STARTTLS 8BITMIME AUTH'
  wrong 'smtp.required_extension: the service smtp cannot offer SIZE' --required-extension SIZE --disable-extensions SIZE
  wrong 'no with smtp.lmtp = yes' --lmtp yes --disable-ehlo yes
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=x -keyout key.pem -out cert.pem 2>/dev/null
  wrong "bad value 'STARTTLS' for smtp.disable_extensions" --security-level encrypt --certificate cert.pem --private-key key.pem --disable-extensions STARTTLS
  wrong "bad value 'yes' for smtp.disable_ehlo" --security-level encrypt --certificate cert.pem --private-key key.pem --disable-ehlo yes
  serve --required-extension 'STARTTLS 8BITMIME' --certificate cert.pem --private-key key.pem
}

@test "smtpd replies: VRFY says as much as it is told to, and in UTF-8 to who asks for it" {
  ask() { printf 'EHLO c\r\nVRFY ann@b.example\r\nVRFY <x@x.example>\r\nVRFY \xc3\xbc@b.example\r\nVRFY \xc3\xbc@b.example SMTPUTF8\r\nEXPN list\r\nQUIT\r\n' | say | codes; }
  serve
  [ "$(ask)" = '220 250 252 252 553 252 502 221' ]
  stop smtpd
  serve --vrfy known --local-domains b.example
  [ "$(ask)" = '220 250 252 550 553 252 502 221' ]
  stop smtpd
  serve --vrfy no
  [ "$(ask)" = '220 250 502 502 502 502 502 221' ]
}

@test "smtpd replies: an international domain has labels that a domain can have" {
  serve --local-domains '*'
  run -0 bash -c "printf 'EHLO c\r\nMAIL FROM:<a@b\xc3\xbccher.example>\r\nMAIL FROM:<a@b\xc3\xbccher.example> SMTPUTF8\r\nRCPT TO:<a@-\xc3\xbc.example>\r\nRCPT TO:<a@\xe2\x98\xba.example>\r\nRCPT TO:<\xe2\x98\xba@\xe4\xbe\x8b\xe3\x81\x88.example>\r\nRSET\r\nMAIL FROM:<a@\xe2\x80\x8b.example> SMTPUTF8\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [ "$(codes <<<"$output")" = '220 250 553 250 501 501 250 250 501 221' ]
  [[ $output == *'501 5.1.3 '*'labels that no domain can have'* ]]
}

@test "smtpd replies: ETRN starts the queue for a domain that is relayed, and tells how many messages wait" {
  script start <<'END'
printf '%s ' "$@" >>asked
[ "$3" = slow.example ] && { printf 'Znot now' >&6; exit 82; }
[ "$3" = empty.example ] && { printf K0 >&6; exit 0; }
printf K17 >&6
END
  serve --etrn './start retry domain' --relay-domains 'r.example slow.example empty.example .sub.example' --local-domains 'b.example'
  run -0 bash -c "printf 'EHLO c\r\nETRN r.example\r\nETRN empty.example\r\nETRN slow.example\r\nETRN b.example\r\nETRN x.example\r\nETRN @r.example\r\nETRN #q\r\nETRN a.sub.example\r\nETRN\r\nMAIL FROM:<>\r\nETRN r.example\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [[ $output == *250-ETRN* ]]
  [ "$(codes <<<"$output")" = '220 250 253 251 458 459 459 501 501 253 501 250 503 221' ]
  [[ $output == *'253 2.0.0 OK, 17 pending messages for node r.example started'* ]]
  [ "$(cat asked)" = 'retry domain r.example retry domain empty.example retry domain slow.example retry domain a.sub.example ' ]
  stop smtpd
  serve --relay-domains r.example
  [ "$(printf 'EHLO c\r\nETRN r.example\r\nQUIT\r\n' | say | codes)" = '220 250 502 221' ]
}

@test "smtpd replies: rules and policies greet in their own words, and EHLO keeps its extensions" {
  cat >main.vsl <<'END'
#{
  connect: [ rule "words" || accept(code(220, "mx.example.org go ahead, " + client_ip())) ],
  helo: [ rule "words" || if helo() == "plain" { accept() } else { accept(code(250, "2.0.0", "mx.example.org hello " + helo())) } ],
}
END
  serve --policy 'vsl-filter --policy main.vsl'
  printf 'HELO c.example\r\nEHLO d.example\r\nEHLO plain\r\nQUIT\r\n' | say | tr -d '\r' >out
  grep -v -E '^250[- ][A-Z0-9]+( |$)' out >said
  diff - said <<'END'
220 mx.example.org go ahead, 127.0.0.1
250 mx.example.org hello c.example
250-mx.example.org hello d.example
250-mx.example.org
221 2.0.0 Service closing transmission channel
END
  [ "$(grep -c '^250-SIZE' out)" = 2 ]
  [ "$(grep -c '^250 ENHANCEDSTATUSCODES' out)" = 2 ]
  run -0 swaks --server "127.0.0.1:$port" --ehlo d.example --from a@a.example --to b@b.example
  has_kept 1
}
