# DNS look-ups of rules (vsl.md 3.8), answered by unbound.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR"
}

# dns RECORD...: unbound with these records on $dns_port of 127.0.0.1; what is not there below example.org does not exist, and
# broken.example is refused.
dns() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "example.org." static\n local-zone: "broken.example." always_refuse\n'
    printf ' local-zone: "2.0.192.in-addr.arpa." static\n local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." static\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# ask EXPRESSION
ask() { "$TOP/build/tests/ask-rules" dns.server="127.0.0.1@$dns_port" dns.timeout=5s "$1"; }

@test "rules: lookup gives the addresses of a host, IPv4 before IPv6" {
  dns 'mx.example.org. A 192.0.2.1' 'mx.example.org. AAAA 2001:db8::1' 'six.example.org. AAAA 2001:db8::6'
  [ "$(ask 'lookup("mx.example.org")')" = '["192.0.2.1", "2001:db8::1"]' ]
  [ "$(ask 'dns::lookup("mx.example.org.")')" = '["192.0.2.1", "2001:db8::1"]' ]
  [ "$(ask 'lookup("SIX.example.org")')" = '["2001:db8::6"]' ]
}

@test "rules: lookup of a name that does not exist, has no address, or cannot be asked for raises" {
  dns 'text.example.org. TXT "x"'
  [ "$(ask 'caught(|| lookup("none.example.org"))')" = "DNS: no such name: 'none.example.org'" ]
  [ "$(ask 'caught(|| lookup("text.example.org"))')" = "DNS: no such name: 'text.example.org'" ]
  [[ $(ask 'caught(|| lookup("broken.example"))') == "DNS: A broken.example: "* ]]
}

@test "rules: rlookup gives the names of an address without the dot at the end" {
  dns '1.2.0.192.in-addr.arpa. PTR mx.example.org.' \
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.example.org.'
  [ "$(ask 'rlookup("192.0.2.1")')" = '["mx.example.org"]' ]
  [ "$(ask 'dns::rlookup("2001:db8::1")')" = '["six.example.org"]' ]
  [ "$(ask 'caught(|| rlookup("192.0.2.2"))')" = "DNS: no such name: '192.0.2.2'" ]
}

@test "rules: dns::ptr_valid wants a name that leads back" {
  dns '1.2.0.192.in-addr.arpa. PTR mx.example.org.' 'mx.example.org. A 192.0.2.1' '2.2.0.192.in-addr.arpa. PTR mx.example.org.' \
    '3.2.0.192.in-addr.arpa. PTR gone.example.org.'
  [ "$(ask 'dns::ptr_valid("192.0.2.1")')" = true ]
  [ "$(ask 'dns::ptr_valid("192.0.2.2")')" = false ]
  [ "$(ask 'dns::ptr_valid("192.0.2.3")')" = false ]
  [ "$(ask 'dns::ptr_valid("192.0.2.4")')" = false ]
}

@test "rules: dns::txt joins the strings of a record, dns::mx is in order of preference" {
  dns 'example.org. TXT "v=spf1" " -all"' 'example.org. MX 20 b.example.org.' 'example.org. MX 5 a.example.org.'
  [ "$(ask 'dns::txt("example.org")')" = '["v=spf1 -all"]' ]
  [ "$(ask 'dns::mx("example.org")')" = '[#{"exchange": "a.example.org", "preference": 5}, #{"exchange": "b.example.org", "preference": 20}]' ]
  [ "$(ask 'dns::mx("none.example.org")')" = '[]' ]
  [[ $(ask 'caught(|| dns::mx("broken.example"))') == "DNS: MX broken.example: "* ]]
}
