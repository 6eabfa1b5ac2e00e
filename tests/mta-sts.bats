# mta-sts(8), and what deliver-remote(8) makes of it: a real HTTPS server, unbound as DNS, our own smtpd as server.
load remote_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" && make_keep && make_ca
  mkdir web
  web_port=$(free_port)
  certificate web "$(printf 'DNS:mta-sts.%s.example,' good test none redirect html large slow bad first)DNS:unused.example"
  start web python3 -u "$TOP/tests/tools/policy_server.py" "$web_port" web.pem web
  wait_for_port "$web_port"
}

# dns RECORD...: unbound with these on $dns_port; nothing else exists below `example.`
dns() {
  dns_port=${dns_port:-$(free_port)}
  {
    printf 'server:\n interface: 127.0.0.1@%s\n do-daemonize: no\n use-syslog: no\n chroot: ""\n username: ""\n directory: "."\n pidfile: ""\n' "$dns_port"
    printf ' module-config: "iterator"\n local-zone: "example." static\n'
    printf " local-data: '%s'\n" "$@"
    printf 'remote-control:\n control-enable: no\n'
  } >unbound.conf
  start unbound unbound -d -c unbound.conf
  wait_for_port "$dns_port"
}
# records NAME ID [MX]: of the domain NAME.example; by default its mail goes to mx.NAME.example
records() { printf '%s\n' "_mta-sts.$1.example. 0 TXT \"v=STSv1; id=$2;\"" "mta-sts.$1.example. 0 A 127.0.0.1" "$1.example. 0 MX 10 ${3:-mx.$1.example}." "${3:-mx.$1.example}. 0 A 127.0.0.1"; }
# policy NAME MODE MX [AGE [FACT]...]: what the server says
policy() { printf '%s\n' "x 1" "${@:5}" '' 'version: STSv1' "mode: $2" "mx: $3" "max_age: ${4:-1000}" >"web/mta-sts.$1.example"; }
sts() { mta-sts --dns-server "127.0.0.1@$dns_port" --port "$web_port" --authorities ca.crt --cache cache "$@"; }
# to DOMAIN [OPTION...]: by mta-sts as a program
to() {
  remote --dns-server "127.0.0.1@$dns_port" --port "$port" --tls-authorities ca.crt --mta-sts "mta-sts --dns-server 127.0.0.1@$dns_port --port $web_port --authorities ca.crt --cache cache --policy" "${@:2}" \
    "$1" a@example.net "b@$1" <mail.eml
}

@test "mta-sts: prints the policy of a domain, which it fetches once and keeps" {
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good enforce mx.good.example
  run -0 sts good.example
  [ "$output" = 'good.example: enforce mx.good.example' ]
  run -0 sts --json GOOD.example.
  [ "$(jq -r '[.domain, .mode, .id, .max_age, .mx[0]] | join(" ")' <<<"$output")" = 'good.example enforce 1 1000 mx.good.example' ]
  [ "$(cat web.log)" = 'mta-sts.good.example /.well-known/mta-sts.txt' ]
  run -0 --separate-stderr sts --cache /proc/nowhere good.example # who may not write there can look all the same
  [ "$output" = 'good.example: enforce mx.good.example' ]
  [[ $stderr == *'MTA-STS policy cannot be kept'* ]]
  run -1 sts nothing.example
  [ "$output" = 'nothing.example: no policy' ]
  run -64 sts
  run -64 sts a/b
  run -78 sts --port 0 good.example
}

@test "mta-sts: what is no policy is none, and why is said" {
  mapfile -t all < <(for name in redirect html large slow bad alien; do records $name 1; done)
  dns "${all[@]}"
  policy redirect enforce mx 1000 'status 302' "header Location: https://mta-sts.redirect.example:$web_port/other"
  policy html enforce mx 1000 'type text/html'
  policy large enforce mx 1000 'fill 70000'
  policy slow enforce mx 1000 'wait 5'
  policy bad enforce '*'
  policy alien enforce mx.alien.example # the certificate names another host
  run -1 sts --fetch-timeout 500ms redirect.example html.example large.example slow.example bad.example alien.example
  echo "$output"
  [[ ${lines[0]} == 'redirect.example: no policy: '*': HTTP 302' ]]
  [[ ${lines[1]} == *': text/html; expected: text/plain' ]]
  [[ ${lines[2]} == *': more than 65536 octets' ]]
  [[ ${lines[3]} == 'slow.example: no policy: '* ]]
  [[ ${lines[4]} == "bad.example: no policy: mx: '*'; expected: a domain, or *. and a domain" ]]
  [[ ${lines[5]} == 'alien.example: no policy: '* ]]
  run -1 sts --json alien.example
  [ "$(jq -r .failure <<<"$output")" = sts-webpki-invalid ]
  run ! grep -q /other web.log
  [ -z "$(ls cache)" ]
}

