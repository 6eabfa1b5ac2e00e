#!/usr/bin/env bats
# vsl-filter by hand: saved messages, checks, tests, the API, the REPL.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  cat >rules.vsl <<'V'
object partners group = [ object p1 fqdn = "partner.example", object p2 rg4 = "203.0.113.0/24" ];
#{
    connect: [ rule "partner" || if client_ip() in partners { faccept() } else { next() } ],
    helo: [ rule "name" || if helo() == "localhost" { deny("550 5.7.1 who are you?") } else { next() } ],
    rcpt: [ rule "nobody" || if rcpt().local_part == "nobody" { info("550 5.1.1 no such user") } else { next() } ],
    preq: [
        action "stamp" || set_header("X-Gate", "seen"),
        rule "lottery" || if "lottery" in get_header("Subject") { quarantine("lottery") } else { next() },
    ],
}
V
  printf '%s\r\n' 'Received: from mx.client.example (mx [192.0.2.10]) by own.example; Fri, 21 Nov 1997 15:55:06 +0000' \
    'From: Ann <ann@client.example>' 'To: bob@own.example, nobody@own.example' 'Subject: hello' '' 'text' >mail.eml
}

@test "vsl-filter: what the rules make of a saved message" {
  run -0 vsl-filter rules.vsl mail.eml
  [ "${lines[0]}" = "mail.eml: accepted" ]
  [ "${lines[1]}" = '  rcpt <nobody@own.example>: info 550 5.1.1 no such user by "nobody"' ]
  [ "${lines[2]}" = '  + X-Gate: seen' ]
  [ "${#lines[@]}" = 3 ]
}

@test "vsl-filter: a folder of rules per domain, as vSMTP 2 had it, is told what to write, and that does it" {
  mkdir -p v2/example.org
  echo 'export const stages = #{ connect: [ rule "all" || next() ], mail: [ rule "m" || if mail_from().domain == "bad.example" { deny() } else { next() } ], rcpt: [ rule "r" || info("554 5.7.1 no relay") ] };' >v2/root.vsl
  for way in incoming outgoing internal; do
    echo "export const stages = #{ rcpt: [ action \"a\" || append_header(\"X-Way\", \"$way\"), rule \"r\" || accept() ] };" >"v2/example.org/$way.vsl"
  done
  run -78 vsl-filter --check v2
  [[ $output == 'vsl-filter: '*'v2 is a folder; rules begin in one file.'*'"Rules per domain" in vsl(7)'* ]]
  sed -n '/^.Ss Rules per domain/,/^.Ed/p' "$TOP/vsl-filter/vsl.7" | sed '1,/^.Bd/d; /^.Ed/d' >v2/main.vsl
  run -78 vsl-filter v2 mail.eml
  [[ $output == *'v2 is a folder; the rules begin in v2/main.vsl'* ]]
  run -0 vsl-filter --check v2/main.vsl
  [ -z "$output" ]
  way() { vsl-filter --from "$1" --to "$2" v2/main.vsl mail.eml | sed -n 's/^  + X-Way: //p'; }
  [ "$(way ann@client.example bob@example.org)" = incoming ]
  [ "$(way ann@client.example bob@sub.example.org)" = incoming ]
  [ "$(way bob@example.org ann@client.example)" = outgoing ]
  [ "$(way bob@example.org eve@example.org)" = internal ]
  run -1 vsl-filter --from ann@client.example --to eve@elsewhere.example v2/main.vsl mail.eml
  [ "${lines[0]}" = 'mail.eml: refused at rcpt: 554 5.7.1 no relay' ]
  run -1 vsl-filter --from a@bad.example --to bob@example.org v2/main.vsl mail.eml
  [[ ${lines[0]} == 'mail.eml: refused at mail: 554'* ]]
}

@test "vsl-filter: facts of the command line win over those of the message" {
  run -1 vsl-filter --helo localhost rules.vsl mail.eml
  [ "${lines[0]}" = "mail.eml: refused at helo: 550 5.7.1 who are you?" ]
  run -0 vsl-filter --client-ip 203.0.113.7 --helo localhost rules.vsl mail.eml
  [ "${lines[1]}" = '  connect: faccept by "partner"' ]
  run -1 vsl-filter --set rcpt=nobody@own.example rules.vsl mail.eml
  [ "${lines[0]}" = "mail.eml: refused at rcpt: 550 5.1.1 no such user" ]
}

