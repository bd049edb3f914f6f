#!/usr/bin/env python3
"""Writes tests/golden/models/: tiny random models, streams, and what `transformers` makes of them in float64.

For each model: config.json and model.safetensors (or shards) as save_pretrained writes them, streams.jsonl,
expected.json (loss, terms, surprisals, the first ten AdamW losses) and gradients.safetensors (d(loss)/d(parameter)
under the checkpoint's own names and layout). The numbers are computed in float64 from the stored weights, with eager
attention and without dropout. See README.md for the environment.
"""

import argparse
import json
import math
import platform
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(sys.path.pop(0))  # last: tokenizers.py beside this file must not hide the package

import safetensors.torch
import torch
import transformers
from safetensors import safe_open
from transformers import (BertConfig, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification,
                          BertForTokenClassification, GPT2Config, GPT2ForSequenceClassification,
                          GPT2ForTokenClassification, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM,
                          LlamaForSequenceClassification, Qwen2Config, Qwen2ForCausalLM, Qwen2ForTokenClassification,
                          RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification,
                          RobertaForTokenClassification)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from stream_loss import stream_loss, with_defaults

# Odd on purpose: no size is a multiple of a vector or of a block, so every tail is walked.
VOCABULARY, WIDTH, HEADS, LAYERS, POSITIONS = 211, 36, 3, 2, 23

MILD = {"learning_rate": 1e-3, "weight_decay": 0.01}
# Large enough that a wrong decay group changes the tenth loss by far more than rounding does.
STRONG = {"learning_rate": 3e-3, "weight_decay": 0.3}
FEW = {"learning_rate": 1e-3, "weight_decay": 0.3, "max_grad_norm": 0.05}  # labels: what is learnt of them is soon known


@dataclass
class Case:
    model: type
    config: transformers.PretrainedConfig
    seed: int
    irregular: bool  # line 2 attends to intervals that are neither causal nor full
    adamw: dict = field(default_factory=dict)
    dtype: torch.dtype = torch.float32  # of the file
    shard: str = "1GB"


def bert_config(**changes):
    return BertConfig(vocab_size=VOCABULARY, hidden_size=WIDTH, num_attention_heads=HEADS, num_hidden_layers=LAYERS,
                      intermediate_size=52, max_position_embeddings=POSITIONS, type_vocab_size=2, pad_token_id=0,
                      hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **changes)


def gpt2_config(**changes):
    return GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_head=HEADS, n_layer=LAYERS, n_positions=POSITIONS,
                      bos_token_id=0, eos_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **changes)


def small_gpt2_config(**changes):
    return GPT2Config(vocab_size=67, n_embd=WIDTH, n_head=HEADS, n_layer=1, n_positions=POSITIONS, n_inner=29,
                      bos_token_id=0, eos_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **changes)


# Smaller than the others: what they show lies in the configuration and in the file.
SMALL = {"vocab_size": 67, "intermediate_size": 29, "num_hidden_layers": 1, "hidden_dropout_prob": 0.0,
         "hidden_size": WIDTH, "num_attention_heads": HEADS, "max_position_embeddings": POSITIONS,
         "attention_probs_dropout_prob": 0.0}

# Smaller still, in f16: these show an activation, in layers and head.
TINY = {**SMALL, "vocab_size": 31, "intermediate_size": 13, "hidden_size": 10, "num_attention_heads": 2}
ACTIVATIONS = ["gelu_accurate", "gelu_fast", "gelu_python", "gelu_python_tanh", "relu2", "sigmoid", "swish", "tanh"]


def activation_case(name, seed):
    return Case(BertForMaskedLM, BertConfig(**TINY, hidden_act=name, type_vocab_size=2), seed, False,
                {**STRONG, "max_grad_norm": 0.1}, torch.float16)


# Three heads of queries share one of keys and values.
GROUPED = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_attention_heads": 6, "num_key_value_heads": 2,
           "num_hidden_layers": LAYERS, "intermediate_size": 52, "max_position_embeddings": POSITIONS}
