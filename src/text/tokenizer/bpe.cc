#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <queue>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// Up to so many characters, looking at every pair for each merge beats a heap.
constexpr std::size_t kShortWord = 64;

// Options that change the ids and that this class does not do: refused, not ignored.
void refuse_other_options(const Json& json, const std::string& where) {
  auto refuse = [&](const char* key) {
    throw Error(ErrorKind::data, {.what = fmt::format("BPE with {} is not supported", key),
                                  .where = where,
                                  .found = json[key].dump(),
                                  .expected = "none"});
  };
  if (get_number_or(json, "dropout", where, 0, 1, 0) != 0) refuse("dropout");
  if (get_bool_or(json, "byte_fallback", where, false)) refuse("byte_fallback");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!get_string_or(json, key, where, "").empty()) refuse(key);
  }
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
      ignore_merges_(get_bool_or(json, "ignore_merges", where, false)) {
  refuse_other_options(json, where);
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
  // A pair that is listed twice has its last rank, as in Hugging Face.
  merges_(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b)) = {
      rank, id_of(std::string(left).append(right))};
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
  if (tokens.size() - first <= kShortWord) {
    merge_short(tokens, first);
  } else {
    merge_long(tokens, first);
  }
}

void Bpe::split_characters(std::string_view word, std::vector<WordToken>& tokens) const {
  bool after_unknown = false;
  for (std::size_t at = 0; at < word.size();) {
    auto begin = static_cast<std::uint32_t>(at);
    next_code_point(word, at);
    std::optional<std::int32_t> id = vocabulary_.id(word.substr(begin, at - begin));
    if (id) {
      tokens.push_back({*id, begin});
      after_unknown = false;
    } else if (unknown_) {
      if (!(fuse_unknown_ && after_unknown)) tokens.push_back({*unknown_, begin});
      after_unknown = true;
    }
  }
}

void Bpe::merge_short(std::vector<WordToken>& tokens, std::size_t first) const {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  WordToken* word = tokens.data() + first;
  std::size_t size = tokens.size() - first;
  Merge merges[kShortWord];  // of each token with the next
  auto look_up = [&](std::size_t i) {
    const Merge* merge = i + 1 < size ? merge_of(word[i].id, word[i + 1].id) : nullptr;
    merges[i] = merge ? *merge : Merge{kNone, 0};
  };
  for (std::size_t i = 0; i < size; ++i) look_up(i);
  while (size > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < size; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == kNone) break;
    word[best].id = merges[best].id;
    std::copy(word + best + 2, word + size, word + best + 1);
    std::copy(merges + best + 2, merges + size, merges + best + 1);
    --size;
    look_up(best);
    if (best > 0) look_up(best - 1);
  }
  tokens.resize(first + size);
}

void Bpe::merge_long(std::vector<WordToken>& tokens, std::size_t first) const {
  struct Candidate {
    std::uint32_t rank, at;
    std::int32_t left, right;  // the pair it was found for: stale when one of the two has been merged since
    std::int32_t id;
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  constexpr std::uint32_t kEnd = ~std::uint32_t{0};
  constexpr std::int32_t kMerged = -1;
  WordToken* word = tokens.data() + first;
  auto size = static_cast<std::uint32_t>(tokens.size() - first);
  std::vector<std::uint32_t> previous(size), next(size);
  std::priority_queue<Candidate> queue;
  auto consider = [&](std::uint32_t left, std::uint32_t right) {
    const Merge* merge = merge_of(word[left].id, word[right].id);
    if (merge) queue.push({merge->rank, left, word[left].id, word[right].id, merge->id});
  };
  for (std::uint32_t i = 0; i < size; ++i) {
    previous[i] = i - 1;  // kEnd for the first
    next[i] = i + 1 < size ? i + 1 : kEnd;
    if (i + 1 < size) consider(i, i + 1);
  }
  while (!queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    std::uint32_t right = next[top.at];
    if (word[top.at].id != top.left || right == kEnd || word[right].id != top.right) continue;
    word[top.at].id = top.id;
    word[right].id = kMerged;
    next[top.at] = next[right];
    if (next[right] != kEnd) {
      previous[next[right]] = top.at;
      consider(top.at, next[right]);
    }
    if (previous[top.at] != kEnd) consider(previous[top.at], top.at);
  }
  auto merged = [](WordToken token) { return token.id == kMerged; };
  tokens.erase(std::remove_if(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end(), merged),
               tokens.end());
}

std::unique_ptr<TokenModel> Bpe::create(const Json& json, const std::string& where) {
  return std::make_unique<Bpe>(json, where);
}

}  // namespace surprisal