@test "mta-sts: resident, what is known survives a restart and the loss of DNS, and is renewed beside the answer" {
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good testing mx.good.example
  printf 'request=mta_sts\ndomain=good.example\n\n' >question
  start sts mta-sts --dns-server "127.0.0.1@$dns_port" --port "$web_port" --authorities ca.crt --cache cache --resident "$PWD/sts.sock"
  wait_for serves sts.sock
  ask() { socat -t 5 - UNIX-CONNECT:sts.sock <question; }
  run -0 ask
  [ "${lines[0]} ${lines[1]} ${lines[2]}" = 'action=testing id=1 mx=mx.good.example' ]
  stop sts
  stop unbound
  start sts mta-sts --dns-server "127.0.0.1@$dns_port" --dns-timeout 1s --port "$web_port" --authorities ca.crt --cache cache --resident "$PWD/sts.sock" --log-level debug
  wait_for serves sts.sock
  run -0 ask
  [ "${lines[0]}" = action=testing ]
  stop sts
  mapfile -t all < <(records good 2)
  dns "${all[@]}"
  policy good enforce '*.good.example'
  start sts mta-sts --dns-server "127.0.0.1@$dns_port" --port "$web_port" --authorities ca.crt --cache cache --resident "$PWD/sts.sock"
  wait_for serves sts.sock
  run -0 ask
  [ "${lines[0]}" = action=testing ]
  wait_for grep -q 'mode: enforce' cache/good.example.policy
  run -0 ask
  [ "${lines[0]} ${lines[1]} ${lines[2]}" = 'action=enforce id=2 mx=*.good.example' ]
  [ "$(wc -l <web.log)" = 2 ]
  ! grep -qi refused sts.log
}

@test "mta-sts: a whole sandbox is around the resident one" {
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good enforce mx.good.example
  start sts mta-sts --dns-server "127.0.0.1@$dns_port" --port "$web_port" --authorities ca.crt --cache cache --sandbox yes --resident "$PWD/sts.sock"
  wait_for serves sts.sock
  run -0 socat -t 5 - UNIX-CONNECT:sts.sock <<<$'request=mta_sts\ndomain=good.example\n'
  cat sts.log
  [ "${lines[0]}" = action=enforce ]
  grep -q '^Seccomp:.2' "/proc/$(pid_of sts)/status"
  ! grep -q seccomp sts.log
}

@test "deliver-remote: a policy that is enforced wants a host that it names and a certificate that names the host" {
  certificate mx.good.example DNS:mx.good.example
  serve_tls mx.good.example
  mapfile -t all < <(records good 1; records first 1; records bad 1 mx.good.example)
  dns "${all[@]}"
  policy good enforce mx.good.example
  policy first enforce '*.first.example' # the certificate is another host's
  policy bad enforce mx.bad.example # the policy names another host
  run -0 to good.example
  [[ ${lines[0]} == "rmx.good.example[127.0.0.1]:$port (MTA-STS) said at end of data: 250 "* ]]
  SMTPREQUIRETLS=1 run -0 to good.example # is content with that
  [[ ${lines[0]} == r*' (MTA-STS) said at end of data: 250 '* ]]
  run -0 to first.example
  [ "$output" = "Zmx.first.example[127.0.0.1]:$port: 451 4.7.5 TLS level verify (MTA-STS): the certificate is for mx.good.example; expected: mx.first.example" ]
  run -0 to bad.example
  [ "$output" = "Zmx.good.example[127.0.0.1]:$port: 451 4.7.5 MTA-STS: the policy of bad.example does not name this host" ]
  run -0 remote --dns-server "127.0.0.1@$dns_port" --port "$port" bad.example a@example.net b@bad.example <mail.eml
  [ "${lines[0]:0:1}" = r ]
  has_kept 3
}

