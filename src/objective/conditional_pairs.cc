#include "objective/conditional_pairs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/conditional.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

constexpr std::string_view kName = kConditionalTraits.name;

std::optional<TooLong> too_long(const std::string& name) {
  require_choice("objective.conditional.too_long", name, {"auto", "keep_start", "keep_end", "drop", "error"});
  if (name == "keep_start") return TooLong::keep_start;
  if (name == "keep_end") return TooLong::keep_end;
  if (name == "drop") return TooLong::drop;
  if (name == "error") return TooLong::fail;
  return {};
}

bool fits(const PairSize& size) {
  return size.prompt + size.rest <= size.room;
}

std::string counted(std::int64_t number, const char* one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

struct CutCounts {
  std::int64_t pairs = 0, cut = 0, dropped = 0;
  std::int64_t prompt_starts = 0, prompt_ends = 0, completions = 0;
  std::int64_t prompts_differ = 0, special_completions = 0;

  // "2 prompts and 1 completion", without what is none; both where both are none.
  static std::string join(std::int64_t prompts, std::int64_t completions) {
    return counted(prompts, "prompt") + " and " + counted(completions, "completion");
  }
  std::string lost() const {
    if (dropped > 0) return counted(dropped, "pair") + (dropped == 1 ? " is left out" : " are left out");
    if (prompt_starts == 0) return "cut at the end are " + join(prompt_ends, completions);
    return fmt::format("cut at the start are {}, at the end {}", counted(prompt_starts, "prompt"),
                       join(prompt_ends, completions));
  }
  std::vector<std::string> remarks(std::int64_t length) const {
    std::vector<std::string> remarks;
    if (cut > 0) {
      remarks.push_back(fmt::format("objective {}: {} of {} pairs {} longer than a sequence of {}: {}", kName,
                                    cut, pairs, cut == 1 ? "is" : "are", length, lost()));
    }
    if (prompts_differ > 0) {
      remarks.push_back(fmt::format(
          "objective {}: {} of {} prompts have other tokens together with their completions than alone, as "
          "the "
          "model meets them when it is to complete them; objective.conditional.tokenise = \"separately\" "
          "keeps them as they are alone",
          kName, prompts_differ, pairs));
    }
    if (special_completions > 0) {
      remarks.push_back(
          fmt::format("objective {}: {} of {} completions spell special tokens, which become targets", kName,
                      special_completions, pairs));
    }
    return remarks;
  }
};

// Of the first `kept` tokens from the first target on, those that are scored.
std::uint64_t scored_of(const TokenDocument& pair, std::int64_t kept) {
  if (!pair.has(PairMark::chat)) return static_cast<std::uint64_t>(kept);
  std::int64_t scored = 0, left = kept;
  for (std::size_t part = 1; part < pair.sentences.size() && left > 0; ++part) {
    const std::int64_t tokens = std::min<std::int64_t>(left, std::ssize(pair.part(part)));
    left -= tokens;
    if (part % 2 == 1) scored += tokens;
  }
  return static_cast<std::uint64_t>(scored);
}

}  // namespace

ConditionalPairs::ConditionalPairs(const ObjectiveOptions& options, std::int64_t sequence_length)
    : length_(sequence_length), too_long_(too_long(options.conditional.too_long)) {}

bool ConditionalPairs::keeps_end(const TokenDocument& pair) const {
  return too_long_.value_or(pair.has(PairMark::chat) ? TooLong::keep_end : TooLong::keep_start) ==
         TooLong::keep_end;
}

std::optional<PairCut> ConditionalPairs::cut(const TokenDocument& pair) const {
  const PairSize size = this->size(pair);
  if (too_long_ == TooLong::drop && !fits(size)) return {};
  return PairCut::of(size.prompt, size.rest, size.room, length_);
}

std::int64_t ConditionalPairs::build(const TokenCorpus& pairs, const SampleKey& key, std::int64_t,
                                     Stream& sample) const {
  const TokenDocument pair = pairs.document(key.document);
  if (const std::optional<PairCut> cut = this->cut(pair)) lay_out(pair, *cut, key, sample);
  return std::ssize(pair.tokens);
}

std::vector<std::string> ConditionalPairs::remarks(const TokenCorpus& pairs) const {
  CutCounts counts{.pairs = static_cast<std::int64_t>(pairs.documents())};
  for (std::uint64_t index = 0; index < pairs.documents(); ++index) {
    const TokenDocument pair = pairs.document(index);
    counts.prompts_differ += pair.has(PairMark::prompt_differs);
    counts.special_completions += pair.has(PairMark::special_completion);
    const PairSize size = this->size(pair);
    if (fits(size)) continue;
    ++counts.cut;
    const std::optional<PairCut> cut = this->cut(pair);
    counts.dropped += !cut;
    if (!cut) continue;
    if (cut->prompt < size.prompt) ++(keeps_end(pair) ? counts.prompt_starts : counts.prompt_ends);
    counts.completions += cut->targets < size.rest;
  }
  return counts.remarks(length_);
}

void ConditionalPairs::check_corpus(const TokenCorpus& pairs) const {
  bool any = false;
  for (std::uint64_t index = 0; index < pairs.documents(); ++index) {
    const TokenDocument pair = pairs.document(index);
    std::optional<ErrorParts> problem = this->problem(pair);
    const PairSize size = this->size(pair);
    if (!problem && too_long_ == TooLong::fail && !fits(size)) {
      problem = {.what = "the pair is longer than a sequence",
                 .found = fmt::format("{} rows", size.prompt + size.rest - size.room + length_),
                 .expected = fmt::format("at most {}", length_),
                 .fix =
                     "raise data.sequence_length, or choose what becomes of such pairs "
                     "(objective.conditional.too_long)"};
    }
    if (problem) {
      problem->where = pairs.origin(index);
      throw Error(ErrorKind::data, *std::move(problem));
    }
    any = any || too_long_ != TooLong::drop || fits(size);
  }
  if (any || pairs.documents() == 0) return;
  throw Error(ErrorKind::data,
              {.what = "every pair is longer than a sequence and left out: no target remains",
               .where = pairs.origin(0) + " and on",
               .found = counted(static_cast<std::int64_t>(pairs.documents()), "pair"),
               .expected = fmt::format("at most {} rows", length_),
               .fix = "raise data.sequence_length, or set objective.conditional.too_long to keep_start or "
                      "keep_end"});
}

TargetCount ConditionalPairs::count_targets(const TokenCorpus& pairs) const {
  TargetCount count;
  for (std::uint64_t index = 0; index < pairs.documents(); ++index) {
    const TokenDocument pair = pairs.document(index);
    const std::optional<PairCut> cut = this->cut(pair);
    if (!cut) continue;
    const PairSize size = this->size(pair);
    ++count.samples;
    count.rows += static_cast<std::uint64_t>(cut->prompt + cut->targets + length_ - size.room);
    count.targets += scored_of(pair, cut->targets);
  }
  return count;
}

}  // namespace surprisal
