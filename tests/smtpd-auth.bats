# smtpd(8), "Who is there": AUTH with real clients, every verifier, and what is wrong in every way.
load smtpd_helpers

setup() {
  cd "$BATS_TEST_TMPDIR" && make_keep
  {
    printf secret-of-ann | auth-hash ann
    printf secret-of-sam | auth-hash --scram sam
    printf secret-of-pat | auth-hash --plain pat
  } >users
  chmod 600 users
}

# auth_serve OPTION...: with the file, in clear, and 127.0.0.1 is nobody special.
auth_serve() { serve --relay-clients 192.0.2.1 --allow-plaintext yes --failure-delay 0 --log-level debug "$@"; }
b64() { printf "$1" | base64 -w0; }
# said LINE...: the replies to EHLO and these lines, those of EHLO left out.
said() {
  { printf 'EHLO c.example\r\n'; printf '%s\r\n' "$@"; printf 'QUIT\r\n'; } | say | tr -d '\r' | sed '1,/^250 /d; /^221 /d'
}
plain() { echo "AUTH PLAIN $(b64 "\\0$1\\0$2")"; }
swaks_auth() { timeout 30 swaks --server 127.0.0.1 --port "$port" --from ann@a.example --to b@b.example --auth "$1" --auth-user "$2" --auth-password "$3" --hide-all; }

@test "smtpd: every mechanism that swaks has, with every form of a password" {
  auth_serve --mechanisms 'PLAIN LOGIN CRAM-MD5' --password-file users
  local user
  for user in ann sam pat; do
    swaks_auth PLAIN $user secret-of-$user
    swaks_auth LOGIN $user secret-of-$user
    ! swaks_auth PLAIN $user wrong || false
  done
  swaks_auth CRAM-MD5 pat secret-of-pat
  ! swaks_auth CRAM-MD5 pat wrong || false
  ! swaks_auth CRAM-MD5 ann secret-of-ann || false
  ! swaks_auth PLAIN nobody secret-of-ann || false
  has_kept 7
  grep -q 'authenticated .*client=127.0.0.1 helo=.* user=ann method=PLAIN tls=no' smtpd.log
  grep -q 'authentication failed .*client=127.0.0.1 helo=.* user=nobody method=PLAIN failures=1 cause="wrong credentials"' smtpd.log
}

@test "smtpd: GNU SASL's client, by SCRAM-SHA-256 and others" {
  auth_serve --mechanisms 'SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5 ANONYMOUS' --password-file users
  gs() { timeout 30 gsasl --client --smtp --no-starttls --connect "127.0.0.1:$port" --mechanism "$1" -a "$2" -z "$2" -p "$3" </dev/null; }
  for user in sam pat; do
    gs SCRAM-SHA-256 $user secret-of-$user 2>gsasl.err
    grep -q 'server trusted' gsasl.err
    ! gs SCRAM-SHA-256 $user wrong || false
  done
  ! gs SCRAM-SHA-256 ann secret-of-ann || false  # of a hash there are no keys
  ! gs SCRAM-SHA-256 nobody secret-of-ann || false
  gs PLAIN ann secret-of-ann
  gs LOGIN ann secret-of-ann
  gs CRAM-MD5 pat secret-of-pat
  timeout 30 gsasl --client --smtp --no-starttls --connect "127.0.0.1:$port" --mechanism ANONYMOUS -n guest </dev/null
  [ "$(grep -c 'info authenticated' smtpd.log)" = 6 ]
}

