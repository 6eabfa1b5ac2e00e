load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  export spool=$PWD/spool
  queue-inject --spool "$spool" --make-spool
}

qctl() { command qctl --spool "$spool" "$@"; }
json() { qctl "$@" --json; }
ids() { qctl list "$@" --json | jq -r .id; }
queue_of() { qctl show "$1" --json | jq -r .queue; }

# put [--age SECONDS] QUEUE SENDER RECIPIENT...: a message of its own file there; prints its id.
put() {
  local age=0
  [ "$1" != --age ] || { age=$2; shift 2; }
  "$TOP/tests/tools/store-items" --age "$age" --octets 100 --sender "$2" "$spool" "$1" "${@:3}"
}

# inject SENDER RECIPIENT... <MESSAGE: the message call of queue-inject.
inject() {
  { printf 'F%s\0' "$1"; printf 'T%s\0' "${@:2}"; printf '\0'; } >envelope
  queue-inject --spool "$spool" 1<envelope
}

# on_terminal COMMAND...: its standard streams are a terminal of 100 columns; what is typed comes from standard input.
on_terminal() {
  TERM=xterm COLUMNS=100 script -qec "stty cols ${columns:-100} -echo; $(printf '%q ' "$@")" /dev/null | tr -d '\r'
}

@test "qctl: a configuration that cannot be read is an error, also a folder" {
  run -78 qctl --config . list
  [ "$output" = 'qctl: fatal: read .: Is a directory' ]
}

@test "qctl: an empty spool has empty queues" {
  run -0 qctl
  [[ $output == *"WORKING    empty"* && $output == *"DEAD       empty"* ]]
  run -0 qctl list
  [ -z "$output" ]
}

@test "qctl: no spool exits 78 and names it" {
  run -78 command qctl --spool "$PWD/nowhere"
  [[ $output == *"$PWD/nowhere"* ]]
}

@test "qctl status: messages are counted by age, as qshape does, each domain in a row" {
  put --age 1800 deferred me@here.example a@one.example b@two.example
  put --age 180000 deferred me@here.example c@one.example c2@ONE.example
  put deferred me@here.example d@two.example
  run -0 qctl status deferred -e .
  [[ ${lines[0]} == "DEFERRED   3 messages, 375, oldest 2d02h ("* ]]
  [ "${lines[1]}" = '                        T    5   10   20   40   80  160  320  640 1280 1280+' ]
  [ "${lines[2]}" = '               TOTAL    3    1    .    .    1    .    .    .    .    .    1' ]
  [ "${lines[3]}" = '         one.example    2    .    .    .    1    .    .    .    .    .    1' ]
  [ "${lines[4]}" = '         two.example    2    1    .    .    1    .    .    .    .    .    .' ]
  [ "${lines[5]}" = "No queue-run serves '$spool': nothing is delivered." ]
  [ "${#lines[@]}" = 6 ]
}

@test "qctl status: by sender, helo and reason; rows are limited; JSON has the same numbers" {
  put dead one@here.example a@x.example
  put dead one@here.example a@y.example
  put dead "" a@z.example
  run -0 qctl status dead --by sender
  [[ ${lines[3]} == *"one@here.example    2    2"* && ${lines[4]} == *"<>    1    1"* ]]
  run -0 qctl status dead --by reason --rows 1
  [[ ${lines[3]} == *"(none yet)    3"* ]]
  run -0 qctl status dead --by domain --rows 1
  [[ ${lines[4]} == *"(2 more)" ]]
  run -0 qctl status --by helo
  [ "$(json status dead | jq -c '[.queue, .messages, .ages."5", (.rows | length), .oldest.id != null]')" = '["dead",3,3,3,true]' ]
  [ "$(json status | jq -r .queue | tr '\n' ' ')" = 'working deliver deferred delegated hold dead ' ]
  run -64 qctl status --by colour
  [[ $output == *"expected one of: domain sender helo reason"* ]]
}

@test "qctl status: a large queue is counted by names, its rows estimated; --by reads all of it" {
  "$TOP/build/tests/fill_spool" --count 20100 --octets 100 --domains 10 "$spool"
  run -0 qctl status deferred
  [[ ${lines[0]} == "DEFERRED   20100 messages, oldest 4d00h ("*"); rows as of 4000 that were read (all: --by domain)" ]]
  [[ ${lines[2]} == *"TOTAL 20100 "* ]]
  jq -e '.messages == 20100 and .rows_estimated_from == 4000 and .octets == null and (.rows | length) == 10' <<<"$(json status deferred)"
  jq -e '.messages == 20100 and .rows_estimated_from == null and .octets > 2000000 and .rows[0].messages == 2010' <<<"$(json status deferred --by domain)"
  [ "$(json list --domain d0.invalid | wc -l)" = 2010 ]
  [ "$(json list --sender sender7@from.invalid --recipient 'user1?7@*' | wc -l)" = 1 ]
  start queue-run queue-run --spool "$spool"
  knows_all() { qctl status deferred | grep -q '^DEFERRED   20100 messages, .*M, oldest 4d00h (.*), next attempt in 1h5'; }
  wait_for knows_all
}

@test "qctl list: one line a message, chosen by queue, sender, recipient, domain, age and size" {
  local old held
  old=$(put --age 5400 deferred bulk@here.example a@one.example)
  held=$(put hold "" b@two.example)
  [ "$(qctl list | wc -l)" = 2 ]
  [ "$(ids deferred)" = "$old" ]
  [ "$(ids --sender 'bulk@*')" = "$old" ]
  [ "$(ids --sender '<>')" = "$held" ]
  [ "$(ids --recipient B@two.example)" = "$held" ]
  [ "$(ids --domain one.example)" = "$old" ]
  [ "$(ids --older 1h)" = "$old" ]
  [ "$(ids --newer 1h)" = "$held" ]
  [ -z "$(ids --larger 125)" ]
  [ "$(ids --larger 124 | wc -l)" = 2 ]
  [ "$(ids --smaller 126 --domain two.example)" = "$held" ]
  run -64 qctl list defered
  [[ $output == *"no queue 'defered'; expected one of: working"* ]]
}