SMALL_GROUPED = {**GROUPED, "vocab_size": 67, "num_hidden_layers": 1, "intermediate_size": 29}


def rope(rope_type, rope_theta, **others):
    return {"rope_type": rope_type, "rope_theta": rope_theta, **others}


CASES = {
    "bert-gelu": Case(BertForPreTraining, bert_config(hidden_act="gelu", layer_norm_eps=1e-12), 1, False, MILD),
    "bert-gelu_new": Case(BertForPreTraining, bert_config(hidden_act="gelu_new", layer_norm_eps=1e-5), 2, True, STRONG),
    "gpt2-gelu_new": Case(GPT2LMHeadModel, gpt2_config(activation_function="gelu_new"), 3, False, MILD),
    "gpt2-gelu": Case(GPT2LMHeadModel, gpt2_config(activation_function="gelu", n_inner=61, layer_norm_epsilon=1e-3), 4,
                      True, STRONG),
    # The head's GELU is exact, whatever the layers have; the first position is row 4 of the table.
    "roberta-quick_gelu-f16": Case(RobertaForMaskedLM, RobertaConfig(**SMALL, hidden_act="quick_gelu", type_vocab_size=1,
                                                                     layer_norm_eps=1e-5, pad_token_id=3), 5, True, STRONG,
                                   torch.float16),
    "bert-relu-bf16-shards": Case(BertForMaskedLM, BertConfig(**SMALL, hidden_act="relu", type_vocab_size=3,
                                                              layer_norm_eps=1e-2), 6, False, STRONG, torch.bfloat16, "9KB"),
    # n_inner null, scores that are not scaled, a vocabulary head of its own.
    "gpt2-silu-untied": Case(GPT2LMHeadModel,
                             GPT2Config(vocab_size=67, n_embd=WIDTH, n_head=HEADS, n_layer=1, n_positions=POSITIONS,
                                        bos_token_id=0, eos_token_id=0, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                                        activation_function="silu", scale_attn_weights=False, tie_word_embeddings=False),
                             7, True, STRONG),
    "llama": Case(LlamaForCausalLM, LlamaConfig(**GROUPED, rms_norm_eps=1e-5), 8, False, MILD),
    "qwen2": Case(Qwen2ForCausalLM, Qwen2Config(**GROUPED, tie_word_embeddings=True,
                                                rope_parameters=rope("default", 1e6)), 9, True, STRONG),
    # Heads wider than the width's share of them, so that there are pairs of all three kinds; every bias.
    "llama-llama3-biases": Case(LlamaForCausalLM,
                                LlamaConfig(**SMALL_GROUPED, head_dim=10, attention_bias=True, mlp_bias=True,
                                            hidden_act="gelu_pytorch_tanh",
                                            rope_parameters=rope("llama3", 500.0, factor=8.0, low_freq_factor=1.0,
                                                                 high_freq_factor=4.0,
                                                                 original_max_position_embeddings=15)),
                                10, True, STRONG),
    "llama-linear-bf16": Case(LlamaForCausalLM,
                              LlamaConfig(**{**SMALL_GROUPED, "num_key_value_heads": 6}, tie_word_embeddings=True,
                                          rope_parameters=rope("linear", 10000.0, factor=2.5)),
                              11, False, STRONG, torch.bfloat16),
    "llama-dynamic-shards": Case(LlamaForCausalLM,
                                 LlamaConfig(**{**SMALL_GROUPED, "num_key_value_heads": 1},
                                             rope_parameters=rope("dynamic", 300.0, factor=4.0)),
                                 12, False, STRONG, torch.float32, "9KB"),
    "qwen2-yarn-f16": Case(Qwen2ForCausalLM,
                           Qwen2Config(**SMALL_GROUPED, head_dim=12,
                                       rope_parameters=rope("yarn", 100.0, factor=3.0, beta_fast=2.0, beta_slow=0.25,
                                                            original_max_position_embeddings=11)),
                           13, False, STRONG, torch.float16),
    "qwen2-yarn-mscale": Case(Qwen2ForCausalLM,
                              Qwen2Config(**SMALL_GROUPED, head_dim=12, rms_norm_eps=1e-3,
                                          rope_parameters=rope("yarn", 100.0, factor=3.0, beta_fast=2.0,
                                                               beta_slow=0.25, truncate=False, mscale=0.7,
                                                               mscale_all_dim=0.2,
                                                               original_max_position_embeddings=11)),
                              14, True, STRONG),
    "bert-sequence-classifier": Case(BertForSequenceClassification,
                                     BertConfig(**SMALL, type_vocab_size=2, num_labels=3), 23, False, FEW),
    "bert-token-classifier": Case(BertForTokenClassification, BertConfig(**SMALL, type_vocab_size=2, num_labels=5), 24,
                                  True, FEW),
    "roberta-sequence-classifier": Case(RobertaForSequenceClassification,
                                        RobertaConfig(**SMALL, type_vocab_size=1, pad_token_id=1, num_labels=4), 25,
                                        False, FEW),
    "roberta-token-classifier": Case(RobertaForTokenClassification,
                                     RobertaConfig(**SMALL, type_vocab_size=1, pad_token_id=1), 26, False, FEW),
    "gpt2-regression": Case(GPT2ForSequenceClassification, small_gpt2_config(num_labels=1), 27, True, FEW),
    "gpt2-token-classifier": Case(GPT2ForTokenClassification, small_gpt2_config(num_labels=3), 28, False, FEW),
    "llama-sequence-classifier": Case(LlamaForSequenceClassification,
                                      LlamaConfig(**SMALL_GROUPED, num_labels=3, rms_norm_eps=1e-5), 29, False,
                                      {**FEW, "learning_rate": 3e-4}),
    "qwen2-token-classifier": Case(Qwen2ForTokenClassification,
                                   Qwen2Config(**SMALL_GROUPED, num_labels=4, tie_word_embeddings=True), 30, False,
                                   FEW),
    **{f"bert-{name}-f16": activation_case(name, 15 + index) for index, name in enumerate(ACTIVATIONS)},
}


