#!/usr/bin/env bats
# The manuals and examples as a whole; each program's own manual is tested with the program.
load helpers

setup() { cd "$TOP"; }

@test "vsmtp.ini(5) names every setting" {
  build/tests/settings_manual >"$BATS_TEST_TMPDIR/page"
  diff -u lib/base/vsmtp.ini.5 "$BATS_TEST_TMPDIR/page"
}

@test "vsl(7) names every function, service and stage" {
  build/tests/rules_manual >"$BATS_TEST_TMPDIR/page"
  diff -u vsl-filter/vsl.7 "$BATS_TEST_TMPDIR/page"
}

@test "the editors' files know every word of the language and of the API" {
  build/tests/editor_help vim >"$BATS_TEST_TMPDIR/vsl.vim"
  diff -u share/vim/syntax/vsl.vim "$BATS_TEST_TMPDIR/vsl.vim"
  build/tests/editor_help vscode >"$BATS_TEST_TMPDIR/grammar"
  diff -u share/vscode/syntaxes/vsl.tmLanguage.json "$BATS_TEST_TMPDIR/grammar"
  local file
  for file in share/vscode/*.json share/vscode/syntaxes/*.json; do jq -e . "$file" >/dev/null; done
  # What the extension's list of files names is there.
  jq -r '.contributes | .languages[].configuration, .grammars[].path' share/vscode/package.json | while read -r file; do [ -f "share/vscode/$file" ]; done
}

@test "make install takes the rule sets and the editors' files along" {
  grep -q 'cp -R examples share/vscode ' Makefile
  make -n install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr | grep -q "cp -R share/vim/. $BATS_TEST_TMPDIR/root/usr/share/vim/vimfiles/"
}

@test "no manual has a mistake" {
  shopt -s nullglob
  local page
  for page in */*.[1-8] lib/*/*.[1-8]; do
    run -0 mandoc -Tlint -Werror "$page"
    [ -z "$output" ] || { echo "$output"; return 1; }
  done
}

@test "the example configuration is one" {
  # A spool that is not there is the only complaint.
  run ! qctl --config examples/vsmtp.ini --spool "$BATS_TEST_TMPDIR/none" list
  [[ $output == *"$BATS_TEST_TMPDIR/none"* ]]
  [[ $output != *examples/vsmtp.ini* ]]
}

@test "every program that has settings is in the manual of the configuration" {
  local program
  for program in smtpd queue-inject queue-run deliver-maildir deliver-remote deliver-pipe address-map mta-sts tls-report qctl mime-check vsl-filter; do
    grep -q "^.Xr $program [18]" lib/base/vsmtp.ini.5
  done
}
