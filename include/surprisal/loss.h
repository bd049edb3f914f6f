// The loss of given streams as one optimizer step would see it, and its gradients: any objective that can be
// written as a stream, without training.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "surprisal/evaluation.h"
#include "surprisal/model.h"
#include "surprisal/stream.h"

namespace surprisal {

struct StreamLoss {
  double loss = 0;               // token.mean() + label.mean() + choice.mean(), nats
  LossSum token, label, choice;  // over all streams; targets that a choice has count in choice alone
  // Of every target (also of those that a choice has), label and choice, stream by stream, nats.
  std::vector<float> surprisal, label_surprisal, choice_surprisal;
};

// d(loss)/d(parameter), under the checkpoint's own name and in its layout; a tied tensor once. Of a model
// with an adapter: those of the adapter, under the names of its file.
struct Gradient {
  std::string name;
  std::vector<std::int64_t> shape;  // row-major, sizes slowest-first
  std::vector<float> values;
};

// Without dropout. Streams are checked first. Throws Error: data, naming the stream (from 1) and the row,
// where one asks for more than the model has (ids, positions, segments, labels), or none has a target or
// label; diverged where the loss is not finite; memory.
StreamLoss loss(Model& model, std::span<const Stream> streams);
// The same, and `gradients` replaced by those of the loss; untouched where an Error is thrown.
StreamLoss loss(Model& model, std::span<const Stream> streams, std::vector<Gradient>& gradients);

}  // namespace surprisal
