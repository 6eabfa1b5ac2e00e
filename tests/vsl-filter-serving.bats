#!/usr/bin/env bats
# vsl-filter between other programs: in a chain, resident, and asked by an unchanged Postfix.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  chmod 755 .
  make_keep
  cat >rules.vsl <<'V'
#{
    rcpt: [
        rule "nobody" || if rcpt().local_part == "nobody" { info("550 5.1.1 no such user") } else { next() },
        action "told" || append_header("X-Told", "at rcpt"),
        action "copy" || if rcpt().local_part == "copied" { bcc("archive@b.example") },
    ],
    preq: [
        rule "refused" || if get_header("Subject") == "no" { deny("554 5.7.1 not that") } else { next() },
        rule "later" || if get_header("Subject") == "later" { info("451 4.7.1 come back") } else { next() },
        rule "put aside" || if get_header("Subject") == "odd" { quarantine("odd") } else { next() },
        action "stamp" || if get_header("Subject") == "stamp" { prepend_header("X-Gate", "seen") },
        action "envelope" || if get_header("Subject") == "envelope" { rewrite_mail_from_envelop("new@a.example"); add_rcpt_envelop("more@b.example"); },
        action "nobody left" || if get_header("Subject") == "swallow" { for r in rcpt_list() { remove_rcpt_envelop(r) } },
    ],
}
V
}
teardown() {
  [ -z "$postfix" ] || { python3 "$TOP/tests/tools/policy_postfix.py" stop "$postfix" "$postfix_port"; rm -rf "$postfix"; }
  stop_all
}

# send_subject SUBJECT: the reply to the end of the message
send_subject() {
  printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nSubject: %s\r\n\r\ntext\r\n.\r\nQUIT\r\n' "$1" |
    say | tr -d '\r' | sed -n '/^354/,/^221/p' | sed '1d;$d'
}
each_effect() {
  [[ $(send_subject plain) == 250* ]]
  [ "$(send_subject no)" = '554 5.7.1 not that' ]
  [ "$(send_subject later)" = '451 4.7.1 come back' ]
  has_kept 1
  [[ $(sed '/^Subject/,$d' kept/1.msg) != *X-Gate* ]]
  [[ $(send_subject stamp) == 250* ]]
  [ "$(head -n 1 kept/2.msg)" = $'X-Gate: seen\r' ]
  [[ $(send_subject envelope) == 250* ]]
  [ "$(tr '\n' ' ' <kept/3.env)" = 'Fnew@a.example Tb@b.example Tmore@b.example  ' ]
  [[ $(send_subject odd) == 250* ]]
  [ "$(jq -r .quarantine.name kept/4.ctx)" = odd ]
  [[ $(send_subject swallow) == 250* ]]
  has_kept 4
}

@test "vsl-filter: in a chain it passes, changes, refuses and takes messages" {
  serve -- vsl-filter rules.vsl -- ./keep
  each_effect
}

@test "vsl-filter: resident in a chain it does the same" {
  start filter vsl-filter --resident "$PWD/filter.sock" rules.vsl
  wait_for serves filter.sock
  serve -- "unix:$PWD/filter.sock" -- ./keep
  each_effect
}

@test "vsl-filter: rules that wait keep no other message waiting" {
  script nap <<'E'
touch "napping.$$"
sleep 10
touch slept
E
  cat >rules.vsl <<'V'
service nap cmd = #{ command: "./nap" };
#{ preq: [ action "slow" || if get_header("Subject") == "slow" { nap.run() } ] }
V
  start filter vsl-filter --resident "$PWD/filter.sock" rules.vsl
  wait_for serves filter.sock
  serve -- "unix:$PWD/filter.sock" -- ./keep
  local i
  for i in 1 2 3; do start "slow$i" send_subject slow; done
  nap_all() { [ "$(find . -name 'napping.*' | wc -l)" = 3 ]; }
  wait_for nap_all
  [[ $(send_subject plain) == 250* ]]
  [ ! -e slept ]
}

