#!/usr/bin/env bats
# REQUIRETLS (RFC 8689), from the client through the queue to the next host.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=mx.example.org -keyout key.pem -out cert.pem 2>/dev/null
}
teardown() { stop_all; }
sink_user=()
[ "$(id -u)" != 0 ] || sink_user=(-u root)  # smtp-sink wants to be told

# says LINE...: what the server answers them behind EHLO under TLS.
says() { printf '%s\r\n' 'EHLO c' "$@" QUIT | timeout 20 openssl s_client -connect "127.0.0.1:$port" -starttls smtp -quiet -ign_eof 2>/dev/null | tr -d '\r'; }

@test "smtpd requiretls: offered and taken under TLS only, and told to the chain" {
  serve --certificate cert.pem --private-key key.pem
  run -0 bash -c "printf 'EHLO c\r\nMAIL FROM:<a@a.example> REQUIRETLS\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [[ $output != *REQUIRETLS* && $output == *'555 5.5.4 '* ]]
  run -0 says 'MAIL FROM:<a@a.example> REQUIRETLS' 'RCPT TO:<b@b.example>' DATA '' hello .
  [[ $output == *250-REQUIRETLS* ]]
  [ "$(jq .require_tls kept/1.ctx)" = true ]
  grep -qx SMTPREQUIRETLS=1 kept/1.envir
  run -0 says 'MAIL FROM:<a@a.example>' 'RCPT TO:<b@b.example>' DATA '' hello .
  [ "$(jq .require_tls kept/2.ctx)" = null ]
  stop smtpd
  serve --certificate cert.pem --private-key key.pem --disable-extensions REQUIRETLS
  run -0 says 'MAIL FROM:<a@a.example> REQUIRETLS'
  [[ $output != *250-REQUIRETLS* && $output == *'555 5.5.4 '* ]]
}

@test "smtpd requiretls: through the queue no other host sees the message; a mailbox here gets it" {
  mkdir -p mail/ann/Maildir/{tmp,new,cur}
  next=$(free_port)
  start next smtp-sink "${sink_user[@]}" -D "$PWD/seen" "127.0.0.1:$next" 10
  wait_for_port "$next"
  queue-inject --spool spool --make-spool
  serve --certificate cert.pem --private-key key.pem -- queue-inject --spool spool
  says 'MAIL FROM:<a@a.example> REQUIRETLS' 'RCPT TO:<ann@b.example>' 'RCPT TO:<x@x.example>' DATA 'Subject: secret' '' hello . >/dev/null
  run queue-run --spool spool --local-domains b.example --local-transport "deliver-maildir --template $PWD/mail/{local}/Maildir" \
    --remote-transport "deliver-remote --relay-host [127.0.0.1]:$next" --drain
  [[ $output == *'5.7.30'* ]]
  [ "$(find mail/ann/Maildir/new -type f | wc -l)" = 1 ]
  [ ! -e seen ]
}

@test "deliver-remote: SMTPREQUIRETLS keeps a message from hosts without TLS" {
  next=$(free_port)
  start next smtp-sink "${sink_user[@]}" "127.0.0.1:$next" 10
  wait_for_port "$next"
  printf 'Subject: x\r\n\r\nhello\r\n' >message
  run -0 bash -c "SMTPREQUIRETLS=1 deliver-remote '[127.0.0.1]:$next' a@a.example b@b.example c@c.example <message 2>/dev/null | tr '\0' '\n'"
  [[ $output == 'D'*'550 5.7.30 REQUIRETLS: the host does not offer STARTTLS' ]]
  run -0 bash -c "deliver-remote '[127.0.0.1]:$next' a@a.example b@b.example <message 2>/dev/null | tr '\0' '\n'"
  [[ $output == r* ]]
  printf 'Fa@a.example\0Tb@b.example\0\0' >envelope
  run -82 bash -c "SMTPREQUIRETLS=1 deliver-remote --relay-host '[127.0.0.1]:$next' <message 1<envelope 6>report"
  [[ $(cat report) == 'D550 5.7.30 '* ]]
}