@test "qctl list: a reader that has enough is no error" {
  for _ in 1 2 3; do put working me@here.example a@one.example; done
  set -o pipefail
  [ "$(qctl list | head -n 1 | wc -l)" = 1 ]
  qctl list | true
}

@test "qctl list: names in lines from elsewhere cannot steer the terminal" {
  put working $'"a\e[31m"@here.example' b@two.example
  run -0 qctl list
  [[ $output == *'<"a\x1b[31m"@here.example>'* ]]
}

@test "qctl list: on a terminal lines fit its width, and colours stop with NO_COLOR" {
  put deferred "$(printf 'x%.0s' {1..60})@here.example" b@two.example
  on_terminal "$TOP/bin/qctl" --spool "$spool" list </dev/null >shown
  grep -q $'\e\\[33mdeferred' shown
  [ "$(sed 's/\x1b\[[0-9]*m//g' shown | wc -L)" -le 100 ]
  [ "$(wc -l <shown)" = 2 ]
  NO_COLOR=1 on_terminal "$TOP/bin/qctl" --spool "$spool" list </dev/null >shown
  run ! grep -q $'\e' shown
  columns=200 on_terminal "$TOP/bin/qctl" --spool "$spool" list </dev/null | grep -q '<b@two.example>'
}

@test "qctl show: envelope, context and history" {
  local id
  id=$(put deferred me@here.example a@one.example b@two.example)
  printf '%s\n' "2026-11-21T20:15:01.000001Z deferred 1 mx.one.example[192.0.2.1]:25 <a@one.example> 451 4.7.1 try later" \
    "2026-11-21T20:15:02.000001Z sent 2 mx.two.example[192.0.2.2]:25 <b@two.example> 250 2.0.0 ok" >"$spool/progress/$id"
  run -0 qctl show "$id"
  [[ $output == *"<a@one.example>  deferred, put off 1 time"* && $output == *"<b@two.example>  sent"* ]]
  [[ $output == *"deferred <a@one.example> mx.one.example[192.0.2.1]:25: 451 4.7.1 try later"* ]]
  json show "$id" | jq -e '.recipients == ["a@one.example"] and .reason == "451 4.7.1 try later"
    and .context.envelop.mail_from == "me@here.example"
    and .context.envelop.rcpt[0].email_status.heldback.errors[0][1].Other == "451 4.7.1 try later"
    and (.context.envelop.rcpt[1].email_status | has("sent")) and (.history | length) == 2'
}

@test "qctl show: an id may be cut short and in lower case, but must be the only one" {
  local id
  id=$(put working me@here.example a@one.example)
  [ "$(queue_of "${id:0:14}")" = working ]
  [ "$(queue_of "${id,,}")" = working ]
  put hold me@here.example b@one.example
  run -64 qctl show "${id:0:1}"
  [[ $output == *"is the beginning of several ids: ${id:0:1}"* ]]
}

@test "qctl: an unknown id exits 65 with the words of vqueue" {
  for command in show cat hold release retry 'remove --yes'; do
    # shellcheck disable=SC2086 # two words
    run -65 qctl $command 0000000000000000AB
    [[ $output == *"No such message '0000000000000000AB' in queues at '$spool'" ]]
  done
  run -65 qctl show '../../etc/passwd'
}

@test "qctl cat: the message, octet for octet" {
  printf 'Subject: all octets\r\n\r\n' >message
  printf '%b' "$(printf '\\x%x' {1..255})" >>message
  inject me@here.example a@one.example <message
  qctl cat "$(ids)" | cmp - message
  qctl cat "$(ids)" >file
  cmp file message
}

@test "qctl move, hold, release: a message goes from queue to queue, and its history says so" {
  local id
  id=$(put working me@here.example a@one.example)
  run -0 qctl hold "$id"
  [ "$output" = "$id working -> hold" ]
  [ -e "$spool/hold/$id" ]
  run -0 qctl hold "$id"
  [ "$output" = "$id is in hold already" ]
  run -0 qctl move "$id" quarantine/suspects
  [ -e "$spool/quarantine/suspects/$id" ]
  run -0 qctl release "$id"
  [ -e "$spool/working/$id" ]
  qctl move "$id" dead
  qctl release "$id"
  [ "$(queue_of "$id")" = working ]
  json show "$id" | jq -e '.history[0].what == "note" and (.history[0].text | startswith("moved from working to hold with qctl"))'
  qctl move "$id" dead
  run -65 qctl hold "$id"
  [[ $output == *"$id is in dead, which hold does not take from"* ]]
  run -64 qctl move "$id" quarantine
  run -64 qctl move "$id" ../../tmp
  run -64 qctl move
}

@test "qctl release: a selection takes from hold only, unless it names other queues" {
  local held dead
  held=$(put hold me@here.example a@one.example)
  dead=$(put dead me@here.example a@one.example)
  run -0 qctl release --domain one.example
  [[ $output == *"releasing 1 message: hold 1"* ]]
  [ "$(queue_of "$held")" = working ]
  [ "$(queue_of "$dead")" = dead ]
  run -0 qctl release --queue dead --domain one.example
  [ "$(queue_of "$dead")" = working ]
}