@test "deliver-remote: a policy that is tested, or none, holds up nothing; what it would refuse is told" {
  certificate mx.good.example DNS:mx.good.example
  serve_tls mx.good.example
  mapfile -t all < <(records test 1; records none 1; records first 1 mx.good.example; printf 'plain.example. 0 MX 10 mx.plain.example.\nmx.plain.example. 0 A 127.0.0.1\n')
  dns "${all[@]}"
  policy test testing mx.test.example
  policy none none mx.other.example
  policy first testing mx.other.example
  local name
  for name in test none first plain; do
    run -0 to $name.example
    echo "$output"
    [[ ${lines[0]} == r*"]:$port said at end of data: "* ]]
  done
  [ "$(grep -c 'MTA-STS policy in test would refuse this' remote.log)" = 2 ]
  grep -q 'cause="TLS level verify (MTA-STS): the certificate is for mx.good.example; expected: mx.test.example"' remote.log
  grep -q 'cause="MTA-STS: the policy of first.example does not name this host"' remote.log
  # Without authorities nobody can tell, and TLS is what it would be without a policy.
  run -0 to test.example --tls-authorities none.crt
  [[ ${lines[0]} == r*"]:$port said at end of data: "* ]]
  run ! grep 'going on in clear' remote.log
  grep 'MTA-STS policy in test would refuse this' remote.log | grep -q none.crt
}

@test "deliver-remote: under a policy that is enforced nothing goes in clear, nor while nobody knows whether there is one" {
  liar 'say 220 x' 'hear EHLO' 'say 250 x' loop
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good enforce mx.good.example
  run -0 to good.example
  [ "$output" = "Zmx.good.example[127.0.0.1]:$port: 451 4.7.10 TLS is required, and the host does not offer STARTTLS" ]
  run -0 to good.example --mta-sts "unix:$PWD/nobody.sock"
  [[ $output == 'Z451 4.7.5 MTA-STS: '* ]]
  ! grep -q MAIL liar.log
}

@test "deliver-remote: resident in its sandbox, policies come from the resident mta-sts" {
  certificate mx.good.example DNS:mx.good.example
  serve_tls mx.good.example
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good enforce mx.good.example
  start sts mta-sts --dns-server "127.0.0.1@$dns_port" --port "$web_port" --authorities ca.crt --cache cache --resident "$PWD/sts.sock"
  wait_for serves sts.sock
  start resident deliver-remote --resident "$PWD/remote.sock" --domain me.example --dns-server "127.0.0.1@$dns_port" --port "$port" --tls-authorities ca.crt --mta-sts "unix:$PWD/sts.sock" --sandbox yes
  wait_for serves remote.sock
  run -0 "$TOP/build/tests/call" --delivery -- unix:remote.sock good.example a@example.net b@good.example <mail.eml
  cat resident.log
  [ "${lines[0]}" = taken ]
  grep -q '(MTA-STS) said at end of data' resident.log
}

@test "mta-sts: bin/vsmtp up runs it where vsmtp.ini has [sts], and mail goes by the policies" {
  certificate mx.good.example DNS:mx.good.example
  serve_tls mx.good.example
  mapfile -t all < <(records good 1)
  dns "${all[@]}"
  policy good enforce mx.good.example
  mkdir up
  printf '[remote]\nport = %s\ntls_authorities = %s/ca.crt\n[dns]\nserver = 127.0.0.1@%s\n[sts]\nport = %s\nauthorities = %s/ca.crt\ncache = %s/cache\n' \
    "$port" "$PWD" "$dns_port" "$web_port" "$PWD" "$PWD" >up/vsmtp.ini
  local own_port
  own_port=$(free_port)
  start up vsmtp up --dir up --port "$own_port"
  wait_for_port "$own_port"
  run -0 swaks --server "127.0.0.1:$own_port" --from a@example.net --to b@good.example --silent 2
  wait_for has_kept 1
  wait_for grep -q '(MTA-STS) said at end of data: 250' up.log
  [ -f cache/good.example.policy ]
}
