#include "objective/conditional.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "objective/blank_layout.h"
#include "objective/blank_window.h"
#include "objective/layout.h"
#include "objective/pair_cut.h"
#include "objective/requirements.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

using Tokens = std::span<const std::int32_t>;

constexpr ObjectiveTraits kInfillingTraits{
    .name = kConditionalTraits.name, .reads = DocumentKind::pair, .own_sight = true};

// "objective conditional: 3 of 10 pairs are longer than a sequence of 64; 3 prompts and 1 completion are
// cut".
std::vector<std::string> cut_remarks(std::int64_t pairs, std::int64_t prompts, std::int64_t completions,
                                     std::int64_t cut, std::int64_t length) {
  if (cut == 0) return {};
  return {
      fmt::format("objective {}: {} of {} pairs {} longer than a sequence of {}: cut at the end are {} "
                  "prompt{} and {} completion{}",
                  kConditionalTraits.name, cut, pairs, cut == 1 ? "is" : "are", length, prompts,
                  prompts == 1 ? "" : "s", completions, completions == 1 ? "" : "s")};
}

// What both layouts have in common: a sample a pair, and what is cut.
class Conditional : public Objective {
 public:
  explicit Conditional(std::int64_t sequence_length) : length_(sequence_length) {}

  std::int64_t build(const TokenCorpus& corpus, const SampleKey& key, std::int64_t,
                     Stream& sample) const override {
    const TokenDocument pair = corpus.document(key.document);
    lay_out(pair.part(0), pair.part(1), key, sample);
    return std::ssize(pair.tokens);
  }

  std::vector<std::string> remarks(const TokenCorpus& pairs) const override {
    std::int64_t prompts = 0, completions = 0, both = 0;
    for (std::uint64_t index = 0; index < pairs.documents(); ++index) {
      const TokenDocument pair = pairs.document(index);
      const PairCut cut = this->cut(pair.part(0), pair.part(1));
      const bool prompt = cut.prompt < std::ssize(pair.part(0));
      const bool completion = cut.targets <= std::ssize(pair.part(1));
      prompts += prompt;
      completions += completion;
      both += prompt || completion;
    }
    return cut_remarks(static_cast<std::int64_t>(pairs.documents()), prompts, completions, both, length_);
  }

 protected:
  virtual void lay_out(Tokens prompt, Tokens completion, const SampleKey& key, Stream& sample) const = 0;
  virtual PairCut cut(Tokens prompt, Tokens completion) const = 0;

  std::int64_t length_;
};

class DecoderConditional : public Conditional {
 public:
  DecoderConditional(const Tokenizer& tokenizer, std::int64_t sequence_length)
      : Conditional(sequence_length),
        begin_(require_special(kConditionalTraits.name, "a begin-of-text token (bos)",
                               tokenizer.special().bos, "bpe", tokenizer)),
        end_(require_special(kConditionalTraits.name, "an end-of-text token (eos)", tokenizer.special().eos,
                             "bpe", tokenizer)) {
    require_length(kConditionalTraits.name, sequence_length, 2);
  }

  const ObjectiveTraits& traits() const override { return kConditionalTraits; }

  SampleNotes notes(const SampleKey&, const Stream& sample) const override {
    SampleNotes notes;
    const std::int32_t first = sample.target.front().row;
    const bool ended = sample.target.back().id == end_;
    notes.lines.push_back(
        fmt::format("rows [0,{}) are the prompt; the completion {}", first + 1, ended ? "ends" : "is cut"));
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      notes.rows.push_back(row == 0 ? "special" : row <= first ? "prompt" : "completion");
    }
    return notes;
  }

 protected:
  // The last target has no row of its own, the begin of text has one.
  PairCut cut(Tokens prompt, Tokens completion) const override {
    return PairCut::of(std::ssize(prompt), std::ssize(completion) + 1, length_, length_);
  }

  void lay_out(Tokens prompt, Tokens completion, const SampleKey& key, Stream& sample) const override {
    const PairCut cut = this->cut(prompt, completion);
    sample.token.push_back(begin_);
    sample.token.insert(sample.token.end(), prompt.begin(), prompt.begin() + cut.prompt);
    std::int32_t row = sample.size() - 1;
    for (std::int64_t index = 0; index < cut.targets; ++index) {
      const bool last = index == std::ssize(completion);
      sample.target.push_back({row++, last ? end_ : completion[index], 1});
      if (index + 1 < cut.targets) sample.token.push_back(completion[index]);
    }
    for (std::int32_t i = 0; i < sample.size(); ++i) sample.visible.push_back({0, i + 1});
    sample.segment.assign(sample.token.size(), 0);
    number_rows(key, sample);
  }

 private:
  std::int32_t begin_, end_;
};

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

