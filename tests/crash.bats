# Power cuts at each moment of a recorded run, with every loss that the disk is allowed: tests/crash/replay says how. Here a few
# hundred of the states; `make crash` tries them all. And system calls that fail: tests/crash/faults.
load helpers

replay() { "$BATS_TEST_DIRNAME/crash/replay" --states "$1" "${@:2}" >&2; }

@test "crash: after power cuts in the run of exec'd programs nothing is lost, in part, or twice without a reason" {
  replay 40 --scenario files
}

@test "crash: after power cuts in the run of resident programs nothing is lost, in part, or twice without a reason" {
  replay 40 --scenario log
}

@test "crash: without the syncs of files the same states break what was promised" {
  run -1 replay 30 --scenario files --model ordered --without-syncs files
  [[ $output == *': broken: '* ]]
}

@test "crash: without the syncs of folders the same states break what was promised" {
  run -1 replay 40 --scenario files --model loose --without-syncs folders
  [[ $output == *': lost: '* ]]
}

@test "crash: when system calls of queue-inject, queue-run or deliver-maildir fail, nothing is lost or in part" {
  "$BATS_TEST_DIRNAME/crash/faults" --runs 10 --life one-shot --life resident >&2
}

@test "crash: when system calls of queue-inject --replace, qctl, address-map or the catalog fail, nothing is lost, twice or refused for good" {
  "$BATS_TEST_DIRNAME/crash/faults" --runs 12 --life by-hand >&2
}
