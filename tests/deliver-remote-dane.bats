# deliver-remote(8), "DANE": zones signed by Knot DNS, our own smtpd as server, Postfix's posttls-finger as another judge of the same hosts.
load remote_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" && make_keep && make_ca
}

# zone NAME [signed] <records: served on $dns_port; `anchor` holds the key of the signed ones.
zone() {
  { printf '$TTL 60\n@ SOA ns.example.org. root.example.org. 1 3600 600 86400 60\n@ NS ns.example.org.\n'; cat; } >"$1.zone"
  printf ' - domain: "%s"\n   file: "%s/%s.zone"\n' "$1" "$PWD" "$1" >>zones
  [ "${2-}" != signed ] || { printf '   dnssec-signing: on\n   dnssec-policy: own\n' >>zones; echo "$1" >>signed; }
}
serve_zones() {
  mkdir db
  dns_port=$(free_port)
  {
    printf 'server:\n    rundir: "%s"\n    listen: "127.0.0.1@%s"\ndatabase:\n    storage: "%s/db"\ncontrol:\n    listen: "%s/knot.sock"\n' "$PWD" "$dns_port" "$PWD" "$PWD"
    printf 'log:\n  - target: stderr\n    any: info\npolicy:\n  - id: own\n    manual: on\n    algorithm: ecdsap256sha256\n'
    printf 'template:\n  - id: default\n    zonefile-load: difference-no-serial\n    zonefile-sync: -1\n    journal-content: all\nzone:\n'
    cat zones
  } >knot.conf
  local name
  for name in $(cat signed); do
    keymgr -c knot.conf "$name" generate algorithm=ecdsap256sha256 ksk=yes zsk=yes >/dev/null
    keymgr -c knot.conf "$name" ds | grep ' 13 2 ' >>anchor
  done
  start knot knotd -c knot.conf
  for name in $(cat signed); do wait_for grep -q "\[$name\.\].*next signing" knot.log; done
  wait_for_port "$dns_port"
}
# tlsa USAGE SELECTOR MATCHING CERTIFICATE: as a zone has it.
tlsa() {
  local octets=(openssl x509 -in "$4" -outform DER) digest=(cat)
  [ "$2" = 0 ] || octets=(bash -c "openssl x509 -in '$4' -noout -pubkey | openssl pkey -pubin -outform DER")
  case $3 in 1) digest=(openssl dgst -sha256 -binary) ;; 2) digest=(openssl dgst -sha512 -binary) ;; esac
  printf '%s %s %s %s' "$1" "$2" "$3" "$("${octets[@]}" | "${digest[@]}" | od -An -v -tx1 | tr -d ' \n')"
}
# to DOMAIN [OPTION...]: to b@DOMAIN, at $port
to() { remote --dns-server "127.0.0.1@$dns_port" --dns-trust-anchor anchor --tls-authorities ca.crt --port "$port" "${@:2}" "$1" a@example.net "b@$1" <mail.eml; }
# host NAME RECORD...: mail for NAME.example.org goes to mx-NAME.example.org, whose TLSA records these are.
host() {
  printf '%s MX 10 mx-%s\nmx-%s A 127.0.0.1\n' "$1" "$1" "$1"
  local record
  for record in "${@:2}"; do printf '_%s._tcp.mx-%s TLSA %s\n' "$port" "$1" "$record"; done
}
nothing="3 1 1 $(printf '0%.0s' {1..64})"