def is_norm(name):
    return any(part.startswith(("ln_", "LayerNorm", "layer_norm")) or part.endswith("layernorm") or part == "norm"
               for part in name.split("."))


def decays(name):
    return not name.endswith("bias") and not is_norm(name)


def randomise(model, generator):
    """Every parameter away from 0 and 1, so that a term left out or taken twice shows."""
    for name, parameter in model.named_parameters():
        if is_norm(name) and name.endswith("weight"):
            mean, deviation = 1.0, 0.3
        elif name.endswith("bias"):
            mean, deviation = 0.0, 0.2
        elif "embeddings" in name or ".wte." in name or ".wpe." in name or ".embed_tokens." in name:
            mean, deviation = 0.0, 0.05  # small: the epsilon of the first norm is then felt
        else:
            mean, deviation = 0.0, 0.25
        with torch.no_grad():
            parameter.copy_(mean + deviation * torch.randn(parameter.shape, generator=generator))


def ids(size, generator, vocabulary):
    return torch.randint(1, vocabulary, (size,), generator=generator).tolist()


def bert_streams(irregular, generator, vocabulary):
    """Masked rows with unequal weights, both segments, labels of both classes, a line without a label."""
    first, second, third = 17, 9, 2
    token = [ids(size, generator, vocabulary) for size in (first, second, third)]
    token[0][3] = token[1][7] = 0  # the row that PyTorch's padding_idx would leave without a gradient
    right = ids(9, generator, vocabulary)
    right[2], right[4] = 0, vocabulary - 1
    banded = [[max(0, i - 3), min(second, i + 2)] for i in range(second)]
    return [
        {"token": token[0], "position": list(range(first)), "block_position": [0] * first,
         "segment": [0] * 9 + [1] * 8, "visible": [[0, first]] * first,
         "target": [[1, right[0], 1.0], [4, right[1], 0.5], [5, right[2], 1.0], [11, right[3], 0.25],
                    [16, right[4], 1.0]],
         "label": [[0, 1, 1.0]]},
        {"token": token[1], "position": [i + 4 for i in range(second)], "segment": [0] * 4 + [1] * 5,
         "visible": banded if irregular else [[0, second]] * second,
         "target": [[0, right[5], 0.5], [3, right[6], 1.0], [8, right[7], 1.0]], "label": [[0, 0, 0.5]]},
        {"token": token[2], "visible": [[0, third]] * third, "target": [[1, right[8], 1.0]]},
    ]


