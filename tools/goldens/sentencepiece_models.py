"""Goldens of SentencePiece models: small models of every kind, and what the library makes of 1 MB of mixed text.

    pip install sentencepiece==0.2.3; apt-get install debian-reference-en debian-reference-zh-cn
    python tools/goldens/sentencepiece_models.py [--out DIR]     # tests/golden/sentencepiece

text.txt.gz holds the lines that are no mixtures; tests/text/sentencepiece_goldens_test.cc makes the rest of the megabyte
of them as mixtures() does. The models come without their tables of characters, two of which serve all of them
(*.charsmap.gz); a protocol buffer takes a field that is appended. expected.json holds for each model a checksum per 64
lines of the ids and of the text that decoding gives.
"""

import argparse
import gzip
import io
import json
import pathlib
import struct
import zlib

import sentencepiece

VERSION = "0.2.3"
ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = "/usr/share/debian-reference/debian-reference.{}.txt.gz"
MEGABYTE, BLOCK, SIZE = 1_000_000, 64, 1200
CONTROLS = ("<s>", "</s>", "<unk>", "<pad>", "<ctl>")  # the library takes them as text, we as what they name

MODELS = {
    "unigram_nmt_nfkc": dict(model_type="unigram", user_defined_symbols=["<n>", "the", "语言", "a b", "▁x"]),
    "unigram_bytes": dict(model_type="unigram", normalization_rule_name="identity", byte_fallback=True,
                          remove_extra_whitespaces=False, add_dummy_prefix=False),
    "unigram_nfkc_cf": dict(model_type="unigram", normalization_rule_name="nfkc_cf", byte_fallback=True,
                            user_defined_symbols=["<n>", "[X]", "HTML"], control_symbols=["<ctl>"]),
    "unigram_suffix": dict(model_type="unigram", normalization_rule_name="identity", treat_whitespace_as_suffix=True),
    "unigram_unused": dict(model_type="unigram", normalization_rule_name="identity", remove_extra_whitespaces=False),
    "bpe_nmt_nfkc": dict(model_type="bpe", user_defined_symbols=["<n>", "the", "语言", "a b"], pad_id=3),
    "bpe_llama": dict(model_type="bpe", normalization_rule_name="identity", byte_fallback=True,
                      remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True),
    "bpe_nfkc_cf": dict(model_type="bpe", normalization_rule_name="nfkc_cf", byte_fallback=True,
                        add_dummy_prefix=False, user_defined_symbols=["<n>", "[X]"]),
    "bpe_unused": dict(model_type="bpe", normalization_rule_name="identity", remove_extra_whitespaces=False,
                       split_by_whitespace=False),
}


def base_lines():
    lines = []
    for language in ("en", "zh-cn"):
        text = gzip.open(REFERENCE.format(language), "rt", encoding="utf-8").read()
        lines += text[150_000:400_000 if language == "en" else 270_000].splitlines()
    hard = json.loads(gzip.open(ROOT / "tests/golden/tokenizers/strings.json.gz").read())["strings"]
    lines += [string.replace("\n", "\v") for string in hard]
    return [line for line in lines if not any(control in line for control in CONTROLS)]


SEPARATORS = ["", " ", "  ", "\t", "😀", "\x01", "   ", "a b", "\u3000", "<n>", "…", " the ", "[X]", "か\u3099"]


def mixtures(lines):
    """The lines, and then parts of them side by side, up to a megabyte."""
    lines, base, size, state = list(lines), list(lines), 0, 1

    def draw(below):
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % below

    size = sum(len(line.encode()) + 1 for line in lines)
    while size < MEGABYTE:
        parts = []
        for _ in range(1 + draw(6)):
            characters = base[draw(len(base))]
            begin = draw(len(characters) + 1)
            parts += [characters[begin:begin + 1 + draw(40)], SEPARATORS[draw(len(SEPARATORS))]]
        lines.append("".join(parts))
        size += len(lines[-1].encode()) + 1
    return lines


def fields(data):
    """(number, kind, value, end) of the fields of a protocol buffer."""
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
        if key & 7 == 0:
            value = varint()
        else:
            size = varint() if key & 7 == 2 else {1: 8, 5: 4}[key & 7]
            value = data[at:at + size]
            at += size
        yield key >> 3, key & 7, value


def encoded(number, kind, value):
    def varint(n):
        result = bytearray()
        while n > 127:
            result.append(n & 127 | 128)
            n >>= 7
        return bytes(result) + bytes([n])

    body = varint(value) if kind == 0 else (varint(len(value)) if kind == 2 else b"") + value
    return varint(number << 3 | kind) + body


def without(message, number):
    kept = b"".join(encoded(*field) for field in fields(message) if field[0] != number)
    return kept, next((value for found, _, value in fields(message) if found == number), b"")


def mark_unused(data):
    """Every seventh piece of several characters becomes one that is not used."""
    result, count = b"", 0
    for number, kind, value in fields(data):
        if number == 1:
            piece = dict((n, v) for n, _, v in fields(value))
            count += 1
            if 3 not in piece and len(piece[1].decode()) > 1 and count % 7 == 0:
                value += encoded(3, 0, 5)
        result += encoded(number, kind, value)
    return result


def train(lines, name):
    data = io.BytesIO()
    options = dict(vocab_size=SIZE, character_coverage=0.98, num_threads=1, minloglevel=2)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=data, **{**options, **MODELS[name]})
    return mark_unused(data.getvalue()) if name.endswith("unused") else data.getvalue()


def checksums(model, lines):
    result = {"ids": [], "text": []}
    for begin in range(0, len(lines), BLOCK):
        ids = [model.encode(line) for line in lines[begin:begin + BLOCK]]
        result["ids"].append(zlib.crc32("".join(" ".join(map(str, line)) + "\n" for line in ids).encode()))
        result["text"].append(zlib.crc32("".join(model.decode(line) + "\n" for line in ids).encode()))
    return result


def split_charsmap(data):
    """The file without its table of characters, and the table."""
    model, normalizer = without(data, 3)
    normalizer, charsmap = without(normalizer, 2)
    return model + encoded(3, 2, normalizer), charsmap


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "tests/golden/sentencepiece", help="where to")
    out = parser.parse_args().out
    assert sentencepiece.__version__ == VERSION, sentencepiece.__version__
    out.mkdir(parents=True, exist_ok=True)
    base = base_lines()
    lines = mixtures(base)
    expected = {"version": 1, "command": "python tools/goldens/sentencepiece_models.py", "sentencepiece": VERSION,
                "lines": len(lines), "separators": SEPARATORS, "models": {}}
    for name, options in MODELS.items():
        data = train([line for line in base if line.strip()], name)
        model = sentencepiece.SentencePieceProcessor(model_proto=data)
        file, charsmap = split_charsmap(data)
        rules = options.get("normalization_rule_name", "nmt_nfkc")
        (out / f"{name}.model").write_bytes(file)
        if charsmap:
            (out / f"{rules}.charsmap.gz").write_bytes(gzip.compress(charsmap, 9, mtime=0))
        expected["models"][name] = {"charsmap": rules if charsmap else None, **checksums(model, lines)}
        print(name, len(file), len(charsmap))
    (out / "text.txt.gz").write_bytes(gzip.compress("\n".join(base).encode(), 9, mtime=0))
    (out / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
