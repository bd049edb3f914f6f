#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// Draws its merges at random: no two encodings of a text are the same.
void refuse_dropout(const Json& json, const std::string& where) {
  if (get_number_or(json, "dropout", where, 0, 1, 0) == 0) return;
  throw Error(ErrorKind::data, {.what = "BPE with dropout is not supported",
                                .where = where,
                                .found = json["dropout"].dump(),
                                .expected = "none"});
}

// A merge is "left right" or ["left", "right"].
std::pair<std::string_view, std::string_view> merge_parts(const Json& merge, const std::string& where) {
  auto text = [](const Json& part) { return std::string_view(part.get_ref<const std::string&>()); };
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return {text(merge[0]), text(merge[1])};
  }
  if (merge.is_string()) {
    std::size_t blank = text(merge).find(' ');
    if (blank != std::string_view::npos && text(merge).find(' ', blank + 1) == std::string_view::npos) {
      return {text(merge).substr(0, blank), text(merge).substr(blank + 1)};
    }
  }
  throw Error(ErrorKind::data, {.what = "malformed merge",
                                .where = where,
                                .found = merge.dump(),
                                .expected = "two tokens: \"left right\" or [\"left\", \"right\"]"});
}

}  // namespace

Bpe::Bpe(const Json& json, const std::string& where)
    : vocabulary_(require(json, "vocab", where), where + ", vocab"),
      fuse_unknown_(get_bool_or(json, "fuse_unk", where, false)),
      ignore_merges_(get_bool_or(json, "ignore_merges", where, false)),
      prefix_(get_string_or(json, "continuing_subword_prefix", where, "")),
      suffix_(get_string_or(json, "end_of_word_suffix", where, "")) {
  refuse_dropout(json, where);
  if (get_bool_or(json, "byte_fallback", where, false)) {
    for (int byte = 0; byte < 256; ++byte)
      byte_tokens_.push_back(vocabulary_.id(fmt::format("<0x{:02X}>", byte)));
  }
  if (std::string unknown = get_string_or(json, "unk_token", where, ""); !unknown.empty()) {
    unknown_ = vocabulary_.id(unknown);
    if (!unknown_) {
      throw Error(ErrorKind::data,
                  {.what = fmt::format("unk_token {} is not in the vocabulary", unknown), .where = where});
    }
  }
  const Json& merges = require(json, "merges", where);
  if (!merges.is_array()) throw Error(ErrorKind::data, {.what = "merges is no array", .where = where});
  std::uint32_t rank = 0;
  for (const Json& merge : merges) {
    // The first line of a merges.txt, which old converters took along.
    if (merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version")) continue;
    std::string place = fmt::format("{}, merges[{}]", where, rank);
    auto [left, right] = merge_parts(merge, place);
    add_merge(left, right, rank++, place);
  }
  find_byte_ids();
}

void Bpe::add_merge(std::string_view left, std::string_view right, std::uint32_t rank,
                    const std::string& where) {
  auto id_of = [&](std::string_view spelling) {
    std::optional<std::int32_t> id = vocabulary_.id(spelling);
    if (!id) {
      throw Error(ErrorKind::data, {.what = fmt::format("token {} of a merge is not in the vocabulary",
                                                        Json(std::string(spelling)).dump()),
                                    .where = where});
    }
    return *id;
  };
  std::int32_t a = id_of(left), b = id_of(right);
  if (right.size() < prefix_.size()) {
    throw Error(ErrorKind::data,
                {.what = fmt::format("token {} of a merge is shorter than the prefix of subwords",
                                     Json(std::string(right)).dump()),
                 .where = where});
  }
  merges_.add(a, b, rank, id_of(std::string(left).append(right.substr(prefix_.size()))));
}

void Bpe::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  if (ignore_merges_) {
    if (std::optional<std::int32_t> id = vocabulary_.id(word)) {
      tokens.push_back({*id, 0});
      return;
    }
  }
  std::size_t first = tokens.size();
  split_characters(word, tokens);
  merges_.apply(tokens, first);
}

void Bpe::tokenize_bytes(std::string_view word, std::vector<WordToken>& tokens) const {
  if (!takes_bytes_) return TokenModel::tokenize_bytes(word, tokens);
  if (ignore_merges_) {
    if (std::optional<std::int32_t> id = vocabulary_.id(byte_level_spelling(word))) {
      tokens.push_back({*id, 0});
      return;
    }
  }
  std::size_t first = tokens.size();
  tokens.resize(first + word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    tokens[first + i] = {byte_id_[static_cast<unsigned char>(word[i])], static_cast<std::uint32_t>(i)};
  }
  merges_.apply(tokens, first);
}

void Bpe::find_byte_ids() {
  takes_bytes_ = prefix_.empty() && suffix_.empty();
  for (unsigned byte = 0; byte < byte_id_.size(); ++byte) {
    std::optional<std::int32_t> id = vocabulary_.id(byte_level_character(static_cast<std::uint8_t>(byte)));
    byte_id_[byte] = id.value_or(0);
    takes_bytes_ &= id.has_value();
  }
}

void Bpe::split_characters(std::string_view word, std::vector<WordToken>& tokens) const {
  // An unknown token waits for the next character that is known; bytes go before it, as in Hugging Face.
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint32_t waiting = kNone;
  std::size_t first = tokens.size();
  auto flush = [&] {
    if (waiting == kNone) return;
    std::uint32_t begin = tokens.size() > first ? std::max(waiting, tokens.back().begin) : waiting;
    tokens.push_back({*unknown_, begin});
    waiting = kNone;
  };
  for (std::size_t at = 0; at < word.size();) {
    auto begin = static_cast<std::uint32_t>(at);
    next_code_point(word, at);
    if (std::optional<std::int32_t> id = character_id(word, begin, at)) {
      flush();
      tokens.push_back({*id, begin});
    } else if (!fall_back_to_bytes(word, begin, at, tokens) && unknown_ &&
               !(fuse_unknown_ && waiting != kNone)) {
      flush();
      waiting = begin;
    }
  }
  flush();
}

std::optional<std::int32_t> Bpe::character_id(std::string_view word, std::size_t begin,
                                              std::size_t end) const {
  std::string_view character = word.substr(begin, end - begin);
  bool continues = begin > 0 && !prefix_.empty(), ends = end == word.size() && !suffix_.empty();
  if (!continues && !ends) return vocabulary_.id(character);
  return vocabulary_.id(fmt::format("{}{}{}", continues ? prefix_ : "", character, ends ? suffix_ : ""));
}

bool Bpe::fall_back_to_bytes(std::string_view word, std::size_t begin, std::size_t end,
                             std::vector<WordToken>& tokens) const {
  if (byte_tokens_.empty()) return false;
  std::string bytes = begin > 0 ? prefix_ : "";
  bytes += word.substr(begin, end - begin);
  if (end == word.size()) bytes += suffix_;
  auto token = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
  if (!std::all_of(bytes.begin(), bytes.end(), [&](char byte) { return token(byte).has_value(); }))
    return false;
  for (char byte : bytes) tokens.push_back({*token(byte), static_cast<std::uint32_t>(begin)});
  return true;
}

std::unique_ptr<TokenModel> Bpe::create(const Json& json, const std::string& where) {
  return std::make_unique<Bpe>(json, where);
}

}  // namespace surprisal
