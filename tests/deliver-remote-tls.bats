# deliver-remote(8), "TLS" and "Log-in": our own smtpd and Postfix as servers, unbound as DNS, and a liar where a server misbehaves.
load remote_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" && make_keep && make_ca
}

# to_server [OPTION...]: to the server on $port
to_server() { remote "$@" "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml; }
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "example.org." static\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# by_mx [OPTION...]: to b@example.org, at $port
by_mx() { remote --dns-server "127.0.0.1@$dns_port" --port "$port" "$@" example.org a@example.net b@example.org <mail.eml; }

@test "deliver-remote: TLS is used where it is offered, with whoever it is" {
  certificate mx.example.org DNS:mx.example.org
  serve_tls mx.example.org
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  grep -q 'with ESMTPS (TLSv1' kept/1.msg
  run -0 to_server --tls-level none
  [ "${lines[0]:0:1}" = r ]
  grep -q 'with ESMTP id' kept/2.msg
}

@test "deliver-remote: TLS that may be and fails goes on in clear, on a new connection; TLS that must be does not" {
  local broken=('say 220 x' 'hear EHLO' 'say 250-x|250 STARTTLS' 'hear STARTTLS' 'say 220 go' 'raw no TLS at all' close)
  liar "${broken[@]}" next 'say 220 x' 'hear EHLO' 'say 250-x|250 STARTTLS' loop next "${broken[@]}"
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  grep -q '^2 MAIL' liar.log
  grep -q 'TLS failed, going on in clear' remote.log
  run -0 to_server --tls-level encrypt
  [[ ${lines[0]} == "Z[127.0.0.1]:$port: 451 4."* ]]
  ! grep -q '^3 MAIL' liar.log
  ! grep -q '^4' liar.log
}

@test "deliver-remote: STARTTLS that is refused is done without, or not" {
  local refusing=('say 220 x' 'hear EHLO' 'say 250-x|250 STARTTLS' 'hear STARTTLS' 'say 454 4.7.0 not now')
  liar "${refusing[@]}" loop
  run -0 to_server
  [ "${lines[0]:0:1}" = r ]
  run -0 to_server --tls-level encrypt
  [ "$output" = "Z[127.0.0.1]:$port said at STARTTLS: 454 4.7.0 not now" ]
}

@test "deliver-remote: a host without STARTTLS gets nothing where TLS is required" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  local level
  for level in encrypt verify secure; do
    run -0 to_server --tls-level $level
    [ "$output" = "Z[127.0.0.1]:$port: 451 4.7.10 TLS is required, and the host does not offer STARTTLS" ]
  done
  ! grep -q MAIL liar.log
}

@test "deliver-remote: octets behind the reply to STARTTLS end the session (RFC 3207 section 5)" {
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 STARTTLS' 'hear STARTTLS' 'say 220 go|250 injected' listen
  run -0 to_server --tls-level encrypt
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.7.5 octets behind the reply to STARTTLS" ]
}

@test "deliver-remote: verify wants a certificate that is trusted and names the host" {
  certificate mx.example.org DNS:mx.example.org,IP:127.0.0.1
  certificate other.example.org DNS:other.example.org
  dns 'example.org. MX 10 mx.example.org.' 'mx.example.org. A 127.0.0.1'
  serve_tls mx.example.org
  run -0 by_mx --tls-level verify --tls-authorities ca.crt
  [ "${lines[0]:0:1}" = r ]
  run -0 to_server --tls-level verify --tls-authorities ca.crt # by its address
  [ "${lines[0]:0:1}" = r ]
  run -0 by_mx --tls-level verify --tls-authorities mx.example.org.crt.none
  [[ $output == "Zmx.example.org[127.0.0.1]:$port: 451 4.7.5 mx.example.org.crt.none: "* ]]
  run -0 by_mx --tls-level verify
  [[ $output == "Zmx.example.org[127.0.0.1]:$port: 451 4.7.5 TLS level verify: the certificate is not trusted: "* ]]
  stop smtpd
  serve_tls other.example.org
  run -0 by_mx --tls-level verify --tls-authorities ca.crt
  [ "$output" = "Zmx.example.org[127.0.0.1]:$port: 451 4.7.5 TLS level verify: the certificate is for other.example.org; expected: mx.example.org" ]
  run -0 by_mx --tls-level verify --tls-authorities ca.crt --tls-names .example.org
  [ "${lines[0]:0:1}" = r ]
  has_kept 3
}