# What there is for both judges. The server shows the chain of a certificate that is another host's, but for two.
serve_many() {
  certificate mx.example.org DNS:mx.example.org,DNS:mx-anchor.example.org,DNS:hop.example.org
  cat ca.crt >>mx.example.org.pem
  serve_tls mx.example.org
  local own=mx.example.org.crt
  {
    host key "$(tlsa 3 1 1 $own)"
    host whole "$(tlsa 3 0 0 $own)"
    host sha512 "$(tlsa 3 0 2 $own)"
    host anchor "$(tlsa 2 0 1 ca.crt)"
    host anchor-key "$(tlsa 2 1 1 ca.crt)"
    host rollover "$nothing" "$(tlsa 3 1 1 $own)"
    host stronger "$(tlsa 3 1 1 $own)" "3 1 2 $(printf '0%.0s' {1..128})"
    host other "$nothing"
    host unusable "$(tlsa 1 1 1 $own)"
    host none
    printf 'hop MX 10 mx-hop\nmx-hop A 127.0.0.1\n_%s._tcp.mx-hop TLSA %s\n' "$port" "$(tlsa 2 0 1 ca.crt)"
    printf 'hop2 MX 10 mx-hop\n'
    printf 'alias MX 10 mx-alias\nmx-alias CNAME mx-key\n'
    printf 'alias-own MX 10 mx-alias-own\nmx-alias-own CNAME mx-none\n_%s._tcp.mx-alias-own TLSA %s\n' "$port" "$(tlsa 3 1 1 $own)"
    printf 'abroad MX 10 mx.example.net.\n'
    printf 'abroad-alias MX 10 mx-abroad-alias\nmx-abroad-alias CNAME mx.example.net.\n_%s._tcp.mx-abroad-alias TLSA %s\n' "$port" "$(tlsa 3 1 1 $own)"
    printf 'broken MX 10 mx-broken\nmx-broken A 127.0.0.1\n_tcp.mx-broken NS ns.example.org.\n_tcp.mx-broken DS 1 13 2 %s\n' "$(printf '0%.0s' {1..64})"
    printf 'straight A 127.0.0.1\n_%s._tcp.straight TLSA %s\n' "$port" "$(tlsa 3 1 1 $own)"
  } | zone example.org signed
  printf '_%s TLSA %s\n' "$port" "$(tlsa 3 1 1 $own)" | zone _tcp.mx-broken.example.org
  printf '@ MX 10 mx\nmx A 127.0.0.1\n_%s._tcp.mx TLSA %s\n' "$port" "$nothing" | zone example.net
  serve_zones
}

@test "deliver-remote: TLSA records that DNSSEC vouches for say what the host must show" {
  serve_many
  local name
  for name in key whole sha512 rollover alias alias-own abroad-alias straight; do
    run -0 to $name.example.org
    echo "$name: $output"
    [[ ${lines[0]} == r*" (DANE-EE) said at end of data: 250 "* ]]
  done
  run -0 to anchor.example.org
  [[ ${lines[0]} == "rmx-anchor.example.org[127.0.0.1]:$port (DANE-TA) said at end of data: 250 "* ]]
  run -0 to hop.example.org # the destination's own name will do
  [[ ${lines[0]} == *' (DANE-TA) said at end of data: 250 '* ]]
  has_kept 10
  run -0 to anchor-key.example.org
  [ "$output" = "Zmx-anchor-key.example.org[127.0.0.1]:$port: 451 4.7.5 DANE: the certificate is for mx.example.org, mx-anchor.example.org, hop.example.org; expected: mx-anchor-key.example.org, anchor-key.example.org" ]
  for name in other stronger; do
    run -0 to $name.example.org
    [ "$output" = "Zmx-$name.example.org[127.0.0.1]:$port: 451 4.7.5 DANE: no TLSA record fits the certificate" ]
  done
  has_kept 10
}

@test "deliver-remote: without records that count, DANE changes nothing; dane-only sends nothing" {
  serve_many
  local name
  for name in none.example.org abroad.example.org example.net unusable.example.org; do
    run -0 to $name
    echo "$name: $output"
    [[ ${lines[0]} == r*"]:$port said at end of data: 250 "* ]]
    run -0 to $name --tls-level dane-only
    [[ $output == Z*": 451 4.7.5 TLS level dane-only: "* ]]
  done
  run -0 to other.example.org --tls-level may
  [ "${lines[0]:0:1}" = r ]
  run -0 to key.example.org --tls-level dane-only
  [[ ${lines[0]} == *' (DANE-EE) '* ]]
  has_kept 6
  # Without a key to begin with nothing is vouched for.
  run -0 remote --dns-server "127.0.0.1@$dns_port" --port "$port" other.example.org a@example.net b@other.example.org <mail.eml
  [ "${lines[0]:0:1}" = r ]
  run -78 deliver-remote --tls-level dane-only x a@a.example b@b.example <mail.eml
}

@test "deliver-remote: a host whose TLSA records cannot be looked up is passed over, and TLS that they ask for is never done without" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  {
    host key "$nothing"
    host unusable "1 1 1 $(printf '0%.0s' {1..64})"
    printf 'broken MX 10 mx-broken\nmx-broken A 127.0.0.1\n_tcp.mx-broken NS ns.example.org.\n_tcp.mx-broken DS 1 13 2 %s\n' "$(printf '0%.0s' {1..64})"
  } | zone example.org signed
  printf '_%s TLSA %s\n' "$port" "$nothing" | zone _tcp.mx-broken.example.org
  serve_zones
  run -0 to key.example.org
  [ "$output" = "Zmx-key.example.org[127.0.0.1]:$port: 451 4.7.10 TLS is required, and the host does not offer STARTTLS" ]
  run -0 to unusable.example.org
  [ "$output" = "Zmx-unusable.example.org[127.0.0.1]:$port: 451 4.7.10 TLS is required, and the host does not offer STARTTLS" ]
  run -0 to broken.example.org
  [[ $output == "Zmx-broken.example.org[127.0.0.1]:$port: 451 4.7.5 DANE: TLSA _$port._tcp.mx-broken.example.org: "* ]]
  ! grep -q MAIL liar.log
}

