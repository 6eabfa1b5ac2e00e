# Rules that change bodies (vsl(7), BODIES OF MESSAGES): from a client through smtpd and vsl-filter, and on large messages.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  make_keep
  cat >rules.vsl <<'V'
#{
    preq: [
        action "programs" || for part in mime::parts() {
            if part.is_attachment && part.filename.matches("(?i)[.]exe$") { mime::remove_part(part); }
        },
        action "words" || body::replace(regex("(?i)dear (friend)"), "Hello $1"),
        action "footer" || body::append_footer("-- \nThe list, für alle"),
    ],
}
V
}

# parts FILE: type and text of each leaf, as Python's mail library reads it, and what it finds wrong.
parts() {
  python3 - "$1" <<'P'
import email, email.policy, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
for part in message.walk():
    if part.defects: print("DEFECTS", part.defects)
    if not part.is_multipart():
        content = part.get_content()
        print(part.get_content_type(), (part["Content-Transfer-Encoding"] or "none").lower(), repr(content) if isinstance(content, str) else len(content))
P
}

each_form() {
  printf 'MZ\0\1' >a.exe
  printf 'GIF' >a.gif
  swaks --server 127.0.0.1 --port "$port" --from a@a.example --to b@b.example --helo client.example --silent 3 \
    --header 'Subject: x' --body 'Dear Friend, hello' --attach-type application/octet-stream --attach @a.exe --attach-type image/gif --attach @a.gif
  has_kept 1
  run -0 parts kept/1.msg
  [ "${lines[0]}" = "text/plain none 'Hello Friend, hello\\n-- \\nThe list, für alle'" ] || [ "${lines[0]}" = "text/plain quoted-printable 'Hello Friend, hello\\n-- \\nThe list, für alle'" ]
  [ "${lines[1]}" = "image/gif base64 3" ]
  [ "${#lines[@]}" = 2 ]
  run ! grep -q 'a.exe' kept/1.msg
  # Signed: only what the rule asked for by name would go; nothing is written in it.
  crlf >signed.eml <<'M'
From: a@a.example
MIME-Version: 1.0
Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"; micalg=pgp-sha256

--s

Dear friend
--s
Content-Type: application/pgp-signature

SIG
--s--
M
  swaks --server 127.0.0.1 --port "$port" --from a@a.example --to b@b.example --helo client.example --silent 3 --data @signed.eml
  has_kept 2
  # swaks ends what it sends with a line end more.
  cmp -n "$(sed 1d signed.eml | wc -c)" <(sed '1,/^From:/d' kept/2.msg) <(sed 1d signed.eml)
}

@test "rules: bodies are changed on their way from a client through smtpd and vsl-filter" {
  serve -- vsl-filter rules.vsl -- ./keep
  each_form
}

@test "rules: a resident vsl-filter changes bodies likewise" {
  start filter vsl-filter --resident "$PWD/filter.sock" rules.vsl
  wait_for serves filter.sock
  serve -- "unix:$PWD/filter.sock" -- ./keep
  each_form
}

@test "rules: a message of 60 MB is changed in little memory" {
  cat >large.vsl <<'V'
#{ preq: [
    action "look" || set_header("X-Found", `${body::contains("no such text")} ${body::contains(regex("needle.$"))}`),
    action "change" || set_header("X-Count", body::replace("needle", "thread").to_string()),
    action "regex" || set_header("X-Regex", body::replace(regex("thread ([0-9]+)"), "pin $1").to_string()),
    action "footer" || body::append_footer("the end"),
    action "hash" || set_header("X-Hash", body::hash("sha256")),
    rule "check" || if mime::check().len > 100 { deny() } else { next() },
] }
V
  { printf 'Subject: large\r\n\r\n'; yes "$(printf 'needle 12 in a haystack of straw, and straw\r')" | head -c 60000000; printf '\r\n'; } >large.eml
  # Heap and stack count, mapped files do not.
  prlimit --data=$((48 << 20)) vsl-filter --time-max 5m large.vsl <large.eml >out.eml
  local count
  count=$(grep -c 'needle 12' large.eml)
  grep -q "^X-Count: $count" <(head -n 20 out.eml)
  grep -q "^X-Regex: $count" <(head -n 20 out.eml)
  grep -q "^X-Hash: $(sed '1,/^\r$/d' out.eml | sha256sum | cut -d' ' -f1)" <(head -n 20 out.eml)
  [ "$(tail -n 1 out.eml)" = $'the end\r' ]
  cmp <(sed '1,/^\r$/d' out.eml) <(sed '1,/^\r$/d; s/needle 12/pin 12/' large.eml; printf 'the end\r\n')
  # A limit that would not do if the message came into memory.
  ! prlimit --data=$((48 << 20)) python3 -c 'x = b"x" * 60000000'
}