@test "deliver-remote: secure wants a certificate that names the destination, whatever host DNS names" {
  certificate mx.example.net DNS:mx.example.net
  certificate mx.example.org DNS:*.example.org
  dns 'example.org. MX 10 mx.example.net.' 'mx.example.net. A 127.0.0.1'
  serve_tls mx.example.net
  run -0 by_mx --tls-level secure --tls-authorities ca.crt
  [ "$output" = "Zmx.example.net[127.0.0.1]:$port: 451 4.7.5 TLS level secure: the certificate is for mx.example.net; expected: example.org, .example.org" ]
  stop smtpd
  serve_tls mx.example.org
  run -0 by_mx --tls-level secure --tls-authorities ca.crt
  [ "${lines[0]:0:1}" = r ]
}

@test "deliver-remote: fingerprint wants a certificate or key that is known" {
  certificate mx.example.org DNS:mx.example.org
  serve_tls mx.example.org
  local certificate key
  certificate=$(openssl x509 -in mx.example.org.crt -noout -fingerprint -sha256 | sed 's/.*=//')
  key=$(openssl x509 -in mx.example.org.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
  run -0 to_server --tls-level fingerprint --tls-fingerprints "$certificate"
  [ "${lines[0]:0:1}" = r ]
  run -0 to_server --tls-level fingerprint --tls-fingerprints "$(printf '0%.0s' {1..64}) $key"
  [ "${lines[0]:0:1}" = r ]
  run -0 to_server --tls-level fingerprint --tls-fingerprints "$(printf '0%.0s' {1..64})"
  [[ $output == *"4.7.5 TLS level fingerprint: the certificate has the unknown fingerprint "*", its key $key" ]]
  run -78 deliver-remote --tls-level fingerprint x a@a.example b@b.example <mail.eml
  run -78 deliver-remote --tls-fingerprints xyz x a@a.example b@b.example <mail.eml
}

@test "deliver-remote: TLS from the begin of the connection, and the client's certificate where it is asked for" {
  certificate mx.example.org DNS:mx.example.org
  certificate me.example DNS:me.example
  start smtpd smtpd --listen-submissions 127.0.0.1:0 --domain mx.example.org --certificate mx.example.org.pem --client-certificate require --client-authorities ca.crt -- ./keep
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log)
  run -0 to_server --tls-wrapper yes --tls-certificate me.example.pem
  [ "${lines[0]:0:1}" = r ]
  grep -q CN=me.example kept/1.ctx
  run -0 to_server --tls-wrapper yes
  [ "${lines[0]:0:1}" = Z ]
  has_kept 1
}

@test "deliver-remote: resident, a TLS session is resumed, a connection used again for who needs no more of it" {
  certificate mx.example.org DNS:mx.example.org,IP:127.0.0.1
  serve_tls mx.example.org --log-level debug
  start resident deliver-remote --resident remote.sock --domain me.example --relay-host "[127.0.0.1]:$port" --log-level debug --tls-level verify --tls-authorities ca.crt --reuse-max 2
  wait_for test -S remote.sock
  run -0 "$TOP/build/tests/call" --from a@example.net --to b@example.org --repeat 6 -- unix:remote.sock <mail.eml

  has_kept 6
  [ "$(grep -c 'resumed=no' resident.log)" = 1 ]
  [ "$(grep -c 'resumed=yes' resident.log)" = 2 ]
}