@test "smtpd: curl, msmtp and python's smtplib log in and send" {
  auth_serve --mechanisms 'PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER' --password-file users --check-token ./token --failure-max 0
  script token <<'END'
[ "$(tr '\0' '|' <&3)" = 'ann|to.ken==||' ]
END
  printf 'From: ann@a.example\r\nTo: b@b.example\r\nSubject: x\r\n\r\nhello\r\n' >message
  curl -sS "smtp://127.0.0.1:$port" --user pat:secret-of-pat --mail-from ann@a.example --mail-rcpt b@b.example -T message
  curl -sS "smtp://127.0.0.1:$port" --user ann: --oauth2-bearer to.ken== --login-options AUTH=OAUTHBEARER --mail-from ann@a.example --mail-rcpt b@b.example -T message
  curl -sS "smtp://127.0.0.1:$port" --user ann: --oauth2-bearer to.ken== --login-options AUTH=XOAUTH2 --mail-from ann@a.example --mail-rcpt b@b.example -T message
  ! curl -sS "smtp://127.0.0.1:$port" --user ann: --oauth2-bearer no.ken --login-options AUTH=XOAUTH2 --mail-from ann@a.example --mail-rcpt b@b.example -T message || false
  local method
  for method in plain login cram-md5; do
    msmtp --host=127.0.0.1 --port="$port" --tls=off --auth=$method --user=pat --passwordeval='echo secret-of-pat' --from=ann@a.example b@b.example <message
  done
  timeout 30 python3 - "$port" <<'END'
import smtplib, sys
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as s:
    s.login('pat', 'secret-of-pat')
    s.sendmail('ann@a.example', ['b@b.example'], 'Subject: x\r\n\r\nhello\r\n')
with smtplib.SMTP('127.0.0.1', int(sys.argv[1])) as s:
    try: s.login('pat', 'wrong')
    except smtplib.SMTPAuthenticationError as e: assert e.smtp_code == 535, e
    else: sys.exit('no refusal')
END
  has_kept 7
}

@test "smtpd: who has logged in may send anywhere; the chain learns who it is" {
  auth_serve --password-file users
  [ "$(said 'MAIL FROM:<a@a.example>' 'RCPT TO:<b@b.example>' | cut -c1-9 | paste -sd' ')" = '250 2.1.0 550 5.7.1' ]
  swaks_auth PLAIN ann secret-of-ann
  grep -q 'with ESMTPA id' kept/1.msg
  grep -qx SMTPAUTHUSER=ann kept/1.envir
  grep -qx SMTPAUTHMETHOD=PLAIN kept/1.envir
  grep -qx RELAYCLIENT= kept/1.envir
  [ "$(jq -c '[.connection.is_authenticated, .connection.credentials]' kept/1.ctx)" = '[true,{"Verify":{"authid":"ann","authpass":null}}]' ]
}

@test "smtpd: somebody who calls himself anything may not relay" {
  auth_serve --mechanisms ANONYMOUS --local-domains here.example
  [ "$(said 'AUTH ANONYMOUS Z3Vlc3Q=' 'MAIL FROM:<a@a.example>' 'RCPT TO:<b@b.example>' 'RCPT TO:<b@here.example>' DATA . | cut -c1-9 | paste -sd' ')" = \
    '235 2.7.0 250 2.1.0 550 5.7.1 250 2.1.5 354 Start 250 2.0.0' ]
  [ "$(jq -c .connection.credentials kept/1.ctx)" = '{"AnonymousToken":{"token":"guest"}}' ]
}

@test "smtpd: policies hear who sends, and the AUTH= of MAIL from those who are somebody" {
  script policy <<'END'
while read -r line; do
  echo "$line" >>asked
  [ -n "$line" ] || printf 'action=DUNNO\n\n'
done
END
  auth_serve --password-file users --policy ./policy
  said 'MAIL FROM:<a@a.example> AUTH=x+2By@a.example'
  ! grep -q '^sasl_[a-z]*=.' asked || false
  said "$(plain ann secret-of-ann)" 'MAIL FROM:<a@a.example> AUTH=x+2By@a.example'
  for line in sasl_method=PLAIN sasl_username=ann sasl_sender=x+y@a.example; do grep -qx "$line" asked; done
  # A policy that did not ask for it is not shown a password.
  ! grep -q 'secret\|protocol_state=AUTH' asked || false
}

