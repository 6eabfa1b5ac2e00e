#!/usr/bin/env bats
# Lists of addresses in DNS that smtpd asks about clients (RFC 5782), answered by unbound.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
}
teardown() { stop_all; }

# dns RECORD...: unbound with these records on $dns_port of 127.0.0.1; nothing else exists below example. Questions are in unbound.log.
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' log-queries: yes\n verbosity: 1\n module-config: "iterator"\n local-zone: "example." static\n local-data: "example. 300 SOA ns.example. root.example. 1 1 1 1 300"\n'
    printf ' local-zone: "broken.example." always_refuse\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
asked() { grep -c " $1\. $2 IN" unbound.log; }
# listing OPTION...: a server that asks dns; no client is exempt or may relay.
listing() { serve --dns-server "127.0.0.1@$dns_port" --shield-exempt 192.0.2.1 --relay-clients 192.0.2.1 --local-domains b.example "$@"; }
from() { socat -t 20 -T 20 - "TCP4:127.0.0.1:$port,bind=$1"; }
# greeting ADDRESS: what a client there hears first.
greeting() {
  python3 -c 'import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10, source_address=(sys.argv[2], 0)) as client:
    print(client.recv(512).decode().strip())' "$port" "$1"
}
mail() { printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nQUIT\r\n'; }

@test "smtpd dnsbl: a client that is listed is refused at RCPT with the name of the list and its words; others are not" {
  dns '2.1.0.127.zen.example. A 127.0.0.4' '2.1.0.127.zen.example. TXT "Listed, see https://zen.example/q?127.0.1.2"' '3.1.0.127.zen.example. A 127.0.0.77'
  listing --shield-dnsbl zen.example=127.0.0.[2..11]
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 554 554 221' ]
  [[ $output == *'554 5.7.1 Service unavailable; client [127.0.1.2] blocked using zen.example; Listed, see https://zen.example/q?127.0.1.2'* ]]
  grep -q 'listed .*client=127.0.1.2 score=1 lists=zen.example' smtpd.log
  grep -q 'recipient refused .*client=127.0.1.2 .*blocked using zen.example' smtpd.log
  for client in 127.0.1.3 127.0.1.4; do
    run -0 from $client < <(mail)
    [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  done
  # Answers are kept, those that say no too.
  run -0 from 127.0.1.2 < <(mail)
  run -0 from 127.0.1.4 < <(mail)
  [ "$(asked 2.1.0.127.zen.example A)" = 1 ]
  [ "$(asked 2.1.0.127.zen.example TXT)" = 1 ]
  [ "$(asked 4.1.0.127.zen.example A)" = 1 ]
}

@test "smtpd dnsbl: a zone that knot serves" {
  dns_port=$(free_port)
  cat >zen.zone <<'END'
@ 300 SOA ns.zen.example. root.zen.example. 1 1 1 1 300
@ 300 NS ns.zen.example.
2.1.0.127 300 A 127.0.0.4
2.1.0.127 300 TXT "Listed by knot"
END
  cat >knot.conf <<END
server:
  rundir: "$PWD"
  listen: 127.0.0.1@$dns_port
database:
  storage: "$PWD"
log:
  - target: stderr
    any: info
zone:
  - domain: zen.example.
    file: "$PWD/zen.zone"
END
  start knot knotd -c knot.conf
  wait_for grep -q 'loaded' knot.log
  listing --shield-dnsbl zen.example
  run -0 from 127.0.1.2 < <(mail)
  [[ $output == *'554 5.7.1 Service unavailable; client [127.0.1.2] blocked using zen.example; Listed by knot'* ]]
  run -0 from 127.0.1.3 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
}

@test "smtpd dnsbl: weights add up, lists of good clients too, at the edge of the threshold" {
  dns '2.1.0.127.a.example. A 127.0.0.2' '2.1.0.127.b.example. A 127.0.0.2' '3.1.0.127.a.example. A 127.0.0.2' \
    '4.1.0.127.a.example. A 127.0.0.2' '4.1.0.127.b.example. A 127.0.0.2' '4.1.0.127.good.example. A 127.0.5.1'
  listing --shield-dnsbl 'a.example*2, b.example, good.example=127.0.[0..255].[1..3]*-2' --shield-dnsbl-threshold 3
  run -0 from 127.0.1.2 < <(mail)
  [[ $output == *'554 5.7.1 Service unavailable; client [127.0.1.2] blocked using a.example'* ]]
  grep -q 'listed .*client=127.0.1.2 score=3 lists="a.example b.example"' smtpd.log
  for client in 127.0.1.3 127.0.1.4; do
    run -0 from $client < <(mail)
    [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  done
}

@test "smtpd dnsbl: who is exempt, may relay or has authenticated is not refused, and the first two are not asked about" {
  dns '2.1.0.127.zen.example. A 127.0.0.2' '3.1.0.127.zen.example. A 127.0.0.2' '4.1.0.127.zen.example. A 127.0.0.2'
  echo "ann:{PLAIN}secret" >users
  chmod 600 users
  listing --shield-dnsbl zen.example --shield-exempt '192.0.2.1 127.0.1.2' --relay-clients 127.0.1.3 --password-file users --allow-plaintext yes
  for client in 127.0.1.2 127.0.1.3; do
    run -0 from $client < <(mail)
    [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  done
  ! grep -q 'zen.example' unbound.log
  run -0 from 127.0.1.4 < <(printf 'EHLO c\r\nAUTH PLAIN %s\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n' "$(printf '\0ann\0secret' | base64)")
  [ "$(codes <<<"$output")" = '220 250 235 250 250 221' ]
}

@test "smtpd dnsbl: users' ports are looked up if that is said, and who has logged in is not refused" {
  dns '2.1.0.127.zen.example. A 127.0.0.2'
  echo "ann:{PLAIN}secret" >users
  chmod 600 users
  local two=(--listen-submission 127.0.0.1:0 --submission-security-level none --password-file users --allow-plaintext yes --required no --shield-dnsbl zen.example --local-domains b.example)
  listing "${two[@]}"
  smtp=$port
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=submission$/\1/p' smtpd.log)
  run -0 from 127.0.1.2 < <(mail)
  ! grep -q zen.example unbound.log
  stop smtpd
  listing "${two[@]}" --shield-dnsbl-service 'submission' --shield-dnsbl-action connect
  smtp=$port
  [[ "$(greeting 127.0.1.2)" == '220 '* ]]
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=submission$/\1/p' smtpd.log)
  [[ "$(greeting 127.0.1.2)" == '554 '* ]]
  [[ "$(greeting 127.0.1.3)" == '220 '* ]]
  stop smtpd
  listing "${two[@]}" --shield-dnsbl-service 'smtp submission'
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=submission$/\1/p' smtpd.log)
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\nAUTH PLAIN %s\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n' "$(printf '\0ann\0secret' | base64)")
  [ "$(codes <<<"$output")" = '220 250 235 250 250 221' ]
  run -78 timeout 20 smtpd --listen 127.0.0.1:0 --shield-dnsbl zen.example --shield-dnsbl-service pop -- ./keep
  [[ $output == *"shield.dnsbl_service: 'pop'; expected some of: smtp, submission, submissions"* ]]
}

@test "smtpd dnsbl: a list that is dead, refuses or says nonsense refuses nobody, and costs no more than its time" {
  dns '2.1.0.127.odd.example. A 203.0.113.1' '2.1.0.127.no.example. A 127.255.255.254'
  listing --shield-dnsbl 'odd.example no.example broken.example'
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  grep -q 'a list does not answer .*client=127.0.1.2 cause="A 2.1.0.127.broken.example: ' smtpd.log
  stop smtpd
  stop unbound
  listing --shield-dnsbl zen.example --shield-dnsbl-timeout 300ms
  local begin=$EPOCHREALTIME
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  [ $((${EPOCHREALTIME/./} - ${begin/./})) -lt 5000000 ]
}

@test "smtpd dnsbl: refused at once with connect, which is decided while the greeting waits; one session does the same" {
  dns '2.1.0.127.zen.example. A 127.0.0.2'
  local options=(--shield-dnsbl zen.example --shield-dnsbl-action connect --shield-greeting-delay 1s)
  listing "${options[@]}"
  run -0 greeting 127.0.1.2
  [ "$output" = '554 5.7.1 Service unavailable; client [127.0.1.2] blocked using zen.example' ]
  run -0 greeting 127.0.1.3
  [[ $output == '220 '* ]]
  for client in 127.0.1.2 127.0.1.3; do
    mail | PROTO=TCP TCPREMOTEIP=$client smtpd --dns-server "127.0.0.1@$dns_port" --shield-exempt 192.0.2.1 --relay-clients 192.0.2.1 \
      --local-domains b.example --shield-dnsbl zen.example --shield-dnsbl-action rcpt -- ./keep >said.$client
  done
  [ "$(codes <said.127.0.1.2)" = '220 250 250 554 554 221' ]
  [ "$(codes <said.127.0.1.3)" = '220 250 250 250 250 221' ]
}

@test "smtpd dnsbl: with none it is left to policies; a mistake is an error that shows it" {
  dns '2.1.0.127.zen.example. A 127.0.0.2'
  listing --shield-dnsbl zen.example --shield-dnsbl-action none
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  run -78 smtpd --listen 127.0.0.1:0 --shield-dnsbl 'zen.example=127.0.0' -- ./keep
  [[ $output == *"shield.dnsbl: 'zen.example=127.0.0'; expected: DOMAIN=D.D.D.D*WEIGHT"* ]]
}

@test "smtpd dnsbl: who comes by XCLIENT is looked up, not who says so" {
  dns '7.100.51.198.zen.example. A 127.0.0.2' '2.1.0.127.zen.example. A 127.0.0.2'
  listing --shield-dnsbl zen.example --xclient-clients 127.0.1.2
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\nXCLIENT ADDR=198.51.100.7\r\n'; mail)
  [[ $output == *'client [198.51.100.7] blocked using zen.example'* ]]
  run -0 from 127.0.1.2 < <(printf 'EHLO c\r\nXCLIENT ADDR=198.51.100.8\r\n'; mail)
  [ "$(codes <<<"$output")" = '220 250 220 250 250 250 250 221' ]
}

@test "smtpd shield: policies and the chain are told what is known of a client" {
  dns '2.1.0.127.zen.example. A 127.0.0.2'
  cat >main.vsl <<'END_OF_RULES'
#{ rcpt: [ rule "r" || if dnsbl_score() == 2 && dnsbl_lists() == ["zen.example"] && client_reputation() == "bad" {
             info(`550 5.7.1 ${client_counts().connections} ${network_counts().recipients} times`) } else { next() } ],
   preq: [ action "h" || prepend_header("X-Known", `${client_reputation()} ${client_counts().messages} ${ctx().dnsbl_lists.len}`), rule "a" || accept() ] }
END_OF_RULES
  script ask <<'END_OF_SCRIPT'
while read -r line; do
  case $line in '') printf 'action=DUNNO\n\n' ;; *) echo "$line" >>asked ;; esac
