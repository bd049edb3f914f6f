#!/bin/bash
# script/demo_corpus on a small text that holds one of everything that it must keep, join or leave out.
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

perl "$source/tests/script/make_reference.pl" | gzip >"$work/reference.txt.gz"
"$source/script/demo_corpus" "$work" xx="$work/reference.txt.gz"
diff "$source/tests/script/expected_train.txt" "$work/train.xx.txt"
diff - "$work/validation.xx.txt" <<END
Drawing
Text.
END

fails() {
  if message=$("$source/script/demo_corpus" "${@:2}" 2>&1); then
    echo "should have failed: ${*:2}" >&2
    exit 1
  fi
  [[ $message == *"$1"* ]] || { echo "not the message '$1': $message" >&2; exit 1; }
}
fails 'no such file' "$work" xx="$work/missing.gz"
fails 'usage' "$work"
echo 'One line' | gzip >"$work/short.gz"
fails 'fewer than 10 sections' "$work" xx="$work/short.gz"
head -c 40 "$work/reference.txt.gz" >"$work/cut.gz"
fails 'gzip could not read it' "$work" xx="$work/cut.gz"
