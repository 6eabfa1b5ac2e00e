# Delivery status notifications from a client to the next host: smtpd, queue-inject, queue-run and deliver-remote together, with
# Python's smtplib and swaks as clients, smtp-sink with and without DSN and Postfix as next hosts. queue-run-notices.bats has
# what the notifications say.
load smtpd_helpers

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# The whole server: mail for here.test into Maildirs, all else to 127.0.0.1:$next.
serve_all() {
  SINK_USER=()
  [ "$(id -u)" != 0 ] || SINK_USER=(-u root) # it writes below this folder
  queue-inject --spool spool --make-spool
  mkdir -p mail sunk
  next=$(free_port)
  cat >vsmtp.ini <<END
[server]
domain = mx.here.test
[queue]
spool = spool
retry_min = 1s
[delivery]
local_domains = here.test
[maildir]
template = $PWD/mail/{local}
create = yes
[remote]
relay_host = [127.0.0.1]:$next
[smtp]
relay_clients = 127.0.0.1
END
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  start smtpd smtpd --listen 127.0.0.1:0 -- queue-inject
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
}
start_sink() {
  start sink smtp-sink "${SINK_USER[@]}" -d "$PWD/sunk/%M." "$@" "127.0.0.1:$next" 100
  wait_for_port "$next"
}
# submit SENDER RECIPIENT PARAMETERS...: of RCPT; those of MAIL are in $mail_options.
submit() {
  python3 - "$port" "$mail_options" "$@" <<'END'
import smtplib, sys
port, of_mail, sender, recipient, *of_rcpt = sys.argv[1:]
with smtplib.SMTP('127.0.0.1', int(port)) as client:
    client.ehlo()
    assert client.has_extn('dsn')
    client.sendmail(sender, [recipient], 'Subject: a question\r\n\r\nthe body\r\n', mail_options=of_mail.split(), rcpt_options=of_rcpt)
END
}
notice_in() { ls mail/"$1"/new/*; }

@test "smtpd: offers DSN, unless it is told not to, and then does not know its parameters" {
  make_keep
  serve
  printf 'EHLO c\r\nQUIT\r\n' | say | grep -q '^250.DSN'
  stop smtpd
  serve --dsn no
  run -0 say < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example> RET=HDRS\r\nQUIT\r\n')
  [[ $output != *DSN* ]]
  [[ $output == *$'\n555 5.5.4 '* ]]
}

@test "smtpd: RET, ENVID, NOTIFY and ORCPT reach the filters, over SMTP and LMTP" {
  make_keep
  local hello
  for hello in EHLO LHLO; do
    serve --lmtp "$([ $hello = LHLO ] && echo yes || echo no)"
    printf '%s c\r\nMAIL FROM:<a@a.example> RET=hdrs ENVID=Q+2Bq\r\nRCPT TO:<b@b.example> NOTIFY=success,DELAY ORCPT=rfc822;x+2By@z.example\r\nRCPT TO:<c@b.example> NOTIFY=NEVER\r\nRCPT TO:<d@b.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n' $hello | say >/dev/null
    stop smtpd
  done
  has_kept 2
  for n in 1 2; do
    [ "$(jq -c .envelop.dsn "kept/$n.ctx")" = '{"ret":"HDRS","envid":"Q+2Bq"}' ]
    [ "$(jq -c '[.envelop.rcpt[] | [.notify, .orcpt]]' "kept/$n.ctx")" = '[["SUCCESS,DELAY","rfc822;x+2By@z.example"],["NEVER",null],[null,null]]' ]
    grep -qx 'SMTPRET=HDRS' "kept/$n.envir"
    grep -qx 'SMTPENVID=Q+2Bq' "kept/$n.envir"
  done
}

@test "smtpd: parameters that RFC 3461 does not allow are refused with 501 5.5.4" {
  make_keep
  serve --error-soft-count 100 --error-hard-count 100
  local bad
  for bad in RET=ALL RET= RET ENVID= ENVID=a+2b ENVID=a+0D+0Ab "ENVID=$(printf 'a%.0s' {1..101})" 'RET=FULL RET=FULL'; do
    run -0 say < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example> %s\r\nQUIT\r\n' "$bad")
    [ "$(tail -n 2 <<<"$output" | head -n 1 | cut -c1-9)" = '501 5.5.4' ] || { echo "$bad: $output"; return 1; }
  done
  for bad in NOTIFY= NOTIFY=NEVER,DELAY NOTIFY=MAYBE ORCPT=b@b.example 'ORCPT=rfc822;' 'ORCPT=rfc822;a+0D+0AX:' 'ORCPT=utf-8;\x{41}@b' $'ORCPT=utf-8;\u00fc@b' "ORCPT=rfc822;$(printf 'a%.0s' {1..494})"; do
    run -0 say < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example> %s\r\nQUIT\r\n' "$bad")
    [ "$(tail -n 2 <<<"$output" | head -n 1 | cut -c1-9)" = '501 5.5.4' ] || { echo "$bad: $output"; return 1; }
  done
}

@test "smtpd: policies see what is asked of the transaction and of the recipient" {
  make_keep
  start policy python3 -c '
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
client, _ = server.accept()
file = client.makefile("rwb")
with open("asked", "wb") as asked:
    for line in file:
        asked.write(line)
        asked.flush()
        if line == b"\n":
            file.write(b"action=dunno\n\n")
            file.flush()' "$PWD/policy.sock"
  wait_for serves policy.sock
  serve --policy "unix:$PWD/policy.sock"
  printf 'EHLO c\r\nMAIL FROM:<a@a.example> RET=FULL ENVID=x\r\nRCPT TO:<b@b.example> NOTIFY=NEVER\r\nQUIT\r\n' | say >/dev/null
  stop smtpd
  [ "$(grep -c '^dsn_envid=x$' asked)" -ge 2 ]
  [ "$(grep '^dsn_notify' asked)" = dsn_notify=NEVER ]
}

@test "dsn: of local mail success is told by us, with what the client has given" {
  serve_all
  mail_options='RET=HDRS ENVID=Q+2Bq'
  submit me@here.test you@here.test NOTIFY=SUCCESS 'ORCPT=rfc822;old@here.test'
  queue-run --drain
  [ "$(ls mail/you/new | wc -l)" = 1 ]
  grep -q '^Original-Envelope-Id: Q+q' "$(notice_in me)"
  grep -q '^Original-Recipient: rfc822; old@here.test' "$(notice_in me)"
  grep -q '^Action: delivered' "$(notice_in me)"
}

@test "dsn: to a host that offers DSN the parameters go on, and it has the word" {
  serve_all
  start_sink
  mail_options='RET=HDRS ENVID=Q+2Bq'
  submit me@here.test c@far.test NOTIFY=SUCCESS,FAILURE
  queue-run --drain
  grep -q '^X-Mail-Args: .* RET=HDRS ENVID=Q+2Bq' sunk/*
  grep -q '^X-Rcpt-Args: <c@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@far.test' sunk/*
  [ ! -e mail/me ]
}

@test "dsn: to a host without DSN nothing of it goes, and we tell that it was relayed" {
  serve_all
  start_sink -N
  mail_options='ENVID=Q+2Bq'
  submit me@here.test c@far.test NOTIFY=SUCCESS
  queue-run --drain
  [ "$(cat sunk/* | grep -c 'ENVID\|NOTIFY')" = 0 ]
  grep -q '^Action: relayed' "$(notice_in me)"
  grep -q '^Final-Recipient: rfc822; c@far.test' "$(notice_in me)"
}

@test "dsn: a refused recipient is told with the words of the host; swaks as client" {
  serve_all
  start_sink -f RCPT
  swaks --server "127.0.0.1:$port" --from me@here.test --to c@far.test --silent 3 </dev/null
  queue-run --drain
  tr -d '\r' <"$(notice_in me)" >notice
  grep -q '^Remote-MTA: dns; \[127.0.0.1\]' notice
  grep -q '^Diagnostic-Code: smtp; 500 ' notice
  grep -q '^Status: 5\.' notice
  python3 -c 'import email, email.policy
m = email.message_from_file(open("notice"), policy=email.policy.default)
assert [p.get_content_type() for p in m.iter_parts()] == ["text/plain", "message/delivery-status", "message/rfc822"]'
}

@test "dsn: rules that write another address into a recipient's place keep the one that the sender knows" {
  serve_all
  echo '#{ preq: [ action "moves" || rewrite_rcpt_envelop("old@here.test", "nobody@far.test") ] }' >main.vsl
  stop smtpd
  start smtpd smtpd --listen 127.0.0.1:0 -- vsl-filter main.vsl -- queue-inject
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
  start_sink -f RCPT
  mail_options=ENVID=abc
  submit me@here.test old@here.test NOTIFY=FAILURE
  queue-run --drain
  grep -q '^Original-Recipient: rfc822; old@here.test' "$(notice_in me)"
  grep -q '^Final-Recipient: rfc822; nobody@far.test' "$(notice_in me)"
  grep -q '^Original-Envelope-Id: abc' "$(notice_in me)"
}

@test "dsn: Postfix as next host takes the parameters and tells in the same form as we do" {
  [ "$(id -u)" = 0 ] || skip 'Postfix starts as root only'
  serve_all
  local postfix # its daemons are other users, and must be able to enter
  postfix=$(mktemp -d /tmp/vsmtp-postfix.XXXXXX)
  chmod 755 "$postfix"
  mail_options='RET=HDRS ENVID=Q+2Bq'
  submit me@here.test you@here.test NOTIFY=SUCCESS
  submit 1u@bench.invalid u@bench.invalid NOTIFY=SUCCESS
  python3 - "$TOP/tests/bench" "$postfix" "$next" <<'END' >postfix.out 2>&1 || { cat postfix.out "$postfix/out" "$postfix/maillog"; false; }
import sys
sys.path.insert(0, sys.argv[1])
import os, servers, subprocess, time
server = servers.Postfix(sys.argv[2], int(sys.argv[3]), 'local')
server.start()
servers.wait_for_greeting(int(sys.argv[3]))
try:
    subprocess.run(['queue-run', '--drain'], check=True)
    end = time.monotonic() + 20
    while time.monotonic() < end and sum(len(f) for d, _, f in os.walk(server.maildirs()) if d.endswith('/new')) < 2:
        time.sleep(0.1)
finally:
    server.stop()
END
  cp "$postfix"/mail/b01/new/* theirs
  rm -rf "$postfix"
  python3 - "$(notice_in me)" theirs <<'END'
import email, email.policy, sys
def shape(path):
    m = email.message_from_binary_file(open(path, 'rb'), policy=email.policy.default)
    parts = list(m.iter_parts())
    of_message, of_recipient = parts[1].get_payload()
    names = lambda fields: {name for name in fields.keys() if not name.startswith('X-')}
    return (m.get_content_type(), m.get_param('report-type'), [p.get_content_type() for p in parts], of_message['Original-Envelope-Id'],
            m['Auto-Submitted'], names(of_message), names(of_recipient), of_recipient['Action'])
ours, theirs = shape(sys.argv[1]), shape(sys.argv[2])
print(ours, theirs, sep='\n')
assert ours[:6] == theirs[:6]
assert ours[7] == theirs[7] == 'delivered'
# They were told ORCPT by us; Last-Attempt-Date may be there or not.
assert ours[6] - {'Last-Attempt-Date'} <= theirs[6] <= ours[6] | {'Original-Recipient'}
END
}