@test "deliver-remote: resident, a host that never ends its handshake holds up nobody" {
  certificate mx.example.org DNS:mx.example.org
  liar 'say 220 x' 'hear EHLO' 'say 250-x|250 STARTTLS' 'hear STARTTLS' 'say 220 go' 'wait 30'
  local silent=$port
  serve_tls mx.example.org
  start resident deliver-remote --resident remote.sock --domain me.example --timeout-tls 500ms
  wait_for test -S remote.sock
  "$TOP/build/tests/call" --delivery -- unix:remote.sock "[127.0.0.1]:$silent" a@example.net b@example.org <mail.eml >silent.out &
  wait_for grep -q STARTTLS liar.log
  run -0 "$TOP/build/tests/call" --delivery -- unix:remote.sock "[127.0.0.1]:$port" a@example.net b@example.org <mail.eml
  [ "${lines[0]}" = taken ]
  wait $! || true
}

@test "deliver-remote: Postfix under TLS takes what it is sent" {
  [ "$(id -u)" = 0 ] || skip 'Postfix starts as root only'
  local postfix # its daemons are other users, and must be able to enter
  postfix=$(mktemp -d /tmp/vsmtp-postfix.XXXXXX)
  chmod 755 "$postfix"
  certificate mx.example.org DNS:mx.example.org,IP:127.0.0.1
  cat mx.example.org.key mx.example.org.crt >"$postfix/chain.pem"
  port=$(free_port)
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END' >postfix.out 2>&1 || { cat postfix.out "$postfix/out" "$postfix/maillog"; false; }
import sys
sys.path.insert(0, sys.argv[1])
import servers
server = servers.Postfix(sys.argv[2] + '/run', int(sys.argv[3]), 'hold', certificate=sys.argv[2] + '/chain.pem')
server.start()
servers.wait_for_greeting(int(sys.argv[3]))
END
  run remote --tls-level verify --tls-authorities ca.crt "[127.0.0.1]:$port" a@example.net u@bench.invalid <mail.eml
  python3 - "$TOP/tests/bench" "$postfix" "$port" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import servers
servers.Postfix(sys.argv[2] + '/run', int(sys.argv[3]), 'hold').stop()
END
  rm -rf "$postfix"
  [ "${lines[0]:0:1}" = r ]
  grep -q 'TLS host=.* protocol=TLSv1' remote.log
}

# ---- REQUIRETLS

@test "deliver-remote: REQUIRETLS goes to a host that promises it and can show who it is, and to no other" {
  certificate mx.example.org DNS:mx.example.org
  dns 'example.org. MX 10 mx.example.org.' 'mx.example.org. A 127.0.0.1'
  serve_tls mx.example.org
  export SMTPREQUIRETLS=1
  run -0 by_mx --tls-authorities ca.crt
  [ "${lines[0]:0:1}" = r ]
  [ "$(jq .require_tls kept/1.ctx)" = true ]
  run -0 by_mx
  [[ $output == *'4.7.5 TLS level secure (REQUIRETLS): the certificate is not trusted: '* ]]
  stop smtpd
  serve_tls mx.example.org --disable-extensions REQUIRETLS
  run -0 by_mx --tls-authorities ca.crt
  [ "$output" = "Dmx.example.org[127.0.0.1]:$port: 550 5.7.30 REQUIRETLS: the host does not offer it" ]
  has_kept 1
}

# ---- log-in

users() {
  printf secret-of-pat | auth-hash --plain pat >users
  chmod 600 users
  printf 'secret-of-pat\n' >password
  chmod 600 password
}

@test "deliver-remote: logs in by every mechanism, under TLS with the channel bound" {
  users
  certificate mx.example.org DNS:mx.example.org
  serve_tls mx.example.org --relay-clients 192.0.2.1 --password-file users --mechanisms 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN' --failure-delay 0
  local mechanism
  for mechanism in SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN; do
    run -0 to_server --user pat --password-file password --auth-mechanisms $mechanism
    [ "${lines[0]:0:1}" = r ]
    grep -q "user=pat method=$mechanism tls=yes" smtpd.log
  done
  run -0 to_server --user pat --password-file password
  [ "$(grep -c 'method=SCRAM-SHA-256-PLUS' smtpd.log)" = 2 ]
  printf wrong >password
  run -0 to_server --user pat --password-file password
  [[ $output == "Z[127.0.0.1]:$port said at AUTH: 535 5.7.8 "* ]]
  ! grep -q -e secret -e wrong remote.log
}

