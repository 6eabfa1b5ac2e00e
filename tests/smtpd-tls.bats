#!/usr/bin/env bats
# smtpd under TLS: STARTTLS and implicit, certificates, real clients, and clients that mean no good.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
  certificate mx.example.org
}
teardown() { stop_all; }

# certificate NAME [KIND] [DNS-NAME]: NAME.crt and NAME.key, signed by itself.
certificate() {
  local kind=(ec -pkeyopt ec_paramgen_curve:P-256)
  [ "${2:-ec}" = rsa ] && kind=(rsa:2048)
  openssl req -x509 -newkey "${kind[@]}" -nodes -days 30 -subj "/CN=$1" -addext "subjectAltName=DNS:${3:-$1}" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256; }

# serve_tls OPTION...: on three ports, $port, $submission, $submissions.
serve_tls() {
  start smtpd smtpd --listen 127.0.0.1:0 --listen-submission 127.0.0.1:0 --listen-submissions 127.0.0.1:0 --domain mx.example.org \
    --certificate mx.example.org.crt --private-key mx.example.org.key "$@" -- ./keep
  wait_for grep -q 'service=submissions' smtpd.log
  port=$(port_of smtp) submission=$(port_of submission) submissions=$(port_of submissions)
}
port_of() { sed -n "s/.*listening address=127.0.0.1:\([0-9]*\) service=$1\$/\1/p" smtpd.log; }

# shows OPTION...: what openssl s_client sees of the handshake, then of what is said on standard input.
shows() { timeout 20 openssl s_client -connect "127.0.0.1:$port" -starttls smtp -ign_eof "$@" 2>&1; }
given() { printf 'QUIT\r\n' | shows "$@" | openssl x509 -noout -fingerprint -sha256; }

@test "smtpd tls: swaks sends by STARTTLS and where TLS comes first; trace field, environment and context say so" {
  serve_tls
  run -0 swaks --server "127.0.0.1:$port" --tls --ehlo client.example --from a@a.example --to b@b.example
  [[ $output == *'<-  220 2.0.0 TLS go ahead'* ]]
  [[ $output != *'<~  250-STARTTLS'* ]]
  grep -q 'with ESMTPS (TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256) id' kept/1.msg
  run -0 jq -r '.connection.is_secured, .tls.protocol, .tls.cipher' kept/1.ctx
  [ "$output" = "$(printf 'true\nTLSv1.2\nTLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256')" ]
  run -0 swaks --server "127.0.0.1:$submissions" --tlsc --from a@a.example --to b@b.example
  run -0 swaks --server "127.0.0.1:$submission" --tls --from a@a.example --to b@b.example
  has_kept 3
}

@test "smtpd tls: curl, python's smtplib, msmtp and Postfix send" {
  serve_tls
  printf 'Subject: x\r\n\r\nhello\r\n' >message
  run -0 curl -sS --cacert mx.example.org.crt --resolve "mx.example.org:$submissions:127.0.0.1" "smtps://mx.example.org:$submissions" --mail-from a@a.example --mail-rcpt b@b.example -T message
  run -0 curl -sS --ssl-reqd --cacert mx.example.org.crt --resolve "mx.example.org:$port:127.0.0.1" "smtp://mx.example.org:$port" --mail-from a@a.example --mail-rcpt b@b.example -T message
  run -0 python3 - "$submission" "$submissions" <<'END'
import smtplib, ssl, sys
context = ssl.create_default_context(cafile='mx.example.org.crt')
context.check_hostname = False
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as client:
    client.starttls(context=context)
    client.sendmail('a@a.example', ['b@b.example'], 'Subject: x\r\n\r\n' + 'hello\r\n' * 20000)
with smtplib.SMTP_SSL('127.0.0.1', int(sys.argv[2]), context=context) as client:
    for _ in range(3):
        client.sendmail('a@a.example', ['b@b.example'], 'Subject: x\r\n\r\nhello\r\n')
END
  run -0 msmtp --host=127.0.0.1 --port="$port" --tls=on --tls-starttls=on --tls-certcheck=off --from=a@a.example --auth=off b@b.example <message
  has_kept 7
  [ "$(grep -c hello kept/3.msg)" = 20000 ]
  # Where nobody has set up Postfix there is no main.cf, and it wants one.
  mkdir postfix
  echo 'compatibility_level = 3.6' >postfix/main.cf
  run -0 env MAIL_CONFIG="$PWD/postfix" posttls-finger -c -l may -t 10 "[127.0.0.1]:$port"
  [[ $output == *'TLSv1.2 with cipher ECDHE-ECDSA-AES128-GCM-SHA256'* ]]
}