@test "vsl-filter: a filter on standard input writes the changed message, or says why not" {
  run -0 --separate-stderr vsl-filter rules.vsl <mail.eml
  [ "$output" = "$(sed '/^Subject/a X-Gate: seen\r' mail.eml)" ]
  run -1 --separate-stderr vsl-filter --helo localhost rules.vsl <mail.eml
  [ "$output" = "" ]
  [[ $stderr == *'550 5.7.1 who are you?'* ]]
}

@test "vsl-filter: a message that no rule changes comes out octet by octet" {
  echo '#{}' >none.vsl
  vsl-filter none.vsl <mail.eml >out
  cmp mail.eml out
}

@test "vsl-filter: several messages at once are reported in their order, each as alone" {
  local i
  for i in {100..399}; do sed "s/^Subject: .*/Subject: lottery $i/" mail.eml >"m$i.eml"; done
  truncate -s 0 m150.eml
  head -c 200000 /dev/zero | tr '\0' x | fold -w 70 >>m151.eml
  run -1 vsl-filter --jobs 1 --json rules.vsl m*.eml
  printf '%s\n' "${lines[@]}" >alone
  [ "$(wc -l <alone)" = 301 ]
  for i in 2 7; do
    run -1 vsl-filter --jobs "$i" --json rules.vsl m*.eml
    printf '%s\n' "${lines[@]}" | cmp - alone
  done
  # One that cannot be read is told, and decides the exit code.
  run -75 --separate-stderr vsl-filter -j 4 --json rules.vsl m1*.eml missing.eml m2*.eml
  [ "${#lines[@]}" = 200 ]
  [[ $stderr == *missing.eml* ]]
  local jobs
  for jobs in 0 1001 x; do
    run -64 vsl-filter --jobs "$jobs" rules.vsl mail.eml
    [[ $output == *"--jobs $jobs; expected: 1 to 1000"* ]]
  done
}

@test "vsl-filter: one stage alone" {
  run -0 vsl-filter --stage preq --helo localhost rules.vsl mail.eml
  [ "${lines[0]}" = "mail.eml: accepted" ]
  run -64 vsl-filter --stage nowhere rules.vsl mail.eml
  [[ $output == *'connect helo authenticate mail rcpt data preq postq delivery'* ]]
}

@test "vsl-filter: JSON, one object a message" {
  sed 's/hello/the lottery/' mail.eml >lottery.eml
  run -1 vsl-filter --json rules.vsl mail.eml lottery.eml
  [ "$(jq -r .verdict <<<"$output" | tr '\n' ' ')" = "accepted quarantined " ]
  [ "$(jq -r 'select(.file == "lottery.eml") | .quarantine' <<<"$output")" = lottery ]
  [ "$(jq -c 'select(.file == "mail.eml") | .changes.added' <<<"$output")" = '["X-Gate: seen"]' ]
  [ "$(jq -c 'select(.file == "mail.eml") | [.stages[] | select(.directive)] | map([.stage, .recipient, .reply])' <<<"$output")" = '[["rcpt","nobody@own.example","550 5.1.1 no such user"]]' ]
}

@test "vsl-filter: --trace tells each directive, its status and its time" {
  run -0 vsl-filter --trace rules.vsl mail.eml
  [[ ${lines[1]} =~ ^'  connect: rule "partner" next ('[0-9]+' us)'$ ]]
  [[ $output == *'preq: action "stamp" ('* ]]
}

@test "vsl-filter: --trace=assignments tells what each directive assigns, with its place" {
  cat >assigns.vsl <<'V'
#{
    preq: [
        rule "count" || {
            let seen = #{ to: 0 };
            for r in ["a", "b"] {
                seen.to += 1;
            }
            next()
        },
        rule "quiet" || next(),
        rule "long" || { let i = 0; while i < 10002 { i += 1; } next() },
    ],
}
V
  run -0 vsl-filter --trace=assignments assigns.vsl mail.eml
  [[ ${lines[1]} == '  preq: rule "count" next ('* ]]
  [ "${lines[2]}" = '    assigns.vsl:4:13: seen = #{"to": 0}' ]
  [ "${lines[3]}" = '    assigns.vsl:5:13: r = "a"' ]
  [ "${lines[4]}" = '    assigns.vsl:6:17: seen.to = 1' ]
  [ "${lines[5]}" = '    assigns.vsl:5:13: r = "b"' ]
  [ "${lines[6]}" = '    assigns.vsl:6:17: seen.to = 2' ]
  [[ ${lines[7]} == '  preq: rule "quiet" next ('* ]]
  [[ $output == *'    and 3 more assignments' ]]
  run -0 vsl-filter --json --trace=assignments assigns.vsl mail.eml
  [ "$(jq -c '.trace[0].assignments[2] | [.line, .column, .place, .value]' <<<"$output")" = '[6,17,"seen.to","1"]' ]
  [ "$(jq -c '.trace[2].more_assignments' <<<"$output")" = 3 ]
  run -0 vsl-filter --trace assigns.vsl mail.eml
  [[ $output != *seen* ]]
  run -64 vsl-filter --trace=all assigns.vsl mail.eml
  [[ $output == *'--trace=all; expected: directives or assignments'* ]]
}

