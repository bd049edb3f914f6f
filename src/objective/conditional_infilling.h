// `conditional` of models of blanks: Part A is the prompt with a mask behind it, which sees itself in both
// directions, and Part B the completion as blank infilling has the piece of that mask (blank_layout.h).
//
//   Part A   [CLS]  x_1 .. x_p  [MASK]  <|endoftext|>          Part B   start-of-piece  y_1 .. y_t
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "objective/blank_layout.h"
#include "objective/blank_window.h"
#include "objective/conditional_pairs.h"

namespace surprisal {

// Part A of a prompt whose completion is wanted.
struct AskedBlank {
  std::vector<std::int32_t> ids{};                          // with what stands around the prompt
  std::int32_t mask = 0;                                    // row of the mask that the completion is for
  std::int32_t begin = 0, end = 0;                          // rows of the prompt with its mask
  PiecePosition position = PiecePosition::two_dimensional;  // of the completion's rows
};

class ConditionalInfilling : public ConditionalPairs {
 public:
  // Throws Error (usage): a tokenizer without the tokens of blank infilling, a value that a key cannot have.
  ConditionalInfilling(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                       std::int64_t sequence_length);

  const ObjectiveTraits& traits() const override;
  SampleExtent extent(std::int64_t sequence_length) const override;
  SampleNotes notes(const SampleKey& key, const Stream& sample) const override;

  AskedBlank ask(std::span<const std::int32_t> prompt) const;

 protected:
  PairSize size(const TokenDocument& pair) const override;
  std::optional<ErrorParts> problem(const TokenDocument& pair) const override;
  void lay_out(const TokenDocument& pair, const PairCut& cut, const SampleKey& key,
               Stream& sample) const override;

 private:
  using Tokens = std::span<const std::int32_t>;
  void lay_out(Tokens before, Tokens completion, Tokens after, const BlankLayout& layout,
               const SampleKey& key, Stream& sample) const;
  std::int64_t find_mask(Tokens prompt) const;
  std::int64_t special_rows() const { return std::ssize(surround_.before) + std::ssize(surround_.after); }

  SpecialTokens special_;
  BlankLayout layout_;
  BlankSurround surround_{};
};

}  // namespace surprisal
