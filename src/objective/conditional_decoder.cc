#include "objective/conditional_decoder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/conditional.h"
#include "objective/layout.h"
#include "objective/requirements.h"
#include "text/corpus/chat_layout.h"

namespace surprisal {
namespace {

using Tokens = std::span<const std::int32_t>;

constexpr ObjectiveTraits kPrefixTraits{
    .name = kConditionalTraits.name, .reads = DocumentKind::pair, .own_sight = true};

// A sequence token by token, of which each is a row but the last, and those that are scored are the targets
// of the rows before them.
struct Laid {
  std::vector<std::int32_t> ids{};
  std::vector<bool> scored{};
  void add(Tokens tokens, bool score) {
    ids.insert(ids.end(), tokens.begin(), tokens.end());
    scored.resize(ids.size(), score);
  }
  void cut(std::int64_t size) {
    ids.resize(static_cast<std::size_t>(std::min(size, std::ssize(ids))));
    scored.resize(ids.size());
    while (!scored.empty() && !scored.back()) scored.pop_back();
    ids.resize(scored.size());
  }
};

std::vector<std::int32_t> ends_of_turns(const ObjectiveOptions& options, const Tokenizer& tokenizer) {
  try {
    return ChatLayout(options.conditional.chat, tokenizer).ends();
  } catch (const Error&) {
    return {};  // where a chat comes, whoever tokenises it says so
  }
}

}  // namespace

ConditionalDecoder::ConditionalDecoder(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                       std::int64_t sequence_length)
    : ConditionalPairs(options, sequence_length),
      begin_of_text_(begin_of_text(options)),
      prefix_lm_(options.conditional.prefix_lm),
      begin_(tokenizer.special().bos),
      end_(require_special(kConditionalTraits.name, "an end-of-text token (eos)", tokenizer.special().eos,
                           "bpe", tokenizer)),
      turn_ends_(ends_of_turns(options, tokenizer)) {
  if (begin_of_text_ == BeginOfText::before) {
    begin_ =
        require_special(kConditionalTraits.name, "a begin-of-text token (bos)", begin_, "bpe", tokenizer);
  }
  require_length(kConditionalTraits.name, sequence_length, 4);
}

const ObjectiveTraits& ConditionalDecoder::traits() const {
  return prefix_lm_ ? kPrefixTraits : kConditionalTraits;
}

// A pair of texts without a begin of text anywhere is one of a tokenizer that has none.
ConditionalDecoder::Place ConditionalDecoder::place(const TokenDocument& pair) const {
  if (pair.has(PairMark::chat) || begin_of_text_ == BeginOfText::none) return Place::none;
  const bool between = begin_of_text_ == BeginOfText::between ||
                       (begin_of_text_ == BeginOfText::by_shape && pair.has(PairMark::line));
  if (between) return Place::between;
  return begin_ ? Place::before : Place::none;
}

PairSize ConditionalDecoder::size(const TokenDocument& pair) const {
  const std::int64_t begin = place(pair) == Place::none ? 0 : 1;
  const std::int64_t end = pair.has(PairMark::chat) ? 0 : 1;
  const std::int64_t prompt = std::ssize(pair.part(0));
  return {.prompt = prompt, .rest = std::ssize(pair.tokens) - prompt + end, .room = length_ + 1 - begin};
}

std::optional<ErrorParts> ConditionalDecoder::problem(const TokenDocument& pair) const {
  if (!pair.part(0).empty() || place(pair) != Place::none) return {};
  return ErrorParts{.what = "the prompt is empty, and no begin of text stands before the completion",
                    .fix = begin_ ? "set objective.conditional.begin_of_text = \"before\""
                                  : "the tokenizer has none: leave such pairs out"};
}

void ConditionalDecoder::lay_out(const TokenDocument& pair, const PairCut& cut, const SampleKey& key,
                                 Stream& sample) const {
  const Place place = this->place(pair);
  const std::int32_t begin = begin_.value_or(end_);
  const auto kept = static_cast<std::size_t>(cut.prompt);
  Laid laid;
  if (place == Place::before) laid.add({&begin, 1}, false);
  laid.add(keeps_end(pair) ? pair.part(0).last(kept) : pair.part(0).first(kept), false);
  if (place == Place::between) laid.add({&begin, 1}, false);
  const std::int32_t context = static_cast<std::int32_t>(laid.ids.size());
  for (std::size_t part = 1; part < pair.sentences.size(); ++part) laid.add(pair.part(part), part % 2 == 1);
  if (!pair.has(PairMark::chat)) laid.add({&end_, 1}, true);
  laid.cut(context + cut.targets);
  for (std::int32_t row = 0; row + 1 < std::ssize(laid.ids); ++row) {
    const std::size_t at = static_cast<std::size_t>(row);
    sample.token.push_back(laid.ids[at]);
    sample.visible.push_back({0, prefix_lm_ && row < context ? context : row + 1});
    if (laid.scored[at + 1]) sample.target.push_back({row, laid.ids[at + 1], 1});
  }
  sample.segment.assign(sample.token.size(), 0);
  number_rows(key, sample);
}

SampleNotes ConditionalDecoder::notes(const SampleKey&, const Stream& sample) const {
  const std::int32_t first = sample.target.front().row, last = sample.target.back().id;
  const bool ended =
      last == end_ || std::find(turn_ends_.begin(), turn_ends_.end(), last) != turn_ends_.end();
  std::vector<bool> scored(static_cast<std::size_t>(sample.size()) + 1);
  int completions = 0;
  for (const Target& target : sample.target) {
    const auto row = static_cast<std::size_t>(target.row);
    completions += !scored[row];
    scored[row + 1] = true;
  }
  SampleNotes notes;
  notes.lines.push_back(fmt::format(
      "rows [0,{}) are the prompt{}; {} {}", first + 1, prefix_lm_ ? " and see one another" : "",
      completions == 1 ? "the completion" : fmt::format("of {} completions the last", completions),
      ended ? "ends" : "is cut"));
  for (std::int32_t row = 0; row < sample.size(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const bool begin = sample.token[at] == begin_.value_or(end_) && (row == 0 || row == first);
    notes.rows.push_back(scored[at] ? "completion" : begin ? "special" : "prompt");
  }
  return notes;
}

}  // namespace surprisal
