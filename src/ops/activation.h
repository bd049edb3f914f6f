// Pointwise activations. gelu: x/2 (1 + erf(x/sqrt 2)); gelu_tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715
// x^3))) (Hendrycks and Gimpel, arXiv 1606.08415).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace surprisal {

enum class Activation { gelu, gelu_tanh, relu, silu, tanh };

// The names that config.json uses: gelu, gelu_new, gelu_pytorch_tanh, relu, silu, swish, tanh. Absent: not
// known.
std::optional<Activation> find_activation(std::string_view name);
std::string activation_names();  // "gelu, gelu_new, ..." for messages

// y[i] = f(x[i]); y may be x. Both f32 of one shape.
void activation_forward(Activation kind, const Tensor& x, const Tensor& y);
// dx[i] = dy[i] f'(x[i]); dx may be dy.
void activation_backward(Activation kind, const Tensor& x, const Tensor& dy, const Tensor& dx);

}  // namespace surprisal
