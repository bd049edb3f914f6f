#include "objective/conditional_infilling.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "objective/conditional.h"
#include "objective/requirements.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

constexpr ObjectiveTraits kInfillingTraits{
    .name = kConditionalTraits.name, .reads = DocumentKind::pair, .own_sight = true};

// As blank infilling has it at level document: a completion goes on like a text's end, and GLM-130B counted
// on in its pairs although [MASK] stands before them (LargeScale, GLMPreprocessor).
PiecePosition position_of(const ObjectiveOptions& options) {
  const std::string& own = options.conditional.position;
  require_choice("objective.conditional.position", own,
                 {"as_blank_infilling", "two_dimensional", "repeat", "continue"});
  if (own != "as_blank_infilling") return piece_position("objective.conditional.position", own);
  const BlankInfillingOptions& blanks = options.blank_infilling;
  if (blanks.document_position == "as_position")
    return piece_position("objective.blank_infilling.position", blanks.position);
  return piece_position("objective.blank_infilling.document_position", blanks.document_position);
}

}  // namespace

ConditionalInfilling::ConditionalInfilling(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                           std::int64_t sequence_length)
    : ConditionalPairs(options, sequence_length), special_(tokenizer.special()) {
  const std::string_view name = kConditionalTraits.name;
  layout_ = {.mask = require_blank_token(
                 name, blank_mask("objective.conditional.mask", options.conditional.mask), tokenizer),
             .start_of_piece = require_blank_token(name, BlankToken::start_of_piece, tokenizer),
             .end_of_piece = require_blank_token(name, BlankToken::end_of_piece, tokenizer),
             .position = position_of(options)};
  if (options.blank_infilling.special_tokens) surround_ = BlankSurround::of(name, tokenizer);
  require_length(name, sequence_length, special_rows() + 4);
}

const ObjectiveTraits& ConditionalInfilling::traits() const {
  return kInfillingTraits;
}

SampleExtent ConditionalInfilling::extent(std::int64_t sequence_length) const {
  SampleExtent extent{.rows = sequence_length, .positions = sequence_length};
  // A prompt may be empty.
  if (layout_.position == PiecePosition::two_dimensional) {
    extent.block_positions = sequence_length - special_rows();
  }
  return extent;
}

SampleNotes ConditionalInfilling::notes(const SampleKey&, const Stream& sample) const {
  const std::int32_t context = sample.visible.front().end;
  const bool ended = sample.target.back().id == *layout_.end_of_piece;
  SampleNotes notes;
  notes.lines.push_back(fmt::format("rows [0,{}) are the prompt and see one another; the completion {}",
                                    context, ended ? "ends" : "is cut"));
  for (std::int32_t row = 0; row < sample.size(); ++row) {
    const std::int32_t id = sample.token[static_cast<std::size_t>(row)];
    const bool around = row < std::ssize(surround_.before) || row >= context - std::ssize(surround_.after);
    notes.rows.push_back(row >= context          ? "completion"
                         : is_mask(special_, id) ? "mask"
                         : around                ? "special"
                                                 : "prompt");
  }
  return notes;
}

PairSize ConditionalInfilling::size(const TokenDocument& pair) const {
  const std::int64_t mask = find_mask(pair.part(0)) == std::ssize(pair.part(0)) ? 1 : 0;
  return {.prompt = std::ssize(pair.part(0)),
          .rest = std::ssize(pair.part(1)) + 1,
          .room = length_ - special_rows() - mask};
}

std::optional<ErrorParts> ConditionalInfilling::problem(const TokenDocument& pair) const {
  if (!pair.has(PairMark::chat)) return {};
  return ErrorParts{
      .what = "a chat has no form as a blank of layout glm",
      .fix = "set objective.conditional.layout = \"decoder\", or give prompt and completion as texts"};
}

AskedBlank ConditionalInfilling::ask(Tokens prompt) const {
  AskedBlank asked{.ids = surround_.before, .position = layout_.position};
  asked.begin = static_cast<std::int32_t>(asked.ids.size());
  const std::int64_t mask = find_mask(prompt);
  asked.mask = asked.begin + static_cast<std::int32_t>(mask);
  asked.ids.insert(asked.ids.end(), prompt.begin(), prompt.end());
  if (mask == std::ssize(prompt)) asked.ids.push_back(layout_.mask);
  asked.end = static_cast<std::int32_t>(asked.ids.size());
  asked.ids.insert(asked.ids.end(), surround_.after.begin(), surround_.after.end());
  return asked;
}

// The completion is put where the mask stands, and is the text's one blank.
void ConditionalInfilling::lay_out(const TokenDocument& pair, const PairCut& cut, const SampleKey& key,
                                   Stream& sample) const {
  const Tokens prompt = pair.part(0);
  Tokens completion = pair.part(1);
  BlankLayout layout = layout_;
  if (cut.targets <= std::ssize(completion)) {
    layout.end_of_piece.reset();
    completion = completion.first(static_cast<std::size_t>(cut.targets));
  }
  const bool end = keeps_end(pair);
  const std::int64_t begin = end ? std::ssize(prompt) - cut.prompt : 0, mask = find_mask(prompt);
  const Tokens kept = prompt.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(cut.prompt));
  const bool own = mask < std::ssize(prompt);
  if (own) layout.mask = prompt[static_cast<std::size_t>(mask)];
  if (own && mask >= begin && mask < begin + cut.prompt) {
    const auto at = static_cast<std::size_t>(mask - begin);
    return lay_out(kept.first(at), completion, kept.subspan(at + 1), layout, key, sample);
  }
  // One that was cut off is put at the end, for which `size` has no row.
  const std::size_t less = own && !kept.empty() ? kept.size() - 1 : kept.size();
  lay_out(end ? kept.last(less) : kept.first(less), completion, {}, layout, key, sample);
}

void ConditionalInfilling::lay_out(Tokens before, Tokens completion, Tokens after, const BlankLayout& layout,
                                   const SampleKey& key, Stream& sample) const {
  std::vector<std::int32_t> text;
  for (Tokens part : {Tokens(surround_.before), before, completion, after, Tokens(surround_.after)}) {
    text.insert(text.end(), part.begin(), part.end());
  }
  const auto begin = static_cast<std::int32_t>(surround_.before.size() + before.size());
  const Blanks blanks{{begin, begin + static_cast<std::int32_t>(completion.size())}};
  const std::size_t order[] = {0};
  lay_out_blanks(text, blanks, order, layout, key, sample);
}

// Index of the last mask, which the completion is for; the prompt's size where it has none.
std::int64_t ConditionalInfilling::find_mask(Tokens prompt) const {
  for (std::int64_t index = std::ssize(prompt); index-- > 0;) {
    if (is_mask(special_, prompt[static_cast<std::size_t>(index)])) return index;
  }
  return std::ssize(prompt);
}

}  // namespace surprisal
