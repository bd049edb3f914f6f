#!/usr/bin/env python3
"""Writes tests/golden/adapters/: adapters of the tiny models of models.py as PEFT writes them, and what it makes of them.

For each: adapter_config.json and adapter_model.safetensors as save_pretrained writes them, streams.jsonl, and
expected.json (the base, loss, surprisals) with gradients.safetensors: d(loss)/d(adapter), under the names of the
adapter's own file. The numbers are computed in float64 from the stored weights, with eager attention and without
dropout. Run models.py first. See README.md for the environment.
"""

import argparse
import json
import platform
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.append(sys.path.pop(0))  # last: tokenizers.py beside this file must not hide the package

import peft
import safetensors.torch
import torch
import transformers
from peft import LoraConfig, PeftModel, PrefixTuningConfig, get_peft_model
from safetensors import safe_open

from models import CASES, classifier_streams, load
from stream_loss import stream_loss, with_defaults


@dataclass
class Adapter:
    base: str  # of tests/golden/models
    config: peft.PeftConfig
    seed: int


def lora(**options):
    return LoraConfig(**{"r": 3, "lora_alpha": 5, "lora_dropout": 0.0, **options})


def prefix(task, length):
    return PrefixTuningConfig(task_type=task, num_virtual_tokens=length)


ADAPTERS = {
    "gpt2-lora": Adapter("gpt2-gelu_new", lora(task_type="CAUSAL_LM", fan_in_fan_out=True), 101),
    "gpt2-lora-patterns": Adapter(
        "gpt2-gelu", lora(task_type="CAUSAL_LM", fan_in_fan_out=True, target_modules=["c_attn", "c_proj", "c_fc"],
                          use_rslora=True, rank_pattern={"mlp.c_proj": 5, r"h\.1\.attn\.c_attn": 1},
                          alpha_pattern={"c_fc": 11}, bias="all"), 102),
    "gpt2-dora": Adapter("gpt2-gelu_new", lora(task_type="CAUSAL_LM", fan_in_fan_out=True, use_dora=True,
                                               target_modules=["c_attn", "mlp.c_proj"]), 103),
    "bert-lora": Adapter("bert-gelu", lora(target_modules=["query", "value", "dense"], bias="lora_only"), 104),
    "bert-lora-saved": Adapter("bert-gelu_new", lora(target_modules=r".*layer\.1\.attention\.self\.(key|query)",
                                                     modules_to_save=["pooler", "seq_relationship"]), 105),
    "llama-lora": Adapter("llama", lora(task_type="CAUSAL_LM", layers_to_transform=[1], target_modules=["q_proj", "k_proj",
                                        "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]), 106),
    "llama-dora": Adapter("llama", lora(task_type="CAUSAL_LM", use_dora=True), 107),
    "qwen2-lora": Adapter("qwen2", lora(task_type="CAUSAL_LM", bias="lora_only",
                                        target_modules=["q_proj", "v_proj", "gate_proj", "o_proj"]), 108),
    "gpt2-prefix": Adapter("gpt2-gelu_new", prefix("CAUSAL_LM", 4), 109),
    "bert-prefix": Adapter("bert-gelu", prefix("FEATURE_EXTRACTION", 5), 110),
    "llama-prefix": Adapter("llama", prefix("CAUSAL_LM", 3), 111),
    "qwen2-prefix": Adapter("qwen2", prefix("CAUSAL_LM", 3), 112),
    "bert-classifier-lora": Adapter("bert-sequence-classifier", lora(task_type="SEQ_CLS"), 113),
    "roberta-classifier-lora": Adapter("roberta-sequence-classifier",
                                       lora(task_type="SEQ_CLS", target_modules=["query", "dense"]), 114),
    "gpt2-regression-lora": Adapter("gpt2-regression", lora(task_type="SEQ_CLS", fan_in_fan_out=True), 115),
    "llama-classifier-lora": Adapter("llama-sequence-classifier", lora(task_type="SEQ_CLS"), 116),
    "qwen2-token-lora": Adapter("qwen2-token-classifier", lora(task_type="TOKEN_CLS"), 117),
    # P-tuning v2.
    "bert-classifier-prefix": Adapter("bert-sequence-classifier", prefix("SEQ_CLS", 4), 118),
    "roberta-classifier-prefix": Adapter("roberta-sequence-classifier", prefix("SEQ_CLS", 3), 119),
    "gpt2-regression-prefix": Adapter("gpt2-regression", prefix("SEQ_CLS", 3), 120),
    "bert-token-prefix": Adapter("bert-token-classifier", prefix("TOKEN_CLS", 5), 121),
}


def ids(size, generator, vocabulary):
    return torch.randint(1, vocabulary, (size,), generator=generator).tolist()


def streams_of(base, segments, generator):
    """Two lines of unequal weights; a completion is scored, its prompt is not."""
    vocabulary = CASES[base].config.vocab_size
    decoder = not base.startswith("bert")
    streams = []
    for size, scored in ((13, 6), (6, 1)):
        token = ids(size, generator, vocabulary)
        stream = {"token": token, "visible": [[0, i + 1 if decoder else size] for i in range(size)]}
        rows = range(scored, size) if decoder else (1, 4, 5)
        stream["target"] = [[row, right, 1.0 if row % 2 else 0.5] for row, right in
                            zip(rows, ids(size, generator, vocabulary))]
        if base.startswith("bert"):
            stream["label"] = [[0, size % 2, 1.0]]
        if base.startswith("bert") and segments:
            stream["segment"] = [0] * 4 + [1] * (size - 4)
        streams.append(stream)
    return streams


def randomise(model, generator):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            if "magnitude" in name:
                parameter.mul_(1 + 0.2 * torch.randn(parameter.shape, generator=generator))
            elif "lora_" in name or "prompt" in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


def stored_names(file):
    with safe_open(file, "pt") as stored:
        return list(stored.keys())


def gradient_of(name, parameters, model):
    """By the name of the file: PEFT leaves out the adapter's own name, and a wrapper's."""
    if name == "prompt_embeddings":
        return parameters["prompt_encoder.default.embedding.weight"].grad
    candidates = [name, name.replace(".lora_A.", ".lora_A.default.").replace(".lora_B.", ".lora_B.default."),
                  name.replace(".lora_magnitude_vector", ".lora_magnitude_vector.default.weight")]
    stem, last = name.rsplit(".", 1)
    candidates.append(f"{stem}.modules_to_save.default.{last}")
    for at in range(stem.count(".") + 1):  # a wrapper may stand above the module that holds the tensor
        parts = name.split(".")
        candidates.append(".".join(parts[:at] + ["modules_to_save", "default"] + parts[at:]))
    return next(parameters[c].grad for c in candidates if c in parameters)


def put_prompt_by_hand(model):
    """PEFT 0.21 looks for a parameter past_key_values that classifiers of transformers 5.24 have no more by name."""
    length = model.active_peft_config.num_virtual_tokens

    def forward(position_ids, **arguments):
        prompt = model.get_prompt(batch_size=1)
        return model.base_model(position_ids=position_ids + length, past_key_values=prompt, **arguments)

    model.forward = forward


def generator_line():
    versions = [f"python {platform.python_version()}"]
    versions += [f"{module.__name__} {module.__version__}" for module in (torch, transformers, peft, safetensors)]
    return f"python tools/goldens/adapters.py ({', '.join(versions)})"


def write_adapter(name, adapter, models, root):
    directory = root / name
    shutil.rmtree(directory, ignore_errors=True)
    generator = torch.Generator().manual_seed(adapter.seed)
    case, base = CASES[adapter.base], models / adapter.base
    peft_model = get_peft_model(case.model.from_pretrained(base), adapter.config)
    randomise(peft_model, generator)
    peft_model.save_pretrained(directory)
    (directory / "README.md").unlink(missing_ok=True)
    config = json.loads((directory / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = adapter.base  # not a path of this machine
    if config.get("modules_to_save"):
        config["modules_to_save"] = list(dict.fromkeys(config["modules_to_save"]))  # a prompt's names are there twice
    (directory / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    learns_prompt = isinstance(adapter.config, PrefixTuningConfig)  # beside it, PEFT passes on no segments
    if "Classification" in case.model.__name__:
        streams = classifier_streams(replace(case, irregular=False), generator)
        for stream in streams:
            stream.pop("segment", None) if learns_prompt else None
    else:
        streams = streams_of(adapter.base, not learns_prompt, generator)
    (directory / "streams.jsonl").write_text("".join(json.dumps(stream) + "\n" for stream in streams))
    streams = [with_defaults(stream) for stream in streams]

    # PEFT trains a prompt that was saved no further.
    loaded = PeftModel.from_pretrained(load(case, base), directory, is_trainable=not learns_prompt).double().eval()
    if learns_prompt:
        loaded.prompt_encoder.requires_grad_(True)
        if "Classification" in case.model.__name__:
            put_prompt_by_hand(loaded)
            for module in (m for n, m in loaded.named_modules() if n.endswith("modules_to_save.default")):
                module.requires_grad_(True)
    result = stream_loss(loaded, streams)
    result.loss.backward()
    parameters = dict(loaded.named_parameters())
    file = directory / "adapter_model.safetensors"
    gradients = {name: gradient_of(name, parameters, loaded).float().contiguous() for name in stored_names(file)}
    safetensors.torch.save_file(gradients, directory / "gradients.safetensors", metadata={"format": "pt"})
    expected = {"generator": generator_line(), "base": adapter.base, **result.to_json(),
                "trainable": sum(p.numel() for p in parameters.values() if p.requires_grad)}
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for each in directory.iterdir():
        each.chmod(0o644)  # safetensors writes for the owner alone
    print(f"{name}: loss {expected['loss']:.6f}, {len(gradients)} tensors, {expected['trainable']} trainable")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    golden = Path(__file__).resolve().parents[2] / "tests/golden"
    parser.add_argument("--models", type=Path, default=golden / "models", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=golden / "adapters", help="default: %(default)s")
    parser.add_argument("adapters", nargs="*", metavar="ADAPTER", help="default: all")
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in arguments.adapters or ADAPTERS:
        write_adapter(name, ADAPTERS[name], arguments.models, arguments.out)


if __name__ == "__main__":
    main()
