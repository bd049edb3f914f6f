// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2), and the
// gradient norm.
#pragma once

#include <cstdint>
#include <span>

namespace surprisal {

struct AdamWStep {
  double learning_rate = 1e-4;  // of this step, schedule applied
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;      // multiplied by learning_rate
  std::int64_t step = 1;        // counts from 1
  bool bias_correction = true;  // off: as BERT's original optimizer
  double gradient_scale = 1;    // applied to every gradient (clipping)
};

// weight -= learning_rate * (m^ / (sqrt(v^) + epsilon) + weight_decay * weight); m, v are updated. All of one
// size.
void adamw(const AdamWStep& step, std::span<float> weight, std::span<const float> gradient,
           std::span<float> m, std::span<float> v);

// Sum of squares in double, over fixed blocks added in order: the same bits for any number of threads. NaN
// and infinity come through.
double squared_norm(std::span<const float> values);

}  // namespace surprisal
