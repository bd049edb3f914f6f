#include "text/tokenizer/added_tokens.h"

#include <algorithm>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/word_character.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

AddedToken read_token(const Json& json, const std::string& where) {
  check_keys(json, "id content single_word lstrip rstrip normalized special", where);
  return {.content = get_string(json, "content", where),
          .id = get_id(json, "id", where),
          .single_word = get_bool(json, "single_word", where),
          .lstrip = get_bool(json, "lstrip", where),
          .rstrip = get_bool(json, "rstrip", where),
          .normalized = get_bool(json, "normalized", where),
          .special = get_bool(json, "special", where),
          .spelling = ""};
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  auto joins = [](CodePoint c) { return c.size > 0 && is_word_character(static_cast<char32_t>(c.value)); };
  return !joins(code_point_before(text, begin)) && !joins(code_point_at(text, end));
}

std::string spelling_of(const AddedToken& token, const Normalizer* normalizer) {
  if (!token.normalized || !normalizer) return token.content;
  AlignedText text = AlignedText::from(token.content);
  normalizer->normalize(text);
  return text.text;
}

}  // namespace

AddedTokens::AddedTokens(const Json& root, const Vocabulary& vocabulary, const Normalizer* normalizer,
                         const std::string& where) {
  if (auto list = root.find("added_tokens"); list != root.end() && !list->is_null()) {
    read(*list, vocabulary, where + ", added_tokens");
  }
  for (AddedToken& token : tokens_) {
    token.spelling = spelling_of(token, normalizer);
    if (!token.spelling.empty()) continue;
    // Hugging Face finds nothing everywhere, and fails on text outside ASCII.
    throw Error(ErrorKind::data,
                {.what = fmt::format("token {} is normalized to nothing", Json(token.content).dump()),
                 .where = where + ", added_tokens"});
  }
  // Where two have the same spelling, the special one comes first, then the one that is listed first.
  for (bool special : {true, false}) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const AddedToken& token = tokens_[i];
      if (token.special == special) (token.normalized ? normalized_ : raw_).add(token.spelling, i);
    }
  }
}

void AddedTokens::read(const Json& list, const Vocabulary& vocabulary, const std::string& where) {
  if (!list.is_array()) throw Error(ErrorKind::data, {.what = "the list is no array", .where = where});
  // Hugging Face counts from the number of the model's tokens.
  auto next = static_cast<std::int32_t>(vocabulary.tokens());
  for (std::size_t i = 0; i < list.size(); ++i) {
    AddedToken token = read_token(list[i], fmt::format("{}[{}]", where, i));
    if (token.content.empty()) continue;
    auto refuse = [&](const char* what, std::string expected) {
      throw Error(ErrorKind::data, {.what = fmt::format("token {} {}", Json(token.content).dump(), what),
                                    .where = fmt::format("{}[{}]", where, i),
                                    .found = fmt::format("{}", token.id),
                                    .expected = std::move(expected)});
    };
    std::optional<std::int32_t> known = vocabulary.id(token.content);
    if (token.id != known.value_or(next)) refuse("has a wrong id", fmt::format("{}", known.value_or(next)));
    if (!known && vocabulary.contains(token.id)) refuse("has the id of another token", "");
    if (!by_content_.emplace(token.content, tokens_.size()).second) refuse("is added twice", "");
    by_id_.emplace(token.id, tokens_.size());
    next = std::max(next, token.id + 1);
    tokens_.push_back(std::move(token));
  }
}

void AddedTokens::Matcher::add(std::string_view spelling, std::size_t index) {
  begins[static_cast<unsigned char>(spelling.front())] = true;
  trie.add(spelling, static_cast<std::int32_t>(index));
}

std::vector<AddedTokens::Part> AddedTokens::find(std::string_view text, const Matcher& matcher,
                                                 SpecialSpelling special) const {
  std::vector<Part> parts;
  std::size_t done = 0;
  auto add = [&](std::size_t begin, std::size_t end, std::optional<std::int32_t> id) {
    parts.push_back({{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, id});
  };
  for (std::size_t at = 0; at < text.size() && !matcher.trie.empty();) {
    if (!matcher.begins[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    std::optional<ByteTrie::Match> match = matcher.trie.longest_prefix(text.substr(at));
    if (!match) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(match->value)];
    std::size_t begin = at, end = at + match->size;
    at = end;
    // A match that is refused still uses up its text: no shorter token is looked for in it.
    if (token.special && special == SpecialSpelling::text) continue;
    if (token.single_word && !stands_alone(text, begin, end)) continue;
    if (token.lstrip) begin = std::max(done, skip_space_back(text, begin));
    if (token.rstrip) end = skip_space(text, end);
    if (begin >= end) continue;  // the token before took all of it along
    if (done < begin) add(done, begin, std::nullopt);
    add(begin, end, token.id);
    done = end;
  }
  if (done < text.size()) add(done, text.size(), std::nullopt);
  return parts;
}

const AddedToken* AddedTokens::token(std::int32_t id) const {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

std::optional<std::int32_t> AddedTokens::id(std::string_view content) const {
  auto found = by_content_.find(std::string(content));
  if (found == by_content_.end()) return std::nullopt;
  return tokens_[found->second].id;
}

}  // namespace surprisal