@test "smtpd tls: what comes behind STARTTLS in clear is thrown away, and what was said before is forgotten" {
  serve_tls --log-level info
  run -0 python3 - "$port" <<'END'
import socket, ssl, sys
plain = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
def line(s):
    text = b''
    while not text.endswith(b'\n'): text += s.recv(1)
    return text.decode()
def reply(s):
    while True:
        text = line(s)
        if text[3] == ' ': return text
reply(plain)
plain.sendall(b'EHLO clear.example\r\n'); reply(plain)
plain.sendall(b'MAIL FROM:<clear@a.example>\r\nRSET\r\n'); reply(plain); reply(plain)
plain.sendall(b'STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<injected@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n')
assert reply(plain).startswith('220 ')
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
secured = context.wrap_socket(plain)
secured.sendall(b'MAIL FROM:<a@a.example>\r\n')
answer = reply(secured)
assert answer.startswith('503 '), answer   # no EHLO counts any more
secured.sendall(b'EHLO secured.example\r\nSTARTTLS\r\n')
text = ''
while ' ENHANCED' not in text: text = line(secured); assert 'STARTTLS' not in text
answer = reply(secured)
assert answer.startswith('554 5.5.1 '), answer   # not twice
END
  wait_for grep -q 'octets behind STARTTLS were thrown away .*client=127.0.0.1 octets=84' smtpd.log
  has_kept 0
}

@test "smtpd tls: security levels: required for submission, as configured elsewhere, none without a certificate" {
  serve_tls
  local talk='EHLO c.example\r\nNOOP\r\nVRFY x\r\nMAIL FROM:<a@a.example>\r\nBDAT 3 LAST\r\nabcAUTH PLAIN\r\nRSET\r\nHELP\r\nQUIT\r\n'
  # shellcheck disable=SC2059
  run -0 bash -c "printf '$talk' | socat -t 10 - TCP4:127.0.0.1:$submission"
  [[ $output == *250-STARTTLS* ]]
  [ "$(codes <<<"$output")" = '220 250 250 530 530 503 502 250 214 221' ]
  stop smtpd
  serve_tls --security-level encrypt --submission-security-level may
  run -0 bash -c "printf '$talk' | socat -t 10 - TCP4:127.0.0.1:$port"
  [[ $output == *'530 5.7.0 Must issue a STARTTLS command first'* ]]
  run -0 swaks --server "127.0.0.1:$submission" --from a@a.example --to b@b.example
  stop smtpd
  serve_tls --security-level none
  run -0 bash -c "printf 'EHLO c.example\r\nSTARTTLS\r\nQUIT\r\n' | socat -t 10 - TCP4:127.0.0.1:$port"
  [[ $output != *250-STARTTLS* && $output == *'502 '* ]]
  for option in '--security-level encrypt' '--listen-submission 127.0.0.1:0' '--listen-submissions 127.0.0.1:0'; do
    # shellcheck disable=SC2086
    run -78 smtpd --listen 127.0.0.1:0 $option -- ./keep
    [[ $output == *'needs tls.certificate'* ]]
  done
}

