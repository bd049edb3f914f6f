#!/usr/bin/env python3
"""Writes the goldens of GLM and GLM-130B below tests/golden/models/: tiny random models, computed in float64.

No library has these two models, so this file is one: NumPy, forward and backward by hand, from the equations of the
papers (Du et al. 2022, Zeng et al. 2023) and of the published code, in the published layout of the tensors. Before it
writes, every gradient is checked against the complex step. The files are those of models.py. See README.md.
"""

import argparse
import json
import math
import platform
import shutil
import sys
from pathlib import Path

sys.path.append(sys.path.pop(0))  # last: tokenizers.py beside this file must not hide the package

import numpy as np
import safetensors
import safetensors.numpy

EPSILON = 1e-5
OPTIONS = {"learning_rate": 3e-3, "weight_decay": 0.3, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, "max_grad_norm": 0.5}

# Odd sizes; `gelu` is tanh's approximation for GLM and the exact one for GLM-130B.
GLM = {"model_type": "glm", "architectures": ["GLMForConditionalGeneration"], "num_layers": 2, "vocab_size": 67,
       "hidden_size": 20, "num_attention_heads": 5, "max_sequence_length": 23, "embedding_dropout_prob": 0.0,
       "attention_dropout_prob": 0.0, "output_dropout_prob": 0.0, "initializer_range": 0.02, "attention_scale": 8.0,
       "block_position_encoding": True, "relative_encoding": False, "output_predict": True, "pool_token": "cls",
       "checkpoint_activations": False, "checkpoint_num_layers": 1, "parallel_output": True, "spell_length": None,
       "spell_func": "lstm", "torch_dtype": "float32"}
GLM_130B = {"model_type": "glm-130b", "num_layers": 3, "vocab_size": 71, "hidden_size": 24, "inner_hidden_size": 29,
            "num_attention_heads": 3, "max_sequence_length": 40, "layernorm_epsilon": EPSILON,
            "embedding_gradient_shrink": 0.1, "embedding_dropout_prob": 0.0, "attention_dropout_prob": 0.0,
            "output_dropout_prob": 0.0, "torch_dtype": "float16"}
# The model of the ablation: one position table without the row of the sentinels, no block positions.
GLM_1D = {**GLM, "num_layers": 1, "vocab_size": 31, "hidden_size": 12, "num_attention_heads": 3,
          "block_position_encoding": False}


# Each operation returns its value and a function from its gradient to those of its arguments. Complex arguments go
# through all of them, for the complex step.

def linear(x, weight, bias):
    return x @ weight.T + bias, lambda dy: (dy @ weight, dy.T @ x, dy.sum(0))


def layer_norm(x, weight, bias):
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)
    normal = centred / deviation

    def backward(dy):
        g = dy * weight
        dx = (g - g.mean(-1, keepdims=True) - normal * (g * normal).mean(-1, keepdims=True)) / deviation
        return dx, (dy * normal).sum(0), dy.sum(0)

    return normal * weight + bias, backward


def erf(x):
    real = np.vectorize(math.erf, otypes=[np.float64])(x.real)
    slope = 2 / math.sqrt(math.pi) * np.exp(-x.real ** 2)
    return real + 1j * slope * x.imag if np.iscomplexobj(x) else real


def gelu(x):
    cumulative = (1 + erf(x / math.sqrt(2))) / 2
    slope = cumulative + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return x * cumulative, lambda dy: dy * slope


def gelu_tanh(x):
    root = math.sqrt(2 / math.pi)
    t = np.tanh(root * (x + 0.044715 * x ** 3))
    slope = (1 + t) / 2 + x / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
    return x / 2 * (1 + t), lambda dy: dy * slope


def geglu(x):
    """First half linear, second half through the gate."""
    first, second = np.split(x, 2, axis=-1)
    gate, gate_backward = gelu(second)
    return first * gate, lambda dy: np.concatenate([dy * gate, gate_backward(dy * first)], axis=-1)


