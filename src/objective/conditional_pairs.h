// What both layouts of `conditional` have in common: a pair is a sample, and what becomes of one that is too
// long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "surprisal/error.h"

#include "objective/objective.h"
#include "objective/options.h"
#include "objective/pair_cut.h"

namespace surprisal {

// How much of a sequence a pair would take.
struct PairSize {
  std::int64_t prompt = 0;  // tokens before the first target
  std::int64_t rest = 0;    // the first target and all behind it; of a pair of texts its end too
  std::int64_t room = 0;    // rows for both
};

enum class TooLong { keep_start, keep_end, drop, fail };

class ConditionalPairs : public Objective {
 public:
  // Throws Error (usage) where objective.conditional.too_long has a value that it cannot have.
  ConditionalPairs(const ObjectiveOptions& options, std::int64_t sequence_length);

  std::int64_t build(const TokenCorpus& pairs, const SampleKey& key, std::int64_t cursor,
                     Stream& sample) const override;
  std::vector<std::string> remarks(const TokenCorpus& pairs) const override;
  void check_corpus(const TokenCorpus& pairs) const override;
  TargetCount count_targets(const TokenCorpus& pairs) const override;

 protected:
  virtual void lay_out(const TokenDocument& pair, const PairCut& cut, const SampleKey& key,
                       Stream& sample) const = 0;
  virtual PairSize size(const TokenDocument& pair) const = 0;
  // Why no sample can be made of the pair; nothing where one can.
  virtual std::optional<ErrorParts> problem(const TokenDocument& pair) const = 0;

  // What is kept. Nothing where the pair is left out.
  std::optional<PairCut> cut(const TokenDocument& pair) const;
  // The end of the prompt, where that of a pair of texts loses its end.
  bool keeps_end(const TokenDocument& pair) const;

  std::int64_t length_;

 private:
  std::optional<TooLong> too_long_;  // nothing: by what the pair is
};

}  // namespace surprisal
