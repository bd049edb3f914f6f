"""Goldens of tests/text/: small tokenizers of Hugging Face `tokenizers`, and what it makes of hard strings.

    pip install tokenizers==0.23.3 transformers==5.24.0
    python tools/goldens/tokenizers.py [--out DIR]     # tests/golden/tokenizers

Each directory holds a tokenizer in one of the layouts that people have; those without a tokenizer.json are read by
transformers' AutoTokenizer here. strings.json.gz holds for each of them the ids of every string without what the
post-processor adds, what that puts before and behind, and the text that decoding gives (null: the string itself).
code_points.json holds a checksum per 4096 code points of what normalizers and pre-tokenizers do to each of them in a
few contexts.
"""

import argparse
import collections
import gzip
import json
import os
import pathlib
import random
import sys
import unicodedata
import zlib

sys.path.pop(0)  # this file is a tokenizers.py too
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

VERSION = "0.23.3"
TRANSFORMERS_VERSION = "5.24.0"
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


SPLIT_LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
                r"\s*[\r\n]+|\s+(?!\S)|\s+")
SPLIT_QWEN2 = SPLIT_LLAMA3.replace("{1,3}", "")


def byte_level_bpe(size, specials, normalizer=None, pre_tokenizer=None, **options):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((TEXT + SCRIPTS).splitlines(keepends=True), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer.model = models.BPE(model["vocab"], merges, **options)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def write(directory, **files):
    for name, content in files.items():
        name = name.replace("__", ".")
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
        (directory / name).write_text(text, encoding="utf-8")


def make_bert(directory, lowercase):
    """vocab.txt, as Google's checkpoints have it: the cased one with tokens that were added later."""
    vocabulary = wordpiece_vocabulary(make_wordpiece(lowercase))
    config = {"do_lower_case": lowercase, "tokenizer_class": "BertTokenizer", "model_max_length": 512}
    write(directory, vocab__txt="\n".join(vocabulary) + "\n", tokenizer_config__json=config)
    if not lowercase:
        size = len(vocabulary)
        write(directory, added_tokens__json={"<new>": size, "Zürich": size + 1, "<note>": size + 2},
              special_tokens_map__json={"mask_token": {"content": "[MASK]", "lstrip": True, "rstrip": False,
                                                       "single_word": False, "normalized": False},
                                        "additional_special_tokens": ["<note>"]})


def make_vocab_json(directory, roberta):
    specials = ["<s>", "<pad>", "</s>", "<unk>"] if roberta else []
    tokenizer = byte_level_bpe(800, specials)
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = {**model["vocab"], ("<mask>" if roberta else "<|endoftext|>"): len(model["vocab"])}
    config = {"tokenizer_class": "RobertaTokenizer" if roberta else "GPT2Tokenizer", "add_prefix_space": roberta}
    if roberta:
        config["mask_token"] = {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False,
                                "single_word": False, "normalized": False, "special": True}
    write(directory, vocab__json=json.dumps(vocabulary, ensure_ascii=False), tokenizer_config__json=config,
          merges__txt="#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"]))


def make_modernbert():
    tokenizer = byte_level_bpe(900, [], normalizers.NFC())
    tokenizer.add_tokens([added("|||IP_ADDRESS|||"), *(added(" " * n, normalized=True) for n in range(8, 1, -1))])
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]",
                                  added("[MASK]", lstrip=True, normalized=False, special=True)])
    ids = tokenizer.get_vocab()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])])
    return tokenizer


