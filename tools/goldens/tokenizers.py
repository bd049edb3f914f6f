"""Goldens of tests/text/: small tokenizers of Hugging Face `tokenizers`, and what it makes of hard strings.

    pip install tokenizers==0.23.3
    python tools/goldens/tokenizers.py [--out DIR]     # tests/golden/tokenizers

strings.json holds for every tokenizer the ids of each string without and with the post-processor, and the text that
decoding the former gives. code_points.json holds a checksum per 4096 code points of what normalizer and pre-tokenizer
do to each of them in a few contexts.
"""

import argparse
import collections
import json
import pathlib
import random
import sys
import zlib

sys.path.pop(0)  # this file is a tokenizers.py too
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VERSION = "0.23.3"
OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/tokenizers"
BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

TEXT = """\
The surprisal of a token is the negative logarithm of its probability given what may be seen. Every loss of a
language model is a weighted sum of surprisals, and that one sentence is the whole architecture. Models differ in
what is predicted and in what may be seen, and in nothing else. I'm sure you're right; they've said it'll do, but we
don't know that he'd agree. It's 10:45 on the 3rd of May 2024, and 1,234,567.89 isn't 42.
Don't panic! Can't stop? Won't stop: "quotes", (brackets), [square], {curly}, <tags/>, a/b, c\\d, e_f, g-h, i+j=k.
Der Fluß fließt über die Brücke; naïve café, façade, jalapeño, Ångström, Øresund, Łódź, crème brûlée, São Paulo.
Съешь же ещё этих мягких французских булок, да выпей чаю. Ο Όμηρος έγραψε την Ιλιάδα και την Οδύσσεια, Σίσυφος ΣΟΦΟΣ.
שלום עולם, זה טקסט בעברית. مرحبا بالعالم، هذا نص عربي. नमस्ते दुनिया, यह हिन्दी है। สวัสดีชาวโลก
语言模型的困惑度是交叉熵的指数。机器学习研究如何从数据中学习。中文字符没有空格。日本語の文章はひらがなとカタカナと漢字。
한국어 문장은 띄어쓰기가 있습니다. 대한민국 서울특별시. Việt Nam đất nước, tiếng Việt có dấu.
def encode(text: str) -> list[int]:
    \treturn [token.id for token in tokenizer(text)]  # 4 spaces, then a tab
😀 😃 😄 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ ✈️ ① ② ½ ¾ ™ © ® € £ ¥ ∑ ∫ √ ≠ ≤ → ← … – — “smart” ‘quotes’ «guillemets»
The quick brown fox jumps over the lazy dog. THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG. Pack my box with five dozen.
learning learned learner learns relearn unlearning tokens tokenized tokenizer tokenization retokenizing
"""


def added(content, **flags):
    return AddedToken(content, special=flags.pop("special", False), **flags)


def train_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(TEXT.splitlines(keepends=True) * 2, trainer)
    tokenizer.add_tokens([added("<extra_0>", lstrip=True, rstrip=True, normalized=False), added("<extra>"),
                          added("ähm", single_word=True)])
    return tokenizer


def wordpiece_vocabulary(tokenizer):
    """Specials, characters, and the most frequent pieces: WordPieceTrainer gives another vocabulary in every run."""
    text = tokenizer.normalizer.normalize_str(TEXT)
    words = [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)]
    characters = sorted(set("".join(words)))
    counts = collections.Counter()
    for word in words:
        for begin in range(len(word)):
            prefix = "##" if begin else ""
            counts.update(prefix + word[begin:end] for end in range(begin + 2, min(len(word), begin + 8) + 1))
    frequent = sorted(counts, key=lambda piece: (-counts[piece], piece))[:450]
    pieces = BERT_SPECIALS + characters + ["##" + c for c in characters] + frequent
    return {piece: id for id, piece in enumerate(dict.fromkeys(pieces))}