@test "vsl-filter: SIGHUP takes new rules, and keeps the old ones when the new ones have mistakes" {
  start filter vsl-filter --resident "$PWD/filter.sock" rules.vsl
  wait_for serves filter.sock
  serve -- "unix:$PWD/filter.sock" -- ./keep
  echo '#{ preq: [ rule "x" || acept() ] }' >rules.vsl
  kill -HUP "$(pid_of filter)"
  wait_for grep -q 'the old ones stay' filter.log
  [ "$(send_subject no)" = '554 5.7.1 not that' ]
  echo '#{ preq: [ rule "x" || deny("554 5.7.1 nothing any more") ] }' >rules.vsl
  kill -HUP "$(pid_of filter)"
  wait_for grep -q 'rules loaded' filter.log
  [ "$(send_subject no)" = '554 5.7.1 nothing any more' ]
}

@test "vsl-filter: rules that cannot be used refuse for now, and nothing is lost" {
  echo '#{ preq: [ rule "x" || acept() ] }' >rules.vsl
  serve -- vsl-filter rules.vsl -- ./keep
  [[ $(send_subject plain) == 451* ]]
  has_kept 0
}

ask() { printf 'request=smtpd_access_policy\n'; printf '%s\n' "$@" ''; }

@test "vsl-filter: --policy answers on standard input and output" {
  { ask protocol_state=RCPT client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=nobody@b.example instance=1
    ask protocol_state=RCPT client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=b@b.example instance=1
    ask protocol_state=RCPT client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=copied@b.example instance=1
    ask protocol_state=VRFY client_address=192.0.2.1; } | vsl-filter --policy rules.vsl >out 2>log
  [ "$(grep . out | tr '\n' '|')" = 'action=550 5.1.1 no such user|action=PREPEND X-Told: at rcpt|action=PREPEND X-Told: at rcpt|action=DUNNO|' ] ||
    [ "$(grep . out | tr '\n' '|')" = 'action=550 5.1.1 no such user|action=PREPEND X-Told: at rcpt|action=BCC archive@b.example|action=DUNNO|' ]
}

@test "vsl-filter: what rules learnt goes along as state, from question to question and to the message" {
  cat >state.vsl <<'V'
#{
    connect: [ action "c" || set_variable("seen", "connect") ],
    mail: [ rule "m" || if get_variable("seen") == "connect" { set_variable("mail", 1); next() } else { deny("550 no connect") } ],
    preq: [ rule "p" || if get_variable("seen") == "connect" && get_variable("mail") == 1 { accept() } else { deny("550 5.7.1 no state") } ],
}
V
  vsl-filter --check state.vsl
  ask protocol_state=CONNECT client_address=192.0.2.1 state= | vsl-filter --policy state.vsl >one
  state=$(sed -n 's/^state=//p' one)
  ask protocol_state=MAIL client_address=192.0.2.1 helo_name=c sender=a@a.example "state=$state" | vsl-filter --policy state.vsl >two
  grep -qx 'action=DUNNO' two
  state=$(sed -n 's/^state=//p' two)
  [ "${#state}" -lt 300 ]
  printf 'Subject: x\r\n\r\n' >mail.eml
  "$TOP/build/tests/call" --from a@a.example --to b@b.example --context "{\"state\":\"$state\"}" -- vsl-filter state.vsl -- ./keep <mail.eml
  has_kept 1
  "$TOP/build/tests/call" --from a@a.example --to b@b.example -- vsl-filter state.vsl -- ./keep <mail.eml && return 1
  has_kept 1
}

