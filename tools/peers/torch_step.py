#!/usr/bin/env python3
"""Times PyTorch on the work that bench/ times us on: f32, fused AdamW, clipping, no dropout, median of n runs.

    python tools/peers/torch_step.py gpt2-4x64 --threads 2 --repeat 5

Prints one line a case: name, median and range of seconds, tokens/s, and the loss as a check that the work was done.
Environment: tools/goldens/README.md. Not run by CI.
"""

import argparse
import os
import platform
import resource
import statistics
import time

CASES = {}


def case(name):
    def register(make):
        CASES[name] = make
        return make
    return register


def training_step(model, loss_of):
    """One whole step: forward, backward, clipping, AdamW; what a trainer does between two batches."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=False)
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()
    return step


def gpt2(batch, length):
    config = transformers.GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, use_cache=False)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").train()
    ids = torch.randint(0, config.vocab_size, (batch, length))
    return batch * length, training_step(model, lambda: model(input_ids=ids, labels=ids).loss)


@case("gpt2-4x64")
def gpt2_short():
    return gpt2(4, 64)


@case("gpt2-1x1024")
def gpt2_long():
    return gpt2(1, 1024)


def bert(batch, length, masked):
    """(configuration, ids with the mask token in place, labels that are -100 but at the masked 15 %)."""
    config = transformers.BertConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = transformers.AutoModelForMaskedLM.from_config(config, attn_implementation="sdpa").train()
    ids = torch.randint(1000, config.vocab_size, (batch, length))
    chosen = torch.rand(batch, length).argsort(dim=1)[:, :round(masked * length)]
    labels = torch.full_like(ids, -100).scatter(1, chosen, ids.gather(1, chosen))
    return model, ids.masked_fill(labels != -100, 103), labels


@case("bert-8x128")
def bert_dense():
    """As published: logits of every token."""
    model, ids, labels = bert(8, 128, 0.15)
    return ids.numel(), training_step(model, lambda: model(input_ids=ids, labels=labels).loss)


@case("bert-8x128-sparse")
def bert_sparse():
    """What a careful user writes by hand: the head on the masked rows alone."""
    model, ids, labels = bert(8, 128, 0.15)
    rows = (labels.flatten() != -100).nonzero()[:, 0]
    right = labels.flatten()[rows]

    def loss_of():
        hidden = model.bert(input_ids=ids).last_hidden_state.flatten(0, 1)[rows]
        return torch.nn.functional.cross_entropy(model.cls(hidden), right)
    return ids.numel(), training_step(model, loss_of)


def head(loss_of):
    """4096 x 50304 x 768: projection, cross-entropy, and the gradients of hidden and weight."""
    rows, vocabulary, width = 4096, 50304, 768
    hidden = torch.randn(rows, width, requires_grad=True)
    weight = (0.02 * torch.randn(vocabulary, width)).requires_grad_()
    right = torch.randint(0, vocabulary, (rows,))

    def step():
        hidden.grad = weight.grad = None
        loss = loss_of(hidden, weight, right)
        loss.backward()
        return loss.item()
    return rows, step


@case("head-4096x50304x768")
def head_plain():
    functional = torch.nn.functional
    return head(lambda hidden, weight, right: functional.cross_entropy(functional.linear(hidden, weight), right))


@case("head-4096x50304x768-fused")
def head_fused():
    functional = torch.nn.functional
    options = torch.nn.LinearCrossEntropyOptions()
    return head(lambda hidden, weight, right: functional.linear_cross_entropy(hidden, weight, right, options=options))


def measure(name, repeat, warmup):
    torch.manual_seed(1)
    tokens, step = CASES[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(warmup):
        step()
    seconds, loss = [], float("nan")
    for _ in range(repeat):
        start = time.perf_counter()
        loss = step()
        seconds.append(time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    median = statistics.median(seconds)
    print(f"{name}: {median:.3f} s (of {repeat}: {min(seconds):.3f} to {max(seconds):.3f}), {tokens / median:.0f} tokens/s, "
          f"peak memory grew by {grown:.0f} MiB, loss {loss:.4f}, torch {torch.__version__}, "
          f"{torch.get_num_threads()} threads, {platform.machine()}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", metavar="CASE", help=", ".join([*CASES, "all"]))
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=5, help="timed runs; default: %(default)s")
    parser.add_argument("--warmup", type=int, default=2, help="runs before them; default: %(default)s")
    arguments = parser.parse_args()
    names = list(CASES) if arguments.cases == ["all"] else arguments.cases
    for name in names:
        if name not in CASES:
            parser.error(f"unknown case {name!r}: expected one of {', '.join(CASES)}")
    # Spinning threads fight for cores that a virtual machine shares; must be set before libgomp starts.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OMP_NUM_THREADS", str(arguments.threads))
    global torch, transformers
    import torch
    import transformers
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    for name in names:
        measure(name, arguments.repeat, arguments.warmup)


if __name__ == "__main__":
    main()
