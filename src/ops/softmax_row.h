// The passes that a softmax makes over one row, shared by attention and by the vocabulary head.
#pragma once

#include <cstdint>

namespace surprisal {

// The largest of `count` values; -infinity where there are none.
float row_max(const float* values, std::int64_t count);

// values[j] = exp(values[j] - shift); returns their sum, formed in pieces of 1024 that are added in double.
// NaN stays NaN, also in the sum: divergence must show.
double exp_row(float* values, std::int64_t count, float shift);

// sum of exp(values[j] - shift), values untouched.
double sum_exp_row(const float* values, std::int64_t count, float shift);

// values[j] *= factor
void scale_row(float* values, std::int64_t count, float factor);

// gradient[j] = probability[j] * (gradient[j] - mean) * scale: through the softmax of one row.
void softmax_gradient_row(const float* probability, float* gradient, std::int64_t count, float mean,
                          float scale);

}  // namespace surprisal
