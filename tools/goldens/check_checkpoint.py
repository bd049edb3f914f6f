#!/usr/bin/env python3
"""Loads a checkpoint that `surprisal train` wrote in `transformers` and checks that it gives our numbers.

    surprisal explain --objective "mlm + nsp" --tokenizer DIR --samples 50 --json text.txt > streams.jsonl
    surprisal loss --model DIR --streams streams.jsonl --json > loss.json
    python tools/goldens/check_checkpoint.py DIR --streams streams.jsonl --loss-json loss.json

Checks: every stored tensor is used and none is missing; `AutoTokenizer` gives the ids of the tokenizer.json beside it
(where there is one); loss, terms and every surprisal, recomputed in float64 and float32, are those of loss.json.
Exit code 1 where a check fails.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.append(sys.path.pop(0))  # last: tokenizers.py beside this file must not hide the package

import torch
import transformers
from tokenizers import Tokenizer
from transformers import (AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForPreTraining,
                          AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer)

from stream_loss import UnsupportedStream, read_streams, stream_loss

MODEL_CLASS = {"BertForPreTraining": AutoModelForPreTraining, "BertForMaskedLM": AutoModelForMaskedLM,
               "RobertaForMaskedLM": AutoModelForMaskedLM, "GPT2LMHeadModel": AutoModelForCausalLM,
               "LlamaForCausalLM": AutoModelForCausalLM, "Qwen2ForCausalLM": AutoModelForCausalLM}
for family in ("Bert", "Roberta", "GPT2", "Llama", "Qwen2"):
    MODEL_CLASS[f"{family}ForSequenceClassification"] = AutoModelForSequenceClassification
    MODEL_CLASS[f"{family}ForTokenClassification"] = AutoModelForTokenClassification

STRINGS = [
    "The surprisal of a token is -log p.", "  two  spaces\tand a tab\n", "naïve café, Ångström: décor", "中文分词与 English 混排。",
    "日本語のテキスト", "👩‍👩‍👧 emoji 🎉", "مرحبا بالعالم", "don't can't I'll", "0123456789 3.14159", "[MASK] and <|endoftext|> in text",
    "\u200bzero\u00adwidth", "a" * 300, "",
]


def load(directory, dtype):
    """The model, and the names that `transformers` missed, did not use or could not fit."""
    architecture = json.loads((directory / "config.json").read_text())["architectures"][0]
    if architecture not in MODEL_CLASS:
        sys.exit(f"{directory}: architecture {architecture!r}: expected one of {sorted(MODEL_CLASS)}")
    model, info = MODEL_CLASS[architecture].from_pretrained(directory, dtype=dtype, output_loading_info=True)
    # The two causes of a silently random tensor, and the two of a tensor of ours that nobody reads.
    wrong = {kind: sorted(map(str, info.get(kind) or [])) for kind in
             ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")}
    return model.eval(), {kind: names for kind, names in wrong.items() if names}


def check_tokenizer(directory):
    if not (directory / "tokenizer.json").exists():
        print("tokenizer: none in the directory, not checked")
        return True
    ours, auto = Tokenizer.from_file(str(directory / "tokenizer.json")), AutoTokenizer.from_pretrained(directory)
    right = True
    for text in STRINGS:
        for special in (False, True):
            expected = ours.encode(text, add_special_tokens=special).ids
            found = auto(text, add_special_tokens=special)["input_ids"]
            if found != expected:
                print(f"tokenizer: {text!r} (special tokens {special}): AutoTokenizer {found}, expected {expected}")
                right = False
    print(f"tokenizer: {type(auto).__name__}, {len(STRINGS)} strings, {'equal' if right else 'DIFFERENT'}")
    return right


def relative(found, expected):
    return abs(found - expected) / max(abs(expected), 1e-9)


def differences(found, expected):
    """Largest relative difference by kind; raises ValueError where the shapes differ."""
    result = {"loss": relative(found["loss"], expected["loss"])}
    for name, term in expected["terms"].items():
        ours = found["terms"].get(name, {"sum": 0.0, "weight": 0.0})  # no stream here has a choice
        if relative(ours["weight"], term["weight"]) > 1e-6:
            raise ValueError(f"weight of {name}: {ours['weight']}, loss.json has {term['weight']}")
        result[f"sum of {name}"] = relative(ours["sum"], term["sum"]) if term["weight"] else 0.0
    for kind in ("surprisal", "label_surprisal"):
        if [len(line) for line in found[kind]] != [len(line) for line in expected[kind]]:
            raise ValueError(f"{kind}: numbers per line differ between the streams and loss.json")
        # Against at least 1 nat: a surprisal near 0 is as exact as its log-sum-exp, not as itself.
        pairs = [pair for lines in zip(found[kind], expected[kind]) for pair in zip(*lines)]
        result[kind] = max((abs(a - b) / max(abs(b), 1.0) for a, b in pairs), default=0.0)
    return result


def check_loss(directory, streams, expected, tolerance):
    right = True
    for dtype in (torch.float64, torch.float32):
        model, wrong = load(directory, dtype)
        if wrong:
            print(f"model: {wrong}")
            right = False
        if streams is None:
            continue
        with torch.no_grad():
            found = stream_loss(model, streams).to_json()
        largest = differences(found, expected)
        within = all(difference <= tolerance for difference in largest.values())
        right = right and within
        listed = ", ".join(f"{kind} {difference:.1e}" for kind, difference in largest.items())
        print(f"{dtype}: loss {found['loss']:.9f}, ours {expected['loss']:.9f}; largest relative differences: {listed}"
              f"{'' if within else f': BEYOND {tolerance:g}'}")
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="a checkpoint: config.json, model.safetensors, tokenizer.json")
    parser.add_argument("--streams", help="what `surprisal loss --streams` read")
    parser.add_argument("--loss-json", help="what it printed with --json")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="relative; default: %(default)s")
    arguments = parser.parse_args()
    if (arguments.streams is None) != (arguments.loss_json is None):
        parser.error("--streams and --loss-json belong together")
    transformers.utils.logging.disable_progress_bar()
    streams = expected = None
    try:
        if arguments.streams:
            streams = read_streams(arguments.streams)
            expected = json.loads(Path(arguments.loss_json).read_text())
        right = check_tokenizer(arguments.directory)
        right = check_loss(arguments.directory, streams, expected, arguments.tolerance) and right
    except (UnsupportedStream, ValueError) as error:
        sys.exit(f"{arguments.streams or arguments.directory}: {error}")
    print("right" if right else "WRONG")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