def make_wordpiece(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=lowercase)
    tokenizer.model = models.WordPiece(wordpiece_vocabulary(tokenizer), unk_token="[UNK]")
    tokenizer.add_special_tokens(BERT_SPECIALS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.add_tokens([added("Émile", normalized=True), added("New York", normalized=True, single_word=True),
                          added("<tab>", normalized=False, lstrip=True)])
    return tokenizer


HARD = [
    "", " ", "  ", "\n", "\r\n", "\t", "\n\n\n", " \n \t ", "a", " a", "a ", "  a  b  ", "\u00a0a\u00a0", "a\u3000b",
    "a\u2028b\u2029c", "a\u0085b", "\x0b\x0c", "\u1680a", "a\u200bb", "a\u180eb", "a\ufeffb", "\ufeffstart",
    "Hello, world!", "I'm you're they've he'd it'll don't WE'RE I'M", "'s 't 're", "''s", "l'été d'été", "x's's",
    "3.14159", "1,234,567.89", "10:45", "v1.2.3-rc4", "0x1F", "½ ¾ ² ³ ① Ⅷ ٣ ৩ 三", "a1b2c3", "1st2nd",
    "!!!", "?!?!", "...", "….", "— – -", "«a»", "“a”", "$ + < = > ^ ` | ~", "a$b+c<d=e>f^g`h|i~j", "!\"#$%&'()*+,-./",
    ":;<=>?@[\\]^_`{|}~", "a_b__c", "#hashtag @user", "https://example.org/a?b=c&d=e#f", "user@example.com", "C:\\dir\\f.txt",
    "naïve café", "nai\u0308ve cafe\u0301", "Å Å Å", "\u00c5 A\u030a \u212b", "e\u0301\u0323", "e\u0323\u0301", "ǖǘǚǜ", "ệ",
    "q\u0307\u0323", "q\u0323\u0307", "\u0301", "\u0301a", "a\u0301\u0302\u0303\u0304", "\u0344", "z" + "\u0300\u0323" * 40,
    "Straße STRASSE ẞ", "İstanbul ISTANBUL ıi", "i\u0307", "I\u0307", "ΣΊΣΥΦΟΣ Σ ΑΣ", "ǅ ǆ Ǆ", "ﬁ ﬂ ﬃ", "ſ", "K Å Ω", "Ⅷ ⅷ", "Ⓐ ⓐ",
    "Ǖ Ṩ Ệ", "Ђ Љ", "Ꭰ ꭰ", "Ა ა", "𐐀 𐐨", "ꙋ Ꙋ", "𝐀𝐁𝐂 𝒜", "ªº", "ŉ", "Ĳ ĳ",
    "语言模型", "中文and英文混排", "日本語ひらがなカタカナ", "ｶﾞｷﾞ", "がぎ", "か\u3099", "한국어", "\u1112\u1161\u11ab", "각\u11a8", "漢\ufe00字", "㐀㐁 䶵",
    "\U00020000\U0002a6df", "\U0002a700\U0002b81f", "\U0002b820\U0002b91f", "\U0002b920\U0002ceaf", "豈更車", "\U0002f800丽", "〇", "々〆",
    "，。！？；：「」『』（）", "、・", "ＡＢＣ１２３！", "～", "〜", "㍿", "⿰", "、。a，b", "中 文", "中\u200b文", "a中b", "1中2", ".中.",
    "😀", "😀😃😄", "👍🏽", "👩\u200d👩\u200d👧\u200d👦", "🇩🇪🇫🇷", "❤\ufe0f", "❤", "☺️", "1\ufe0f\u20e3", "🏴\U000e0067\U000e0062\U000e0065\U000e007f", "a😀b", " 😀 ",
    "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مَرْحَبًا", "abc שלום def", "\u202eabc\u202c", "\u200fא\u200e", "\u061c", "لا", "ﷺ", "٠١٢٣", "۰۱۲۳",
    "नमस्ते", "क्ष", "कि", "हिन्दी में", "বাংলা", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල", "ไทย", "สวัสดี", "ລາວ", "བོད་སྐད།", "မြန်မာ", "ខ្មែរ", "ქართული", "Հայերեն", "አማርኛ", "ᏣᎳᎩ", "ᐃᓄᒃ", "ᚠᚢᚦ", "ꦗꦮ", "𒀀𒁀", "𓀀", "𐎀",
    "ᄀ", "ᆨ", "ᅡ", "\u302e\u302f", "\U00016ff0", "\U0001d15e\U0001d165\U0001d16e", "𑄮", "\U00011938", "\u1734\u1735",
    "\x00", "a\x00b", "\x01\x02\x1f", "\x7f", "\x80\x9f", "a\x1bb", "\x08", "\x00\x00", "a\u00adb", "\ufffd", "a\ufffdb", "\ufffe\uffff", "\ufdd0",
    "\ue000", "a\ue000b", "\U000f0000", "\U0010ffff", "\U000e0001", "\U000e0100", "\u0378", "\u0600", "\u06dd", "\u08e2", "\u0890",
    "\u2060\u2061\u206f", "\ufff9\ufffb", "\U0001d173", "\U000110bd", "\U000110cd", "\u200c\u200d", "a\u200db", "ک\u200cی",
    "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>", "<|endoftext|", "<<|endoftext|>>", "<|ENDOFTEXT|>", "\n<|endoftext|>\n",
    "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "a[MASK]b", "a [MASK] b.", "[mask]", "[MASK][MASK]", "[[MASK]]", "[MASK", "[ MASK ]", "[CLS] a [SEP] b [SEP]", "[M\u0301ASK]", "[ＭASK]",
    "<extra_0>", "a <extra_0> b", "a\u2003<extra_0>\n\nb", "<extra>", "a <extra> b", "<extra_0", "<extra_0><extra>", " <extra_0>  <extra_0> ", "ähm", "ähm.", " ähm,ähm", "ähmen", "_ähm", "1ähm", "ähm\u0301", "-ähm-", "a\u200dähm", "äh m",
    "Émile", "émile", "EMILE", "Emilelibre", "E\u0301mile", "lemile", "New York", "new york", "New  York", "New Yorker", "in NEW YORK.", "<tab>", "a  <tab>  b", "<TAB>", "\t<tab>",
    "a" * 50, "a" * 100, "a" * 101, "a" * 300, "ab" * 200, "0" * 200, " " * 100, " " * 99 + "a", "\n" * 70, "-" * 80, "=" * 65, "。" * 70, "é" * 101, "中" * 120, "😀" * 33, "the" * 40, "learning" * 20, "!?" * 50, "a\u0301" * 70,
    "##ing", "##", "a##b", "#", "unaffable", "retokenizing", "relearned", "Ġthe", "Ċ", "ĠĠ", "ÃĤ", "▁the", "</w>", "\u0120", "don t", "do not", "n't",
    "The quick brown fox jumps over the lazy dog.", "THE QUICK BROWN FOX", "tHe qUiCk", "def f(x):\n    return x\n", "if (a[i] != b->c) { d++; }", "<a href=\"b\">c</a>", "{\"a\": [1, 2.5e-3, null]}", "| a | b |\n|---|---|", "a\tb\tc", "a\r\nb\rc",
]


def random_strings(count):
    """Code points assigned in Unicode 14, a few ranges at a time, with blanks and special spellings between."""
    generator = random.Random(20240503)
    blocks = [(0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0x1E00, 0x1FFF),
              (0x2000, 0x206F), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFE00, 0xFFEF), (0x1F300, 0x1F6FF)]
    extras = [" ", " ", "\n", "  ", "'s", "[MASK]", "<|endoftext|>", "<extra>", "\u200d", "\u0301", "the", " learning"]
    strings = []
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(1, 12)):
            if generator.random() < 0.3:
                parts.append(generator.choice(extras))
            first, last = generator.choice(blocks)
            parts.append("".join(chr(generator.randint(first, last)) for _ in range(generator.randint(1, 5))))
        strings.append("".join(parts))
    return strings