def rotary(x, position):
    """x: [N, heads, size]; pairs are an element of the first half and its neighbour of the second."""
    half = x.shape[-1] // 2
    angle = np.outer(position, 10000.0 ** (-np.arange(half) / half))[:, None, :]
    cosine, sine = (np.concatenate([f(angle)] * 2, axis=-1) for f in (np.cos, np.sin))
    turn = lambda y: np.concatenate([-y[..., half:], y[..., :half]], axis=-1)
    return x * cosine + turn(x) * sine, lambda dy: dy * cosine - turn(dy * sine)


def attention(query, key, value, visible):
    """[N, heads, size] each; row i sees the rows [begin, end) of visible[i]."""
    size = query.shape[-1]
    columns = np.arange(len(visible))
    seen = np.array([(begin <= columns) & (columns < end) for begin, end in visible])
    score = np.einsum("ihd,jhd->hij", query, key) / math.sqrt(size)
    score = np.where(seen, score, -np.inf)
    power = np.exp(score - score.real.max(-1, keepdims=True))
    p = power / power.sum(-1, keepdims=True)

    def backward(dy):
        dp = np.einsum("ihd,jhd->hij", dy, value)
        ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / math.sqrt(size)
        return (np.einsum("hij,jhd->ihd", ds, key), np.einsum("hij,ihd->jhd", ds, query),
                np.einsum("hij,ihd->jhd", p, dy))

    return np.einsum("hij,jhd->ihd", p, value), backward