# asking_postfix POLICY [PARAMETER...]: on $postfix_port; its folder is $postfix
asking_postfix() {
  [ "$(id -u)" = 0 ] || skip 'Postfix starts as root only'
  postfix_port=$(free_port)
  port=$postfix_port
  python3 "$TOP/tests/tools/policy_postfix.py" start "$postfix" "$postfix_port" "$@" >postfix.out 2>&1 || { cat postfix.out "$postfix"/maillog; return 1; }
}
make_postfix_folder() {
  postfix=$(mktemp -d /tmp/vsmtp-postfix.XXXXXX)
  chmod 755 "$postfix"
  cp "$TOP/bin/vsl-filter" rules.vsl "$postfix/"
  printf '#!/bin/sh\nexec %s/vsl-filter --policy %s/rules.vsl 2>/dev/null\n' "$postfix" "$postfix" >"$postfix/policy"
  chmod 755 "$postfix/policy" "$postfix/vsl-filter"
}
held() { find "$postfix/spool/hold" -type f | wc -l; }
one_is_held() { [ "$(held)" = 1 ]; }
through_postfix() {
  printf 'EHLO c.example\r\nMAIL FROM:<a@bench.invalid>\r\nRCPT TO:<nobody@bench.invalid>\r\nRCPT TO:<u@bench.invalid>\r\nDATA\r\nSubject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n' |
    say | tr -d '\r' >said
  grep -q '^550 5.1.1 .*no such user' said
  grep -q '^250 2.0.0 Ok: queued as' said
  wait_for one_is_held
  postcat -c "$postfix/etc" "$(find "$postfix/spool/hold" -type f)" | grep -qx 'X-Told: at rcpt'
}

@test "vsl-filter: an unchanged Postfix asks it by spawn(8)" {
  make_postfix_folder
  asking_postfix unix:private/policy
  through_postfix
}

@test "vsl-filter: an unchanged Postfix asks it over its socket" {
  make_postfix_folder
  start filter vsl-filter --resident "$postfix/policy.sock" --socket-mode 666 rules.vsl
  wait_for serves "$postfix/policy.sock"
  asking_postfix "unix:$postfix/policy.sock"
  through_postfix
}

# ---- the actions of Postfix ---------------------------------------------------------------------------------------------------

make_action_rules() {
  cat >rules.vsl <<'V'
#{
    connect: [ action "seen" || set_variable("ip", client_ip()) ],
    helo: [ rule "liar" || if helo() == "liar.example" { info("550 5.7.1 that is not your name") } else { next() } ],
    mail: [ rule "from" || if mail_from().local_part == "later" { info("451 4.7.1 come back") } else { next() } ],
    rcpt: [
        rule "ip" || if get_variable("ip") != client_ip() { deny("554 5.7.1 forgotten") } else { next() },
        rule "to" || switch rcpt().local_part {
            "closed" => deny("554 5.7.1 never again"),
            "odd" => quarantine("odd"),
            "trusted" => faccept(),
            "moved" => { rewrite_rcpt_envelop(rcpt(), "new@bench.invalid"); next() },
            "nothing" => { disable_delivery_all(); next() },
            "gone" => { remove_rcpt_envelop(rcpt()); next() },
            "elsewhere" => { forward_all("192.0.2.9:2525"); next() },
            "copied" => { bcc("archive@bench.invalid"); next() },
            "marked" => { append_header("X-One", "1"); append_header("X-Two", "2"); next() },
            _ => next(),
        },
    ],
    data: [ rule "many" || if rcpt_list().len > 2 { info("550 5.5.3 too many") } else { next() } ],
}
V
}
# asked_for LOCAL_PART: the actions at RCPT, DATA and END-OF-MESSAGE
asked_for() {
  local state
  for state in RCPT DATA END-OF-MESSAGE; do
    ask "protocol_state=$state" client_address=192.0.2.1 "helo_name=${helo:-c.example}" "sender=${from:-a}@a.example" "recipient=$1@bench.invalid" "instance=$1"
  done | vsl-filter --policy rules.vsl 2>log | grep . | sed 's/^action=//' | paste -sd'|'
}