@test "smtpd: the codes of RFC 4954" {
  auth_serve --mechanisms 'PLAIN LOGIN CRAM-MD5' --password-file users --failure-max 0 --error-hard-count 100
  local line expected
  while IFS='|' read -r expected line; do
    [ "$(said "$line" | cut -c1-9 | head -n 1)" = "$expected" ]
  done <<END
501 5.5.4|AUTH
504 5.5.4|AUTH GSSAPI
501 5.5.2|AUTH PLAIN ****
501 5.5.2|AUTH PLAIN AGFubgBzZWNyZXQtb2YtYW5u=
501 5.5.2|AUTH PLAIN $(b64 'ann')
501 5.5.2|AUTH PLAIN $(b64 '\0ann\0secret\0of-ann')
501 5.7.0|AUTH CRAM-MD5 $(b64 'ann')
535 5.7.8|$(plain ann wrong)
535 5.7.8|$(plain '' secret-of-ann)
535 5.7.8|AUTH PLAIN $(b64 'pat\0ann\0secret-of-ann')
500 5.5.6|AUTH PLAIN $(head -c 12280 /dev/zero | tr '\0' A)
END
  [ "$(said 'AUTH LOGIN' '*' NOOP | cut -c1-9 | paste -sd' ')" = '334 VXNlc 501 5.7.0 250 2.0.0' ]
  [ "$(said "$(plain ann secret-of-ann)" "$(plain ann secret-of-ann)" | cut -c1-9 | paste -sd' ')" = '235 2.7.0 503 5.5.1' ]
  [ "$(said 'MAIL FROM:<a@a.example>' "$(plain ann secret-of-ann)" | cut -c1-9 | paste -sd' ')" = '250 2.1.0 503 5.5.1' ]
  # The response came with the command, and what follows with that.
  [ "$(said 'AUTH LOGIN' "$(b64 ann)" "$(b64 secret-of-ann)" NOOP | cut -c1-9 | paste -sd' ')" = '334 VXNlc 334 UGFzc 235 2.7.0 250 2.0.0' ]
  # A response without an end, and one of nothing but noise.
  { printf 'EHLO c\r\nAUTH LOGIN\r\n'; head -c 1000000 /dev/zero | tr '\0' A; printf '\r\nQUIT\r\n'; } | say | grep -q '^500 5.5.6 '
  { printf 'EHLO c\r\nAUTH LOGIN\r\n'; head -c 3000 /dev/urandom | tr -d '\n\r'; printf '\r\nQUIT\r\n'; } | say | grep -q '^501 5.5.2 '
}

@test "smtpd: passwords are not asked for in clear unless the configuration says so" {
  serve --mechanisms 'PLAIN LOGIN CRAM-MD5' --password-file users
  printf 'EHLO c\r\nQUIT\r\n' | say | grep -qx $'250.AUTH CRAM-MD5\r'
  [[ "$(said "$(plain ann secret-of-ann)")" == '538 5.7.11 '* ]]
  [[ "$(said 'AUTH LOGIN')" == '538 5.7.11 '* ]]
}

# A certificate NAME signed by the authority ca; the authority signs itself.
certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
  local name
  for name in "$@"; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$name.crt" 2>/dev/null
  done
}

@test "smtpd: under TLS passwords may be shown, and submission wants to know who sends" {
  certificates mx.example.org
  start smtpd smtpd --listen 127.0.0.1:0 --listen-submission 127.0.0.1:0 --domain mx.example.org --certificate mx.example.org.crt --private-key mx.example.org.key \
    --relay-clients 192.0.2.1 --password-file users --failure-delay 0 -- ./keep
  wait_for grep -q 'service=submission' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=smtp$/\1/p' smtpd.log)
  local submission
  submission=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=submission$/\1/p' smtpd.log)
  ! printf 'EHLO c\r\nQUIT\r\n' | say | grep AUTH || false
  timeout 30 swaks --server "127.0.0.1:$port" --tls --from a@a.example --to b@b.example --auth PLAIN --auth-user ann --auth-password secret-of-ann --hide-all
  grep -q 'with ESMTPSA (TLS' kept/1.msg
  run -28 timeout 30 swaks --server "127.0.0.1:$submission" --tls --from a@a.example --to b@b.example --auth PLAIN --auth-user ann --auth-password wrong
  [[ $output == *'<~* 535 5.7.8 '* ]]
  run -23 timeout 30 swaks --server "127.0.0.1:$submission" --tls --from a@a.example --to b@b.example
  [[ $output == *'<~* 530 5.7.0 Authentication required'* ]]
  timeout 30 swaks --server "127.0.0.1:$submission" --tls --from a@a.example --to b@b.example --auth LOGIN --auth-user ann --auth-password secret-of-ann --hide-all
  has_kept 2
}

