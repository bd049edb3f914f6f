#include "text/tokenizer/unigram.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// What an unknown character costs more than the rarest token.
constexpr double kUnknownPenalty = 10.0;

const Json& entries(const Json& json, const std::string& where) {
  const Json& list = require(json, "vocab", where);
  if (!list.is_array()) throw Error(ErrorKind::data, {.what = "the vocabulary is no array", .where = where});
  for (const Json& entry : list) {
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number()) continue;
    throw Error(ErrorKind::data, {.what = "malformed token",
                                  .where = where + ", vocab",
                                  .found = entry.dump(),
                                  .expected = "[spelling, score]"});
  }
  return list;
}

std::vector<std::string> spellings(const Json& list) {
  std::vector<std::string> result;
  result.reserve(list.size());
  for (const Json& entry : list) result.push_back(entry[0].get<std::string>());
  return result;
}

std::size_t end_of_character(std::string_view word, std::size_t begin) {
  next_code_point(word, begin);
  return begin;
}

}  // namespace

Unigram::Unigram(const Json& json, const std::string& where)
    : vocabulary_(spellings(entries(json, where)), where + ", vocab") {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Json& entry : json["vocab"]) {
    trie_.add(entry[0].get_ref<const std::string&>(), static_cast<std::int32_t>(scores_.size()));
    scores_.push_back(entry[1].get<double>());
    lowest = std::min(lowest, scores_.back());
  }
  unknown_score_ = lowest - kUnknownPenalty;
  if (auto id = json.find("unk_id"); id != json.end() && !id->is_null()) {
    unknown_ = get_id(json, "unk_id", where);
    if (*unknown_ >= vocabulary_.size()) {
      throw Error(ErrorKind::data, {.what = "unk_id is outside the vocabulary",
                                    .where = where,
                                    .found = fmt::format("{}", *unknown_),
                                    .expected = fmt::format("below {}", vocabulary_.size())});
    }
  }
  if (get_bool_or(json, "byte_fallback", where, false)) {
    for (int byte = 0; byte < 256; ++byte)
      byte_tokens_.push_back(vocabulary_.id(fmt::format("<0x{:02X}>", byte)));
  }
}

std::vector<Unigram::Node> Unigram::best_path(std::string_view word) const {
  std::vector<Node> best(word.size() + 1);
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t character = end_of_character(word, begin);
    double before = best[begin].score;
    // Of equal sums the one whose last token begins first.
    auto consider = [&](std::size_t end, std::int32_t id, double score) {
      Node& node = best[end];
      if (node.begin == kNowhere || score + before > node.score) {
        node = {score + before, static_cast<std::uint32_t>(begin), id};
      }
    };
    bool known = false;
    trie_.for_each_prefix(word.substr(begin), [&](std::size_t size, std::int32_t id) {
      known |= begin + size == character;
      consider(begin + size, id, scores_[static_cast<std::size_t>(id)]);
    });
    if (!known) {
      if (!unknown_) {
        throw Error(ErrorKind::data,
                    {.what = fmt::format("the vocabulary has no token for {} and the model has no unk_id",
                                         to_line(std::string(word.substr(begin, character - begin))))});
      }
      consider(character, *unknown_, unknown_score_);
    }
    begin = character;
  }
  return best;
}

void Unigram::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  std::vector<Node> best = best_path(word);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> parts;  // from the last one on
  bool unknown = false;
  for (auto end = static_cast<std::uint32_t>(word.size()); end > 0; end = best[end].begin) {
    bool next_unknown = unknown_ && best[end].id == *unknown_;
    // Unknown characters that follow one another are one token.
    if (next_unknown && unknown) {
      parts.back().first = best[end].begin;
    } else {
      parts.emplace_back(best[end].begin, end);
    }
    unknown = next_unknown;
  }
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) add(word, part->first, part->second, tokens);
}

void Unigram::add(std::string_view word, std::uint32_t begin, std::uint32_t end,
                  std::vector<WordToken>& tokens) const {
  std::string_view part = word.substr(begin, end - begin);
  // By the spelling, as Hugging Face has it: unknown characters may together be spelt as a token.
  if (std::optional<std::int32_t> id = vocabulary_.id(part)) {
    tokens.push_back({*id, begin});
  } else if (!fall_back_to_bytes(part, begin, tokens)) {
    tokens.push_back({*unknown_, begin});
  }
}

bool Unigram::fall_back_to_bytes(std::string_view part, std::uint32_t begin,
                                 std::vector<WordToken>& tokens) const {
  if (byte_tokens_.empty()) return false;
  auto token = [&](char byte) { return byte_tokens_[static_cast<unsigned char>(byte)]; };
  if (!std::all_of(part.begin(), part.end(), [&](char byte) { return token(byte).has_value(); }))
    return false;
  for (char byte : part) tokens.push_back({*token(byte), begin});
  return true;
}

std::unique_ptr<TokenModel> Unigram::create(const Json& json, const std::string& where) {
  return std::make_unique<Unigram>(json, where);
}

}  // namespace surprisal