@test "vsl-filter: each effect of rules is the action of Postfix that has it, when Postfix can take it" {
  make_action_rules
  vsl-filter --check rules.vsl
  [ "$(asked_for u)" = 'DUNNO|DUNNO|DUNNO' ]
  [ "$(helo=liar.example asked_for u | cut -d'|' -f1)" = '550 5.7.1 that is not your name' ]
  [ "$(from=later asked_for u | cut -d'|' -f1)" = '451 4.7.1 come back' ]
  [ "$(asked_for closed | cut -d'|' -f1)" = '554 5.7.1 never again' ]
  [ "$(asked_for odd)" = 'HOLD quarantine odd|HOLD quarantine odd|HOLD quarantine odd' ]
  [ "$(asked_for trusted)" = 'OK|OK|OK' ]
  [ "$(asked_for moved)" = 'DUNNO|REDIRECT new@bench.invalid|REDIRECT new@bench.invalid' ]
  [ "$(asked_for nothing | cut -d'|' -f1,2)" = 'DUNNO|DISCARD the rules disabled the delivery' ]
  [ "$(asked_for gone | cut -d'|' -f1,2)" = 'DUNNO|DISCARD the rules left no recipient' ]
  [ "$(asked_for elsewhere | cut -d'|' -f1,2)" = 'DUNNO|FILTER smtp:[192.0.2.9]:2525' ]
  [ "$(asked_for copied)" = 'BCC archive@bench.invalid|DUNNO|DUNNO' ]
  # At RCPT Postfix asks for each of its lists of restrictions, with the same words.
  for _ in client helo sender recipient; do
    ask protocol_state=RCPT client_address=192.0.2.1 helo_name=c.example sender=a@a.example recipient=u@bench.invalid instance=1
  done >questions
  ask protocol_state=DATA client_address=192.0.2.1 helo_name=c.example sender=a@a.example recipient=u@bench.invalid instance=1 >>questions
  [ "$(vsl-filter --policy rules.vsl <questions 2>log | grep . | sort | uniq -c | tr -s ' ')" = ' 5 action=DUNNO' ]
  [ "$(asked_for marked)" = 'PREPEND X-One: 1|PREPEND X-Two: 2|DUNNO' ]
}

@test "vsl-filter: a lone recipient that is first heard of at DATA has its rules; no field is put in front at the end" {
  make_action_rules
  [ "$(ask protocol_state=DATA client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=closed@bench.invalid instance=1 | vsl-filter --policy rules.vsl 2>log | grep .)" = 'action=554 5.7.1 never again' ]
  [ "$(ask protocol_state=END-OF-MESSAGE client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=marked@bench.invalid instance=1 | vsl-filter --policy rules.vsl 2>log | grep .)" = 'action=DUNNO' ]
}

@test "vsl-filter: a question that cannot be read has no answer, and ends the service" {
  make_action_rules
  run -0 --separate-stderr bash -c 'printf "nonsense\n\n" | vsl-filter --policy rules.vsl; [ $? = 71 ]'
  [ -z "$output" ]
  [[ $stderr == *nonsense* ]]
}

# through RECIPIENT...: one message to Postfix; what it says to each RCPT and to the message
through() {
  { printf 'EHLO c.example\r\nMAIL FROM:<a@bench.invalid>\r\n'
    printf 'RCPT TO:<%s@bench.invalid>\r\n' "$@"
    printf 'DATA\r\n'
    sleep 0.5
    printf 'Subject: x\r\n\r\ntext\r\n.\r\nQUIT\r\n'; } | say | tr -d '\r' | sed '1,/^250 2.1.0/d'
}
logged() { grep -q "$1" "$postfix/maillog"; }

@test "vsl-filter: an unchanged Postfix does what its rules say, asking at each stage" {
  make_action_rules
  make_postfix_folder
  asking_postfix unix:private/policy smtpd_client_restrictions smtpd_helo_restrictions smtpd_sender_restrictions smtpd_data_restrictions \
    smtpd_end_of_data_restrictions smtpd_etrn_restrictions
  [[ $(through closed) == *'554 5.7.1 '*'rejected: never again'* ]]
  [[ $(through odd) == *'250 2.0.0 Ok'* ]]
  wait_for logged 'hold: .*quarantine odd'
  [[ $(through moved) == *'250 2.0.0 Ok'* ]]
  wait_for logged 'redirect: .*new@bench.invalid'
  [[ $(through nothing) == *'250 2.0.0 Ok'* ]]
  wait_for logged 'discard: .*the rules disabled the delivery'
  [[ $(through elsewhere) == *'250 2.0.0 Ok'* ]]
  wait_for logged 'filter: .*smtp:\[192.0.2.9\]:2525'
  [[ $(through copied) == *'250 2.0.0 Ok'* ]]
  wait_for logged 'bcc: .*archive@bench.invalid'
  [[ $(through u v w) == *'550 5.5.3 <DATA>: Data command rejected: too many'* ]]
  run ! grep -E 'warning: .*(policy|PREPEND|REDIRECT|FILTER|DISCARD|BCC|HOLD)' "$postfix/maillog"
}

