// The bookkeeping of a loss: every term stays a pair (sum of weight * surprisal, sum of weights), over
// micro-batches and parts, and is divided when it is reported (DESIGN.md section 3).
//   loss = sum_k sum_p lambda_kp sum_kp / weight_k,  weight_k = sum_p weight_kp,  k: token targets, labels,
//   choices; p: parts
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "surprisal/evaluation.h"
#include "surprisal/stream.h"

#include "model/transformer.h"
#include "objective/mixture.h"

namespace surprisal {

struct TermSums {
  std::vector<LossSum> by_part;
  std::uint64_t count = 0;    // targets that no choice has, labels, or choices
  std::uint64_t correct = 0;  // of them predicted right (only where predictions were asked for)
  LossSum total() const;
};

// Lambda by part.
struct LossWeights {
  std::vector<double> token{1.0}, label{1.0}, choice{1.0};
};
LossWeights loss_weights(const Mixture& mixture);

class LossSums {
 public:
  explicit LossSums(std::size_t parts = 1);

  // The weights of a stream's targets, labels and choices; their surprisals come later, with add_result.
  void add_weights(const Stream& stream);
  void add_result(const Stream& stream, const StreamResult& result);

  double loss(const LossWeights& weights) const;
  const TermSums& token() const { return token_; }
  const TermSums& label() const { return label_; }
  const TermSums& choice() const { return choice_; }

 private:
  TermSums token_, label_, choice_;
};

// d(loss)/d(surprisal) of every target, label and choice of `stream`, where `step` holds the weights of the
// whole step; 0 of a target that a choice has.
struct SurprisalGradients {
  std::vector<float> token, label, choice;
  SurprisalGradient view() const { return {token, label, choice}; }
};
void set_surprisal_gradients(const Stream& stream, const LossSums& step, const LossWeights& weights,
                             SurprisalGradients& gradients);

}  // namespace surprisal