@test "vsl-filter: --check tells all mistakes with their places" {
  cat >bad.vsl <<'V'
#{
    mail: [ rule "a" || acept(), rule "b" || deny( ],
    nosuch: [],
}
V
  run -1 vsl-filter --check bad.vsl
  [[ $output == *'bad.vsl:2:'*error* ]]
  run -0 vsl-filter --check rules.vsl
  [ "$output" = "" ]
  printf '#{ mail: [ rule "a" || acept() ] }' >typo.vsl
  run -1 vsl-filter --check typo.vsl
  [[ $output == *'typo.vsl:1:24: error: '*acept* ]]
  [[ $output == *'accept'* ]]
  run -1 vsl-filter --check --json typo.vsl
  [ "$(jq -r '.line, .column, .severity' <<<"$output" | tr '\n' ' ')" = "1 24 error " ]
}

@test "vsl-filter: rules with mistakes run nothing" {
  printf '#{ mail: [ rule "a" || acept() ] }' >bad.vsl
  run -78 vsl-filter bad.vsl mail.eml
  run -78 vsl-filter nowhere.vsl mail.eml
  [[ $output == *nowhere.vsl* ]]
}

@test "vsl-filter: a rule that fails is told with its place, and the safe default is taken" {
  printf '#{ preq: [ rule "a" || { let x = []; x[3] } ] }' >fails.vsl
  run -1 --separate-stderr vsl-filter fails.vsl mail.eml
  [[ ${lines[0]} == 'mail.eml: refused at preq: 554 '* ]]
  [ "${lines[1]}" = '  preq: deny 554 permanent problems with the remote server since it fails: "a"' ]
  [ "${lines[2]}" = '    fails.vsl:1:38: error: Array index 3 out of bounds: array is empty' ]
  [[ ${lines[3]} == *'1 | #{ preq: ['* ]]
  [[ ${lines[4]} == *'^'* ]]
  [ -z "$stderr" ]
  run -1 --separate-stderr vsl-filter fails.vsl <mail.eml
  [[ $stderr == *'error rule text='*'fails.vsl:1:38: Array index 3 out of bounds'* ]]
}

@test "vsl-filter: an endless loop ends, as a failure for now" {
  printf '#{ preq: [ rule "a" || { loop { } } ] }' >loops.vsl
  run -1 --separate-stderr vsl-filter loops.vsl mail.eml
  [[ ${lines[0]} == 'mail.eml: deferred at preq: 451 '* ]]
  [[ $output == *'Too many operations'* ]]
}

@test "vsl-filter: --api prints functions of rules" {
  run -0 vsl-filter --api get_header
  [[ ${lines[0]} == 'get_header('* ]]
  run -1 vsl-filter --api no_such_function
  run -1 vsl-filter --api get_haeder
  [[ $output == *"no function is named 'get_haeder'; did you mean \`get_header\`?" ]]
  run -0 vsl-filter --api header
  [[ $output == *'header::addresses(any)'* ]]
  [[ $output == *'append_header(any, any)'* ]]
  run -0 vsl-filter --api --json deny
  [ "$(jq -r .name <<<"$output")" = deny ]
  [ "$(vsl-filter --api --json | wc -l)" -gt 250 ]
}

