#include "text/tokenizer/split.h"

#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {
namespace {

struct Piece {
  ByteSpan span;
  bool match = false;
};

std::vector<Piece> pieces_of(const std::vector<ByteSpan>& matches, std::uint32_t size, bool invert) {
  std::vector<Piece> pieces;
  std::uint32_t done = 0;
  for (ByteSpan match : matches) {
    if (done < match.begin) pieces.push_back({{done, match.begin}, invert});
    pieces.push_back({match, !invert});
    done = match.end;
  }
  if (done < size) pieces.push_back({{done, size}, invert});
  return pieces;
}

// Whether `next` becomes part of the piece that stands before it.
bool joins(SplitBehavior behavior, const Piece& before, const Piece& next) {
  switch (behavior) {
    case SplitBehavior::merged_with_previous:
      return next.match && !before.match;
    case SplitBehavior::merged_with_next:
      return before.match && !next.match;
    case SplitBehavior::contiguous:
      return before.match == next.match;
    default:
      return false;
  }
}

}  // namespace

SplitBehavior get_split_behavior(const Json& json, const char* key, const std::string& where) {
  static constexpr std::pair<std::string_view, SplitBehavior> kNames[] = {
      {"Removed", SplitBehavior::removed},
      {"Isolated", SplitBehavior::isolated},
      {"MergedWithPrevious", SplitBehavior::merged_with_previous},
      {"MergedWithNext", SplitBehavior::merged_with_next},
      {"Contiguous", SplitBehavior::contiguous},
  };
  std::string name = get_string(json, key, where), known;
  for (auto [spelling, behavior] : kNames) {
    if (name == spelling) return behavior;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", spelling);
  }
  throw Error(
      ErrorKind::data,
      {.what = fmt::format("unknown {}", key), .where = where, .found = name, .expected = "one of " + known});
}

void split_at(const std::vector<ByteSpan>& matches, std::uint32_t size, SplitBehavior behavior, bool invert,
              std::uint32_t offset, std::vector<ByteSpan>& words) {
  auto add = [&](ByteSpan span) {
    if (span.begin < span.end) words.push_back({offset + span.begin, offset + span.end});
  };
  std::vector<Piece> pieces = pieces_of(matches, size, invert);
  for (std::size_t i = 0; i < pieces.size();) {
    if (behavior == SplitBehavior::removed && pieces[i].match) {
      ++i;
      continue;
    }
    ByteSpan word = pieces[i].span;
    for (++i; i < pieces.size() && joins(behavior, pieces[i - 1], pieces[i]); ++i)
      word.end = pieces[i].span.end;
    add(word);
  }
}

Split::Split(const Json& json, const std::string& where)
    : pattern_(json, where),
      behavior_(get_split_behavior(json, "behavior", where)),
      invert_(get_bool(json, "invert", where)) {}

void Split::pre_tokenize(Words& words) const {
  PatternMatches finder(pattern_);
  std::vector<ByteSpan> matches, spans;
  for (ByteSpan span : words.spans) {
    finder.find(words.word(span), matches);
    split_at(matches, span.end - span.begin, behavior_, invert_, span.begin, spans);
  }
  words.spans = std::move(spans);
}

std::unique_ptr<PreTokenizer> Split::create(const Json& json, const std::string& where) {
  return std::make_unique<Split>(json, where);
}

}  // namespace surprisal
