# For tests of delegation: a spool, rules, content filters and the listener where they give messages back.

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export OUT=$BATS_TEST_TMPDIR/out
  mkdir out seen
  queue-inject --spool spool --make-spool
  filter_port=$(free_port) receiver=$(free_port)
  settings=(--spool spool --local-domains own.test --remote-transport "$PWD/remote" --retry-min 1h --retry-max 4h --bounce no --rules "unix:$PWD/rules.sock")
  # What goes to the filter goes by SMTP, the rest where the tests look for it.
  cat >remote <<F
#!/bin/sh
case \$1 in smtp://*|unix:*) exec deliver-remote --own-addresses '' "\$@" ;; *) exec "$BATS_TEST_DIRNAME/data/transport" "\$@" ;; esac
F
  chmod +x remote
}

store() { "$BATS_TEST_DIRNAME/tools/store-items" "$@"; }
delivered() { [ "$(cat out/"$1"/* 2>/dev/null | grep -c '^END')" = "${2:-1}" ]; }
count() { find "spool/$1" -type f | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
is_empty() { has working 0 && has deliver 0 && has deferred 0 && has delegated 0 && has dead 0 && has progress 0 && has tmp 0 && has hold 0; }
drain() { queue-run "${settings[@]}" --drain "$@" >>drain.log 2>&1; }
seen() { find seen -name '*.msg' | wc -l; }
has_seen() { [ "$(seen)" = "$1" ]; }

# stages MAP: the rules, with the service `av`; on standard input if not said.
rules() {
  { echo "service av smtp = #{ delegator: #{ address: \"127.0.0.1:$filter_port\" }, receiver: \"127.0.0.1:$receiver\" };"; cat; } >main.vsl
  start rules vsl-filter --resident "$PWD/rules.sock" main.vsl
  wait_for serves rules.sock
}
standard_rules() {
  rules <<'V'
#{ postq: [
     action "before" || append_header("X-Before", "1"),
     delegate av "scan" || if has_header("X-Virus-Infected") { quarantine("virus") } else { next() },
     action "after" || append_header("X-After", "1") ],
   delivery: [ action "mark" || append_header("X-Delivery", "1") ] }
V
}
content_filter() {
  start filter "$BATS_TEST_DIRNAME/tools/content_filter.py" "$filter_port" "$receiver" seen
  wait_for_port "$filter_port"
}
# The listener where filters give messages back, with the chain of all mail.
receive() {
  start receiver smtpd --listen "127.0.0.1:$receiver" --domain own.test -- "unix:$PWD/rules.sock" -- "${1:-queue-inject}" --spool spool
  wait_for_port "$receiver"
}