done
END_OF_SCRIPT
  listing --shield-dnsbl 'zen.example*2' --shield-dnsbl-action none --policy './ask -- vsl-filter --policy main.vsl' -- vsl-filter main.vsl -- ./keep
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 550 550 221' ]
  [[ $output == *'550 5.7.1 1 1 times'*'550 5.7.1 1 2 times'* ]]
  grep -qx 'dnsbl_score=2' asked
  grep -qx 'dnsbl_lists=zen.example' asked
  grep -qx 'client_reputation=bad' asked
  grep -qx 'client_counts=connections=1 messages=1 recipients=1 octets=[0-9]* errors=0 failed_log_ins=0 accepted=0' asked
  local i
  for i in 1 2; do
    run -0 from 127.0.1.3 < <(printf 'EHLO c\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n')
    [[ $output == *'250 2.0.0 Ok: queued'* ]]
  done
  grep -q '^X-Known: unknown 1 0' kept/1.msg
  grep -q '^X-Known: good 2 0' kept/2.msg
  [ "$(jq -c '.connection.shield | .reputation, .client.messages, .network.messages' kept/2.ctx | paste -sd' ')" = '"good" 2 3' ]
}

@test "smtpd shield: who talks early can be let go on, and rules are told" {
  cat >main.vsl <<'END_OF_RULES'
#{ helo: [ rule "r" || if is_early_talker() { deny("550 5.7.1 have patience") } else { next() } ] }
END_OF_RULES
  serve --shield-exempt 192.0.2.1 --shield-greeting-delay 1s --shield-early-talker mark --policy 'vsl-filter --policy main.vsl'
  run -0 from 127.0.1.1 < <(printf 'EHLO c\r\nQUIT\r\n')
  [[ $output == '220 '*'550 5.7.1 have patience'* ]]
  grep -q 'talked before the greeting .*client=127.0.1.1' smtpd.log
  run -0 from 127.0.1.1 < <(sleep 2.5; printf 'EHLO c\r\nQUIT\r\n')
  [ "$(codes <<<"$output")" = '220 250 221' ]
}
