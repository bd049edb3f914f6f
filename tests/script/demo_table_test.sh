#!/bin/bash
# script/demo.d/table: figures land in their columns, and what did not learn is named.
set -euo pipefail
table=$1/script/demo.d/table
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

summary() {  # NAME OBJECTIVE LOSS FIRST ENTROPY
  mkdir -p "$work/$1"
  echo '{"objective":"'"$2"'","eval_token_loss":'"$3"',"eval_token_loss_first":'"$4"',"bits_per_token":5.25,' \
    '"bits_per_byte":null,"token_accuracy":0.25,"label_accuracy":0.625,"unigram_entropy":'"$5"',' \
    '"tokens_per_second":30000.4,"share_of_peak":0.5}' >"$work/$1/summary.json"
}
fails() {
  if message=$("$table" "$work/$2" 2>&1); then echo "should have failed: $2" >&2; exit 1; fi
  [[ $message == *"$1"* ]] || { echo "not the message '$1': $message" >&2; exit 1; }
}

row() {
  line=$("$table" "$work/$1" | tail -n 1)
  [[ $line =~ $2 ]] || { echo "unexpected row: $line" >&2; exit 1; }
}

summary bert 'mlm + nsp' 4.0 8.3 6.5
row bert '^mlm \+ nsp +4\.000 +8\.300 +6\.500 +5\.250 +- +25\.0 % +62\.5 % +30000 +50\.0 %$'
summary gpt causal 4.0 8.3 6.5  # its token accuracy is not one of masked tokens
row gpt '^causal +4\.000 +8\.300 +6\.500 +5\.250 +- +- +62\.5 % +30000 +50\.0 %$'
summary level causal 8.0 8.3 9.0
fails 'the loss 8.000 is not well under its first value 8.300' level
summary frequencies causal 6.4 8.3 6.5
fails 'the loss 6.400 is not under the unigram entropy 6.500' frequencies
summary diverged causal null 8.3 6.5
fails 'lacks a loss' diverged
fails 'summary.json' absent

# What objective.evaluate measured stands below a run's own line.
summary glm blank_infilling 5.0 8.3 6.5
row glm '^blank_infilling +5\.000 .*25\.0 % '
cat >"$work/glm/metrics.jsonl" <<'END'
{"step":1,"eval_loss":8.0,"eval/blank_infilling:token/loss":8.1,"eval/blank_infilling:token/token_accuracy":0.01}
{"step":2,"loss":6.0}
{"step":2,"eval_loss":5.0,"eval/blank_infilling:token/loss":4.5,"eval/blank_infilling:token/token_accuracy":0.3}
END
row glm '^  blank_infilling:token +4\.500 +6\.492 +30\.0 % *$'

# What was fine-tuned: sizes as `plan` says them, the most memory that a step's record has, and a mark of its own for the loss.
cat >"$work/program" <<'PLAN'
#!/bin/bash
[[ $1 == plan && $2 == --json && -f $3 ]] || exit 2
echo '{"parameters":1000,"trained_parameters":25,"memory":{"weights":4000},"memory_total":3145728,"checkpoint_bytes":7}'
PLAN
chmod +x "$work/program"
adapt() {  # NAME LOSS
  summary "$1" conditional "$2" 5.0 6.5
  touch "$work/$1/config.toml"
  printf '%s\n' '{"step":1,"mem_bytes":1048576}' '{"step":2,"mem_bytes":4194304}' '{"step":2,"eval_loss":4.8}' \
    '{"step":3,"mem_bytes":2097152}' >"$work/$1/metrics.jsonl"
}
adapt lora 4.8
line=$("$table" --adapted "$work/program" "$work/lora" | tail -n 1)
[[ $line =~ ^lora\ +25\ +2\.50\ %\ +3\.0\ +4\.0\ +4\.800\ +5\.000\ +6\.500\ +30000$ ]] || { echo "unexpected row: $line" >&2; exit 1; }
fails 'the loss 4.800 is not well under its first value 5.000' lora
adapt idle 4.9
if message=$("$table" --adapted "$work/program" "$work/idle" 2>&1); then echo "should have failed: idle" >&2; exit 1; fi
[[ $message == *'the loss 4.900 is not well under its first value 5.000'* ]] || { echo "$message" >&2; exit 1; }
rm "$work/lora/config.toml"
if "$table" --adapted "$work/program" "$work/lora" 2>/dev/null; then echo "should have failed: no plan" >&2; exit 1; fi
