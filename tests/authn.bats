# SPF, DKIM, DMARC, ARC on the command line and in rules, with a name server on loopback, beside independent implementations:
# dkimpy (DKIM, ARC), Mail::DKIM, and pyspf, all of Debian.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR"
  printf '%s\r\n' 'From: Ann <ann@example.org>' 'To: bob@example.net' 'Subject: hello' 'Date: Sat, 21 Nov 2026 20:15:00 +0000' \
    'Message-ID: <1@example.org>' '' 'text' >message.eml
}

# zone LINE...: a name server with these records, on $dns_port; what is not there does not exist, slow.example is never answered for.
zone() {
  dns_port=$(free_port)
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "." static\n local-zone: "slow.example." deny\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# key DOMAIN SELECTOR [OPTION]: makes one; the record as local-data wants it.
key() { qctl dkim-key "$@" | sed -n '1s/ ( / /; 1s/ )$//p'; }
authn() { vsl-filter --dns-server "127.0.0.1@$dns_port" --dns-timeout 2s --domain mx.example.net --authn "$@"; }
# signed RULE <message: what rules with the configuration of sign.ini make of it.
signed() {
  printf '#{ preq: [ rule "sign" || { %s; next() } ] }\n' "$1" >sign.vsl
  vsl-filter --config sign.ini --dns-server "127.0.0.1@$dns_port" sign.vsl
}
sign_ini() {
  printf '[server]\ndomain = mx.example.org\n[dkim]\n%s\n[virtual "example.org"]\ndkim_selector = s1 s2\ndkim_private_key = example.org.s1.pem example.org.s2.pem\n' "${1-}" >sign.ini
}

@test "qctl dkim-key: a key that only its owner may read, a record in strings of 255 octets, and never another in its place" {
  run -0 qctl dkim-key Example.ORG s1
  [[ ${lines[0]} == 's1._domainkey.example.org. IN TXT ( "v=DKIM1; k=rsa; p='*'" "'*'" )' ]]
  [ "$(stat -c %a example.org.s1.pem)" = 600 ]
  [ "$(printf '%s' "${lines[0]}" | cut -d'"' -f2 | tr -d '\n' | wc -c)" = 255 ]
  openssl pkey -in example.org.s1.pem -noout -text | grep -q '2048 bit'
  cp example.org.s1.pem before.pem
  run -65 qctl dkim-key example.org s1
  [[ $output == *"example.org.s1.pem exists"* ]]
  cmp before.pem example.org.s1.pem
  mkdir keys
  run -0 qctl dkim-key --ed25519 --directory keys --json example.org s2
  [ "$(jq -r .file <<<"$output")" = keys/example.org.s2.pem ]
  [[ $(jq -r .record <<<"$output") == "v=DKIM1; k=ed25519; p="* ]]
  openssl pkey -in keys/example.org.s2.pem -noout -text | grep -qi ed25519
  for wrong in "example.org" "example.org s/1" "-x s1" "--bits 512 example.org s3" "--bits 8192 example.org s3" "--bits 2048 --ed25519 example.org s3"; do
    run -64 qctl dkim-key $wrong
  done
}

@test "authn: dkimpy, Mail::DKIM and we say of each other's signatures that they hold" {
  local s1 s2
  s1=$(key example.org s1) s2=$(key example.org s2 --ed25519)
  zone "$s1" "$s2"
  sign_ini
  signed 'sign_dkim()' <message.eml >ours.eml
  [ "$(grep -c '^DKIM-Signature:' ours.eml)" = 2 ]
  run -0 /usr/bin/python3 "$TOP/tests/tools/dkimpy" verify "$dns_port" ours.eml
  [ "$output" = "True True" ]
  run -0 perl "$TOP/tests/tools/mail-dkim" verify "$dns_port" ours.eml
  [[ $output == *pass* ]]

  for form in relaxed/relaxed relaxed/simple simple/relaxed simple/simple; do
    /usr/bin/python3 "$TOP/tests/tools/dkimpy" sign example.org s1 example.org.s1.pem "$form" message.eml >theirs.eml
    run -0 authn theirs.eml
    [[ $output == *"dkim   pass "*"header.d=example.org header.i=@example.org header.s=s1 header.a=rsa-sha256"* ]]
  done
  sed 's/^text/test/' theirs.eml >changed.eml
  run -0 authn --json changed.eml
  [ "$(jq -r '.results.dkim.signatures[0].status' <<<"$output")" = fail ]
}

@test "authn: an ARC chain of ours is sound for dkimpy, and one of dkimpy for us" {
  local arc
  arc=$(key example.net arc)
  zone "$arc"
  printf '[server]\ndomain = example.net\n[dkim]\nselector = arc\nprivate_key = example.net.arc.pem\n' >sign.ini
  signed 'arc::seal()' <message.eml >one.eml
  signed 'arc::seal()' <one.eml >two.eml
  [ "$(/usr/bin/python3 "$TOP/tests/tools/dkimpy" arc-verify "$dns_port" two.eml)" = pass ]
  { printf 'Authentication-Results: example.net; spf=pass smtp.mailfrom=a@b.example\r\n'; cat message.eml; } >with.eml
  /usr/bin/python3 "$TOP/tests/tools/dkimpy" arc-seal "$dns_port" example.net arc example.net.arc.pem with.eml >theirs.eml
  run -0 authn --json theirs.eml
  [ "$(jq -r '.results.arc.status' <<<"$output")" = pass ]
}

@test "authn: SPF as pyspf says it" {
  zone 'example.org. TXT "v=spf1 a:out.example.org include:more.example ~all"' 'out.example.org. A 192.0.2.1' 'more.example. TXT "v=spf1 ip4:198.51.100.0/24 -all"' \
    'fail.example. TXT "v=spf1 -all"' 'loop.example. TXT "v=spf1 include:loop.example -all"' 'neutral.example. TXT "v=spf1 ?all"'
  for row in '192.0.2.1 a@example.org' '198.51.100.7 a@example.org' '203.0.113.9 a@example.org' '192.0.2.1 a@fail.example' '192.0.2.1 a@loop.example' \
    '192.0.2.1 a@neutral.example' '192.0.2.1 a@none.example'; do
    set -- $row
    run authn --json --client-ip "$1" --helo helo.example --from "$2" message.eml
    echo "$row: $(jq -r .results.spf.result <<<"$output")" >>ours
    echo "$row: $(/usr/bin/python3 "$TOP/tests/tools/pyspf" "$dns_port" "$1" "$2" helo.example)" >>theirs
  done
  diff ours theirs
  [ "$(wc -l <ours)" = 7 ]
}

@test "authn: what DNS does not answer is temperror, never a guess" {
  zone 'example.org. TXT "v=spf1 -all"'
  run -0 authn --json --client-ip 192.0.2.1 --helo helo.example --from a@slow.example message.eml
  [ "$(jq -r .results.spf.result <<<"$output")" = temperror ]
}

@test "authn: standard input to standard output with Authentication-Results, and none of others in our name" {
  zone 'example.org. TXT "v=spf1 ip4:192.0.2.1 -all"' '_dmarc.example.org. TXT "v=DMARC1; p=reject"' '1.2.0.192.in-addr.arpa. PTR out.example.org.' 'out.example.org. A 192.0.2.1'
  { printf 'Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\r\nAuthentication-Results: other.example; dkim=pass\r\n'; cat message.eml; } >forged.eml
  authn --client-ip 192.0.2.1 --helo out.example.org --from ann@example.org <forged.eml >out.eml
  [[ $(head -1 out.eml) == "Authentication-Results: mx.example.net;"* ]]
  grep -q 'spf=pass' out.eml
  grep -q 'dmarc=pass header.from=example.org policy.dmarc=reject' out.eml
  grep -q 'iprev=pass reason=out.example.org policy.iprev=192.0.2.1' out.eml
  run ! grep -q bank.example out.eml
  grep -q other.example out.eml
  tail -n 7 message.eml | cmp - <(tail -n 7 out.eml)
  run -1 authn --client-ip 192.0.2.2 --from ann@example.org message.eml
  [[ $output == *"dmarc  fail "*"policy.dmarc=reject"* ]]
  run -64 vsl-filter --authn --check message.eml
}

@test "authn: 1,000 signatures are five that are looked at; keys of 512 and 16,384 bits do not count; l= that leaves text unsigned neither" {
  local s1 short long
  s1=$(key example.org s1)
  openssl genrsa -out short.pem 512 2>/dev/null
  openssl rsa -in short.pem -pubout -outform DER 2>/dev/null | base64 -w0 >short.txt
  # RSAPublicKey with a number of 16,384 bits that is no product of primes: nobody shall go so far as to notice.
  printf 'asn1=SEQUENCE:key\n[key]\nn=INTEGER:0x%s1\ne=INTEGER:65537\n' "$(printf 'F%.0s' {1..4095})" >long.conf
  openssl asn1parse -genconf long.conf -noout -out long.der
  zone "$s1" "short._domainkey.example.org. TXT \"v=DKIM1; k=rsa; p=$(cat short.txt)\"" \
    "long._domainkey.example.org. TXT $({ printf 'v=DKIM1; k=rsa; p='; base64 -w0 long.der; } | fold -w 255 | sed 's/.*/"&"/' | tr '\n' ' ')"
  printf '[server]\ndomain = example.org\n[dkim]\nselector = s1\nprivate_key = example.org.s1.pem\n' >sign.ini
  signed 'sign_dkim()' <message.eml >one.eml
  { for i in {1..1000}; do sed -n '/^DKIM-Signature/,/^From/p' one.eml | sed '$d'; done; cat message.eml; } >many.eml
  run -0 authn --json many.eml
  [ "$(jq '.results.dkim.signatures | length' <<<"$output")" = 5 ]
  /usr/bin/python3 "$TOP/tests/tools/dkimpy" sign example.org short short.pem relaxed/simple message.eml >short.eml
  run -0 authn --json short.eml
  [ "$(jq -r '.results.dkim.signatures[0] | .status + ": " + .reason' <<<"$output")" = "policy: a key of 512 bits; expected: 1024 to 8192" ]
  /usr/bin/python3 "$TOP/tests/tools/dkimpy" sign example.org long example.org.s1.pem relaxed/simple message.eml >long.eml
  run -0 authn --json long.eml
  # mbedTLS has no numbers of more than 8,192 bits.
  [[ $(jq -r '.results.dkim.signatures[0] | .status + ": " + .reason' <<<"$output") == "permerror: the key: it is no RSA key: "* ]]
  /usr/bin/python3 "$TOP/tests/tools/dkimpy" sign-length example.org s1 example.org.s1.pem relaxed/simple message.eml >length.eml
  printf 'and more\r\n' >>length.eml
  run -0 authn --json length.eml
  [ "$(jq -r '.results.dkim.status' <<<"$output")" = policy ]
}

@test "authn: rules sign for the domain in From, those below it too, and what is left in the configuration's words" {
  local s1 s2
  s1=$(key example.org s1) s2=$(key example.org s2 --ed25519)
  zone "$s1" "$s2"
  sign_ini 'headers = From Subject
oversign = From
canonicalization = simple/simple
lifetime = 1d'
  sed 's/ann@example.org/ann@news.example.org/' message.eml | signed 'sign_dkim(); set_header("Subject", "changed behind it")' >ours.eml
  grep -q 'c=simple/simple; d=example.org' ours.eml
  grep -q 'h=From:From:Subject;' ours.eml
  run -0 authn --json ours.eml
  [ "$(jq -r '.results.dkim.signatures[].status' <<<"$output" | sort -u)" = pass ]
  sed 's/ann@example.org/ann@elsewhere.example/' message.eml >elsewhere.eml
  run ! signed 'sign_dkim()' <elsewhere.eml
  [[ $output == *'dkim params are empty for this `mx.example.org`'* ]]
  chmod 644 example.org.s1.pem
  run ! signed 'sign_dkim()' <message.eml
  [[ $output == *"example.org.s1.pem: everybody may read this private key"* ]]
  [[ $output != *"PRIVATE KEY"* ]]
}
