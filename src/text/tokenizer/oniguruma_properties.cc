#include "text/tokenizer/oniguruma_properties.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "text/unicode/unicode_tables.h"

namespace surprisal {
namespace {

// PCRE2's \s has U+180E too, which has been no white space since Unicode 6.3.
constexpr std::string_view kSpace =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{"
    "3000}";

std::string range_text(char32_t first, char32_t last) {
  auto number = [](char32_t c) { return fmt::format("\\x{{{:x}}}", static_cast<unsigned>(c)); };
  return first == last ? number(first) : number(first) + "-" + number(last);
}

// `category` is "L" or "Lu".
std::string category_class(std::string_view category) {
  std::string text = fmt::format("\\p{{{}}}", category);
  for (const CategoryRange& range : new_categories()) {
    if (std::string_view(range.category).starts_with(category)) text += range_text(range.first, range.last);
  }
  return text;
}

std::string with_ranges(std::string text, std::span<const CodePointRange> ranges) {
  for (CodePointRange range : ranges) text += range_text(range.first, range.last);
  return text;
}

std::string alphabetic_class() {
  return with_ranges(category_class("L").append(category_class("Nl")), other_alphabetic());
}

std::string word_class() {
  return with_ranges("\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}", new_word_characters());
}

// What \w has in Oniguruma where it stands alone, and not in brackets: superscripts and fractions of Latin-1.
constexpr std::string_view kLatinNumbers = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";

struct Name {
  std::string_view long_name, category;
};
constexpr Name kCategories[] = {
    {"letter", "L"},
    {"uppercaseletter", "Lu"},
    {"lowercaseletter", "Ll"},
    {"titlecaseletter", "Lt"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"mark", "M"},
    {"combiningmark", "M"},
    {"nonspacingmark", "Mn"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"openpunctuation", "Ps"},
    {"closepunctuation", "Pe"},
    {"initialpunctuation", "Pi"},
    {"finalpunctuation", "Pf"},
    {"otherpunctuation", "Po"},
    {"symbol", "S"},
    {"mathsymbol", "Sm"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"spaceseparator", "Zs"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"privateuse", "Co"},
    {"unassigned", "Cn"},
};

// Properties of Unicode that PCRE2 has under the same name, and POSIX names.
constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
    {"any", "\\x{0}-\\x{10ffff}"},
    {"ascii", "\\x{0}-\\x{7f}"},
    {"asciihexdigit", "0-9a-fA-F"},
    {"blank", "\\p{Zs}\\x{9}"},
    {"cntrl", "\\p{Cc}"},
    {"emoji", "\\p{Emoji}"},
    {"extendedpictographic", "\\p{Extended_Pictographic}"},
    {"ideographic", "\\p{Ideographic}"},
    {"xdigit", "0-9a-fA-F"},
};

constexpr std::string_view kScripts[] = {
    "arabic",   "armenian",   "bengali",   "bopomofo",  "braille", "cherokee", "common",   "coptic",
    "cyrillic", "devanagari", "ethiopic",  "georgian",  "greek",   "gujarati", "gurmukhi", "han",
    "hangul",   "hebrew",     "hiragana",  "inherited", "kannada", "katakana", "khmer",    "lao",
    "latin",    "malayalam",  "mongolian", "myanmar",   "ogham",   "oriya",    "runic",    "sinhala",
    "syriac",   "tamil",      "telugu",    "thaana",    "thai",    "tibetan",  "yi",
};

}  // namespace

std::optional<std::string> property_class(std::string_view name) {
  std::string plain;
  for (char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  for (auto [long_name, category] : kCategories) {
    bool is_short = plain.size() == category.size() && plain[0] + 'A' - 'a' == category[0] &&
                    std::string_view(plain).substr(1) == category.substr(1);
    if (is_short || plain == long_name) return category_class(category);
  }
  if (plain == "space" || plain == "whitespace") return std::string(kSpace);
  if (plain == "word") return word_class();
  if (plain == "alphabetic" || plain == "alpha") return alphabetic_class();
  if (plain == "alnum") return alphabetic_class().append(category_class("Nd"));
  if (plain == "uppercase" || plain == "upper") return with_ranges(category_class("Lu"), other_uppercase());
  if (plain == "lowercase" || plain == "lower") return with_ranges(category_class("Ll"), other_lowercase());
  if (plain == "digit") return category_class("Nd");
  if (plain == "punct") return category_class("P");
  for (auto [other, text] : kOthers) {
    if (plain == other) return std::string(text);
  }
  // PCRE2 takes a bare script name for the property Script_Extensions.
  if (std::find(std::begin(kScripts), std::end(kScripts), plain) != std::end(kScripts)) {
    return fmt::format("\\p{{sc:{}}}", plain);
  }
  return std::nullopt;
}

std::optional<std::string> posix_class(std::string_view name) {
  if (name == "word") return word_class();
  if (name == "punct") return category_class("P").append(category_class("S"));
  for (std::string_view known :
       {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "lower", "space", "upper", "xdigit"}) {
    if (name == known) return property_class(name);
  }
  return std::nullopt;
}

std::string word_escape_class() {
  return word_class().append(kLatinNumbers);
}

std::string shorthand_class(char letter) {
  switch (letter) {
    case 's':
      return std::string(kSpace);
    case 'd':
      return category_class("Nd");
    case 'w':
      return word_class();
    default:
      return "0-9a-fA-F";
  }
}

}  // namespace surprisal
