#!/usr/bin/env python3
"""Writes tests/golden/rotary_frequencies.json: the rotary frequencies that `transformers` makes of configurations.

Sizes and scalings are those of published models, under the keys of today and of before 5.0; the tiny models of models.py
have too few pairs in a head for them. Computed in float64. See README.md for the environment.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.append(sys.path.pop(0))  # last: tokenizers.py beside this file must not hide the package

import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from models import double_frequencies, generator_line

LLAMA2 = {"hidden_size": 4096, "num_attention_heads": 32, "max_position_embeddings": 4096}
LLAMA3 = {"hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 131072,
          "rope_theta": 500000.0}
QWEN25 = {"hidden_size": 3584, "num_attention_heads": 28, "num_key_value_heads": 4, "max_position_embeddings": 131072}
LLAMA3_SCALING = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
YARN = {"rope_type": "yarn", "original_max_position_embeddings": 32768}

CASES = {
    "no key at all": LLAMA2,
    "rope_theta alone": LLAMA3,
    "rope_parameters, default": {**QWEN25, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
    "rope_theta inside before outside": {**LLAMA3, "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0}},
    "linear, old keys": {**LLAMA2, "rope_scaling": {"type": "linear", "factor": 8.0}},
    "linear": {**LLAMA2, "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 10000.0}},
    "dynamic, old keys": {**LLAMA2, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "llama3 of Llama 3.1": {**LLAMA3, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, **LLAMA3_SCALING}},
    "llama3 of Llama 3.2": {**LLAMA3, "hidden_size": 2048, "head_dim": 64,
                            "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0,
                                                **LLAMA3_SCALING}},
    "yarn of Qwen2.5, old keys": {**QWEN25, "rope_theta": 1e6,
                                  "rope_scaling": {"type": "yarn", "factor": 4.0,
                                                   "original_max_position_embeddings": 32768}},
    "yarn, both type keys": {**QWEN25, "rope_theta": 1e6, "rope_scaling": {**YARN, "type": "yarn", "factor": 4.0}},
    "yarn, factor null": {**QWEN25, "rope_theta": 1e6, "rope_scaling": {**YARN, "factor": None}},
    "yarn, no original length": {**QWEN25, "rope_theta": 1e6, "rope_scaling": {"type": "yarn", "factor": 4.0}},
    "yarn, own ends and magnitude": {**QWEN25,
                                     "rope_parameters": {**YARN, "rope_theta": 1e6, "factor": 4.0, "beta_fast": 16.0,
                                                         "beta_slow": 2.0, "attention_factor": 1.0}},
    "yarn, not truncated": {**QWEN25, "rope_parameters": {**YARN, "rope_theta": 1e4, "factor": 40.0, "truncate": False,
                                                          "mscale": 0.707, "mscale_all_dim": 1.0}},
    "yarn, no ramp": {**QWEN25, "rope_parameters": {**YARN, "rope_theta": 1e6, "factor": 4.0, "truncate": False,
                                                    "beta_fast": 4.0, "beta_slow": 4.0}},
}


def write_case(name, given):
    model = {"model_type": "llama", "vocab_size": 97, "intermediate_size": 64, "num_hidden_layers": 1, **given}
    config = LlamaConfig(**json.loads(json.dumps(model)))
    frequency, magnitude = double_frequencies(LlamaRotaryEmbedding(config))
    return {"name": name, "config": model, "frequency": frequency.tolist(), "magnitude": magnitude}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "tests/golden/rotary_frequencies.json"
    parser.add_argument("--out", type=Path, default=default, help="default: %(default)s")
    arguments = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    cases = [write_case(name, given) for name, given in CASES.items()]
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    generator = generator_line().replace("models.py", "rotary_frequencies.py")
    arguments.out.write_text(f'{{"generator": {json.dumps(generator)},\n "cases": [\n  {lines}]}}\n')
    print(f"{arguments.out}: {len(cases)} configurations")


if __name__ == "__main__":
    main()