@test "deliver-remote: REQUIRETLS is content with what DNSSEC vouches for" {
  serve_many
  export SMTPREQUIRETLS=1
  run -0 to key.example.org --tls-authorities ''
  [[ ${lines[0]} == *' (DANE-EE) '* ]]
  run -0 to unusable.example.org
  [[ $output == *'451 4.7.5 TLS level secure (REQUIRETLS): '* ]]
}

@test "deliver-remote: resident, a connection under DANE is used again only for who is vouched for by the same records" {
  serve_many
  start resident deliver-remote --resident "$PWD/remote.sock" --domain me.example --dns-server "127.0.0.1@$dns_port" --dns-trust-anchor anchor --port "$port" --log-level debug
  wait_for serves remote.sock
  local name
  for name in key key rollover none key; do
    run -0 "$TOP/build/tests/call" --delivery -- unix:remote.sock $name.example.org a@example.net "b@$name.example.org" <mail.eml
  done
  has_kept 5
  [ "$(grep -c 'debug TLS' resident.log)" = 3 ]
  [ "$(grep -c 'level=dane-only' resident.log)" = 2 ]
  run ! grep -q 'resumed=yes' resident.log
  # Under an authority's record the name counts, and for one destination it may be right by that destination's own.
  run -0 "$TOP/build/tests/call" --delivery -- unix:remote.sock hop.example.org a@example.net b@hop.example.org <mail.eml
  [[ $output == *'(DANE-TA) said at end of data: 250'* ]]
  run "$TOP/build/tests/call" --delivery -- unix:remote.sock hop2.example.org a@example.net b@hop2.example.org <mail.eml
  [[ $output == *'451 4.7.5 DANE: the certificate is for '* ]]
}

@test "queue-run: the log and qctl why tell what a host was verified by, or why it was not" {
  serve_many
  printf '[queue]\nspool = spool\n[remote]\nport = %s\n[dns]\nserver = 127.0.0.1@%s\ntrust_anchor = anchor\n' "$port" "$dns_port" >vsmtp.ini
  export VSMTP_CONFIG=$PWD/vsmtp.ini
  queue-inject --make-spool
  queue-inject -f a@example.net b@key.example.org <mail.eml
  queue-inject -f a@example.net b@other.example.org <mail.eml
  run -0 queue-run --drain
  grep -q 'mx-key.example.org\[127.0.0.1\]:[0-9]* (DANE-EE) said at end of data: 250' <<<"$output"
  run -0 qctl why "$(qctl list deferred --json | jq -r .id)"
  echo "$output"
  [[ $output == *'4.7.5 DANE: no TLSA record fits the certificate'* ]]
}

@test "deliver-remote: posttls-finger judges the same hosts as we do" {
  [ "$(id -u)" = 0 ] || skip 'a resolv.conf of its own takes root'
  serve_many
  local address="127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).53" name judged verified=0
  {
    printf 'server:\n interface: %s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$address"
    printf ' module-config: "validator iterator"\n do-not-query-localhost: no\n trust-anchor-file: "%s/anchor"\nremote-control:\n control-enable: no\n' "$PWD"
    printf 'forward-zone:\n name: "."\n forward-addr: 127.0.0.1@%s\n' "$dns_port"
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  printf 'nameserver %s\noptions trust-ad\n' "$address" >resolv.conf
  wait_for grep -q 'start of service' unbound.log
  for name in key whole sha512 anchor rollover alias alias-own hop straight anchor-key other none stronger; do
    judged=$(unshare -m sh -c "mount --bind resolv.conf /etc/resolv.conf && exec posttls-finger -c -l dane 2>&1 $name.example.org:$port" || true)
    run -0 to $name.example.org
    echo "$name: $output"
    echo "$judged"
    if [[ $judged == *'Verified TLS connection established'* ]]; then
      [[ $output == r*' (DANE-'* ]]
      verified=$((verified + 1))
    else
      [[ $judged == *'TLS connection established'* && $output != *' (DANE-'* ]]
    fi
  done
  [ $verified = 9 ]
}