@test "smtpd: a client is whom its certificate names, if somebody vouches for it" {
  certificates mx.example.org ann
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ann -keyout own.key -out own.crt 2>/dev/null
  start smtpd smtpd --listen 127.0.0.1:0 --domain mx.example.org --certificate mx.example.org.crt --private-key mx.example.org.key --client-certificate ask \
    --client-authorities ca.crt --relay-clients 192.0.2.1 --mechanisms EXTERNAL --failure-delay 0 -- ./keep
  wait_for grep -q 'service=smtp' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\) service=smtp$/\1/p' smtpd.log)
  timeout 60 python3 - "$port" <<'END'
import smtplib, ssl, sys
def client(name):
    context = ssl.create_default_context(cafile='ca.crt')
    context.check_hostname = False
    if name: context.load_cert_chain(name + '.crt', name + '.key')
    smtp = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
    smtp.starttls(context=context)
    smtp.ehlo()
    return smtp
smtp = client('ann')
assert smtp.esmtp_features['auth'].strip() == 'EXTERNAL', smtp.esmtp_features
assert smtp.docmd('AUTH', 'EXTERNAL Ym9i')[0] == 535  # bob
assert smtp.docmd('AUTH', 'EXTERNAL =')[0] == 235
smtp.sendmail('ann@a.example', ['b@b.example'], 'Subject: x\r\n\r\nhello\r\n')
for name in (None, 'own'):
    smtp = client(name)
    assert 'auth' not in smtp.esmtp_features
    assert smtp.docmd('AUTH', 'EXTERNAL =')[0] == 504
END
  [ "$(jq -c .connection.credentials kept/1.ctx)" = '{"Query":{"authid":"ann"}}' ]
  grep -q 'authenticated .*client=127.0.0.1 helo=.* user=ann method=EXTERNAL tls=yes' smtpd.log
}

@test "smtpd: auth.required" {
  auth_serve --password-file users --required all
  [ "$(said 'MAIL FROM:<a@a.example>' 'VRFY x' NOOP | cut -c1-9 | paste -sd' ')" = '530 5.7.0 530 5.7.0 250 2.0.0' ]
  swaks_auth PLAIN ann secret-of-ann
  stop smtpd
  run -78 smtpd --listen 127.0.0.1:0 --required all
  [[ $output == *'auth.required = all: nobody could authenticate'* ]]
}

@test "smtpd: a checkpassword program decides, and one that cannot refuses nobody for good" {
  script check <<'END'
given=$(tr '\0' '|' <&3)
case $given in
  'ann|secret|'*) exit 0 ;;
  'hang|'*) sleep 60 ;;
  'die|'*) kill -KILL $$ ;;
  'ill|'*) echo "no directory for ill" >&2; exit 111 ;;
  'tell|'*) echo "wrong: $given" | tr '|' ' ' >&2; exit 2 ;;
esac
exit 1
END
  auth_serve --check-password ./check --check-password-timeout 300ms --failure-max 0
  [[ "$(said "$(plain ann secret)")" == '235 '* ]]
  [[ "$(said "$(plain ann wrong)")" == '535 5.7.8 '* ]]
  local user
  for user in hang die ill tell; do [[ "$(said "$(plain $user hidden-word)")" == '454 4.7.0 '* ]]; done
  grep -q 'authentication put off .*cause="./check: killed by signal 9"' smtpd.log
  grep -q 'authentication put off .*cause="./check: exit code 111: no directory for ill"' smtpd.log
  ! grep -q hidden-word smtpd.log || false
  stop smtpd
  auth_serve --check-password ./nothing-there
  [[ "$(said "$(plain ann secret)")" == '454 4.7.0 '* ]]
}

@test "smtpd: a checkpassword program sees the response and the challenge of CRAM-MD5" {
  script check <<'END'
tr '\0' '\n' <&3 >given
{ read -r user; read -r response; read -r challenge; } <given
expected=$(printf %s "$challenge" | openssl dgst -md5 -hmac secret | sed 's/.*= *//')
[ "$user" = ann ] && [ "$response" = "$expected" ]
END
  auth_serve --mechanisms CRAM-MD5 --check-password ./check
  swaks_auth CRAM-MD5 ann secret
  ! swaks_auth CRAM-MD5 ann wrong || false
}

