"""The loss of a list of streams under a `transformers` model, as `surprisal loss --streams` defines it.

A stream is a dict with the keys of the project's JSON lines. The loss of all lines together is
    sum over the terms k (token targets, labels) of  (sum of weight * surprisal) / (sum of weight)
and the surprisal of a target is -log p(id) at its row, in nats; of a regression's label it is the squared error.
"""

import json
from dataclasses import dataclass

import torch


class UnsupportedStream(ValueError):
    """The stream says something that this model in `transformers` cannot express."""


@dataclass
class Loss:
    loss: torch.Tensor
    terms: dict  # "token" | "label" -> (sum, weight)
    surprisal: list  # per line: tensor [T]
    label_surprisal: list  # per line: tensor [S]
    predicted: list  # per line: tensor [T], the most probable ids
    label_predicted: list  # per line: tensor [S], the most probable classes

    def to_json(self):
        return {
            "loss": self.loss.item(),
            "terms": {k: {"sum": s.item(), "weight": w.item()} for k, (s, w) in self.terms.items()},
            "surprisal": [s.tolist() for s in self.surprisal],
            "label_surprisal": [s.tolist() for s in self.label_surprisal],
        }


def read_streams(path):
    with open(path, encoding="utf-8") as file:
        streams = [json.loads(line) for line in file if line.strip()]
    return [with_defaults(stream) for stream in streams]


def with_defaults(stream):
    size = len(stream["token"])
    full = dict(stream)
    full.setdefault("position", [i - begin for i, (begin, _) in enumerate(stream["visible"])])
    full.setdefault("segment", [0] * size)
    full.setdefault("target", [])
    full.setdefault("label", [])
    if any(full.get("block_position", [])):
        raise UnsupportedStream("block positions: no model here has them")
    return full


def native_mask(stream, causal):
    """Whether the model's own mask, with nothing passed to it, is what the stream says."""
    size = len(stream["token"])
    own = [[0, i + 1 if causal else size] for i in range(size)]
    # `transformers` takes a jump in the positions for the start of another sequence and masks across it.
    steps = {b - a for a, b in zip(stream["position"], stream["position"][1:])}
    return stream["visible"] == own and steps <= {1}


def additive_mask(stream, dtype):
    """[1, 1, N, N]: 0 where row i may attend to key j, the least number elsewhere."""
    if any(begin >= end for begin, end in stream["visible"]):
        raise UnsupportedStream("a row that sees nothing: softmax over no keys is undefined in `transformers`")
    keys = torch.arange(len(stream["token"]))
    interval = torch.tensor(stream["visible"])
    seen = (keys >= interval[:, :1]) & (keys < interval[:, 1:])
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)
    return mask[None, None]


def labelled_rows(scores, row, size):
    """[N, C], of which one row was scored."""
    rows = scores.new_full((size, scores.shape[-1]), torch.nan)
    return torch.cat([rows[:row], scores, rows[row + 1:]])


def logits(model, stream):
    """(vocabulary logits [N, V] or None, label logits [N, C] or None, NaN where the model scores no label)."""
    size, kind = len(stream["token"]), type(model).__name__
    causal = model.config.model_type in ("gpt2", "llama", "qwen2")
    # RoBERTa counts positions from behind its padding token; a stream counts from 0.
    first = model.config.pad_token_id + 1 if model.config.model_type == "roberta" else 0
    arguments = {
        "input_ids": torch.tensor([stream["token"]]),
        "position_ids": torch.tensor([stream["position"]]) + first,
    }
    if not native_mask(stream, causal):
        arguments["attention_mask"] = additive_mask(stream, model.dtype)
    if causal and any(stream["segment"]):
        raise UnsupportedStream("segments: a decoder has none")
    more = {"use_cache": False} if causal else {"token_type_ids": torch.tensor([stream["segment"]])}
    output = model(**arguments, **more)
    if "SequenceClassification" in kind:
        return None, labelled_rows(output.logits, size - 1 if causal else 0, size)
    if "TokenClassification" in kind:
        return None, output.logits[0]
    if "prediction_logits" not in output:
        return output.logits[0], None
    return output.prediction_logits[0], labelled_rows(output.seq_relationship_logits, 0, size)


def surprisals(scores, answers):
    """Of each [row, answer, weight]: -log p, the weight, and the most probable answer."""
    rows = torch.tensor([row for row, _, _ in answers], dtype=torch.long)
    right = torch.tensor([answer for _, answer, _ in answers], dtype=torch.long)
    weight = torch.tensor([weight for _, _, weight in answers], dtype=scores.dtype)
    log_p = torch.log_softmax(scores[rows], dim=-1)
    return -log_p.gather(1, right[:, None])[:, 0], weight, log_p.argmax(dim=1)


def label_surprisals(scores, stream, dtype):
    if not stream["label"]:
        return surprisals(torch.zeros(1, 2, dtype=dtype), [])
    if scores is None:
        raise UnsupportedStream("labels: the model has no head for them")
    if any(scores[row].isnan().any() for row, *_ in stream["label"]):
        raise UnsupportedStream("a label elsewhere than on the row that the model pools")
    if scores.shape[-1] > 1:
        return surprisals(scores, stream["label"])
    labels = [(*label, 0.0)[:4] for label in stream["label"]]  # a value of 0 is left out
    rows, value = [row for row, *_ in labels], torch.tensor([value for *_, value in labels]).to(dtype)
    weight = torch.tensor([weight for _, _, weight, _ in labels], dtype=dtype)
    return (value - scores[rows, 0]) ** 2, weight, torch.zeros(0, dtype=torch.long)


def stream_loss(model, streams):
    lines = {"token": [], "label": []}
    for stream in streams:
        vocabulary, labelled = logits(model, stream)
        if vocabulary is None:
            vocabulary = torch.zeros(len(stream["token"]), 2, dtype=model.dtype)
            if stream["target"]:
                raise UnsupportedStream("targets: a classifier has no vocabulary head")
        lines["token"].append(surprisals(vocabulary, stream["target"]))
        lines["label"].append(label_surprisals(labelled, stream, model.dtype))
    terms, loss = {}, torch.zeros((), dtype=model.dtype)
    for name, pairs in lines.items():
        total = sum((surprisal * weight).sum() for surprisal, weight, _ in pairs)
        weight = sum(weight.sum() for _, weight, _ in pairs)
        terms[name] = (total, weight)
        if weight > 0:
            loss = loss + total / weight
    token, label = lines["token"], lines["label"]
    return Loss(loss, terms, [s for s, _, _ in token], [s for s, _, _ in label], [p for _, _, p in token],
                [p for _, _, p in label])