@test "vsl-filter: at VRFY and ETRN rules of connect and helo refuse, and nothing else happens" {
  make_action_rules
  local state
  for state in VRFY ETRN; do
    aside() { ask "protocol_state=$state" client_address=192.0.2.1 "helo_name=$1" sender= recipient= instance=9 | vsl-filter --policy rules.vsl 2>log | grep .; }
    [ "$(aside c.example)" = 'action=DUNNO' ]
    [ "$(aside liar.example)" = 'action=550 5.7.1 that is not your name' ]
  done
  # In the middle of a transaction it goes on behind it.
  sed -i '/connect: /s/ \],$/, rule "denied" || if client_ip() == "192.0.2.66" { deny("554 5.7.1 go away") } else { next() }, action "field" || append_header("X-C", "1") ],/' rules.vsl
  vsl-filter --check rules.vsl
  for state in RCPT VRFY RCPT DATA; do
    ask "protocol_state=$state" client_address=192.0.2.1 helo_name=c sender=a@a.example recipient=marked@bench.invalid instance=1
  done | vsl-filter --policy rules.vsl 2>log | grep . | paste -sd'|' >out
  [ "$(cat out)" = 'action=PREPEND X-C: 1|action=DUNNO|action=PREPEND X-One: 1|action=PREPEND X-Two: 2' ]
  for state in CONNECT ETRN; do ask "protocol_state=$state" client_address=192.0.2.66 helo_name=c sender= recipient= instance=1; done |
    vsl-filter --policy rules.vsl 2>log | grep . | uniq -c | tr -s ' ' >out
  [ "$(cat out)" = ' 2 action=554 5.7.1 go away' ]
}

@test "vsl-filter: an unchanged Postfix asks it at VRFY and ETRN" {
  make_action_rules
  make_postfix_folder
  printf '#!/bin/sh\ntee -a %s/questions | %s/vsl-filter --policy %s/rules.vsl 2>/dev/null\n' "$postfix" "$postfix" "$postfix" >"$postfix/policy"
  : >"$postfix/questions" && chmod 666 "$postfix/questions"
  asking_postfix unix:private/policy smtpd_helo_restrictions smtpd_etrn_restrictions
  for name in c.example liar.example; do printf 'EHLO %s\r\nVRFY u@bench.invalid\r\nETRN bench.invalid\r\nQUIT\r\n' "$name" | say | tr -d '\r' | sed '/^250/d' >"said-$name"; done
  grep -q '^252 2.0.0 u@bench.invalid' said-c.example
  run ! grep rejected said-c.example
  [ "$(grep -c '^550 5.7.1 <liar.example>: Helo command rejected: that is not your name' said-liar.example)" = 2 ]
  [ "$(grep '^protocol_state=' "$postfix/questions" | sort -u | paste -sd' ')" = 'protocol_state=ETRN protocol_state=VRFY' ]
  run ! grep -E 'warning: .*policy' "$postfix/maillog"
}

@test "vsl-filter: a reload logs each mistake as a line, wherever the log goes; calls are answered meanwhile" {
  start filter vsl-filter --resident "$PWD/filter.sock" --log-destination "$PWD/rules.log" rules.vsl
  wait_for serves filter.sock
  printf '#{ preq: [\n  rule "x" || acept(),\n  rule "y" || deni(),\n] }\n' >rules.vsl
  mv rules.log rules.log.1
  kill -HUP "$(pid_of filter)"
  wait_for grep -q 'the old ones stay' rules.log
  grep -q 'error in rules text="rules.vsl:2:15: error: Function not found: acept" help="did you mean `accept`?"' rules.log
  grep -q 'rules.vsl:3:15: error: Function not found: deni' rules.log
  [ ! -s filter.log ]
}