@test "smtpd: the file, then the program" {
  script check <<'END'
[ "$(tr '\0' '|' <&3)" = 'joe|secret-of-joe||' ]
END
  auth_serve --password-file users --check-password ./check
  [[ "$(said "$(plain ann secret-of-ann)")" == '235 '* ]]
  [[ "$(said "$(plain joe secret-of-joe)")" == '235 '* ]]
  [[ "$(said "$(plain joe secret-of-ann)")" == '535 '* ]]
}

@test "smtpd: the file of passwords is read again when it changes, and must be nobody else's" {
  auth_serve --password-file users
  [[ "$(said "$(plain eve secret-of-eve)")" == '535 '* ]]
  printf secret-of-eve | auth-hash eve >>users
  [[ "$(said "$(plain eve secret-of-eve)")" == '235 '* ]]
  chmod o+r users
  [[ "$(said "$(plain eve secret-of-eve)")" == '454 '* ]]
  grep -q 'authentication put off .*open to everybody on this system; expected: chmod o= users' smtpd.log
  stop smtpd
  run -78 smtpd --listen 127.0.0.1:0 --password-file users
  [[ $output == *'chmod o= users'* ]]
  chmod o= users
  echo 'joe:plainword' >>users
  run -78 smtpd --listen 127.0.0.1:0 --password-file users
  [[ $output == *'users:5: joe: no hash of a form that is in use today'* ]]
  [[ $output != *plainword* ]]
}

@test "smtpd: rules decide in the stage authenticate" {
  cat >main.vsl <<'EOF2'
#{
  connect: [ action "begin" || set_variable("seen", "connect") ],
  authenticate: [
    rule "who" || {
      const users = #{ "ann": "secret-of-ann", "bob": "secret-of-bob" };
      let c = auth();
      if c.type == "Query" { return if c.authid in users { packet(users[c.authid]) } else { next() }; }
      if c.type == "AnonymousToken" { return accept(); }
      if c.authid == "later" { return info("454 4.7.0 not now"); }
      if c.authid == "out" { return deny("535 5.7.8 you again"); }
      if users[c.authid] == c.authpass { accept() } else { next() }
    }
  ],
  mail: [ rule "own" || if is_authenticated() && auth().authid == "ann" && mail_from().local_part != "ann" { deny("553 5.7.1 not yours") } else { next() } ],
  preq: [ action "tell" || append_header("X-Who", auth().authid + " " + is_authenticated()) ],
}
EOF2
  vsl-filter --check main.vsl
  auth_serve --mechanisms 'PLAIN CRAM-MD5 SCRAM-SHA-256' --password-file users --policy 'all=vsl-filter --policy main.vsl' -- vsl-filter main.vsl -- ./keep
  [[ "$(said "$(plain ann secret-of-ann)")" == '235 2.7.0 '* ]]
  [[ "$(said "$(plain sam secret-of-sam)")" == '235 2.7.0 '* ]]   # next(): the file knows
  [[ "$(said "$(plain ann wrong)")" == '535 5.7.8 '* ]]
  [ "$(said "$(plain later x)" NOOP | paste -sd'|')" = '454 4.7.0 Temporary authentication failure|250 2.0.0 Ok' ]
  [ "$(said "$(plain out x)" NOOP)" = '535 5.7.8 you again' ]
  swaks_auth CRAM-MD5 bob secret-of-bob
  ! swaks_auth CRAM-MD5 bob wrong || false
  timeout 30 gsasl --client --smtp --no-starttls --connect "127.0.0.1:$port" --mechanism SCRAM-SHA-256 -a bob -p secret-of-bob </dev/null
  ! timeout 30 gsasl --client --smtp --no-starttls --connect "127.0.0.1:$port" --mechanism SCRAM-SHA-256 -a bob -p wrong </dev/null || false
  grep -q $'^X-Who: bob true\r$' kept/1.msg
  [[ "$(said "$(plain ann secret-of-ann)" 'MAIL FROM:<x@a.example>' | tail -n 1)" == '553 5.7.1 not yours' ]]
}