@test "smtpd tls: certificates by the name that the client asks for, ECDSA and RSA side by side" {
  certificate rsa.example.org rsa
  certificate example.net ec '*.example.net'
  certificate example.com
  cat >vsmtp.ini <<'END'
[tls]
certificate = mx.example.org.crt rsa.example.org.crt
private_key = mx.example.org.key rsa.example.org.key
[virtual "example.net"]
certificate = example.net.crt
private_key = example.net.key
[virtual "a-domain-with-a-name-that-is-longer-than-fifty-letters.example.com"]
certificate = example.com.crt
private_key = example.com.key
END
  serve --config vsmtp.ini
  [ "$(given)" = "$(fingerprint mx.example.org.crt)" ]
  [ "$(given -servername mail.example.net)" = "$(fingerprint example.net.crt)" ]
  [ "$(given -servername Example.NET)" = "$(fingerprint example.net.crt)" ]
  [ "$(given -servername example.com)" = "$(fingerprint example.com.crt)" ]
  [ "$(given -servername a-domain-with-a-name-that-is-longer-than-fifty-letters.example.com)" = "$(fingerprint example.com.crt)" ]
  [ "$(given -servername nobody.example)" = "$(fingerprint mx.example.org.crt)" ]
  [ "$(given -sigalgs RSA+SHA256 -cipher ECDHE-RSA-AES256-GCM-SHA384)" = "$(fingerprint rsa.example.org.crt)" ]
}

