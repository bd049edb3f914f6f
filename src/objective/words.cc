#include "objective/words.h"

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

bool begins_word(std::string_view text, std::size_t at) {
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
  return before != ' ' && (kind != last || kind == Kind::cjk);
}

}  // namespace

WordFinder::WordFinder(const std::string& option, const Tokenizer& tokenizer) {
  Json root = parse_json(tokenizer.tokenizer_json(), "tokenizer.json");
  const Json& model = root.at("model");
  std::string type = type_of(model);
  byte_level_ = type == "BPE" && (has_type(root.value("pre_tokenizer", Json()), "ByteLevel") ||
                                  has_type(root.value("decoder", Json()), "ByteLevel"));
  if (!byte_level_ && type != "WordPiece") {
    throw Error(ErrorKind::usage, {.what = option + " needs a tokenizer whose tokens tell where words begin",
                                   .found = fmt::format("one of type {}", type.empty() ? "unknown" : type),
                                   .expected = "WordPiece or byte-level BPE",
                                   .fix = "mask single tokens (objective.mlm.unit = \"token\")"});
  }
  std::unordered_set<std::int64_t> added;
  for (const Json& token : root.value("added_tokens", Json::array())) added.insert(token.value("id", -1));
  std::string prefix = byte_level_ ? "" : model.value("continuing_subword_prefix", "##");
  for (std::int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    std::string_view spelling = tokenizer.token(id);
    if (byte_level_) {
      text_.push_back(added.contains(id) ? std::string(spelling) : bytes_of(spelling));
    } else {
      continues_.push_back(!prefix.empty() && spelling.starts_with(prefix) && !added.contains(id));
    }
  }
}

std::vector<bool> WordFinder::find(std::span<const std::int32_t> tokens) const {
  std::vector<bool> begins(tokens.size());
  std::vector<std::size_t> offsets;
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::size_t id = static_cast<std::size_t>(tokens[i]);
    if (!byte_level_) {
      begins[i] = i == 0 || !continues_[id];
      continue;
    }
    offsets.push_back(text.size());
    text += text_[id];
  }
  for (std::size_t i = 0; i < offsets.size(); ++i) begins[i] = i == 0 || begins_word(text, offsets[i]);
  return begins;
}

}  // namespace surprisal
