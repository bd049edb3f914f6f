// `conditional` of models that read from left to right.
//
//   input   b  x_1 .. x_p  y_1 .. y_t      or, with the begin of text between,  x_1 .. x_p  b  y_1 .. y_t
//   target              y_1 .. y_t  e                                                       y_1 .. y_t  e
//
// A chat is laid as its layout wrote it, with nothing around it. Rows see what stands before them; as a
// prefix language model those before the first target see one another.
#pragma once

#include <cstdint>
#include <vector>

#include "objective/conditional.h"
#include "objective/conditional_pairs.h"

namespace surprisal {

class ConditionalDecoder : public ConditionalPairs {
 public:
  // Throws Error (usage): a tokenizer without an end of text, or without a begin that is asked for.
  ConditionalDecoder(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                     std::int64_t sequence_length);

  const ObjectiveTraits& traits() const override;
  SampleNotes notes(const SampleKey& key, const Stream& sample) const override;

 protected:
  PairSize size(const TokenDocument& pair) const override;
  std::optional<ErrorParts> problem(const TokenDocument& pair) const override;
  void lay_out(const TokenDocument& pair, const PairCut& cut, const SampleKey& key,
               Stream& sample) const override;

 private:
  enum class Place { none, before, between };
  Place place(const TokenDocument& pair) const;  // of the begin of text

  BeginOfText begin_of_text_;
  bool prefix_lm_;
  std::optional<std::int32_t> begin_;
  std::int32_t end_;
  std::vector<std::int32_t> turn_ends_;  // of chats
};

}  // namespace surprisal
