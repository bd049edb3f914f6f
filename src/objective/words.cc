#include "objective/words.h"

#include <charconv>
#include <unordered_set>

#include <fmt/format.h>
#include <utf8proc.h>

#include "surprisal/error.h"

#include "core/json.h"
#include "text/tokenizer/byte_level.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

std::string type_of(const Json& component) {
  if (!component.is_object() || !component.contains("type") || !component["type"].is_string()) return "";
  return component["type"].get<std::string>();
}

// Whether the component, or one of a sequence of them, is of this type.
bool has_type(const Json& component, std::string_view type) {
  if (type_of(component) == type) return true;
  for (const char* list : {"pretokenizers", "decoders"}) {
    if (!component.is_object() || !component.contains(list)) continue;
    for (const Json& member : component[list]) {
      if (has_type(member, type)) return true;
    }
  }
  return false;
}

// The character that stands for a blank, by what the decoder makes a blank again; empty where there is none.
std::string blank_of(const Json& decoder) {
  const std::string type = type_of(decoder);
  if (type == "Metaspace") return decoder.value("replacement", "");
  if (type == "Replace" && decoder.value("content", "") == " ")
    return decoder.value("pattern", Json::object()).value("String", "");
  for (const Json& member : decoder.is_object() ? decoder.value("decoders", Json::array()) : Json::array()) {
    if (std::string blank = blank_of(member); !blank.empty()) return blank;
  }
  return {};
}

// Text of a piece in which `blank` stands for blanks; "<0xE4>" is a byte where pieces fall back to such.
std::string text_of(std::string_view spelling, const std::string& blank, bool byte_fallback) {
  if (std::uint8_t byte = 0; byte_fallback && spelling.size() == 6 && spelling.starts_with("<0x") &&
                             std::from_chars(&spelling[3], &spelling[5], byte, 16).ptr == &spelling[5] &&
                             spelling.back() == '>')
    return std::string(1, static_cast<char>(byte));
  std::string text;
  for (std::size_t at = 0; at < spelling.size();) {
    const bool is_blank = spelling.substr(at).starts_with(blank);
    text += is_blank ? ' ' : spelling[at];
    at += is_blank ? blank.size() : 1;
  }
  return text;
}

// The bytes that a token's spelling stands for; of an added token, which is spelt as it is, that spelling.
std::string bytes_of(std::string_view spelling) {
  std::string bytes;
  for (std::size_t at = 0; at < spelling.size();) {
    auto byte = byte_level_byte(next_code_point(spelling, at));
    if (!byte) return std::string(spelling);
    bytes += static_cast<char>(*byte);
  }
  return bytes;
}

enum class Kind { letter, digit, other, cjk, space };

Kind kind_of(std::int32_t c) {
  if (c < 0) return Kind::letter;  // bytes of a character that the window cut off
  if (is_space(c)) return Kind::space;
  if (is_cjk(c)) return Kind::cjk;
  utf8proc_category_t category = utf8proc_category(c);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) return Kind::letter;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return Kind::digit;
  return Kind::other;
}

// Whether the token at `at` does, `last_token` being where the one before it begins.
bool begins_word(std::string_view text, std::size_t last_token, std::size_t at) {
  bool within_character = at == text.size() || (text[at] & 0xC0) == 0x80;
  if (within_character) return false;
  CodePoint next = code_point_at(text, at);
  std::int32_t before = code_point_before(text, at).value;
  Kind kind = kind_of(next.value), last = kind_of(before);
  if (kind == Kind::space) {
    std::size_t behind = at + next.size;
    bool opens_word = next.value == ' ' && behind < text.size() &&
                      kind_of(code_point_at(text, behind).value) != Kind::space;
    return opens_word || last != Kind::space;
  }
  // A blank at its end is all that another word's token has of this one.
  if (before == ' ') return last_token + 1 < at;
  return kind != last || kind == Kind::cjk;
}

}  // namespace

WordFinder::WordFinder(const std::string& option, const Tokenizer& tokenizer) {
  const Json root = parse_json(tokenizer.tokenizer_json(), "tokenizer.json");
  const Json& model = root.at("model");
  const Json decoder = root.value("decoder", Json());
  const std::string type = type_of(model);
  const bool word_piece = type == "WordPiece";
  const bool byte_level = type == "BPE" && (has_type(root.value("pre_tokenizer", Json()), "ByteLevel") ||
                                            has_type(decoder, "ByteLevel"));
  const std::string blank = type == "BPE" || type == "Unigram" ? blank_of(decoder) : "";
  if (!byte_level && !word_piece && blank.empty()) {
    throw Error(ErrorKind::usage,
                {.what = option + " needs a tokenizer whose tokens tell where words begin",
                 .found = fmt::format("one of type {}", type.empty() ? "unknown" : type),
                 .expected = "WordPiece, byte-level BPE, or a character for blanks (Metaspace)",
                 .fix = "mask single tokens (objective.mlm.unit = \"token\")"});
  }
  std::unordered_set<std::int64_t> added;
  for (const Json& token : root.value("added_tokens", Json::array())) added.insert(token.value("id", -1));
  const std::string prefix = word_piece ? model.value("continuing_subword_prefix", "##") : "";
  const bool byte_fallback = model.value("byte_fallback", false);
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    const std::string_view spelling = tokenizer.token(id);
    if (word_piece) {
      continues_.push_back(!prefix.empty() && spelling.starts_with(prefix) && !added.contains(id));
    } else if (added.contains(id)) {
      text_.emplace_back(spelling);
    } else {
      text_.push_back(byte_level ? bytes_of(spelling) : text_of(spelling, blank, byte_fallback));
    }
  }
}

std::vector<bool> WordFinder::find(std::span<const std::int32_t> tokens) const {
  std::vector<bool> begins(tokens.size());
  std::vector<std::size_t> offsets;
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::size_t id = static_cast<std::size_t>(tokens[i]);
    if (text_.empty()) {
      begins[i] = i == 0 || !continues_[id];
      continue;
    }
    offsets.push_back(text.size());
    text += text_[id];
  }
  for (std::size_t i = 0; i < offsets.size(); ++i)
    begins[i] = i == 0 || begins_word(text, offsets[i - 1], offsets[i]);
  return begins;
}

}  // namespace surprisal