@test "deliver-remote: the password is not shown in clear, nor read from a file that others can read" {
  users
  serve --relay-clients 192.0.2.1 --password-file users --mechanisms 'PLAIN LOGIN' --allow-plaintext yes
  run -0 to_server --user pat --password-file password
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.7.4 the host offers AUTH PLAIN LOGIN, of which nothing may be used without TLS" ]
  run -0 to_server --user pat --password-file password --auth-in-clear yes
  [ "${lines[0]:0:1}" = r ]
  chmod 640 password
  run -0 to_server --user pat --password-file password --auth-in-clear yes
  [ "$output" = "Z[127.0.0.1]:$port: 451 4.3.5 password: others than its owner may use it; expected: mode 600 or 400" ]
  run -78 deliver-remote --user pat x a@a.example b@b.example <mail.eml
}

@test "deliver-remote: the log-in of [remote] is not shown to a host that DNS has named" {
  users
  certificate mx.example.org DNS:mx.example.org
  dns 'example.org. MX 10 mx.example.org.' 'mx.example.org. A 127.0.0.1'
  serve_tls mx.example.org --relay-clients 192.0.2.1 --relay-domains example.org --password-file users --mechanisms PLAIN
  run -0 by_mx --user pat --password-file password
  [ "${lines[0]:0:1}" = r ]
  ! grep -q authenticated smtpd.log
}

# ---- by destination

@test "deliver-remote: a [relay] section has its own TLS and log-in" {
  users
  certificate mx.example.org DNS:mx.example.org,IP:127.0.0.1
  serve_tls mx.example.org --relay-clients 192.0.2.1 --relay-domains '.example.net' --password-file users --mechanisms PLAIN
  cat >vsmtp.ini <<END
[remote]
relay_host = [127.0.0.1]:$port
tls_level = none
[relay "example.org"]
tls_level = verify
tls_authorities = ca.crt
user = pat
password_file = password
[relay "a.example.net"]
tls_level = encrypt
END
  run -0 remote --config vsmtp.ini example.org a@a.example b@example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
  grep -q 'user=pat method=PLAIN tls=yes' smtpd.log
  run -0 remote --config vsmtp.ini b.example.net a@a.example b@b.example.net <mail.eml
  [ "${lines[0]:0:1}" = r ]
  [ "$(grep -c 'debug TLS' remote.log)" = 1 ]
  run -0 remote --config vsmtp.ini "[127.0.0.1]:$port" a@a.example b@a.example.net <mail.eml # as queue-run calls it
  [ "${lines[0]:0:1}" = r ]
  [ "$(grep -c 'debug TLS' remote.log)" = 2 ]
  [ "$(grep -c authenticated smtpd.log)" = 1 ]
}

@test "queue-run: a rule's forward goes by its URL, under TLS and with its log-in; no list of processes shows the password" {
  users
  printf 'secret/of:p@t' | auth-hash --plain pat >users
  certificate localhost IP:127.0.0.1
  serve_tls localhost --relay-clients 192.0.2.1 --password-file users --mechanisms 'PLAIN SCRAM-SHA-256'
  queue-inject --spool spool --make-spool
  printf '{"envelop":{"rcpt":[{"address":"b@b.example","transfer_method":{"Forward":{"Url":"smtp://pat:secret%%2Fof%%3Ap%%40t@127.0.0.1:%s?tls=required"}}}]}}' "$port" >context
  printf 'Fa@a.example\0Tb@b.example\0\0' >envelope
  script transport <<'END'
printf '%s ' "$@" >>seen
env >>seen
exec deliver-remote --tls-authorities ca.crt "$@" 2>>remote.log
END
  queue-inject --spool spool <mail.eml 1<envelope 3<context
  run queue-run --spool spool --remote-transport "$PWD/transport" --drain
  echo "$output"
  has_kept 1
  grep -q 'user=pat .* tls=yes' smtpd.log
  grep -q "smtp://pat@127.0.0.1:$port?tls=required" seen
  ! grep -q secret seen remote.log
}
