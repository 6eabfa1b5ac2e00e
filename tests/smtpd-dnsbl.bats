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
  grep -q 'listed client=127.0.1.2 score=1 lists=zen.example' smtpd.log
  grep -q 'recipient refused client=127.0.1.2 .*blocked using zen.example' smtpd.log
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

@test "smtpd dnsbl: weights add up, lists of good clients too, at the edge of the threshold" {
  dns '2.1.0.127.a.example. A 127.0.0.2' '2.1.0.127.b.example. A 127.0.0.2' '3.1.0.127.a.example. A 127.0.0.2' \
    '4.1.0.127.a.example. A 127.0.0.2' '4.1.0.127.b.example. A 127.0.0.2' '4.1.0.127.good.example. A 127.0.5.1'
  listing --shield-dnsbl 'a.example*2, b.example, good.example=127.0.[0..255].[1..3]*-2' --shield-dnsbl-threshold 3
  run -0 from 127.0.1.2 < <(mail)
  [[ $output == *'554 5.7.1 Service unavailable; client [127.0.1.2] blocked using a.example'* ]]
  grep -q 'listed client=127.0.1.2 score=3 lists="a.example b.example"' smtpd.log
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

@test "smtpd dnsbl: a list that is dead, refuses or says nonsense refuses nobody, and costs no more than its time" {
  dns '2.1.0.127.odd.example. A 203.0.113.1' '2.1.0.127.no.example. A 127.255.255.254'
  listing --shield-dnsbl 'odd.example no.example broken.example'
  run -0 from 127.0.1.2 < <(mail)
  [ "$(codes <<<"$output")" = '220 250 250 250 250 221' ]
  grep -q 'a list does not answer client=127.0.1.2 cause="A 2.1.0.127.broken.example: ' smtpd.log
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
