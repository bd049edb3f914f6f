"""Writes src/text/unicode/unicode_tables.cc: what Hugging Face `tokenizers` takes for punctuation, accents, letters ...

Its parts carry Unicode tables of different ages (the crate unicode_categories has Unicode 8's, Oniguruma 16's, Rust's
standard library 17's), so no one library agrees with all of them. This asks `tokenizers` itself about every code point.

    pip install tokenizers==0.23.3
    python tools/unicode/hugging_face_tables.py > src/text/unicode/unicode_tables.cc
"""

import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import NFKD, BertNormalizer, StripAccents
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel, Digits, Split

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cf").split()


# What Unicode 15, which utf8proc may have, gives a decomposition or a place in canonical order.
UNICODE_15 = [0xECE, 0x10EFD, 0x10EFE, 0x10EFF, 0x11F41, 0x11F42, *range(0x1E030, 0x1E06E), 0x1E08F,
              *range(0x1E4EC, 0x1E4F0)]


def normalizer(**on):
    parts = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return BertNormalizer(**{**parts, **on})


def removed():
    clean = normalizer(clean_text=True)
    return [c for c in CODE_POINTS if clean.normalize_str(f"a{chr(c)}b") == "ab"]


def accents():
    strip = normalizer(strip_accents=True)
    return [c for c in CODE_POINTS if strip.normalize_str(chr(c)) == ""]


def undecomposed():
    """Code points that NFD does not know there: neither taken apart nor put in canonical order."""
    strip = normalizer(strip_accents=True)
    found = []
    for c in CODE_POINTS:
        mark = chr(c)
        if strip.normalize_str(mark) != mark:
            continue
        # A mark of another class, that is no accent: one of the two orders is not canonical.
        other = "\u302e" if unicodedata.combining(mark) == 216 else "\U0001d165"
        kept = strip.normalize_str(mark + other) == mark + other and strip.normalize_str(other + mark) == other + mark
        if unicodedata.normalize("NFD", mark) != mark or (unicodedata.combining(mark) and kept):
            found.append(c)
    assert all(NFKD().normalize_str(chr(c) + "\u0323") == chr(c) + "\u0323" for c in UNICODE_15)
    return sorted(found + UNICODE_15)


def undecomposed_compatibility():
    """Code points that have a compatibility decomposition in Unicode 14, but not there."""
    nfkd = NFKD()
    return [c for c in CODE_POINTS
            if nfkd.normalize_str(chr(c)) == chr(c) and unicodedata.normalize("NFKD", chr(c)) != chr(c)
            and unicodedata.normalize("NFD", chr(c)) == chr(c)]


def marks():
    strip = StripAccents()
    return [c for c in CODE_POINTS if strip.normalize_str(chr(c)) == ""]


def new_numerics():
    digits = Digits()
    return [c for c in CODE_POINTS
            if unicodedata.category(chr(c)) == "Cn" and len(digits.pre_tokenize_str(f"a{chr(c)}b")) == 3]


def new_categories():
    """[first, last, category] of the code points that patterns there give a category and Unicode 14 does not."""
    new = [c for c in CODE_POINTS if unicodedata.category(chr(c)) == "Cn"]
    text = "\n".join(map(chr, new))
    found = []
    for category in CATEGORIES:
        split = Split(Regex(r"\p{%s}" % category), "removed", invert=True)
        matched = [ord(c) for c, _ in split.pre_tokenize_str(text)]
        found += [(first, last, category) for first, last in ranges(matched)]
    return sorted(found)


def others(property_name, categories):
    """Code points that have the property in patterns there beside those of the categories."""
    split = Split(Regex(r"[\p{%s}&&[^%s]]" % (property_name, categories)), "removed", invert=True)
    return [ord(c) for c, _ in split.pre_tokenize_str("\n".join(map(chr, CODE_POINTS)))]


def punctuation():
    split = BertPreTokenizer()
    return [c for c in CODE_POINTS if len(split.pre_tokenize_str(f"a{chr(c)}b")) == 3]


def lower_case():
    lower = normalizer(lowercase=True)
    assert lower.normalize_str("\u0130") == "i\u0307"
    pairs = [(c, lower.normalize_str(chr(c))) for c in CODE_POINTS if c != 0x130]
    return [(c, ord(to)) for c, to in pairs if to != chr(c) and unicodedata.category(chr(c)) == "Cn"]


def letters_and_numbers():
    """Code points that are \\p{L} or \\p{N} there and not assigned in Unicode 14."""
    split = ByteLevel(add_prefix_space=False)
    letters, numbers = [], []
    for c in CODE_POINTS:
        if unicodedata.category(chr(c)) != "Cn":
            continue
        cuts = [end for _, (_, end) in split.pre_tokenize_str(f"a{chr(c)}1!")]
        if cuts == [2, 3, 4]:
            letters.append(c)
        elif cuts == [1, 3, 4]:
            numbers.append(c)
    return letters, numbers


