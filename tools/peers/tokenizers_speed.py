#!/usr/bin/env python3
"""Times Hugging Face `tokenizers` and bench/tokenizer on the same text with the same tokenizers, in turns.

    python tools/peers/tokenizers_speed.py --bench build/bench/tokenizer [--threads 2] [--megabytes 20] [--no-training]

The text is Debian's own reference manual in English and Chinese (package debian-reference), whole chapters in turns,
repeated until there is enough of it. Each repetition has every tenth word put together from halves of two others and
every tenth Chinese character exchanged for another, so that not all words have been seen before.

Prints of both sides the median and range of seconds, the median of a core's seconds (of all threads together), MB/s by
the latter, and the ratios of the medians. On a machine that does other work too, a core's seconds are the fairer ones.
Each repetition times both, one after the other. Stops where the ids of
the two sides differ. Environment: tools/goldens/README.md. Not run by CI.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import tempfile
import time

MANUAL = "/usr/share/debian-reference/debian-reference.{}.txt.gz"
PIECE = re.compile(r"[A-Za-z]{4,}|[\u4e00-\u9fff]")
KINDS = ("bpe", "wordpiece")


def chapters(language):
    text = gzip.open(MANUAL.format(language), "rt", encoding="utf-8").read()
    return re.split(r"(?m)^(?=Chapter \d|第 \d+ 章)", text)


def varied(text, words, han, rng):
    def exchange(match):
        piece = match.group()
        if rng.random() > 0.1:
            return piece
        if len(piece) == 1:
            return rng.choice(han)
        return piece[: len(piece) // 2] + rng.choice(words)[2:]
    return PIECE.sub(exchange, text)


def write_text(path, size):
    rng = random.Random(1)
    manuals = [chapters(language) for language in ("en", "zh-cn")]
    pieces = PIECE.findall("".join(manuals[0] + manuals[1]))
    words, han = [p for p in pieces if len(p) > 1], [p for p in pieces if len(p) == 1]
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        while written < size:
            for english, chinese in zip(*manuals):
                for chapter in (english, chinese):
                    written += len(chapter.encode())
                    file.write(varied(chapter, words, han, rng))


def untrained(kind):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def trainer(kind, entries):
    from tokenizers import pre_tokenizers, trainers
    if kind == "bpe":
        return trainers.BpeTrainer(vocab_size=entries, special_tokens=["<|endoftext|>"], show_progress=False,
                                   initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return trainers.WordPieceTrainer(vocab_size=entries, show_progress=False,
                                     special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])


class Timer:
    """Seconds of the clock and of a core between two moments."""

    def __enter__(self):
        self.begin = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.times = time.perf_counter() - self.begin[0], time.process_time() - self.begin[1]


def trained(kind, text, entries):
    """(tokenizer, times)."""
    tokenizer, teacher = untrained(kind), trainer(kind, entries)
    with Timer() as timer:
        tokenizer.train([str(text)], teacher)
    return tokenizer, timer.times


def checksum(encodings):
    """As in bench/tokenizer.cc: of the ids of all lines end to end."""
    import numpy
    ids = numpy.concatenate([numpy.array(e.ids, numpy.uint64) for e in encodings])
    return int((ids * (numpy.arange(len(ids), dtype=numpy.uint64) % numpy.uint64(65521) + numpy.uint64(1))).sum())


def encode(tokenizer, lines, fast):
    """(checksum, times)."""
    call = tokenizer.encode_batch_fast if fast else tokenizer.encode_batch
    with Timer() as timer:
        encodings = call(lines, add_special_tokens=False)
    return checksum(encodings), timer.times


def ours(arguments, *options):
    """The JSON line that bench/tokenizer prints, and the times in it."""
    command = [arguments.bench, "--json", "--repetitions", "1", "--threads", str(arguments.threads), *map(str, options)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    return result, (result["seconds"], result["cpu_seconds"])


def report(what, theirs, own, size):
    def say(name, times):
        wall, cpu = ([t[i] for t in times] for i in (0, 1))
        print(f"  {name:<10} median {statistics.median(wall):7.3f} s [{min(wall):.3f}, {max(wall):.3f}], on a core "
              f"{statistics.median(cpu):7.3f} s [{min(cpu):.3f}, {max(cpu):.3f}], "
              f"{size / statistics.median(cpu) / 1e6:5.1f} MB/s a core")
    print(what)
    say("tokenizers", theirs)
    say("surprisal", own)
    wall, cpu = (statistics.median(t[i] for t in theirs) / statistics.median(t[i] for t in own) for i in (0, 1))
    print(f"  ratio {wall:.2f}, of a core's seconds {cpu:.2f}", flush=True)


def time_encoding(kind, tokenizer, text, folder, arguments):
    lines = [line for line in text.read_text(encoding="utf-8").split("\n") if line]
    size = sum(len(line.encode()) for line in lines)
    times = {"encode_batch": [], "encode_batch_fast": [], "surprisal": []}
    for _ in range(arguments.repeat):
        for name in ("encode_batch", "encode_batch_fast"):
            expected, taken = encode(tokenizer, lines, name.endswith("fast"))
            times[name].append(taken)
        result, taken = ours(arguments, "--text", text, "--tokenizer", folder)
        if result["checksum"] != expected:
            raise SystemExit(f"{kind}: the ids differ")
        times["surprisal"].append(taken)
    for name in ("encode_batch", "encode_batch_fast"):
        report(f"{kind}, {name}, {arguments.threads} threads, {len(lines)} lines, {size / 1e6:.1f} MB", times[name],
               times["surprisal"], size)


def time_training(kind, text, arguments):
    theirs, own = [], []
    for _ in range(arguments.repeat):
        theirs.append(trained(kind, text, arguments.vocab_size)[1])
        own.append(ours(arguments, "--text", text, "--train", kind, "--vocab-size", arguments.vocab_size)[1])
    size = text.stat().st_size
    report(f"{kind}, training {arguments.vocab_size} entries, {arguments.threads} threads, {size / 1e6:.1f} MB", theirs,
           own, size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program bench/tokenizer")
    parser.add_argument("--kind", action="append", choices=KINDS, help="which, all unless given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--vocab-size", type=int, default=30000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--no-training", action="store_true", help="time encoding alone")
    parser.add_argument("--folder", type=pathlib.Path, help="keep text and tokenizers here, and take them from here")
    arguments = parser.parse_args()
    # Read by the library when it is loaded.
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        text = folder / "text.txt"
        if not text.exists():
            write_text(text, arguments.megabytes * 1e6)
        for kind in arguments.kind or KINDS:
            measure(kind, text, folder / kind, arguments)


def measure(kind, text, folder, arguments):
    import tokenizers
    folder.mkdir(exist_ok=True)
    if not (folder / "tokenizer.json").exists():
        trained(kind, text, arguments.vocab_size)[0].save(str(folder / "tokenizer.json"))
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    print(f"tokenizers {tokenizers.__version__}, load {os.getloadavg()[0]:.1f}")
    time_encoding(kind, tokenizer, text, folder, arguments)
    if not arguments.no_training:
        time_training(kind, text, arguments)


if __name__ == "__main__":
    main()