@test "qctl retry: a deferred message is due now" {
  local id
  id=$(put deferred me@here.example a@one.example)
  touch -d '+3 hours' "$spool/deferred/$id"
  [[ $(qctl list) == *"2h59m"* ]]
  run -0 qctl retry "$id"
  [ "$output" = "$id is tried now" ]
  [ "$(stat -c %Y "$spool/deferred/$id")" -le "$(date +%s)" ]
  touch -d '+3 hours' "$spool/deferred/$id"
  run -0 qctl retry --all
  [ "$(stat -c %Y "$spool/deferred/$id")" -le "$(date +%s)" ]
  qctl move "$id" hold
  run -65 qctl retry "$id"
}

@test "qctl remove: asks; without a terminal it needs --yes" {
  local id
  id=$(put dead me@here.example a@one.example)
  run -64 qctl remove "$id" </dev/null
  [[ $output == *"expected: --yes"* ]]
  [ -e "$spool/dead/$id" ]
  run -0 qctl remove "$id" --yes
  [ "$output" = "$id removed from dead" ]
  [ ! -e "$spool/dead/$id" ]
  [ ! -e "$spool/progress/$id" ]
  id=$(put dead me@here.example a@one.example)
  echo n | on_terminal "$TOP/bin/qctl" --spool "$spool" remove "$id" | grep -q 'Remove 1 message: dead 1 for good?'
  [ -e "$spool/dead/$id" ]
  echo y | on_terminal "$TOP/bin/qctl" --spool "$spool" remove "$id"
  [ ! -e "$spool/dead/$id" ]
}