def word_characters():
    """Code points that keep a single_word token from being found beside them, and are not assigned in Unicode 14."""
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("x", single_word=True)])
    new = [c for c in CODE_POINTS if unicodedata.category(chr(c)) == "Cn"]
    return [c for c in new if tokenizer.encode(f"x{chr(c)}").ids == [0]]


def ranges(code_points):
    found = []
    for c in code_points:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def print_array(name, comment, rows, type_name):
    print(f"\n// {comment}\nconstexpr {type_name} {name}[] = {{")
    line = "   "
    for row in rows:
        item = " {" + ", ".join(f'"{v}"' if isinstance(v, str) else f"0x{v:X}" for v in row) + "},"
        if len(line) + len(item) > 110:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


def shifts(pairs):
    """Runs of code points that all move by the same distance, as [first, last, lower case of the first]."""
    found = []
    for c, to in pairs:
        if found and found[-1][1] == c - 1 and to - c == found[-1][2] - found[-1][0]:
            found[-1][1] = c
        else:
            found.append([c, c, to])
    return found


def main():
    assert unicodedata.unidata_version == "14.0.0", "needs a Python with Unicode 14 (3.11)"
    letters, numbers = letters_and_numbers()
    print(f"// Written by tools/unicode/hugging_face_tables.py from tokenizers {tokenizers.__version__}; do not edit.")
    print('#include "text/unicode/unicode_tables.h"\n\nnamespace surprisal {\nnamespace {\n\n// clang-format off')
    print_array("kBertRemoved", "What clean_text drops.", ranges(removed()), "CodePointRange")
    print_array("kAccents", "What strip_accents drops.", ranges(accents()), "CodePointRange")
    print_array("kUndecomposed", "What strip_accents does not decompose and order.", ranges(undecomposed()),
                "CodePointRange")
    print_array("kBertPunctuation", "What BertPreTokenizer isolates.", ranges(punctuation()), "CodePointRange")
    print_array("kMarks", "What StripAccents drops.", ranges(marks()), "CodePointRange")
    print_array("kUndecomposedCompatibility", "What NFKC and NFKD do not decompose, beside kUndecomposed.",
                ranges(undecomposed_compatibility()), "CodePointRange")
    print_array("kNewNumerics", "What Digits isolates and Unicode 14 does not know.", ranges(new_numerics()),
                "CodePointRange")
    print_array("kNewCategories", "General categories of patterns that Unicode 14 does not know.", new_categories(),
                "CategoryRange")
    for name, categories in (("Alphabetic", r"\p{L}\p{Nl}"), ("Uppercase", r"\p{Lu}"), ("Lowercase", r"\p{Ll}")):
        print_array(f"kOther{name}", f"\\p{{{name}}} beside {categories}.", ranges(others(name, categories)),
                    "CodePointRange")
    print_array("kNewLetters", "\\p{L} that Unicode 14 does not know.", ranges(letters), "CodePointRange")
    print_array("kNewNumbers", "\\p{N} that Unicode 14 does not know.", ranges(numbers), "CodePointRange")
    print_array("kNewWordCharacters", "\\w that Unicode 14 does not know.", ranges(word_characters()), "CodePointRange")
    print_array("kNewLowerCase", "Lower case that Unicode 14 does not know.", shifts(lower_case()), "LowerCaseRange")
    print("\n}  // namespace\n")
    for function, kind in (("bert_removed", "Removed"), ("bert_punctuation", "Punctuation")):
        print(f"std::span<const CodePointRange> {function}() {{ return kBert{kind}; }}")
    for function, name in (("accents", "kAccents"), ("undecomposed", "kUndecomposed"), ("marks", "kMarks"),
                           ("undecomposed_compatibility", "kUndecomposedCompatibility"),
                           ("new_numerics", "kNewNumerics"),
                           ("other_alphabetic", "kOtherAlphabetic"), ("other_uppercase", "kOtherUppercase"),
                           ("other_lowercase", "kOtherLowercase"), ("new_letters", "kNewLetters"),
                           ("new_numbers", "kNewNumbers"), ("new_word_characters", "kNewWordCharacters")):
        print(f"std::span<const CodePointRange> {function}() {{ return {name}; }}")
    print("std::span<const CategoryRange> new_categories() { return kNewCategories; }")
    print("std::span<const LowerCaseRange> new_lower_case() { return kNewLowerCase; }\n// clang-format on\n\n}  // namespace surprisal")


main()
