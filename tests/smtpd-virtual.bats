#!/usr/bin/env bats
# Several hosts in one smtpd: sections [virtual "DOMAIN"].
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || exit 1
  make_keep
}
teardown() { stop_all; }

# certificate NAME: NAME.crt and NAME.key, signed by itself.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
# greets ADDRESS: the greeting and what EHLO is answered there.
greets() { printf 'EHLO c.example\r\nQUIT\r\n' | socat -t 10 - "TCP4:$1:$port" | tr -d '\r' | sed -n '1p;2p'; }
# tries ADDRESS RECIPIENT: the reply to RCPT.
tries() { printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<%s>\r\nQUIT\r\n' "$2" | socat -t 10 - "TCP4:$1:$port" | tr -d '\r' | tail -n 2 | head -n 1; }

# On all addresses of loopback, in $port.
serve_all() {
  start smtpd smtpd --listen 0.0.0.0:0 --domain mx.example.org "$@" -- ./keep
  wait_for grep -q 'listening address=0' smtpd.log
  port=$(sed -n 's/.*listening address=0.0.0.0:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
}

@test "smtpd virtual: who reaches an address of a domain is greeted by it, and may send where it relays" {
  cat >vsmtp.ini <<'END'
[smtp]
relay_clients = 192.0.2.0/24
relay_domains = everybody.example
[virtual "example.net"]
address = 127.0.0.2
hostname = mail.example.net
greeting = at your service
relay_domains = customer.example
[virtual "example.com"]
relay_domains = com-customer.example
END
  serve_all --config vsmtp.ini
  [ "$(greets 127.0.0.1)" = "$(printf '220 mx.example.org Service ready\n250-mx.example.org')" ]
  [ "$(greets 127.0.0.2)" = "$(printf '220 mail.example.net at your service\n250-mail.example.net')" ]
  [[ $(tries 127.0.0.2 x@customer.example) == '250 '* ]]
  [[ $(tries 127.0.0.1 x@customer.example) == '550 5.7.1 '* ]]
  [[ $(tries 127.0.0.2 x@example.net) == '550 5.7.1 '* ]]   # that is for local_domains to say
  for address in 127.0.0.1 127.0.0.2; do
    [[ $(tries $address x@everybody.example) == '250 '* ]]
    [[ $(tries $address x@com-customer.example) == '250 '* ]]
  done
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<x@customer.example>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n' | socat -t 10 - "TCP4:127.0.0.2:$port" >/dev/null
  grep -q 'by mail.example.net with ESMTP id' kept/1.msg
  [ "$(jq -r .connection.server_name kept/1.ctx)" = mail.example.net ]
  grep -qx TCPLOCALHOST=mail.example.net kept/1.envir
}

@test "smtpd virtual: its certificate is for who reaches its address or asks for its name, and then the name counts" {
  for name in mx.example.org mail.example.net mail.example.com; do certificate $name; done
  cat >vsmtp.ini <<'END'
[tls]
certificate = mx.example.org.crt
private_key = mx.example.org.key
[virtual "example.net"]
address = 127.0.0.2
hostname = mail.example.net
certificate = mail.example.net.crt
private_key = mail.example.net.key
[virtual "example.com"]
hostname = smtp.example.com
certificate = mail.example.com.crt
private_key = mail.example.com.key
END
  serve_all --config vsmtp.ini
  subject() { printf 'EHLO c.example\r\nQUIT\r\n' | timeout 20 openssl s_client -connect "$1:$port" -starttls smtp -ign_eof "${@:2}" 2>&1 | tr -d '\r' | sed -n 's/^subject=CN = //p; /^250-[ms]/p' | sort -u | paste -sd' '; }
  [ "$(subject 127.0.0.1 -noservername)" = '250-mx.example.org mx.example.org' ]
  [ "$(subject 127.0.0.2 -noservername)" = '250-mail.example.net mail.example.net' ]
  [ "$(subject 127.0.0.1 -servername mail.example.net)" = '250-mail.example.net mail.example.net' ]
  [ "$(subject 127.0.0.2 -servername mail.example.com)" = '250-smtp.example.com mail.example.com' ]
}

@test "smtpd virtual: rules know the name and the domains; mistakes name file and line" {
  cat >vsmtp.ini <<'END'
[virtual "example.net"]
address = 127.0.0.2
hostname = mail.example.net
[virtual "empty.example"]
END
  cat >main.vsl <<'END'
#{ rcpt: [ rule "asked" || if in_domain("example.net") && in_domain("empty.example") && !in_domain("mail.example.net") { info("550 5.1.1 " + server_name()) } else { next() } ] }
END
  serve_all --config vsmtp.ini --policy "vsl-filter --config $PWD/vsmtp.ini --policy main.vsl"
  [ "$(tries 127.0.0.2 b@b.example)" = '550 5.1.1 mail.example.net' ]
  [ "$(tries 127.0.0.1 b@b.example)" = '550 5.1.1 mx.example.org' ]
  stop smtpd
  sed -i 's/127.0.0.2/localhost/' vsmtp.ini
  run -78 smtpd --listen 127.0.0.1:0 --config vsmtp.ini -- ./keep
  [[ $output == *"vsmtp.ini:2: bad value 'localhost' for virtual \"example.net\".address; expected: an IP address"* ]]
}

# dns NAME WORD: an unbound for which who.example.org is WORD and zen.example lists 127.0.0.9 only if WORD is other; its port is in $dns_port.
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n module-config: "iterator"\n' "$dns_port"
    printf ' local-zone: "example." static\n local-zone: "example.org." static\n local-data: "who.example.org. 300 TXT %s"\n' "$2"
    [ "$2" != other ] || printf ' local-data: "9.0.0.127.zen.example. 300 A 127.0.0.2"\n'
    printf 'remote-control:\n control-enable: no\n'
  } >"$1.conf"
  start "$1" unbound -d -c "$1.conf"
  wait_for_port "$dns_port"
}