class InfillingConditional : public Conditional {
 public:
  InfillingConditional(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                       std::int64_t sequence_length)
      : Conditional(sequence_length), special_(tokenizer.special()) {
    const std::string_view name = kConditionalTraits.name;
    layout_ = {.mask = require_blank_token(
                   name, blank_mask("objective.conditional.mask", options.conditional.mask), tokenizer),
               .start_of_piece = require_blank_token(name, BlankToken::start_of_piece, tokenizer),
               .end_of_piece = require_blank_token(name, BlankToken::end_of_piece, tokenizer),
               .position = position_of(options)};
    if (options.blank_infilling.special_tokens) surround_ = BlankSurround::of(name, tokenizer);
    require_length(name, sequence_length, special_rows() + 4);
  }

  const ObjectiveTraits& traits() const override { return kInfillingTraits; }

  SampleExtent extent(std::int64_t sequence_length) const override {
    SampleExtent extent{.rows = sequence_length, .positions = sequence_length};
    // A prompt may be empty.
    if (layout_.position == PiecePosition::two_dimensional) {
      extent.block_positions = sequence_length - special_rows();
    }
    return extent;
  }

  SampleNotes notes(const SampleKey&, const Stream& sample) const override {
    const std::int32_t context = sample.visible.front().end;
    const bool ended = sample.target.back().id == *layout_.end_of_piece;
    SampleNotes notes;
    notes.lines.push_back(fmt::format("rows [0,{}) are the prompt and see one another; the completion {}",
                                      context, ended ? "ends" : "is cut"));
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      const std::int32_t id = sample.token[row];
      notes.rows.push_back(
          row >= context                                                                       ? "completion"
          : is_mask(special_, id)                                                              ? "mask"
          : row < std::ssize(surround_.before) || row >= context - std::ssize(surround_.after) ? "special"
                                                                                               : "prompt");
    }
    return notes;
  }

 protected:
  PairCut cut(Tokens prompt, Tokens completion) const override {
    const std::int64_t mask = find_mask(prompt) == std::ssize(prompt) ? 1 : 0;
    return PairCut::of(std::ssize(prompt), std::ssize(completion) + 1, length_ - special_rows() - mask,
                       length_);
  }

  // The completion is put where the mask stands, and is the text's one blank.
  void lay_out(Tokens prompt, Tokens completion, const SampleKey& key, Stream& sample) const override {
    const PairCut cut = this->cut(prompt, completion);
    BlankLayout layout = layout_;
    if (cut.targets <= std::ssize(completion)) {
      layout.end_of_piece.reset();
      completion = completion.first(static_cast<std::size_t>(cut.targets));
    }
    const std::int64_t mask = find_mask(prompt);
    if (mask < cut.prompt) {
      layout.mask = prompt[static_cast<std::size_t>(mask)];
      lay_out(prompt.first(mask), completion, prompt.first(cut.prompt).subspan(mask + 1), layout, key,
              sample);
    } else {
      // One that was cut off is put at the end, for which `cut` has no row.
      const bool cut_off = mask < std::ssize(prompt);
      if (cut_off) layout.mask = prompt[static_cast<std::size_t>(mask)];
      const std::int64_t kept = cut_off ? std::max<std::int64_t>(cut.prompt - 1, 0) : cut.prompt;
      lay_out(prompt.first(kept), completion, {}, layout, key, sample);
    }
  }

 private:
  void lay_out(Tokens before, Tokens completion, Tokens after, const BlankLayout& layout,
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
  std::int64_t find_mask(Tokens prompt) const {
    for (std::int64_t index = std::ssize(prompt); index-- > 0;) {
      if (is_mask(special_, prompt[static_cast<std::size_t>(index)])) return index;
    }
    return std::ssize(prompt);
  }
  std::int64_t special_rows() const { return std::ssize(surround_.before) + std::ssize(surround_.after); }

  SpecialTokens special_;
  BlankLayout layout_;
  BlankSurround surround_{};
};

}  // namespace

std::shared_ptr<const Objective> make_conditional(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                  std::int64_t sequence_length) {
  const std::string& layout = options.conditional.layout;
  require_choice("objective.conditional.layout", layout, {"auto", "decoder", "glm"});
  const bool glm = layout == "glm" || (layout == "auto" && tokenizer.special().sop);
  if (glm) return std::make_shared<InfillingConditional>(options, tokenizer, sequence_length);
  return std::make_shared<DecoderConditional>(tokenizer, sequence_length);
}

}  // namespace surprisal