def masked_streams(irregular, generator, vocabulary):
    """The same without labels, and for a RoBERTa in one segment."""
    streams = bert_streams(irregular, generator, vocabulary)
    return [{key: value for key, value in stream.items() if key != "label"} for stream in streams]


def roberta_streams(irregular, generator, vocabulary):
    streams = masked_streams(irregular, generator, vocabulary)
    return [{key: value for key, value in stream.items() if key != "segment"} for stream in streams]


STREAMS = {BertForPreTraining: bert_streams, BertForMaskedLM: masked_streams, RobertaForMaskedLM: roberta_streams}


def gpt2_streams(irregular, generator, vocabulary):
    """Each row predicts the next; a row without a target, unequal weights, positions that do not start at 0."""
    first, second, third = 17, 9, 1
    token = [ids(size, generator, vocabulary) for size in (first, second, third)]
    token[0][0] = token[2][0] = 0
    token[1][2] = vocabulary - 1
    following = [line[1:] + [0] for line in token]
    targets = [[[row, right, 1.0] for row, right in enumerate(line)] for line in following]
    del targets[0][7]
    targets[0][4][2], targets[1][1][2] = 0.5, 0.25
    # A prefix of four rows that sees itself whole, then rows that look back at most five.
    prefix = [[0, 4] if i < 4 else [max(0, i - 4), i + 1] for i in range(second)]
    return [
        {"token": token[0], "position": list(range(first)), "visible": [[0, i + 1] for i in range(first)],
         "target": targets[0]},
        {"token": token[1], "position": [i + POSITIONS - second for i in range(second)],
         "visible": prefix if irregular else [[0, i + 1] for i in range(second)], "target": targets[1], "label": []},
        {"token": token[2], "visible": [[0, 1]], "target": targets[2]},
    ]


def double_frequencies(rotary):
    """(frequencies, magnitude) in float64: `transformers` has them in float32, whatever the model is in."""
    float32 = torch.float32
    torch.float = torch.float32 = torch.float64  # by these names it asks for them
    try:
        init = ROPE_INIT_FUNCTIONS.get(rotary.rope_type, rotary.compute_default_rope_parameters)
        frequency, magnitude = init(rotary.config)
    finally:
        torch.float = torch.float32 = float32
    assert frequency.dtype == torch.float64 and torch.allclose(frequency.float(), rotary.inv_freq, rtol=1e-6)
    assert magnitude == rotary.attention_scaling
    return frequency, magnitude


def rotate_in_double(rotary):
    frequency, magnitude = double_frequencies(rotary)

    def forward(x, position_ids):
        angles = position_ids[..., None].double() * frequency
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos() * magnitude, angles.sin() * magnitude

    rotary.forward = forward


def load(case, directory):
    model = case.model.from_pretrained(directory, dtype=torch.float64, attn_implementation="eager")
    if hasattr(model.base_model, "rotary_emb"):
        rotate_in_double(model.base_model.rotary_emb)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None  # gradients of the formula: the padding row is a row as any other
    return model.eval()


def gradients(model, streams):
    model.zero_grad()
    result = stream_loss(model, streams)
    result.loss.backward()
    return result


