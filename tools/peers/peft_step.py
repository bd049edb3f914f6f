#!/usr/bin/env python3
"""Times PEFT and bench/adapters on the same steps, in turns: GPT-2 Medium, 4 x 128 tokens, half of them targets, f32.

    python tools/peers/peft_step.py --bench build/release/bench/adapters [--threads 2] [--repeat 3] [--rounds 5]

LoRA is of rank 4 beside c_attn, the prefix has 10 virtual tokens. A step is forward, backward, clipping and AdamW (fused)
over what is trained, without dropout; each side has weights and tokens of its own, drawn at random. A round times
--repeat steps of PEFT after one that warms up, and as many of ours. Prints of each side the median and range of all
steps and the ratio of the medians, and of each round the ratio of its medians, which tells how steady the machine was.
Environment: tools/goldens/README.md. Not run by CI.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

BATCH, LENGTH = 4, 128
CASES = ("lora", "prefix")


def adapted(kind):
    """(model, number of parameters that are trained)."""
    config = transformers.GPT2Config(n_embd=1024, n_layer=24, n_head=16, resid_pdrop=0.0, embd_pdrop=0.0,
                                     attn_pdrop=0.0, use_cache=False)
    base = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    task = peft.TaskType.CAUSAL_LM
    options = {"lora": peft.LoraConfig(task_type=task, r=4, lora_alpha=8, target_modules=["c_attn"], fan_in_fan_out=True),
               "prefix": peft.PrefixTuningConfig(task_type=task, num_virtual_tokens=10)}[kind]
    model = peft.get_peft_model(base, options).train()
    return model, sum(p.numel() for p in model.parameters() if p.requires_grad)


def step_of(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01, fused=True)
    ids = torch.randint(0, model.config.vocab_size, (BATCH, LENGTH))
    labels = ids.clone()
    labels[:, : LENGTH // 2] = -100

    def step():
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=False)
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        loss = loss.item()
        return time.perf_counter() - start, loss
    return step


def theirs(step, repeat):
    step()
    seconds = []
    for _ in range(repeat):
        taken, loss = step()
        if loss != loss:
            raise SystemExit("PEFT's loss is not a number")
        seconds.append(taken)
    return seconds


def ours(arguments, kind):
    command = [arguments.bench, "--json", "--case", kind, "--repetitions", str(arguments.repeat),
               "--threads", str(arguments.threads)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])["seconds"]


def report(name, seconds):
    print(f"  {name:<10} median {1e3 * statistics.median(seconds):7.0f} ms [{1e3 * min(seconds):.0f}, "
          f"{1e3 * max(seconds):.0f}] of {len(seconds)}")


def compare(kind, arguments):
    model, trained = adapted(kind)
    step = step_of(model)
    rounds = [(theirs(step, arguments.repeat), ours(arguments, kind)) for _ in range(arguments.rounds)]
    peers, own = ([s for both in rounds for s in both[side]] for side in (0, 1))
    print(f"{kind}, {trained} parameters trained, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}")
    report("peft", peers)
    report("surprisal", own)
    ratios = [statistics.median(a) / statistics.median(b) for a, b in rounds]
    print(f"  ratio {statistics.median(peers) / statistics.median(own):.2f}; by round "
          f"{', '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench/adapters")
    parser.add_argument("--case", action="append", choices=CASES, help="which, all unless given")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=3, help="timed steps a round; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    arguments = parser.parse_args()
    # Spinning threads would take the cores from the other side's turn; must be set before libgomp starts.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    global peft, torch, transformers
    import peft
    import torch
    import transformers
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"peft {peft.__version__}, torch {torch.__version__}, transformers {transformers.__version__}, {cpu}", flush=True)
    for kind in arguments.case or CASES:
        compare(kind, arguments)


if __name__ == "__main__":
    main()