@test "qctl: a bulk change counts first, and --dry-run changes nothing" {
  for _ in 1 2 3; do put deferred bulk@here.example a@one.example; done
  put hold bulk@here.example a@one.example
  run -0 qctl remove --sender bulk@here.example --dry-run
  [[ ${lines[0]} == "qctl: would be removing 4 messages: deferred 3, hold 1" && ${#lines[@]} = 5 && ${lines[1]} == *"(not done)" ]]
  [ "$(ids | wc -l)" = 4 ]
  run -0 qctl remove --queue deferred --sender bulk@here.example --yes
  [ "$(ids)" = "$(ls "$spool/hold")" ]
  json remove --all --yes 2>/dev/null | jq -e '.command == "remove" and .from == "hold" and .done'
  [ -z "$(ids)" ]
}

@test "qctl: ids and a selection together, or neither, are a wrong command line" {
  local id
  id=$(put working me@here.example a@one.example)
  run -64 qctl hold
  [[ $output == *"which messages? expected: ids, a selection or --all"* ]]
  run -64 qctl hold "$id" --all
  run -64 qctl show
  run -64 qctl show "$id" --all
  [[ $output == *"--all means nothing to show"* ]]
  run -64 qctl polish
  run -64 qctl check now
  run -64 qctl hold --older soon
  [ "$(queue_of "$id")" = working ]
}

@test "qctl: a message that is being delivered is left alone with exit 75, the others are changed" {
  local busy free
  busy=$(put deferred me@here.example a@one.example)
  free=$(put deferred me@here.example b@one.example)
  exec 8<"$spool/deferred/$busy"
  flock 8
  run -75 qctl hold "$busy" "$free"
  [[ $output == *"$busy is being delivered right now; try again later"* && $output == *"$free deferred -> hold"* ]]
  run -75 qctl remove "$busy" --yes
  [ -e "$spool/deferred/$busy" ]
  [ -e "$spool/hold/$free" ]
  exec 8<&-
  run -0 qctl hold "$busy"
}

@test "qctl: the options of one command are errors with another" {
  run -64 qctl list --yes
  [[ $output == *"--yes means nothing to list"* ]]
}

@test "qctl check: foreign and half-written files are found, and left as they are" {
  local whole torn
  whole=$(put deferred me@here.example a@one.example)
  torn=$(put deferred me@here.example a@one.example)
  truncate -s -3 "$spool/deferred/$torn"
  echo hello >"$spool/hold/README"
  echo stray >"$spool/notes"
  cp "$spool/deferred/$whole" "$spool/dead/$whole"
  touch -d '-2 hours' "$spool/tmp/old-draft" "$spool/progress/0000000000000000AB"
  touch "$spool/tmp/new-draft"
  run -65 qctl check
  [[ $output == *"deferred/$torn: "* && $output == *"hold/README: "* && $output == *"notes: "* && $output == *"dead/$whole: "* ]]
  [[ $output == *"tmp/old-draft: "* && $output == *"progress/0000000000000000AB: its message is gone"* && $output != *new-draft* ]]
  [ "${lines[-1]}" = "2 messages, 6 findings" ]
  json check | jq -se 'length == 6 and all(.path and .why)' || [ "$status" = 65 ]
  [ -e "$spool/hold/README" ]
  run -0 qctl
  [[ $output == *"1 damaged (see qctl check)"* ]]
}

@test "qctl check: a spool in order exits 0" {
  put working me@here.example a@one.example
  run -0 qctl check
  [ "$output" = "1 messages, 0 findings" ]
}

@test "qctl export, import: JSON takes a message to another spool as it was, octet by octet" {
  local id held
  printf 'Subject: all octets\r\n\r\n' >message
  printf '%b' "$(printf '\\x%x' {0..255})" >>message
  inject me@here.example a@one.example b@two.example <message
  id=$(ids)
  echo "2026-11-21T20:15:01.000001Z sent 2 mx <b@two.example> 250 ok" >"$spool/progress/$id"
  qctl move "$id" deferred
  touch -d '+3 hours' "$spool/deferred/$id"
  held=$(put quarantine/a/b "" c@three.example 2>/dev/null || { mkdir -p "$spool/quarantine/a/b"; put quarantine/a/b "" c@three.example; })
  start_log
  into_log d@four.example
  run -0 --separate-stderr qctl export --all
  printf '%s\n' "${lines[@]}" >exported.json
  [ "$(wc -l <exported.json)" = 3 ]
  jq -se 'all(.envelop.rcpt | length > 0)' exported.json
  mkdir before && cp -a "$spool"/{deferred,progress,quarantine} before
  queue-inject --spool other --make-spool
  run -0 command qctl --spool other import --dry-run exported.json
  [[ $output == *"$id -> deferred (not done)"* && $output == *"would have imported 3 of 3 messages"* ]]
  [ -z "$(command qctl --spool other list)" ]
  run -0 command qctl --spool other import exported.json
  cmp other/deferred/"$id" before/deferred/"$id"
  cmp other/quarantine/a/b/"$held" before/quarantine/a/b/"$held"
  cmp <(head -n 1 other/progress/"$id") <(head -n 1 before/progress/"$id")
  [ "$(stat -c %Y other/deferred/"$id")" = "$(stat -c %Y before/deferred/"$id")" ]
  diff <(qctl export --all 2>/dev/null | sort) <(command qctl --spool other export --all 2>/dev/null | sort)
  run -65 command qctl --spool other import <exported.json
  [[ $output == *"standard input, line 1: "*" already"* && $output == *"imported 0 of 3 messages"* ]]
}

@test "qctl export, import: mbox and raw" {
  local id other
  printf 'Subject: one\r\n\r\nFrom here\r\n>From there\r\n' >one
  printf 'Subject: two\r\n\r\nno line end' >two
  inject me@here.example a@one.example <one
  inject "" b@two.example <two
  run -64 qctl export --all --format raw
  run -64 qctl export --all --format xml
  run -64 qctl export
  qctl export --all --format mbox >box 2>/dev/null
  python3 -c 'import mailbox, sys
assert sorted(m["Subject"] for m in mailbox.mbox("box")) == ["one", "two"]'
  mkdir files
  qctl export --all --format raw --directory files
  [ "$(ls files | wc -l)" = 2 ]
  run -75 qctl export --all --format raw --directory files
  id=$(ids --recipient a@one.example) other=$(ids --recipient b@two.example)
  cmp files/"$id".eml one
  qctl export --format raw "$other" | cmp - two
  qctl remove --all --yes
  run -0 qctl import --queue hold box
  qctl cat "$id" | cmp - one
  qctl cat "$other" | cmp - two
  [ "$(json show "$other" | jq -r '.sender + .queue')" = hold ]
}

@test "qctl import: a file needs an envelope, gets CR LF, and nothing is taken in part" {
  printf 'Subject: x\n\nbody\n' >file.eml
  run -65 qctl import file.eml
  [[ $output == *"file.eml, octet 0: whose message is it? expected: --from, which may be <>"* ]]
  run -65 qctl import -f '<>' file.eml
  run -65 qctl import -f me@here.example --to $'a\nb@x' file.eml
  run -64 qctl import -f me@here.example --to a@x --queue nowhere file.eml
  run -75 qctl import -f me@here.example --to a@x missing.eml
  run -0 qctl import -f me@here.example --to '<a@one.example>' --to b@two.example file.eml
  qctl cat "$(ids)" | cmp - <(printf 'Subject: x\r\n\r\nbody\r\n')
  [ "$(json list | jq -c '[.queue, .sender, .recipients]')" = '["working","me@here.example",["a@one.example","b@two.example"]]' ]
  cp "$spool"/working/* item
  qctl remove --all --yes
  run -0 qctl import item
  cmp item "$spool/working/$(ids)"
}

@test "qctl top: elsewhere than on a terminal one look, as text or JSON" {
  put deferred me@here.example a@one.example
  start_queue_run
  run -0 qctl top
  [[ ${lines[0]} == "qctl top  "*" UTC  $spool  queue-run $(pid_of queue-run)" && $output == *"deferred                        1    "* ]]
  json top | jq -e '.served and .queue_run.pid and (.queues[] | select(.queue == "deferred").messages == 1) and .sampled == 1'
  run -64 qctl top --interval 1ms
}

@test "qctl top: on a terminal it keeps to its size, obeys keys, and leaves the terminal as it was" {
  put deferred me@here.example a-very-long-name.one.example@a-very-long-name.one.example
  # Keys when there is something to see: sort, another table, look, end.
  (for key in s b ' ' q; do sleep 0.3; printf '%s' "$key"; done) |
    script -qec "stty cols 60 rows 14; stty -g >before; $TOP/bin/qctl --spool $spool top; echo exit \$?; stty -g >after" /dev/null >shown
  cmp before after
  grep -q 'exit 0' shown
  python3 - <<'P'
import re
text = open('shown', newline='').read()
assert '\x1b[?1049h' in text and text.rindex('\x1b[?25h\x1b[?1049l') > text.rindex('qctl top')
screens = text.split('\x1b[H')[1:]
assert len(screens) >= 4, len(screens)
for screen in screens:
    screen = screen.split('\x1b[?25h')[0]
    lines = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', screen).replace('\r', '').split('\n')
    assert len(lines) <= 14, lines
    assert all(len(line) <= 59 for line in lines), lines
assert any('DOMAIN' in screen for screen in screens) and any('REASON' in screen for screen in screens)
P
}

# logs: lines of smtpd and queue-run, as text and JSON, with names that want to be more than text.
logs() {
  python3 - <<'P'
import json, math
names = ['one.example', '<script>alert(1)</script>', 'two.example"><svg onload=x>', '\u0443\u043d\u0438.example', 'a' * 300]
for n in range(600):
    time = f'2026-11-21T{n // 60:02d}:{n % 60:02d}:00.000000Z'
    print(f'{time} smtpd[7] info accepted id=X size=4000')
    fields = {'id': 'X', 'status': ('sent', 'sent', 'deferred', 'failed')[n % 4], 'recipient': 'a@x', 'destination': names[n % 5],
              'delay': f'{math.exp(n % 9):.3f}', 'reply': '550 no & <b>never</b> ]]> --> \x01 ' + names[n % 5]}
    if n % 2: print(json.dumps({'time': time, 'program': 'queue-run', 'pid': 1, 'level': 'info', 'event': 'delivery', **fields}))
    else: print(f'{time} queue-run[1] info delivery ' + ' '.join(k + '=' + json.dumps(v) for k, v in fields.items()))
print('a line of something else: delivery accepted')
P
}

@test "qctl report: one page that is well-formed, escapes all, and has its plots" {
  put deferred me@here.example a@one.example
  logs >log
  run -0 qctl report --html page.html --title 'Mail & <more>' log
  python3 - <<'P'
import xml.etree.ElementTree as tree
page = tree.parse('page.html').getroot()
text = open('page.html').read()
assert page.find('head/title').text == 'Mail & <more>'
plots = page.findall('.//svg')
assert len(plots) == 7, len(plots)
for plot in plots:
    labels = plot.attrib['aria-labelledby'].split()
    assert [plot.find('title').attrib['id'], plot.find('desc').attrib['id']] == labels and plot.find('desc').text, plot.attrib
assert not page.findall('.//script') and 'onload=x>' not in text
assert not [e for e in page.iter() for a in e.attrib if a.startswith('on') or a in ('href', 'src')]
rows = {r.find('th').text: [d.text for d in r.findall('td')] for r in page.findall('.//tbody/tr')}
assert rows['<script>alert(1)</script>'] == ['60', '30', '30'], rows['<script>alert(1)</script>']
assert rows['deferred'] == ['1'] and rows['dead'] == ['0']
P
  qctl report --html - <log | grep -c '<section>' | grep -qx 7
  run -0 qctl report --html empty.html </dev/null
  python3 -c 'import xml.etree.ElementTree as tree; assert len(tree.parse("empty.html").getroot().findall(".//svg")) == 2'
  run -64 qctl report log
  run -75 qctl report --html page.html missing.log
  run -75 qctl report --html no-such-folder/page.html log
}

@test "qctl report: a browser shows it, wide and narrow, light and dark" {
  local browser
  browser=$(command -v chromium-headless-shell || command -v chromium) || { [ -z "${CI:-}" ]; skip 'no chromium'; }
  put deferred me@here.example a@one.example
  logs | qctl report --html page.html
  sed 's/@media (prefers-color-scheme:dark)/@media all/' page.html >dark.html
  for shot in page:900 page:400 dark:400; do
    timeout 60 "$browser" --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$PWD/browser" --window-size="${shot#*:},900" \
      --screenshot="$PWD/${shot/:/-}.png" "file://$PWD/${shot%:*}.html" 2>browser.log
    file "${shot/:/-}.png" | grep -q "PNG image data, ${shot#*:} x 900"
  done
  python3 - <<'P'
import struct, zlib
def pixels(name):
    data = open(name, 'rb').read()
    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        chunks[kind] = chunks.get(kind, b'') + data[at + 8:at + 8 + size]
        at += 12 + size
    width, height, depth, kind = struct.unpack('>IIBB', chunks[b'IHDR'][:10])
    step = {2: 3, 6: 4}[kind]
    raw, rows, before = zlib.decompress(chunks[b'IDAT']), [], bytes(width * step)
    for y in range(height):
        filter, line = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        for x in range(len(line)):
            a, b, c = (line[x - step] if x >= step else 0), before[x], (before[x - step] if x >= step else 0)
            p = a + b - c
            paeth = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            line[x] = line[x] + (0, a, b, (a + b) // 2, paeth)[filter] & 255
        rows.append(bytes(line))
        before = rows[-1]
    return {row[i:i + 3] for row in rows for i in range(0, len(row), step)}, rows, step
for name, ground, a, b, c in (('page-900', 'ffffff', '0b62c4', 'b35c00', 'b3124b'), ('page-400', 'ffffff', '0b62c4', 'b35c00', 'b3124b'), ('dark-400', '0f1318', '6cb0ff', 'f0a04b', 'ff7b9c')):
    seen, rows, step = pixels(name + '.png')
    for colour in (ground, a, b, c):
        assert bytes.fromhex(colour) in seen, (name, colour)
    # Nothing is wider than the screen: the right edge is ground from top to bottom.
    assert {row[-step:][:3] for row in rows} == {bytes.fromhex(ground)}, name
P
}

@test "qctl metrics: Prometheus' own library reads it" {
  put deferred me@here.example a@one.example
  mkdir "$spool/quarantine/spam"
  put quarantine/spam me@here.example a@one.example
  qctl metrics >metrics
  /usr/bin/python3 - <<'P'
from prometheus_client.openmetrics.parser import text_string_to_metric_families
values = {(s.name, s.labels.get('queue')): s.value for f in text_string_to_metric_families(open('metrics').read()) for s in f.samples}
assert values['vsmtp_spool_messages', 'deferred'] == 1 and values['vsmtp_spool_messages', 'quarantine/spam'] == 1, values
assert values['vsmtp_spool_messages', 'dead'] == 0 and values['vsmtp_spool_served', None] == 0
assert values['vsmtp_spool_size_bytes', 'deferred'] > 100 and 0 <= values['vsmtp_spool_oldest_age_seconds', 'deferred'] < 60
P
}

@test "qctl: what vqueue understood" {
  local id
  id=$(put dead me@here.example a@one.example)
  run -0 qctl show dead -e .
  [[ ${lines[0]} == "DEAD       1 message,"* ]]
  qctl msg "$id" show json | jq -e '.envelop.mail_from == "me@here.example"'
  qctl msg "$id" show eml | grep -q "X-Id: $id"
  run -0 qctl msg "$id" move hold
  run -0 qctl msg "$id" remove -y
  [ -z "$(ids)" ]
  run -64 qctl msg "$id" re-run
}

@test "qctl repair: sets aside what nobody can use, removes what is nobody's, and loses no message" {
  local whole torn
  whole=$(put deferred me@here.example a@one.example)
  torn=$(put deferred me@here.example b@one.example)
  truncate -s -3 "$spool/deferred/$torn"
  echo "2026-11-21T20:15:01.000001Z note * - - hello" >"$spool/progress/$torn"
  cp "$spool/deferred/$torn" expected
  echo hello >"$spool/hold/README"
  mkdir -p "$spool/foreign/hold"
  echo before >"$spool/foreign/hold/README"
  echo stray >"$spool/notes"
  cp "$spool/deferred/$whole" "$spool/dead/$whole"
  touch -d '-2 hours' "$spool/tmp/00000000000000000A" "$spool/tmp/strange" "$spool/progress/0000000000000000AB"
  run -64 qctl repair </dev/null
  [[ $output == *"expected: --yes, or --dry-run"* ]]
  run -65 qctl repair --dry-run
  [[ $output == *"deferred/$torn: "*"; is moved to damaged/"* && $output == *"hold/README: "*"; is moved to foreign/"* && -e $spool/hold/README ]]
  [ "$(json repair --dry-run | jq -s 'length')" = 7 ]
  run -65 qctl repair --yes
  [[ $output == *"1 left alone"* ]]
  cmp expected "$spool/damaged/$torn"
  grep -q hello "$spool/damaged/$torn.progress"
  [ "$(cat "$spool/foreign/hold/README.1") $(cat "$spool/foreign/hold/README")" = "hello before" ]
  [ -e "$spool/foreign/tmp/strange" ]
  [ ! -e "$spool/tmp/00000000000000000A" ]
  [ ! -e "$spool/progress/0000000000000000AB" ]
  [ "$(ids) $(queue_of "$whole")" = "$whole dead" ]
  rm "$spool/notes"
  run -0 qctl check
  run -0 qctl repair
  [ "$output" = "0 repaired, 0 for later, 0 left alone" ]
}

@test "qctl check and repair: the log, also beside a running queue-inject" {
  start_log
  for n in 1 2 3; do into_log "$n@one.example"; done
  run -0 qctl check
  [ "$output" = "3 messages, 0 findings; the log has 3 records in 1 segment" ]
  local segment
  segment=$(echo "$spool"/log/*.log)
  printf X | dd of="$segment" bs=1 seek=8232 conv=notrunc status=none
  run -65 qctl check
  [[ $output == *"log/$(basename "$segment"): octets "*"hold no whole record: what was there is lost"* && $output == *"2 messages, 1 findings"* ]]
  printf X | dd of="$segment" bs=1 conv=notrunc status=none
  run -65 qctl repair --yes
  [[ $output == *"its first header is damaged; the last one is whole; is written again"* && $output == *"1 repaired, 0 for later, 1 left alone"* ]]
  head -c 14 "$segment" | grep -q 'vsmtp-segment '
  [ "$(ids | wc -l)" = 2 ]
}

@test "qctl repair: beside a queue-run it does what is safe, and exits 75 for the rest" {
  # queue-run removes such files too, once, a while after it answers: when this one is gone, it has looked for the last time.
  touch -d '-2 hours' "$spool/progress/0000000000000000AA"
  start_queue_run
  wait_for test ! -e "$spool/progress/0000000000000000AA"
  touch -d '-2 hours' "$spool/progress/0000000000000000AB"
  echo hello >"$spool/hold/README"
  run -75 qctl repair --yes
  [[ $output == *"progress/0000000000000000AB: its message is gone; waits until queue-run is stopped"* && $output == *"1 repaired, 1 for later"* ]]
  [ -e "$spool/foreign/hold/README" ]
  stop queue-run
  [ -e "$spool/progress/0000000000000000AB" ]
  run -0 qctl repair --yes
  [ ! -e "$spool/progress/0000000000000000AB" ]
}

# start_log: a resident queue-inject; what into_log gives it stays in the log until a queue-run comes.
start_log() {
  start inject queue-inject --spool "$spool" --resident "$PWD/inject.sock"
  wait_for serves inject.sock
}
into_log() { printf 'Subject: in the log\n\nThis one.\n' | queue-inject -f me@here.example "$@" -- "unix:$PWD/inject.sock"; }

@test "qctl: messages in the log are seen like files" {
  start_log
  into_log a@one.example
  put working me@here.example b@one.example
  [ "$(ls "$spool/working" | wc -l)" = 1 ]
  [ "$(json status working | jq -c '[.messages, .in_log]')" = '[2,1]' ]
  local id
  id=$(ids --recipient a@one.example)
  [ "$(queue_of "${id:0:17}")" = working ]
  [[ $(qctl show "$id") == *"working (in the log)"* ]]
  [[ $(qctl cat "$id") == *"This one."* ]]
  run -0 qctl check
}

@test "qctl: messages in the log are moved and removed when no queue-run runs" {
  start_log
  into_log a@one.example
  into_log b@one.example
  local a b
  a=$(ids --recipient a@one.example)
  b=$(ids --recipient b@one.example)
  run -0 qctl hold "$a"
  [ "$output" = "$a working -> hold" ]
  [ -e "$spool/hold/$a" ]
  run -0 qctl remove "$b" --yes
  [ "$(ids)" = "$a" ]
  into_log c@one.example
  run -0 qctl remove --queue working --all --yes
  [ "$(ids)" = "$a" ]
}

# start_queue_run [SETTING...]: with a transport that puts everything off.
start_queue_run() {
  cat >transport <<'T'
#!/bin/sh
[ ! -e slow ] || { : >begun; until [ -e go ]; do sleep 0.05; done; }
for recipient in "${@:3}"; do printf 's451 4.7.1 come back\0'; done
printf 'Z\0'
T
  sed -i '1s/sh/bash/' transport
  chmod +x transport
  start queue-run queue-run --spool "$spool" --remote-transport "$PWD/transport" --retry-min 1h "$@"
  wait_for serves "$spool/queue-run.sock"
}
is_deferred() { [ "$(ids deferred | wc -l)" = "$1" ]; }
attempts() { [ "$(json show "$1" | jq '[.history[] | select(.what == "deferred")] | length')" = "$2" ]; }

@test "qctl: beside a running queue-run messages are shown, retried, held, released and removed" {
  start_log
  start_queue_run
  into_log a@one.example
  wait_for is_deferred 1
  local id
  id=$(ids)
  json list | jq -e '.reason == "451 4.7.1 come back" and .next_attempt > .arrived'
  run -0 qctl
  [[ $output != *"No queue-run"* ]]
  run -0 qctl retry "$id"
  wait_for attempts "$id" 2
  run -0 qctl retry --domain one.example
  [[ $output == "1 message is tried now" ]]
  wait_for attempts "$id" 3
  run -0 qctl retry --sender me@here.example
  wait_for attempts "$id" 4
  wait_for qctl hold "$id"
  run -0 qctl retry --all
  [[ $output == "0 messages are tried now" ]]
  [ "$(queue_of "$id")" = hold ]
  run -0 qctl release "$id"
  wait_for attempts "$id" 5
  wait_for qctl remove "$id" --yes
  [ -z "$(ids)" ]
}

@test "qctl why: reasons, asked of a running queue-run too, and all attempts" {
  cat >transport <<'T'
#!/bin/bash
printf 'Zno connection to %s\0' "$1"
T
  chmod +x transport
  start queue-run queue-run --spool "$spool" --remote-transport "$PWD/transport" --retry-min 1h --destination-failures 1 --destination-pause 10m
  wait_for serves "$spool/queue-run.sock"
  local id
  id=$(put working me@here.example a@one.example)
  wait_for is_deferred 1
  run -0 qctl why "${id,,}"
  [[ $output == "$id is in deferred, "* && $output == *"- its next attempt is in 1h0"* ]]
  [[ $output == *"- <a@one.example> was put off 1 time, "*"no connection to one.example"* ]]
  [[ $output == *"- destination one.example (remote) is suspended for another "*"no connection to one.example"* ]]
  json why "$id" | jq -e '(.why | length) >= 3 and .history[0].what == "deferred"'
  stop queue-run
  qctl hold "$id"
  run -0 qctl why "$id"
  [[ $output == *"- moved from deferred to hold with qctl by uid "* && $output == *"- it waits for qctl release"* ]]
  run -65 qctl why 0000000000000000AB
}

@test "qctl why: a message of the log, while it waits and when it has left" {
  start_log
  into_log a@one.example
  local id
  id=$(ids)
  run -0 qctl why "$id"
  [[ $output == *"$id is in working (in the log), "*"was not tried yet"*"no queue-run serves the spool"*"no attempt yet"* ]]
  printf '#!/bin/bash\nprintf "r250 2.0.0 taken\\0K\\0"\n' >transport
  chmod +x transport
  start queue-run queue-run --spool "$spool" --remote-transport "$PWD/transport"
  wait_for is_gone "$id"
  run -0 qctl why "$id"
  [[ $output == "$id has left the queue, 2"*"s ago)" ]]
  json why "$id" | jq -e '.queue == "" and (.why[0] | startswith("it has left the queue"))'
}
is_gone() { ! qctl show "$1"; }

@test "qctl: a message that a queue-run is delivering from the log can be held after the attempt" {
  touch slow
  start_log
  start_queue_run
  into_log a@one.example
  wait_for test -e begun
  local id
  id=$(ids)
  [ "$(json list | jq -r .in_log)" = true ]
  { sleep 0.3; : >go; } &
  run -0 qctl hold "$id"
  [ "$(queue_of "$id")" = hold ]
}

# quarantine_item NAME FACTS [OPTION...]: a message that a rule has set aside; FACTS are JSON members.
quarantine_item() {
  mkdir -p "$spool/quarantine/$1"
  "$TOP/tests/tools/store-items" --context "{\"quarantine\":{\"name\":\"$1\",$2}}" "${@:3}" "$spool" "quarantine/$1" you@two.example
}
ago() { date -u -d "-$1" +%Y-%m-%dT%H:%M:%S.000000Z; }

@test "qctl quarantine: list and show tell rule, reason, stage and time" {
  local zip spam
  zip=$(quarantine_item virus/zip '"rule":"scan","reason":"Eicar","stage":"postq","time":"'"$(ago '2 hours')"'"')
  spam=$(quarantine_item spam '"rule":"score"')
  put hold me@here.example a@one.example
  run -0 qctl quarantine
  [[ ${#lines[@]} = 2 && $output == *"$zip quarantine/virus/zip "*2h0*"scan: Eicar"* ]]
  [[ $(qctl quarantine list 'virus*') == "$zip"* ]]
  [ "$(json quarantine list spam | jq -r .id)" = "$spam" ]
  json quarantine list virus/zip | jq -e '.quarantine.rule == "scan" and .quarantine.stage == "postq"'
  [ "$(ids --rule scan)" = "$zip" ]
  run -0 qctl quarantine show "$zip"
  [[ $output == *"set aside"*'by rule "scan" of stage postq: Eicar'* ]]
  run -65 qctl quarantine show "$(ids hold)"
  [[ $output == *"is in hold, which is no quarantine"* ]]
  run -64 qctl quarantine burn
  run -64 qctl quarantine list ../etc
}

@test "qctl quarantine release: a message goes on where it stood" {
  local before behind unknown
  before=$(quarantine_item a '"stage":"preq"')
  behind=$(quarantine_item a '"stage":"postq"')
  unknown=$(quarantine_item b '"stage":7')
  run -0 qctl quarantine release "$before"
  [ "$output" = "$before quarantine/a -> working" ]
  run -0 qctl quarantine release --all
  [[ $output == *"qctl: released 2 of 2 messages"* ]]
  [[ "$(queue_of "$behind") $(queue_of "$unknown")" = "deliver working" ]]
  run -65 qctl quarantine release "$behind"
  [[ $output == *"is in deliver, which release does not take from"* ]]
}

@test "qctl quarantine delete asks, expire goes by the time in the quarantine" {
  local old young
  old=$(quarantine_item spam '"time":"'"$(ago '40 days')"'"' --age 5184000)
  young=$(quarantine_item spam '"time":"'"$(ago '5 days')"'"' --age 5184000)
  put hold me@here.example a@one.example
  run -64 qctl quarantine expire
  [[ $output == *"expected: --older TIME"* ]]
  run -0 qctl quarantine expire --older 30d --dry-run
  [[ $output == *"$old removed from quarantine/spam (not done)"* && $output != *"$young"* ]]
  run -0 qctl quarantine expire spam --older 30d
  [[ $output == *"deleted 1 of 1 message"* ]]
  [ "$(ids --quarantine spam)" = "$young" ]
  run -64 qctl quarantine delete --all </dev/null
  [[ $output == *"delete asks first"* ]]
  run -0 qctl quarantine delete --all --yes
  [ "$(qctl list | wc -l)" = 1 ]
}

@test "qctl quarantine forward: a copy is sent as an attachment, the original stays" {
  local id copy
  id=$(quarantine_item virus '"rule":"scan","reason":"Eicar"')
  run -64 qctl quarantine forward nobody "$id"
  run -64 qctl quarantine forward me@here.example
  run -0 qctl quarantine forward '<me@here.example>' --all --dry-run
  [ -z "$(ids deliver)" ]
  run -0 qctl quarantine forward me@here.example "$id"
  copy=$(ids deliver)
  [ "$output" = "$id forwarded to me@here.example as $copy" ]
  [ "$(json list deliver | jq -c '[.sender, .recipients]')" = '["",["me@here.example"]]' ]
  qctl cat "$copy" | python3 -c 'import email, email.policy, sys
copy = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.SMTP)
parts = list(copy.iter_parts())
assert [p.get_content_type() for p in parts] == ["text/plain", "message/rfc822"], parts
assert "rule:      scan" in parts[0].get_content()
assert parts[1].get_content()["X-Id"] == sys.argv[1]' "$id"
  [ "$(queue_of "$id")" = quarantine/virus ]
  json show "$id" | jq -e '.history[-1].text | startswith("copy '"$copy"' forwarded to me@here.example")'
}

@test "qctl list: chosen by reason, attempts and fields of the header" {
  local tried plain
  tried=$(put deferred me@here.example a@one.example)
  plain=$(put hold me@here.example b@two.example)
  printf '%s\n' "2026-11-21T20:15:01.000001Z deferred 1 mx.one.example - 451 4.7.1 try later" \
    "2026-11-21T20:25:01.000001Z deferred 1 mx.one.example - 421 4.3.2 going down" >"$spool/progress/$tried"
  [ "$(ids --reason 'going*')" = "$tried" ]
  [ -z "$(ids --reason 'try later')" ]
  [ "$(ids --attempts 2)" = "$tried" ]
  [ -z "$(ids --attempts 3)" ]
  [ "$(ids --header "X-Id: $plain")" = "$plain" ]
  [ "$(ids --subject 'message 0' | wc -l)" = 2 ]
  [ -z "$(ids --subject 'message 1')" ]
  start_log
  into_log c@three.example
  [ "$(ids --subject 'in the log' | wc -l)" = 1 ]
  run -64 qctl list --header Subject
}

@test "qctl: a change of a selection ends with how many messages it did, and how many it could not" {
  put --age 10 deferred me@here.example a@one.example >id
  for _ in 1 2 3; do put deferred me@here.example a@one.example; done
  exec 8<"$spool/deferred/$(cat id)"
  flock 8
  run -75 qctl hold --queue deferred
  [[ $output == *"held 3 of 4 messages; 1 failed"* ]]
  [ "$(ls "$spool/hold" | wc -l)" = 3 ]
}

@test "qctl: --help names each command" {
  run -0 qctl --help
  for command in status top report metrics list show why context cat move hold release retry remove quarantine export import check repair; do
    grep -q "^ *usage: qctl $command" <<<"$output"
    grep -q "^\.It Cm $command$" "$TOP/qctl/qctl.8"
  done
  mandoc -Tlint -Wwarning "$TOP/qctl/qctl.8"
}
