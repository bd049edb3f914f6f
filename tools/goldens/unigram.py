"""Goldens of Unigram tokenizers: what Hugging Face `tokenizers` makes of the 2,000 hard strings of tokenizers.py.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3
    python tools/goldens/unigram.py [--out DIR]     # tests/golden/tokenizers

Each directory holds a tokenizer.json as those of a family are put together: T5, XLM-R, ALBERT, mBART (with byte
fallback, which its own lacks). unigram.json.gz holds for each of them what strings.json.gz holds for the others. The
table of the Precompiled normalizers is sentencepiece's, of rules small enough to be committed.
"""

import argparse
import collections
import gzip
import io
import json
import math
import pathlib
import sys
import tempfile
import unicodedata

sys.path.pop(0)  # tokenizers.py stands beside this file
import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

VERSION = "0.23.3"
SENTENCEPIECE_VERSION = "0.2.3"
OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/tokenizers"


def rules():
    """NFKC of some blocks, character by character and composed; blanks of every kind; controls to nothing."""
    table = {}
    blocks = [(0xA0, 0x180), (0x2000, 0x2070), (0x2100, 0x2190), (0x2460, 0x2500), (0x3040, 0x3100), (0x3200, 0x3230),
              (0xFB00, 0xFB20), (0xFDF0, 0xFDFB), (0xFE30, 0xFE70), (0xFF00, 0xFFF0)]
    for c in (chr(c) for first, last in blocks for c in range(first, last)):
        for form in (c, unicodedata.normalize("NFD", c)):
            if unicodedata.normalize("NFKC", form) != form:
                table[form] = unicodedata.normalize("NFKC", form)
    for c in range(0xFF66, 0xFF9E):  # half-width katakana with a mark
        for mark in "\uff9e\uff9f":
            table[chr(c) + mark] = unicodedata.normalize("NFKC", chr(c) + mark)
    table.update({c: " " for c in "\t\n\r\u200b\u200e\u3000\ufeff"})
    table.update({chr(c): "" for c in [*range(1, 9), *range(0xE, 0x20), 0x7F]})
    return table


def charsmap():
    def points(text):
        return " ".join(f"{ord(c):x}" for c in text)

    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.write("".join(f"{points(a)}\t{points(b)}\n" for a, b in sorted(rules().items())))
        file.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c"] * 9), model_writer=model, vocab_size=8, hard_vocab_limit=False,
            normalization_rule_tsv=file.name, minloglevel=2)
    fields = list(messages(model.getvalue()))
    normalizer = next(value for number, value in fields if number == 3)
    return next(value for number, value in messages(normalizer) if number == 2)


def messages(data):
    """(number, bytes) of the fields of a protocol buffer that hold bytes."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    at = 0
    while at < len(data):
        key = varint()
        if key & 7 == 2:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size
        elif key & 7 == 0:
            varint()
        else:
            at += {1: 8, 5: 4}[key & 7]


def pieces(text, normalizer, pre_tokenizer, specials, size):
    """Specials, then characters and frequent parts of words with the logarithm of their share."""
    counts = collections.Counter()
    for line in text.splitlines():
        for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(line) if normalizer else line):
            for begin in range(len(word)):
                counts.update(word[begin:end] for end in range(begin + 1, min(len(word), begin + 7) + 1))
    single = sorted(piece for piece in counts if len(piece) == 1)[::2] + ["▁"]  # every second one: others are unknown
    frequent = sorted((p for p in counts if len(p) > 1), key=lambda p: (-counts[p] * len(p), p))[:size]
    total = sum(counts.values())
    return [(special, 0.0) for special in specials] + [
        (piece, round(math.log(counts[piece] / total), 4)) for piece in dict.fromkeys(single + frequent) if piece not in specials]


def build(text, specials, normalizer, pre_tokenizer, decoder, unknown, **options):
    vocabulary = pieces(text, normalizer, pre_tokenizer, specials, 700)
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=specials.index(unknown), **options))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens([s for s in specials if not s.startswith("<0x") and s != "<mask>"])
    return tokenizer


def template(tokenizer, single, pair):
    ids = tokenizer.get_vocab()
    tokens = dict.fromkeys(piece.split(":")[0] for piece in (single + " " + pair).split() if not piece.startswith("$"))
    special = [(token, ids[token]) for token in tokens]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=special)
    return tokenizer


def make_t5(text, table):
    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer = build(text, ["<pad>", "</s>", "<unk>"], normalizers.Precompiled(table), split, decoders.Metaspace(), "<unk>")
    tokenizer.add_special_tokens([f"<extra_id_{i}>" for i in range(5)])
    return template(tokenizer, "$A </s>", "$A </s> $B </s>")


def make_xlm_roberta(text, table):
    normalizer = normalizers.Sequence([normalizers.Precompiled(table), normalizers.Strip(left=False, right=True),
                                       normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer = build(text, ["<s>", "<pad>", "</s>", "<unk>"], normalizer, pre_tokenizers.Metaspace(), decoders.Metaspace(), "<unk>")
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    return template(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>")


def make_albert(text, table):
    normalizer = normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
        normalizers.Lowercase(), normalizers.Precompiled(table), normalizers.Replace(Regex(" {2,}"), " ")])
    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer = build(text, ["<pad>", "<unk>", "[CLS]", "[SEP]"], normalizer, split, decoders.Metaspace(), "<unk>")
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, special=True, normalized=False)])
    return template(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")


def make_mbart(text, table):
    specials = ["<s>", "<pad>", "</s>", "<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    whole = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                 decoders.Strip(content=" ", left=1)])
    tokenizer = build(text, specials, normalizers.Precompiled(table), whole, decoder, "<unk>", byte_fallback=True)
    tokenizer.add_special_tokens(["en_XX", "zh_CN"])
    return template(tokenizer, "$A </s> en_XX", "$A $B </s> en_XX")


def goldens(tokenizer, strings):
    marked, plain = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
    at = next(i for i in range(len(marked)) if marked[i:i + len(plain)] == plain)
    result = {"before": marked[:at], "after": marked[at + len(plain):], "ids": [], "text": []}
    for text in strings:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        decoded = tokenizer.decode(ids, skip_special_tokens=False)
        result["ids"].append(ids)
        result["text"].append(None if decoded == text else decoded)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=OUT, help="directory that the goldens go to")
    out = parser.parse_args().out
    assert tokenizers.__version__ == VERSION, tokenizers.__version__
    assert sentencepiece.__version__ == SENTENCEPIECE_VERSION, sentencepiece.__version__
    strings = json.loads(gzip.decompress((OUT / "strings.json.gz").read_bytes()))["strings"]
    text, table = "\n".join(s for s in strings if len(s) > 30), charsmap()
    result = {"version": 2, "command": "python tools/goldens/unigram.py", "tokenizers": VERSION}
    for make in (make_t5, make_xlm_roberta, make_albert, make_mbart):
        name = make.__name__.removeprefix("make_")
        (out / name).mkdir(parents=True, exist_ok=True)
        path = out / name / "tokenizer.json"
        path.write_text(make(text, table).to_str(pretty=False) + "\n", encoding="utf-8")
        result[name] = goldens(Tokenizer.from_file(str(path)), strings)
    data = json.dumps(result, separators=(",", ":"), ensure_ascii=False) + "\n"
    (out / "unigram.json.gz").write_bytes(gzip.compress(data.encode(), 9, mtime=0))


main()
