// Given streams as one optimizer step would see them: checked, packed, run, and their losses told apart
// again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "surprisal/stream.h"

#include "infer/loss_sums.h"
#include "model/transformer.h"

namespace surprisal {

// `where` names each stream in errors, `source` all of them. Throws Error (data) where one asks for more than
// the model has, or none has a target or label.
void check_streams(std::span<const Stream> streams, std::span<const std::string> where,
                   const ModelConfig& config, const std::string& source);

// Packed in order, so that short streams do not go through the model one by one.
std::vector<Stream> pack_in_order(std::span<const Stream> streams);

Capacity capacity_of(std::span<const Stream> packs);

struct StepLoss {
  LossSums sums;
  double loss = 0;
  // Of every target (also of those that a choice has), label and choice, stream by stream.
  std::vector<float> surprisal{}, label_surprisal{}, choice_surprisal{};
};

// Without dropout; with `gradients`, the model's hold those of the loss afterwards. `parts`: of the mixture
// that the streams came from. Throws Error (diverged), naming `source`, where the loss is not finite.
// REQUIRES capacity_of(packs).
StepLoss run_step(Transformer& model, std::span<const Stream> packs, const LossWeights& weights,
                  std::size_t parts, bool gradients, const std::string& source);

}  // namespace surprisal