def adamw_losses(model, streams, options, steps=10):
    """The loss before each step; every step takes all streams."""
    parameters = dict(model.named_parameters())
    groups = [{"params": [p for n, p in parameters.items() if decays(n)], "weight_decay": options["weight_decay"]},
              {"params": [p for n, p in parameters.items() if not decays(n)], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options["learning_rate"], betas=(options["beta1"], options["beta2"]),
                                  eps=options["epsilon"], foreach=False)
    losses, norms = [], []
    for _ in range(steps):
        losses.append(gradients(model, streams).loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), options["max_grad_norm"]).item())
        optimizer.step()
    assert all(norm > options["max_grad_norm"] for norm in norms), "clipping must act, or it is not tested"
    return losses


def generator_line():
    versions = [f"python {platform.python_version()}"]
    versions += [f"{module.__name__} {module.__version__}" for module in (torch, transformers, safetensors)]
    return f"python tools/goldens/models.py ({', '.join(versions)})"


def classifier_streams(case, generator):
    """Labels on the rows that the model scores, of unequal weights; a line of one row, and a text in two segments."""
    config = case.config
    causal, words = config.model_type in ("gpt2", "llama", "qwen2"), "TokenClassification" in case.model.__name__
    streams = []
    for size in (17, 9, 1):
        token = ids(size, generator, config.vocab_size)
        visible = [[0, i + 1 if causal else size] for i in range(size)]
        if case.irregular and size == 9:
            visible = [[max(0, i - 3), i + 1 if causal else min(size, i + 2)] for i in range(size)]
        rows = range(0, size, 2) if words else [size - 1 if causal else 0]
        labels = [[row, (row // 2 + size) % config.num_labels, 1.0 if size > 9 else 0.5] for row in rows]
        if config.num_labels == 1:
            labels = [label + [size / 4 - 2] for label in labels]
        stream = {"token": token, "visible": visible, "label": labels}
        if getattr(config, "type_vocab_size", 1) > 1 and size == 17:
            stream["segment"] = [0] * 9 + [1] * 8
        streams.append(stream)
    return streams


def write_case(name, case, root):
    directory = root / name
    shutil.rmtree(directory, ignore_errors=True)
    generator = torch.Generator().manual_seed(case.seed)
    model = case.model(case.config)
    randomise(model, generator)
    model.to(case.dtype).save_pretrained(directory, max_shard_size=case.shard)
    (directory / "generation_config.json").unlink(missing_ok=True)

    if "Classification" in case.model.__name__:
        streams = classifier_streams(case, generator)
    else:
        streams = STREAMS.get(case.model, gpt2_streams)(case.irregular, generator, case.config.vocab_size)
    (directory / "streams.jsonl").write_text("".join(json.dumps(stream) + "\n" for stream in streams))
    streams = [with_defaults(stream) for stream in streams]

    model = load(case, directory)
    result = gradients(model, streams)
    names = []
    for file in directory.glob("model*.safetensors"):
        with safe_open(file, "pt") as stored:
            names += stored.keys()
    by_name = dict(model.named_parameters(remove_duplicate=False))
    stored_gradients = {name: by_name[name].grad.float().contiguous() for name in names}
    safetensors.torch.save_file(stored_gradients, directory / "gradients.safetensors", metadata={"format": "pt"})

    options = {**case.adamw, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    options.setdefault("max_grad_norm", 1.0)
    losses = adamw_losses(model, streams, options)
    expected = {"generator": generator_line(), **result.to_json(),
                "predicted": [line.tolist() for line in result.predicted],
                "label_predicted": [line.tolist() for line in result.label_predicted],
                "adamw": {**options, "no_decay": "biases and norms", "losses": losses}}
    assert math.isclose(losses[0], expected["loss"], rel_tol=1e-14)
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for file in directory.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone
    print(f"{name}: loss {expected['loss']:.6f}, AdamW {losses[0]:.6f} -> {losses[-1]:.6f}, {len(names)} tensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "tests/golden/models"
    parser.add_argument("--out", type=Path, default=default, help="default: %(default)s")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: all")
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in arguments.cases or CASES:
        write_case(name, CASES[name], arguments.out)


if __name__ == "__main__":
    main()