@test "smtpd: a policy at AUTH that is dead, slow, killed or talks nonsense makes a 454" {
  auth_serve --policy "auth=unix:$PWD/nobody"
  [[ "$(said "$(plain ann secret)")" == '454 4.7.0 '* ]]
  stop smtpd
  local text
  for text in 'echo action=what secret-word; echo' 'echo nonsense; echo' 'kill -KILL $$' 'sleep 60' 'echo action=DEFER; echo'; do
    script policy <<END
while read -r line; do [ -n "\$line" ] || { $text; }; done
END
    auth_serve --policy 'auth=./policy' --policy-timeout 300ms
    [[ "$(said "$(plain ann secret-word)")" == '454 4.7.0 '* ]]
    ! grep -q secret-word smtpd.log || false
    stop smtpd
  done
  # Its plain yes and no.
  script policy <<'END'
while read -r line; do case $line in auth_password=right) a=OK ;; auth_password=*) a='REJECT go away' ;; '') printf 'action=%s\n\n' "$a" ;; esac; done
END
  auth_serve --policy 'auth=./policy'
  [[ "$(said "$(plain ann right)")" == '235 '* ]]
  [[ "$(said "$(plain ann other)")" == '535 5.7.8 go away' ]]
}

@test "smtpd: failures are slow, end the session, and are counted by address" {
  serve --relay-clients 192.0.2.1 --allow-plaintext yes --password-file users --failure-delay 1s --failure-max 2 --failure-address-max 4 --shield-exempt 192.0.2.1 --workers 2
  local begin=$EPOCHREALTIME
  [ "$(said "$(plain ann x)" "$(plain ann y)" NOOP | cut -c1-9 | paste -sd' ')" = '535 5.7.8 421 4.7.0' ]
  [ $((${EPOCHREALTIME/./} - ${begin/./})) -ge 3000000 ]   # 1 s and 2 s
  grep -q 'failures=2 ' smtpd.log
  said "$(plain ann x)" "$(plain ann y)"
  # Not even with the right password any more, and nobody is asked.
  [[ "$(said "$(plain ann secret-of-ann)" NOOP)" == '421 4.7.0 Too many failed authentications' ]]
  stop smtpd
  serve --relay-clients 192.0.2.1 --allow-plaintext yes --password-file users --failure-delay 0 --failure-address-max 1 --failure-address-time 1s --shield-exempt 192.0.2.1
  said "$(plain ann x)"
  [[ "$(said "$(plain ann secret-of-ann)")" == '421 '* ]]
  sleep 2.1  # who goes on trying stays out
  [[ "$(said "$(plain ann secret-of-ann)")" == '235 '* ]]
  # Those who are exempt are not counted.
  stop smtpd
  serve --relay-clients 192.0.2.1 --allow-plaintext yes --password-file users --failure-delay 0 --failure-address-max 1
  said "$(plain ann x)"
  [[ "$(said "$(plain ann secret-of-ann)")" == '235 '* ]]
}

@test "smtpd: many who guess delay nobody who is in" {
  script check <<'END'
sleep 0.2
exit 1
END
  auth_serve --check-password ./check --check-max 2 --failure-max 0 --local-domains b.example
  local i guesses=()
  for i in 1 2 3 4 5 6 7 8 9 10; do said "$(plain ann guess$i)" >guess.$i & guesses+=($!); done
  send | codes >sent
  [ "$(cat sent)" = '220 250 250 250 354 250 221' ]
  wait "${guesses[@]}"
  [ "$(cat guess.* | grep -c '^535 ')" = 10 ]
}

@test "smtpd: one session on its descriptors authenticates too" {
  printf 'EHLO c\r\n%s\r\n%s\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n' "$(plain ann wrong)" "$(plain ann secret-of-ann)" >session
  cat session | TCPREMOTEIP=192.0.2.7 PROTO=TCP smtpd --allow-plaintext yes --password-file users --failure-delay 10ms -- ./keep >out
  [ "$(codes <out)" = '220 250 535 235 250 250 221' ]
}

