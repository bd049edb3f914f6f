#!/bin/bash
# script/demo.d/headings: a section's heading and the first sentence below it, as records of JSON.
set -euo pipefail
headings=$1/script/demo.d/headings
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  printf 'Versions\nVersion 2.100 of apt.conf(5) is here. It is new.\nMore.\n\n'
  printf 'Quotes "and" \\\nSay "yes"\tnow: then\n\n'
  printf '中文 标题\n第一句，在这里。第二句。\n\n'
  printf 'A listing\n%s\n\n' "$(printf 'x%.0s' {1..301})"
  printf 'No end\nwithout a stop\n'
} >"$work/text.txt"
"$headings" "$work/text.txt" "$work/pairs.jsonl"
diff - "$work/pairs.jsonl" <<'END'
{"prompt":"Versions","completion":" Version 2.100 of apt.conf(5) is here."}
{"prompt":"Quotes \"and\" \\","completion":" Say \"yes\"\u0009now:"}
{"prompt":"中文 标题","completion":" 第一句，在这里。"}
{"prompt":"No end","completion":" without a stop"}
END

if "$headings" "$work/text.txt" 2>/dev/null; then echo 'should have failed: no output named' >&2; exit 1; fi
: >"$work/empty.txt"
if "$headings" "$work/empty.txt" "$work/none.jsonl" 2>/dev/null; then echo 'should have failed: no section' >&2; exit 1; fi
