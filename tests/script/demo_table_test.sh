#!/bin/bash
# script/demo.d/table: figures land in their columns, and what did not learn is named.
set -euo pipefail
table=$1/script/demo.d/table
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

summary() {
  mkdir -p "$work/$1"
  echo '{"objective":"causal","eval_loss":'"$2"',"eval_loss_first":'"$3"',"bits_per_token":5.25,"bits_per_byte":1.875,' \
    '"masked_accuracy":null,"next_sentence_accuracy":0.625,"unigram_entropy":'"$4"',"tokens_per_second":30000.4,' \
    '"share_of_peak":0.5}' >"$work/$1/summary.json"
}
fails() {
  if message=$("$table" "$work/$2" 2>&1); then echo "should have failed: $2" >&2; exit 1; fi
  [[ $message == *"$1"* ]] || { echo "not the message '$1': $message" >&2; exit 1; }
}

summary good 4.0 8.3 6.5
line=$("$table" "$work/good" | tail -n 1)
[[ $line =~ ^causal\ +4\.000\ +8\.300\ +6\.500\ +5\.250\ +1\.875\ +-\ +62\.5\ %\ +30000\ +50\.0\ %$ ]] ||
  { echo "unexpected row: $line" >&2; exit 1; }
summary level 8.0 8.3 9.0
fails 'the loss 8.000 is not well under its first value 8.300' level
summary frequencies 6.4 8.3 6.5
fails 'the loss 6.400 is not under the unigram entropy 6.500' frequencies
summary diverged null 8.3 6.5
fails 'lacks a loss' diverged
fails 'summary.json' absent