@test "smtpd: no password, response or token is in any log" {
  cat >main.vsl <<'EOF2'
#{ authenticate: [ rule "no" || { log("debug", "asked for " + auth().authid); if auth().authpass == 1 { accept() } else { next() } } ] }
EOF2
  script check <<'END'
exit 1
END
  auth_serve --mechanisms 'PLAIN LOGIN CRAM-MD5 XOAUTH2 SCRAM-SHA-256' --password-file users --check-password ./check --check-token ./check --failure-max 0 --error-hard-count 100 \
    --policy "auth=vsl-filter --log-level debug --policy main.vsl"
  local word=Hidden-Word-7
  said "$(plain ann $word)" "$(plain $'x\ny' $word)" 'AUTH LOGIN' "$(b64 ann)" "$(b64 $word)" "AUTH XOAUTH2 $(b64 "user=ann\\1auth=Bearer $word\\1\\1")" '' \
    "AUTH PLAIN $(b64 "\\0ann\\0$word\\0")" "AUTH PLAIN $(b64 "ann\\0ann\\0$word")x" "AUTH $word" "$(b64 $word)" >replies
  swaks_auth CRAM-MD5 pat $word || true
  timeout 30 gsasl --client --smtp --no-starttls --connect "127.0.0.1:$port" --mechanism SCRAM-SHA-256 -a sam -p $word </dev/null || true
  said "$(plain pat secret-of-pat)"
  stop smtpd
  [ "$(grep -c 'authentication failed' smtpd.log)" -ge 5 ]
  local text
  for text in $word "$(b64 $word)" "$(b64 "\\0ann\\0$word")" secret-of "$(b64 secret-of-pat)"; do ! grep -qF -- "$text" smtpd.log replies || false; done
}

@test "auth-hash: prints a line that smtpd takes" {
  [[ "$(printf 'pass word\n' | auth-hash 'bo b')" == 'bo b:$y$'* ]]
  [[ "$(printf x | auth-hash --scram --iterations 5000 bob)" == 'bob:{SCRAM-SHA-256}5000,'* ]]
  [ "$(printf x:y | auth-hash --plain bob)" = 'bob:{PLAIN}x:y' ]
  run -65 auth-hash bob </dev/null
  [ "$output" = 'auth-hash: fatal: no password: empty, not UTF-8, or with control characters' ]
  run -64 auth-hash a:b <<<x
  run -64 auth-hash --scram --iterations 4095 bob <<<x
  run -64 auth-hash --scram --plain bob <<<x
  run -64 auth-hash
}

@test "smtpd: a mechanism that nobody can check is a mistake, not a surprise" {
  run -78 smtpd --listen 127.0.0.1:0 --mechanisms 'PLAIN NTLM' --password-file users
  [[ $output == *"auth.mechanisms: unknown mechanism 'NTLM'; expected: PLAIN LOGIN CRAM-MD5 "* ]]
  run -78 smtpd --listen 127.0.0.1:0 --mechanisms 'SCRAM-SHA-256' --check-password ./check
  [[ $output == *'auth.mechanisms: nobody can check who uses SCRAM-SHA-256; expected: auth.password_file'* ]]
  run -78 smtpd --listen 127.0.0.1:0 --mechanisms 'XOAUTH2' --password-file users
  [[ $output == *'expected: auth.check_token'* ]]
}

@test "smtpd: what rules and policies say at AUTH stays when the client greets once more, what they said of its name does not" {
  cat >main.vsl <<'V'
#{
  helo: [ action "h" || append_header("X-Helo", helo()) ],
  authenticate: [ rule "a" || { append_header("X-User", auth().authid); set_variable("user", auth().authid); accept() } ],
  preq: [ action "tell" || append_header("X-Variable", `${get_variable("user")}`) ],
}
V
  vsl-filter --check main.vsl
  script other <<'END'
while read -r line; do
  case $line in protocol_state=*) state=${line#*=} ;; '') printf 'action=PREPEND X-Other: %s\n\n' "$state" ;; esac
done
END
  auth_serve --policy 'helo,auth=./other -- all=vsl-filter --policy main.vsl' -- vsl-filter main.vsl -- ./keep
  said "$(plain ann x)" 'EHLO second.example' 'EHLO third.example' 'MAIL FROM:<a@a.example>' 'RCPT TO:<b@b.example>' DATA 'Subject: x' '' text .
  [ "$(grep '^X-' kept/1.msg | tr -d '\r' | sort | paste -sd' ')" = 'X-Helo: third.example X-Other: AUTH X-Other: EHLO X-User: ann X-Variable: ann' ]
}

