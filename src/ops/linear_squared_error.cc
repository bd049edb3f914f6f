#include "ops/linear_squared_error.h"

#include <cassert>
#include <cstdint>

namespace surprisal {

void linear_squared_error_forward(const SquaredErrorInput& input, std::span<float> error,
                                  std::span<float> output) {
  const std::int64_t width = input.hidden.shape[1];
  assert(input.hidden.shape[0] == std::ssize(input.value) && input.weight.shape.elements() == width);
  const float* weight = input.weight.f32();
  for (std::size_t s = 0; s < input.value.size(); ++s) {
    const float* hidden = input.hidden.f32() + static_cast<std::int64_t>(s) * width;
    double sum = input.bias.data ? *input.bias.f32() : 0;
    for (std::int64_t d = 0; d < width; ++d) sum += static_cast<double>(hidden[d]) * weight[d];
    const double distance = sum - input.value[s];
    output[s] = static_cast<float>(sum);
    error[s] = static_cast<float>(distance * distance);
  }
}

void linear_squared_error_backward(const SquaredErrorInput& input, std::span<const float> output,
                                   const SquaredErrorGradients& gradients) {
  const std::int64_t width = input.hidden.shape[1];
  const float* weight = input.weight.f32();
  for (std::size_t s = 0; s < output.size(); ++s) {
    const std::int64_t row = static_cast<std::int64_t>(s) * width;
    const float* hidden = input.hidden.f32() + row;
    const float gradient = 2 * gradients.scale[s] * (output[s] - input.value[s]);
    for (std::int64_t d = 0; d < width; ++d) gradients.dhidden.f32()[row + d] = gradient * weight[d];
    if (gradients.dbias.data) *gradients.dbias.f32() += gradient;
    if (!gradients.dweight.data) continue;
    for (std::int64_t d = 0; d < width; ++d) gradients.dweight.f32()[d] += gradient * hidden[d];
  }
}

}  // namespace surprisal