def split_and_byte_level(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated", invert=False),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_llama3():
    tokenizer = byte_level_bpe(1000, [], pre_tokenizer=split_and_byte_level(SPLIT_LLAMA3), ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
        special_tokens=[("<|begin_of_text|>", begin)])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
    return tokenizer


def make_qwen2():
    tokenizer = byte_level_bpe(1000, [], normalizers.NFC(), split_and_byte_level(SPLIT_QWEN2))
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([added("<tool_call>", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def make_llama2():
    """SentencePiece's way in the components of tokenizers: blanks made visible, bytes for what is unknown."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=specials, limit_alphabet=120, show_progress=False)
    words = [word for line in TEXT.splitlines() for word in line.split()]
    tokenizer.train_from_iterator(words, trainer)
    root = json.loads(tokenizer.to_str())
    root["added_tokens"] = [token for token in root["added_tokens"] if not token["content"].startswith("<0x")]
    root["model"]["merges"] = [" ".join(merge) for merge in root["model"]["merges"]]
    tokenizer = Tokenizer.from_str(json.dumps(root))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def make_word_level():
    """One of every component that none of the others has."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip(),
        normalizers.Replace(Regex(r"[\p{Pd}\p{Pc}]"), "-"), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"(?<=\w)'|\b(?=\d)"), "merged_with_previous"),
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.Split("-", "merged_with_next", invert=False), pre_tokenizers.Whitespace()])
    tokenizer.decoder = decoders.BPEDecoder()
    trainer = trainers.WordLevelTrainer(vocab_size=500, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator(sorted((TEXT + SCRIPTS).splitlines()), trainer)
    words = sorted(tokenizer.get_vocab(), key=lambda word: (word != "<unk>", word))
    tokenizer.model = models.WordLevel({word: id for id, word in enumerate(words)}, unk_token="<unk>")
    return tokenizer


# "Debian is a free operating system", more or less, in the scripts of its installer and its documents.
SCRIPTS = """\
Debian is a free operating system (OS) for your computer; it comes with over 59000 packages.
ዴቢያን ነፃ የኮምፒዩተር ስርዓት ነው። دبيان نظام تشغيل حر لحاسوبك. Debian ye un sistema operativu llibre.
Дэбіян — гэта вольная аперацыйная сістэма. Дебиан е свободна операционна система. ডেবিয়ান একটি মুক্ত অপারেটিং সিস্টেম।
དེ་བི་ཡཱན་འདི་ རང་དབང་ཅན་གྱི་རིམ་ལུགས་ཅིག་ཨིན། Debian je svobodný operační systém. Debian är ett fritt operativsystem.
Το Debian είναι ένα ελεύθερο λειτουργικό σύστημα. Debian estas libera operaciumo por via komputilo, ĉu ne?
دبیان یک سیستم‌عامل آزاد است. Debian on vapaa käyttöjärjestelmä. Debian est un système d’exploitation libre, n’est‑ce pas ?
Córas oibriúcháin saor is ea Debian. ડેબિયન એ મુક્ત ઓપરેટિંગ સિસ્ટમ છે. דביאן היא מערכת הפעלה חופשית.
डेबियन एक मुक्त ऑपरेटिंग सिस्टम है। Debian egy szabad operációs rendszer. Դեբիանը ազատ օպերացիոն համակարգ է։
Debian er frjálst stýrikerfi, það er þitt. Debian は、フリーなオペレーティングシステム（OS）です。დებიანი თავისუფალი ოპერაციული სისტემაა.
Debian — бұл еркін операциялық жүйе. ដេបៀន​ជា​ប្រព័ន្ធ​ប្រតិបត្តិការ​សេរី។ ಡೆಬಿಯನ್ ಒಂದು ಮುಕ್ತ ಕಾರ್ಯಾಚರಣಾ ವ್ಯವಸ್ಥೆ.
데비안은 자유 운영 체제입니다. Debian sîstemeke xebatê ya azad e. ເດບຽນ ແມ່ນ ລະບົບ ປະຕິບັດການ. Debian yra laisva operacinė sistema.
Debian ir brīva operētājsistēma. Дебијан е слободен оперативен систем. ഡെബിയന്‍ ഒരു സ്വതന്ത്ര പ്രവര്‍ത്തക സംവിധാനമാണ്.
डेबियन ही एक मुक्त कार्यप्रणाली आहे. ဒီဘီယန်သည် အခမဲ့ လည်ပတ်ရေးစနစ် ဖြစ်သည်။ डेबियन एक स्वतन्त्र अपरेटिङ सिस्टम हो।
ਡੇਬੀਅਨ ਇੱਕ ਮੁਫ਼ਤ ਓਪਰੇਟਿੰਗ ਸਿਸਟਮ ਹੈ। Debian jest wolnym systemem operacyjnym; zażółć gęślą jaźń. O Debian é um sistema operacional livre.
Debian este un sistem de operare liber: învăță. Debian — это свободная операционная система. ඩේබියන් යනු නිදහස් මෙහෙයුම් පද්ධතියකි.
Debian je slobodný operačný systém. Дебијан је слободан оперативни систем. டெபியன் ஒரு கட்டற்ற இயங்குதளம்.
డెబియన్ ఒక స్వేచ్ఛా నిర్వాహక వ్యవస్థ. Дебиан системаи озод аст. เดเบียนเป็นระบบปฏิบัติการเสรี Debian özgür bir işletim sistemidir: Iğdır’da.
دېبىئان ئەركىن مەشغۇلات سىستېمىسى. Debian — це вільна операційна система. ڈیبین ایک آزاد آپریٹنگ سسٹم ہے۔
Debian là một hệ điều hành tự do. Debian 是一个自由的操作系统，包含五万多个软件包。Debian 是一套自由的作業系統。
"""

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


FLAGGED = ["[MASK]", " [MASK]", "<mask>", " <mask> ", "<|endoftext|>", "<extra>", " <extra_0> ", "ähm", "Zürich", "<new>", "<note>",
           "Émile", "New York", "<tab>", "[CLS]", "</s>", "<s>", "<unk>", "<|im_start|>", "<tool_call>", "|||IP_ADDRESS|||", "        ",
           "<|begin_of_text|>", "<0x41>", "▁", "</w>", "##ing"]


def random_strings(count):
    """Code points assigned in Unicode 14, a few ranges at a time, with words of every script and special spellings."""
    generator = random.Random(20240503)
    blocks = [(0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF),
              (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2100, 0x218F), (0x3040, 0x30FF), (0x3200, 0x33FF),
              (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFE00, 0xFFEF), (0x1D400, 0x1D7FF), (0x1F300, 0x1F6FF)]
    extras = [" ", " ", "\n", "  ", "\r\n", "\t", "'s", "'LL", "\u200d", "\u0301", "\u0327", "the", " learning", "2024", "1", "..."]
    words = (TEXT + SCRIPTS).split()

    def part():
        kind = generator.random()
        if kind < 0.25:
            return generator.choice(extras)
        if kind < 0.4:
            return generator.choice(FLAGGED)
        if kind < 0.65:
            return generator.choice(("", " ")) + generator.choice(words)
        first, last = generator.choice(blocks)
        code_points = [generator.randint(first, last) for _ in range(generator.randint(1, 4))]
        return "".join(chr(c) for c in code_points if unicodedata.category(chr(c)) != "Cn")

    return ["".join(part() for _ in range(generator.randint(1, 7))) for _ in range(count)]


def goldens(tokenizer, strings):
    before, after = [], []
    if tokenizer.post_processor:
        marked = tokenizer.encode("a").ids
        plain = tokenizer.encode("a", add_special_tokens=False).ids
        at = next(i for i in range(len(marked)) if marked[i:i + len(plain)] == plain)
        before, after = marked[:at], marked[at + len(plain):]
    result = {"before": before, "after": after, "ids": [], "text": []}
    for text in strings:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.encode(text).ids == before + ids + after, text
        decoded = tokenizer.decode(ids, skip_special_tokens=False)
        result["ids"].append(ids)
        result["text"].append(None if decoded == text else decoded)
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


def plain(normalizer):
    return lambda c: normalizer.normalize_str(f"a{c}b") + "\n"


# What patterns say of single code points, alone and in a class.
PATTERNS = [r"\w", r"[\w-]+", r"\b", r"\p{Lu}\p{Ll}*|\p{M}|\p{Nl}", r"[[:punct:]]", r"(?i:k|s)|\s",
            r"[\p{L}&&[^\p{Lu}]]"]


def layouts(out):
    """Writes every tokenizer to a directory of its own, and gives what Hugging Face reads from it."""
    makers = {"bpe": train_bpe, "wordpiece_uncased": lambda: make_wordpiece(True),
              "wordpiece_cased": lambda: make_wordpiece(False), "modernbert": make_modernbert, "llama3": make_llama3,
              "qwen2": make_qwen2, "llama2": make_llama2, "word_level": make_word_level}
    for name, make in makers.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        path = out / name / "tokenizer.json"
        path.write_text(make().to_str(pretty=False) + "\n", encoding="utf-8")
        yield name, Tokenizer.from_file(str(path))
    files = {"bert_uncased": lambda d: make_bert(d, True), "bert_cased": lambda d: make_bert(d, False),
             "gpt2": lambda d: make_vocab_json(d, False), "roberta": lambda d: make_vocab_json(d, True)}
    for name, make in files.items():
        (out / name).mkdir(parents=True, exist_ok=True)
        make(out / name)
        yield name, transformers.AutoTokenizer.from_pretrained(str(out / name)).backend_tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=OUT, help="directory that the goldens go to")
    out = parser.parse_args().out
    assert tokenizers.__version__ == VERSION, tokenizers.__version__
    assert transformers.__version__ == TRANSFORMERS_VERSION, transformers.__version__
    assert unicodedata.unidata_version == "14.0.0", "needs a Python with Unicode 14 (3.11)"
    strings = HARD + SCRIPTS.splitlines() + FLAGGED
    strings += random_strings(2000 - len(strings))
    result = {"version": 2, "command": "python tools/goldens/tokenizers.py", "tokenizers": VERSION, "strings": strings}
    for name, tokenizer in layouts(out):
        result[name] = goldens(tokenizer, strings)
    text = json.dumps(result, separators=(",", ":"), ensure_ascii=False) + "\n"
    (out / "strings.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    code_points = {
        "version": 2, "command": result["command"], "tokenizers": VERSION,
        "clean": checksums(normalized(clean_text=True)), "chinese": checksums(normalized(handle_chinese_chars=True)),
        "accents": checksums(normalized(strip_accents=True)), "lowercase": checksums(normalized(lowercase=True)),
        "nfc": checksums(plain(normalizers.NFC())), "nfd": checksums(plain(normalizers.NFD())),
        "nfkc": checksums(plain(normalizers.NFKC())), "nfkd": checksums(plain(normalizers.NFKD())),
        "marks": checksums(plain(normalizers.StripAccents())),
        "bert_words": checksums(words(pre_tokenizers.BertPreTokenizer())),
        "byte_level_words": checksums(words(pre_tokenizers.ByteLevel(add_prefix_space=False))),
        "whitespace": checksums(words(pre_tokenizers.Whitespace())),
        "digits": checksums(words(pre_tokenizers.Digits(individual_digits=False)))}
    for pattern in PATTERNS:
        split = pre_tokenizers.Split(Regex(pattern), "isolated", invert=False)
        code_points["split " + pattern] = checksums(words(split))
    (out / "code_points.json").write_text(json.dumps(code_points, separators=(",", ":")) + "\n")


main()