@test "vsl-filter: --repl evaluates line by line, on a message" {
  run -0 --separate-stderr vsl-filter --repl rules.vsl mail.eml <<'V'
let x = [1, 2];
x.len + 40
get_header("Subject")
client_ip() in rules::partners
nonsense()
rcpt_list().len
V
  [ "${lines[0]}" = 42 ]
  [ "${lines[1]}" = '"hello"' ]
  [ "${lines[2]}" = false ]
  [[ ${lines[3]} == *'error: '*nonsense* ]]
  [ "${lines[-1]}" = 2 ]
  run -0 --separate-stderr vsl-filter --repl mail.eml <<'V'
let y = 20; y + 1
y
msg().to_string().contains("Subject: hello\r\n") && `${msg()}`.ends_with("\r\n\r\ntext\r\n")
V
  [ "$output" = "21
20
true" ]
}

@test "vsl-filter: --test runs the cases beside the rules" {
  cat >rules_test.vsl <<'V'
[
    test "a stranger with a good name" #{
        client_ip: "198.51.100.7", helo: "mx.stranger.example", from: "a@b.example", to: ["c@own.example", "nobody@own.example"],
        message: `Subject: hello

text
`,
        rcpt: ["next", "info 550 5.1.1"], preq: "next", verdict: "accept",
        headers: #{ "X-Gate": "seen", "X-Other": () }, recipients: ["c@own.example"], transports: #{ "c@own.example": "deliver" },
        expect: || get_header("Subject") == "hello",
    },
    test "two messages" #{
        from: "a@b.example", to: "c@own.example", client_ip: "198.51.100.7", helo: "x.example",
        steps: [ #{ message: "Subject: lottery\n\n", verdict: "quarantine lottery" }, #{ after: "10m", helo: "localhost", helo_: (), verdict: "deny" } ],
    },
]
V
  run -78 vsl-filter --test rules_test.vsl
  [[ $output == *"unknown key 'helo_'"* ]]
  sed -i 's/helo_: (), //' rules_test.vsl
  run -0 vsl-filter --test rules_test.vsl
  [ "${lines[0]}" = "ok rules_test.vsl: a stranger with a good name" ]
  [ "${lines[-1]}" = "2 passed, 0 failed" ]
  run -78 vsl-filter --test rules.vsl
  [[ $output == *"--test takes the file of the tests: is it rules_test.vsl?"* ]]
  sed -i 's/preq: "next"/preq: "deny"/; s/"seen"/"unseen"/; s/== "hello"/== "hallo"/' rules_test.vsl
  run -1 vsl-filter --test rules_test.vsl
  [[ $output == *"preq is 'next', expected 'deny'"* ]]
  [[ $output == *"field X-Gate is 'seen', expected 'unseen'"* ]]
  [[ $output == *"'expect' gives false"* ]]
  [ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "vsl-filter: a message that is not changed goes into a file that is appended to" {
  echo '#{}' >nothing.vsl
  cat mail.eml >mbox
  vsl-filter nothing.vsl <mail.eml >>mbox
  cmp mbox <(cat mail.eml mail.eml)
}

@test "vsl-filter: a wrong command line exits 64" {
  run -64 vsl-filter
  run -64 vsl-filter --check --test rules.vsl
  run -64 vsl-filter --client-ip nonsense rules.vsl mail.eml
  run -64 vsl-filter --set colour=blue rules.vsl mail.eml
  run -64 vsl-filter --policy rules.vsl extra
  run -64 vsl-filter --resident filter.sock
  run -64 vsl-filter --from 'a b' rules.vsl mail.eml
  [ "$output" = "vsl-filter: fatal: --from 'a b'; expected: an address such as ann@example.org, or nothing for the null reverse-path" ]
  run -64 vsl-filter --set client_port=x rules.vsl mail.eml
  [ "$output" = "vsl-filter: fatal: --set client_port 'x'; expected: 0 to 65535" ]
}

# told RULES TEXT...: each of them is in what --check says
told() {
  local text
  printf '%s' "$1" >beginner.vsl
  run vsl-filter --check beginner.vsl
  for text in "${@:2}"; do [[ $output == *"$text"* ]] || { echo "not told: $text"; echo "$output"; return 1; }; done
}

@test "vsl-filter: who brings words and signs along from elsewhere is told what is written here" {
  told '#{ rcpt: [ rule "a" || reject("no") ] }' 'beginner.vsl:1:24: error: Function not found: reject' 'a rule refuses with `deny("554 5.7.1 text")`'
  told '#{ rcpt: [ rule "a" || if subject == "x" { deny() } else { permit } ] }' 'a field of the header is read with `get_header("Subject")`' 'a rule is content with `accept()`'
  told $'# rules\n#{ }' 'comments begin with `//`'
  told $'#{ rcpt: [\n  rule "a" || deny();\n  rule "b" || next();\n] }' "beginner.vsl:2:21: error: expected \`,\` or \`]\`, found \`;\`" 'directives are separated by `,`' '2 errors'
  told '#{ rcpt: [ rule "a" | if true { deny() } else { next() } ] }' 'expected `||`, found `|`' '1 error'
  told 'rule "a" || deny()' 'a directive stands alone here: the rules must end in a map of stages' '1 error'
  told '#{ rcpt: [ rule "a" || info("550 ${rcpt()} is not here") ] }' 'beginner.vsl:1:29: warning: `${...}` is only text in a plain string' 'between back-ticks'
  told '#{ preq: [ action "a" || set_header("X", "was ${get_header("X")}") ] }' '`${...}` is only text in a plain string' '1 error, 1 warning'
}