@test "smtpd: SCRAM-SHA-256-PLUS is bound to the TLS connection, by tls-unique and tls-server-end-point, and not to another one" {
  certificates mx.example.org
  start smtpd smtpd --listen 127.0.0.1:0 --domain mx.example.org --certificate mx.example.org.crt --private-key mx.example.org.key --relay-clients 192.0.2.1 \
    --password-file users --mechanisms 'SCRAM-SHA-256-PLUS SCRAM-SHA-256' --failure-delay 0 -- ./keep
  wait_for grep -q 'listening address=127' smtpd.log
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' smtpd.log | head -n 1)
  openssl x509 -in mx.example.org.crt -outform DER -out mx.der
  timeout 30 gsasl --client --smtp --x509-ca-file= --connect "127.0.0.1:$port" --mechanism SCRAM-SHA-256-PLUS -a sam -z sam -p secret-of-sam </dev/null >gsasl.out 2>gsasl.err
  grep -q 'server trusted' gsasl.err
  cat >client.py <<'EOF'
import base64, hashlib, hmac, os, socket, ssl, sys
port, binding, header, password = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
raw = socket.create_connection(("127.0.0.1", port))
def replies(file):
    lines = []
    while True:
        lines.append(file.readline().decode().rstrip("\r\n"))
        if lines[-1][3:4] != "-": return lines
file = raw.makefile("rb"); replies(file)
raw.sendall(b"EHLO c\r\n"); assert not any("SCRAM-SHA-256-PLUS" in line for line in replies(file))
raw.sendall(b"STARTTLS\r\n"); replies(file)
sock = context.wrap_socket(raw); file = sock.makefile("rb")
sock.sendall(b"EHLO c\r\n"); assert any("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256" in line for line in replies(file))
octets = {"tls-unique": lambda: sock.get_channel_binding("tls-unique"), "tls-server-end-point": lambda: hashlib.sha256(open("mx.der", "rb").read()).digest(),
          "another": lambda: b"x" * 12, "none": lambda: b""}[binding]()
mechanism = "SCRAM-SHA-256-PLUS" if header[0] == "p" else "SCRAM-SHA-256"
b64 = lambda octets: base64.b64encode(octets).decode()
bare = "n=sam,r=" + b64(os.urandom(18))
sock.sendall(f"AUTH {mechanism} {b64((header + bare).encode())}\r\n".encode())
reply = replies(file)[-1]
if not reply.startswith("334 "): sys.exit(reply)
first = base64.b64decode(reply[4:]).decode()
fields = dict(part.split("=", 1) for part in first.split(","))
without = "c=" + b64(header.encode() + octets) + ",r=" + fields["r"]
said = ",".join([bare, first, without]).encode()
salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
mac = lambda key, text: hmac.new(key, text, "sha256").digest()
key = mac(salted, b"Client Key")
proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), said)))
sock.sendall((b64((without + ",p=" + b64(proof)).encode()) + "\r\n").encode())
reply = replies(file)[-1]
if reply.startswith("334 "):
    assert base64.b64decode(reply[4:]).decode() == "v=" + b64(mac(mac(salted, b"Server Key"), said))
    sock.sendall(b"\r\n"); reply = replies(file)[-1]
print(reply)
EOF
  [[ $(python3 client.py "$port" tls-unique p=tls-unique,, secret-of-sam) == 235* ]]
  [[ $(python3 client.py "$port" tls-server-end-point p=tls-server-end-point,, secret-of-sam) == 235* ]]
  [[ $(python3 client.py "$port" none n,, secret-of-sam) == 235* ]]
  [[ $(python3 client.py "$port" tls-unique p=tls-unique,, wrong) == 535* ]]
  [[ $(python3 client.py "$port" another p=tls-unique,, secret-of-sam) == 535* ]]
  [[ $(python3 client.py "$port" tls-unique p=tls-server-end-point,, secret-of-sam) == 535* ]]
  ! python3 client.py "$port" none y,, secret-of-sam || false  # somebody has taken PLUS out of our list
  ! python3 client.py "$port" none p=tls-exporter,, secret-of-sam || false
}