@test "smtpd tls: files that do not fit are told at the start, with their names" {
  certificate other.example.org
  run -78 smtpd --listen 127.0.0.1:0 --certificate mx.example.org.crt --private-key other.example.org.key -- ./keep
  [[ $output == *'mx.example.org.crt'*'other.example.org.key'*'do not belong together'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --certificate missing.crt -- ./keep
  [[ $output == *'open missing.crt: No such file or directory'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --certificate mx.example.org.key -- ./keep
  [[ $output == *'mx.example.org.key: no certificate in PEM form'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --certificate mx.example.org.crt --certificate other.example.org.crt --private-key mx.example.org.key -- ./keep
  [[ $output == *'private_key has 1 files, certificate has 2'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --certificate mx.example.org.crt --private-key mx.example.org.key --cipher-suite RC4-MD5 -- ./keep
  [[ $output == *"unknown cipher suite 'RC4-MD5'; expected some of: TLS_ECDHE"* ]]
  printf '[virtual "example.net"]\ncertificate = mx.example.org.crt\n' >vsmtp.ini
  run -78 smtpd --config vsmtp.ini --listen 127.0.0.1:0 -- ./keep
  [[ $output == *'[virtual "example.net"] has a certificate and [tls] has none'* ]]
}

@test "smtpd tls: old protocols, weak ciphers and renegotiation are refused" {
  serve_tls
  for weak in -tls1 -tls1_1 '-cipher AES128-SHA:@SECLEVEL=0' '-cipher ECDHE-ECDSA-AES128-SHA256' '-cipher NULL:@SECLEVEL=0'; do
    # shellcheck disable=SC2086
    run shows $weak </dev/null
    [[ $output == *'Cipher is (NONE)'* || $output == *'no cipher match'* || $output == *'no protocols available'* ]]
  done
  [ "$(grep -c 'TLS handshake failed .*client=127.0.0.1 cause=' smtpd.log)" -ge 3 ]
  mkfifo in
  timeout 20 openssl s_client -connect "127.0.0.1:$submissions" -tls1_2 <in >out 2>&1 3>&- &
  exec 4>in
  wait_for grep -q '^220 ' out
  echo R >&4
  wait_for grep -q 'no renegotiation' out
  exec 4>&-
  run -0 swaks --server "127.0.0.1:$port" --tls --from a@a.example --to b@b.example
}

@test "smtpd tls: a session is resumed with any worker; not when tickets are off" {
  serve_tls --workers 2
  run -0 timeout 30 openssl s_client -connect "127.0.0.1:$submissions" -reconnect </dev/null
  [ "$(grep -c '^New, TLSv1.2' <<<"$output")" = 1 ]
  [ "$(grep -c '^Reused, TLSv1.2' <<<"$output")" = 5 ]
  stop smtpd
  serve_tls --ticket-lifetime 0
  run -0 timeout 30 openssl s_client -connect "127.0.0.1:$submissions" -reconnect -no_ticket </dev/null
  [ "$(grep -c '^Reused' <<<"$output")" = 0 ]
}

@test "smtpd tls: SIGHUP takes a new certificate; sessions that are open go on, a broken one changes nothing" {
  serve_tls
  mkfifo in
  openssl s_client -connect "127.0.0.1:$submissions" -quiet <in >out 2>/dev/null 3>&- &
  client=$!
  exec 4>in
  wait_for grep -q '^220 ' out
  old=$(fingerprint mx.example.org.crt)
  certificate mx.example.org
  new=$(fingerprint mx.example.org.crt)
  [ "$old" != "$new" ]
  [ "$(given)" = "$old" ]
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'configuration reloaded' smtpd.log
  [ "$(given)" = "$new" ]
  echo nonsense >mx.example.org.key
  kill -HUP "$(pid_of smtpd)"
  wait_for grep -q 'reload failed, the old configuration stays' smtpd.log
  [ "$(given)" = "$new" ]
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n' >&4
  wait_for grep -q '^221 ' out
  exec 4>&-
  wait "$client"
  has_kept 1
}

@test "smtpd tls: certificates of clients: asked for, required, told to policies" {
  certificate client.example
  cat >policy <<'END'
#!/bin/sh
while read -r line; do
  case $line in
    ccert_* | encryption_*) echo "$line" >>policy.seen ;;
    '') echo action=DUNNO; echo ;;
  esac
done
END
  chmod +x policy
  serve_tls --client-certificate ask --client-authorities client.example.crt --policy "rcpt=./policy"
  run -0 swaks --server "127.0.0.1:$port" --tls --tls-cert client.example.crt --tls-key client.example.key --from a@a.example --to b@b.example
  grep -qx 'ccert_subject=client.example' policy.seen
  grep -qx "ccert_fingerprint=$(fingerprint client.example.crt | cut -d= -f2)" policy.seen
  grep -qx 'encryption_protocol=TLSv1.2' policy.seen
  grep -qx 'encryption_keysize=128' policy.seen
  [ "$(jq -r .tls.client_cert kept/1.ctx)" = CN=client.example ]
  rm policy.seen
  run -0 swaks --server "127.0.0.1:$port" --tls --from a@a.example --to b@b.example
  grep -qx 'ccert_fingerprint=' policy.seen
  stop smtpd
  serve_tls --client-certificate require --client-authorities client.example.crt
  run -0 swaks --server "127.0.0.1:$port" --tls --tls-cert client.example.crt --tls-key client.example.key --from a@a.example --to b@b.example
  run swaks --server "127.0.0.1:$port" --tls --from a@a.example --to b@b.example
  [ "$status" -ne 0 ]
  has_kept 3
}

@test "smtpd tls: one session on descriptors 0 and 1, under tcpserver and with a socket that systemd names" {
  port=$(free_port)
  start tcpserver tcpserver -HRl0 127.0.0.1 "$port" smtpd --service submissions --domain mx.example.org --certificate mx.example.org.crt --private-key mx.example.org.key -- ./keep
  wait_for_port "$port"
  run -0 swaks --server "127.0.0.1:$port" --tlsc --from a@a.example --to b@b.example
  port=$(free_port)
  start clear tcpserver -HRl0 127.0.0.1 "$port" smtpd --domain mx.example.org --certificate mx.example.org.crt --private-key mx.example.org.key -- ./keep
  wait_for_port "$port"
  run -0 swaks --server "127.0.0.1:$port" --tls --from a@a.example --to b@b.example
  has_kept 2
  grep -q 'with ESMTPS ' kept/2.msg
}

@test "smtpd tls: hundreds of clients in slow or broken handshakes hold up nobody" {
  serve_tls --handshake-timeout 3s --client-count-per-address-max 0
  run -0 timeout 60 python3 - "$submissions" <<'END'
import socket, ssl, sys, time
port = int(sys.argv[1])
open_ones = [socket.create_connection(('127.0.0.1', port), 10) for _ in range(300)]
for i, one in enumerate(open_ones):  # half of them say nothing, the others the begin of a ClientHello
    if i % 2: one.sendall(bytes.fromhex('16030102000100'))
broken = [socket.create_connection(('127.0.0.1', port), 10) for _ in range(100)]
for one in broken: one.sendall(b'EHLO nobody.example\r\n' * 20)
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
begin = time.monotonic()
client = context.wrap_socket(socket.create_connection(('127.0.0.1', port), 10))
assert client.recv(100).startswith(b'220 ')
assert time.monotonic() - begin < 1, 'greeted late'
for one in open_ones:  # each is shown the door in time
    one.settimeout(20)
    assert one.recv(1) == b'', 'still there'
END
  wait_for grep -q 'cause=timeout' smtpd.log
}