class Model:
    """`weights` by published name; forward over one stream, then gradients of sum(scale * surprisal)."""

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.heads = config["num_attention_heads"]
        self.big = config["model_type"] == "glm-130b"
        self.gradient = {name: np.zeros(tensor.shape) for name, tensor in weights.items()}
        self.token_name = "transformer.word_embeddings.weight" if self.big else "word_embeddings.weight"

    def affine(self, function, name, x):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        y, backward = function(x, weight, bias)

        def backward_with_parameters(dy):
            dx, dweight, dbias = backward(dy)
            self.gradient[f"{name}.weight"] += dweight
            self.gradient[f"{name}.bias"] += dbias
            return dx

        return y, backward_with_parameters

    def attend(self, layer, x, stream):
        rows, width = x.shape
        fused, fused_backward = self.affine(linear, f"{layer}.attention.query_key_value", x)
        if self.big:  # rows of the weight: [head][query, key, value][size]
            parts = np.moveaxis(fused.reshape(rows, self.heads, 3, -1), 2, 0)
        else:  # [query, key, value][head][size]
            parts = np.moveaxis(fused.reshape(rows, 3, self.heads, -1), 1, 0)
        query, key, value = parts
        if self.big:
            query, query_back = rotary(query, stream["position"])
            key, key_back = rotary(key, stream["position"])
        context, attention_backward = attention(query, key, value, stream["visible"])
        y, dense_backward = self.affine(linear, f"{layer}.attention.dense", context.reshape(rows, width))

        def backward(dy):
            dq, dk, dv = attention_backward(dense_backward(dy).reshape(context.shape))
            if self.big:
                dq, dk = query_back(dq), key_back(dk)
            return fused_backward(np.stack([dq, dk, dv], axis=2 if self.big else 1).reshape(rows, 3 * width))

        return y, backward

    def feed_forward(self, layer, x):
        up, up_backward = self.affine(linear, f"{layer}.mlp.dense_h_to_4h", x)
        hidden, activation_backward = geglu(up) if self.big else gelu_tanh(up)
        y, down_backward = self.affine(linear, f"{layer}.mlp.dense_4h_to_h", hidden)
        return y, lambda dy: up_backward(activation_backward(down_backward(dy)))

    def layer(self, index, x, stream):
        layer = f"transformer.layers.{index}"
        h, first_norm = self.affine(layer_norm, f"{layer}.input_layernorm", x)
        attended, attention_backward = self.attend(layer, h, stream)
        alpha = math.sqrt(2 * self.config["num_layers"])
        a = alpha * h + attended if self.big else x + attended
        m, second_norm = self.affine(layer_norm, f"{layer}.post_attention_layernorm", a)
        moved, feed_forward_backward = self.feed_forward(layer, m)
        y = alpha * m + moved if self.big else a + moved

        def backward(dy):
            if self.big:
                da = second_norm(alpha * dy + feed_forward_backward(dy))
                return first_norm(alpha * da + attention_backward(da))
            da = dy + second_norm(feed_forward_backward(dy))
            return da + first_norm(attention_backward(da))

        return y, backward

    def tables(self, stream):
        tables = [(self.token_name, stream["token"])]
        if not self.big:
            tables.append(("transformer.position_embeddings.weight", stream["position"]))
        if self.config.get("block_position_encoding"):
            tables.append(("transformer.block_position_embeddings.weight", stream["block_position"]))
        return tables

    def surprisals(self, stream):
        """-log p of the targets, their logits, and the backward function of the surprisals."""
        x = sum(self.weights[name][index] for name, index in self.tables(stream))
        backwards = []
        for index in range(self.config["num_layers"]):
            x, backward = self.layer(index, x, stream)
            backwards.append(backward)
        last, last_norm = self.affine(layer_norm, "transformer.final_layernorm", x)
        rows, ids = [target[0] for target in stream["target"]], [target[1] for target in stream["target"]]
        embedding = self.weights[self.token_name]
        logits = last[rows] @ embedding.T
        most = logits.real.max(-1, keepdims=True)
        power = np.exp(logits - most)
        total = power.sum(-1, keepdims=True)
        surprisal = (np.log(total) + most)[:, 0] - logits[np.arange(len(ids)), ids]
        # e = alpha e + (1 - alpha) stopgrad(e), where a token is looked up and where it is scored.
        kept = self.config["embedding_gradient_shrink"] if self.big else 1.0

        def backward(scale):
            dlogits = power / total
            dlogits[np.arange(len(ids)), ids] -= 1
            dlogits *= np.asarray(scale)[:, None]
            self.gradient[self.token_name] += kept * (dlogits.T @ last[rows])
            dlast = np.zeros_like(last)
            np.add.at(dlast, rows, dlogits @ embedding)
            dx = last_norm(dlast)
            for back in reversed(backwards):
                dx = back(dx)
            for name, index in self.tables(stream):
                np.add.at(self.gradient[name], index, dx * (kept if name == self.token_name else 1.0))

        return surprisal, logits, backward


def run(config, weights, streams):
    """Loss, surprisals and most probable ids of each line, and every gradient."""
    model = Model(config, weights)
    total = sum(target[2] for stream in streams for target in stream["target"])
    surprisals, predicted, loss_sum = [], [], 0.0
    for stream in streams:
        weight = np.array([target[2] for target in stream["target"]])
        surprisal, logits, backward = model.surprisals(stream)
        loss_sum = loss_sum + (weight * surprisal).sum()
        surprisals.append(surprisal)
        predicted.append(logits.real.argmax(-1).tolist())
        if not np.iscomplexobj(surprisal):
            backward(weight / total)
    return {"loss": loss_sum / total, "sum": loss_sum, "weight": total, "surprisal": surprisals,
            "predicted": predicted, "gradient": model.gradient}


def check_gradients(config, weights, streams, generator):
    """Three elements of every tensor against the complex step, which knows no stopped gradient."""
    gradient = run(config, weights, streams)["gradient"]
    for name, tensor in weights.items():
        for _ in range(3):
            at = tuple(generator.integers(size) for size in tensor.shape)
            moved = {other: value.astype(complex) for other, value in weights.items()}
            moved[name][at] += 1e-30j
            found, right = gradient[name][at], run(config, moved, streams)["loss"].imag / 1e-30
            if name == Model(config, weights).token_name and config["model_type"] == "glm-130b":
                right *= config["embedding_gradient_shrink"]
            assert abs(found - right) <= 1e-13 + 1e-11 * abs(right), (name, at, found, right)


