#!/usr/bin/env bats
# The manuals and examples as a whole; each program's own manual is tested with the program.
load helpers

setup() { cd "$TOP"; }

@test "vsmtp.ini(5) names every setting" {
  build/tests/settings_manual >"$BATS_TEST_TMPDIR/page"
  diff -u lib/base/vsmtp.ini.5 "$BATS_TEST_TMPDIR/page"
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
  for program in smtpd queue-inject queue-run deliver-maildir deliver-remote qctl mime-check vsl-filter; do
    grep -q "^.Xr $program [18]" lib/base/vsmtp.ini.5
  done
}