@test "smtpd virtual: rules and lists of addresses ask the DNS servers of the domain whose client it is" {
  dns standard-dns standard
  local standard=$dns_port
  dns other-dns other
  for name in mail.example.com mail.example.net; do certificate $name; done
  cat >vsmtp.ini <<END
[tls]
certificate = mail.example.net.crt
private_key = mail.example.net.key
[shield]
exempt = 192.0.2.1
dnsbl = zen.example
[smtp]
relay_clients = 192.0.2.1
relay_domains = b.example
[dns]
server = 127.0.0.1@$standard
[virtual "example.net"]
address = 127.0.0.2
dns_server = 127.0.0.1@$dns_port
dns_timeout = 5s
[virtual "example.com"]
hostname = mail.example.com
certificate = mail.example.com.crt
private_key = mail.example.com.key
dns_server = 127.0.0.1@$dns_port
[virtual "example.de"]
address = 127.0.0.3
END
  cat >main.vsl <<'END'
#{
  mail: [ rule "who" || if mail_from().local_part == "ask" { info("250 2.1.0 " + dns::txt("who.example.org")[0] + " " + dns::resolver().lookup("who.example.org", "TXT")[0]) } else { next() } ],
  preq: [ rule "who" || { prepend_header("X-Who", dns::txt("who.example.org")[0]); next() } ],
}
END
  start vsl-filter vsl-filter --config vsmtp.ini --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
  start smtpd smtpd --listen 0.0.0.0:0 --domain mx.example.org --config vsmtp.ini --policy "unix:$PWD/rules.sock" -- "unix:$PWD/rules.sock" -- ./keep
  wait_for grep -q 'listening address=0' smtpd.log
  port=$(sed -n 's/.*listening address=0.0.0.0:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
  who() { printf 'EHLO c.example\r\nMAIL FROM:<ask@a.example>\r\nQUIT\r\n' | socat -t 10 - "TCP4:$1:$port" | tr -d '\r' | sed -n 's/^250 2.1.0 //p'; }
  [ "$(who 127.0.0.1)" = 'standard standard' ]
  [ "$(who 127.0.0.2)" = 'other other' ]
  [ "$(who 127.0.0.3)" = 'standard standard' ]
  # The message, too; and a client that asks for a name under TLS.
  swaks --server 127.0.0.2 --port "$port" --from a@a.example --to b@b.example >/dev/null
  swaks --server 127.0.0.1 --port "$port" --from a@a.example --to b@b.example >/dev/null
  swaks --server 127.0.0.1 --port "$port" --from a@a.example --to b@b.example --tls --tls-sni mail.example.com >/dev/null
  [ "$(sed -n 's/^X-Who: \([a-z]*\).*/\1/p' kept/1.msg kept/2.msg kept/3.msg | paste -sd' ')" = 'other standard other' ]
  # A list of addresses of one is not that of the other.
  tries_from() { printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<x@b.example>\r\nQUIT\r\n' | socat -t 10 - "TCP4:$1:$port,bind=127.0.0.9" | tr -d '\r' | tail -n 2 | head -n 1; }
  [[ $(tries_from 127.0.0.2) == '554 5.7.1 '*zen.example* ]]
  [[ $(tries_from 127.0.0.1) == '250 '* ]]
}