def goldens(tokenizer, strings):
    result = []
    for text in strings:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        result.append({"ids": ids, "special": tokenizer.encode(text).ids,
                       "text": tokenizer.decode(ids, skip_special_tokens=False)})
    return result


def checksums(describe):
    sums = []
    for block in range(0, 0x110000, 0x1000):
        code_points = [c for c in range(block, block + 0x1000) if not 0xD800 <= c < 0xE000]
        sums.append(zlib.crc32("".join(describe(chr(c)) for c in code_points).encode()))
    return sums


def normalized(**parts):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    normalizer = normalizers.BertNormalizer(**{**off, **parts})
    return lambda c: normalizer.normalize_str(f"a{c}b") + "\n"


def words(pre_tokenizer):
    # What stands on either side decides whether the words join.
    contexts = ("a%sb", "1%s2", ".%s.", " %s a")
    return lambda c: "".join(
        "|".join(word for word, _ in pre_tokenizer.pre_tokenize_str(context % c)) + "\n" for context in contexts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=OUT, help="directory that the goldens go to")
    out = parser.parse_args().out
    assert tokenizers.__version__ == VERSION, tokenizers.__version__
    strings = HARD + random_strings(80)
    result = {"version": 1, "command": "python tools/goldens/tokenizers.py", "tokenizers": VERSION, "strings": strings}
    makers = {"bpe": train_bpe, "wordpiece_uncased": lambda: make_wordpiece(True),
              "wordpiece_cased": lambda: make_wordpiece(False)}
    for name, make in makers.items():
        directory = out / name
        directory.mkdir(parents=True, exist_ok=True)
        tokenizer = make()
        (directory / "tokenizer.json").write_text(tokenizer.to_str(pretty=False) + "\n", encoding="utf-8")
        result[name] = goldens(Tokenizer.from_file(str(directory / "tokenizer.json")), strings)
    (out / "strings.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
    code_points = {
        "version": 1, "command": result["command"], "tokenizers": VERSION,
        "clean": checksums(normalized(clean_text=True)), "chinese": checksums(normalized(handle_chinese_chars=True)),
        "accents": checksums(normalized(strip_accents=True)), "lowercase": checksums(normalized(lowercase=True)),
        "bert_words": checksums(words(pre_tokenizers.BertPreTokenizer())),
        "byte_level_words": checksums(words(pre_tokenizers.ByteLevel(add_prefix_space=False)))}
    (out / "code_points.json").write_text(json.dumps(code_points, separators=(",", ":")) + "\n")


main()