def shapes(config):
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    big = config["model_type"] == "glm-130b"
    inner = config["inner_hidden_size"] if big else 4 * width
    result = {("transformer." if big else "") + "word_embeddings.weight": (vocabulary, width)}
    if not big:
        block = config["block_position_encoding"]
        rows = config["max_sequence_length"] + (1 if block else 0)
        result["transformer.position_embeddings.weight"] = (rows, width)
        if block:
            result["transformer.block_position_embeddings.weight"] = (rows, width)

    def affine(name, *shape):
        result[f"{name}.weight"], result[f"{name}.bias"] = shape, shape[:1]

    for index in range(config["num_layers"]):
        layer = f"transformer.layers.{index}"
        affine(f"{layer}.input_layernorm", width)
        affine(f"{layer}.attention.query_key_value", 3 * width, width)
        affine(f"{layer}.attention.dense", width, width)
        affine(f"{layer}.post_attention_layernorm", width)
        affine(f"{layer}.mlp.dense_h_to_4h", (2 if big else 1) * inner, width)
        affine(f"{layer}.mlp.dense_4h_to_h", width, inner)
    affine("transformer.final_layernorm", width)
    return result


def random_weights(config, generator, dtype):
    """Every parameter away from 0 and 1, so that a term left out or taken twice shows; rounded as it is stored."""
    weights = {}
    for name, shape in shapes(config).items():
        norm, bias = "layernorm" in name, name.endswith("bias")
        deviation = 0.3 if norm and not bias else 0.2 if bias else 0.1 if "embeddings" in name else 0.25
        mean = 1.0 if norm and not bias else 0.0
        weights[name] = (mean + deviation * generator.standard_normal(shape)).astype(dtype).astype(np.float64)
    return weights


def piece_rows(context, pieces, position):
    """Part A of `context` tokens, then pieces (length, index of the mask): positions, block positions, intervals and
    the rows of targets, from row 0."""
    first, second = list(range(context)), [0] * context
    visible = [[0, context]] * context
    for length, mask in pieces:
        start = len(first)
        repeated = {"two_dimensional": [mask] * length, "repeat": [mask] * length,
                    "continue": list(range(start, start + length))}[position]
        first += repeated
        second += list(range(1, length + 1)) if position == "two_dimensional" else [0] * length
        visible = visible + [[0, row + 1] for row in range(start, start + length)]
    return first, second, visible, list(range(context, len(first)))


def line(config, generator, documents, position, shift=0):
    """One stream of packed documents, each (context, pieces)."""
    stream = {"token": [], "position": [], "block_position": [], "visible": [], "target": []}
    vocabulary = config["vocab_size"]
    for context, pieces in documents:
        first, second, visible, rows = piece_rows(context, pieces, position)
        start = len(stream["token"])
        stream["token"] += generator.integers(0, vocabulary, len(first)).tolist()
        stream["position"] += [p + shift for p in first]
        stream["block_position"] += second
        stream["visible"] += [[begin + start, end + start] for begin, end in visible]
        stream["target"] += [[row + start, int(generator.integers(vocabulary)), float(generator.choice([1, 1, 0.5, 2]))]
                             for row in rows]
    return stream


def glm_streams(config, generator):
    """The worked example's shape packed with another document; a document's suffix; pieces of one row."""
    position = "two_dimensional" if config["block_position_encoding"] else "repeat"
    return [line(config, generator, [(8, [(3, 5), (2, 3)]), (6, [(4, 1), (1, 4), (2, 2)])], position),
            line(config, generator, [(4, [(9, 3)])], position, shift=config["max_sequence_length"] - 4),
            line(config, generator, [(1, [(1, 0)])], position)]