@test "rules: mime::check() finds what mime-check finds" {
  [ -d "$VSMTP_TESTDATA/mime" ] || { [ "${CI:-}" != true ] && skip "no $VSMTP_TESTDATA/mime"; }
  cat >check.vsl <<'V'
#{ preq: [ rule "all" || {
    let found = [];
    for one in mime::check() { found.push(`${one.id} ${one.line}:${one.column} ${one.severity} ${one.section} ${one.text}|${one.detail}`); }
    log("info", `FOUND ${found}`);
    accept()
} ] }
V
  local file count=0
  while IFS= read -r file; do
    # Of an mbox the line in front is no part of the message.
    head -c 5 "$file" | grep -q '^From ' && continue
    cp "$file" one.eml
    mime-check --json one.eml >expected || true
    vsl-filter --json check.vsl one.eml >/dev/null 2>got || true
    python3 - <<'P'
import json, sys
expected = ["%s %d:%d %s %s %s" % (f["id"], f["line"], f["column"], f["severity"], f["section"], f["text"]) for f in map(json.loads, open("expected", errors="replace")) if "id" in f]
text = open("got", errors="replace").read()
if "FOUND" not in text: sys.exit("nothing found: " + text)
for one in expected:
    if one.replace('"', '') not in text.replace('\\', '').replace('"', ''): sys.exit("missing: " + one + "\n" + text)
if text.count(" RFC ") < len([e for e in expected if " RFC " in e]): sys.exit("fewer")
P
    count=$((count + 1))
  done < <(find "$VSMTP_TESTDATA/mime" -name '*.eml' | sort | head -n 40)
  [ "$count" -gt 0 ]
}

@test "rules: a quarantine of several names is a folder in a folder of the spool; what is released from it is delivered" {
  export spool=$PWD/spool OUT=$PWD/out
  mkdir out
  queue-inject --spool "$spool" --make-spool
  cat >quarantine.vsl <<'V'
#{ preq: [ rule "virus" || if body::contains("EICAR") { quarantine("virus/eicar") } else { next() } ] }
V
  serve -- vsl-filter quarantine.vsl -- queue-inject --spool "$spool"
  { printf 'EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<ok@one.test>\r\nDATA\r\nSubject: x\r\n\r\nEICAR\r\n.\r\nQUIT\r\n'; } | say >said

  [ "$(codes <said)" = "220 250 250 250 354 250 221" ]
  id=$(ls spool/quarantine/virus/eicar)
  [ "$(qctl --spool "$spool" list --queue quarantine/virus/eicar --json | jq -r .id)" = "$id" ]
  [ "$(qctl --spool "$spool" list --queue quarantine --json | jq -r .queue)" = quarantine/virus/eicar ]
  [ "$(qctl --spool "$spool" list --queue quarantine/virus --json)" = "" ]
  run -0 qctl --spool "$spool" check
  qctl --spool "$spool" move "$id" quarantine/virus
  [ -e "spool/quarantine/virus/$id" ]
  [ "$(qctl --spool "$spool" show "$id" --json | jq -r .queue)" = quarantine/virus ]
  run -0 qctl --spool "$spool" check
  qctl --spool "$spool" release "$id"
  transport=$BATS_TEST_DIRNAME/data/transport
  queue-run --spool "$spool" --local-transport "$transport" --remote-transport "$transport" --drain
  [ "$(cat out/ok@one.test/* | grep -c EICAR)" = 1 ]
}