def glm_130b_streams(config, generator):
    """Repeated positions, packed; continuing ones up to the last; one row that sees itself alone."""
    single = line(config, generator, [(1, [])], "continue")
    single["target"] = [[0, 5, 1.0]]
    return [line(config, generator, [(8, [(3, 5), (2, 3)]), (5, [(2, 0), (3, 4)])], "repeat"),
            line(config, generator, [(6, [(7, 5)])], "continue", shift=config["max_sequence_length"] - 13), single]


def adamw_losses(config, weights, streams, steps=10):
    """The loss before each step: decay on all but biases and norms, the norm of the gradients clipped."""
    weights = {name: value.copy() for name, value in weights.items()}
    m, v = ({name: np.zeros(value.shape) for name, value in weights.items()} for _ in range(2))
    losses = []
    for step in range(1, steps + 1):
        result = run(config, weights, streams)
        losses.append(float(result["loss"]))
        norm = math.sqrt(sum((gradient ** 2).sum() for gradient in result["gradient"].values()))
        assert norm > OPTIONS["max_grad_norm"], "clipping must act, or it is not tested"
        for name, value in weights.items():
            gradient = result["gradient"][name] * (OPTIONS["max_grad_norm"] / (norm + 1e-6))
            if not name.endswith("bias") and "layernorm" not in name:
                value *= 1 - OPTIONS["learning_rate"] * OPTIONS["weight_decay"]
            m[name] += (1 - OPTIONS["beta1"]) * (gradient - m[name])
            v[name] += (1 - OPTIONS["beta2"]) * (gradient ** 2 - v[name])
            denominator = np.sqrt(v[name] / (1 - OPTIONS["beta2"] ** step)) + OPTIONS["epsilon"]
            value -= OPTIONS["learning_rate"] / (1 - OPTIONS["beta1"] ** step) * m[name] / denominator
    return losses


def generator_line():
    versions = f"python {platform.python_version()}, numpy {np.__version__}, safetensors {safetensors.__version__}"
    return f"python tools/goldens/glm_reference.py ({versions})"


def write_case(name, config, seed, make_streams, root):
    directory = root / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    dtype = np.dtype(config["torch_dtype"])
    weights = random_weights(config, generator, dtype)
    streams = make_streams(config, generator)
    check_gradients(config, weights, streams, generator)
    result = run(config, weights, streams)
    losses = adamw_losses(config, weights, streams)

    save = lambda tensors, file: safetensors.numpy.save_file(tensors, directory / file, metadata={"format": "pt"})
    save({key: value.astype(dtype) for key, value in weights.items()}, "model.safetensors")
    save({key: value.astype(np.float32) for key, value in result["gradient"].items()}, "gradients.safetensors")
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (directory / "streams.jsonl").write_text("".join(json.dumps(stream) + "\n" for stream in streams))
    nothing = [[] for _ in streams]
    expected = {"generator": generator_line(), "loss": float(result["loss"]),
                "terms": {"token": {"sum": float(result["sum"]), "weight": result["weight"]},
                          "label": {"sum": 0.0, "weight": 0.0}},
                "surprisal": [surprisal.tolist() for surprisal in result["surprisal"]], "label_surprisal": nothing,
                "predicted": result["predicted"], "label_predicted": nothing,
                "adamw": {**OPTIONS, "no_decay": "biases and norms", "losses": losses}}
    (directory / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    for file in directory.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone
    print(f"{name}: loss {expected['loss']:.6f}, AdamW {losses[0]:.6f} -> {losses[-1]:.6f}, {len(weights)} tensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "tests/golden/models"
    parser.add_argument("--out", type=Path, default=default, help="default: %(default)s")
    arguments = parser.parse_args()
    write_case("glm", GLM, 11, glm_streams, arguments.out)
    write_case("glm-1d", GLM_1D, 12, glm_streams, arguments.out)
    write_case("glm-130b-f16", GLM_130B, 13, glm_130b_streams, arguments.out)


if __name__ == "__main__":
    main()
