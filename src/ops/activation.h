// Pointwise activations. gelu: x/2 (1 + erf(x/sqrt 2)).
// gelu_tanh: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel, arXiv 1606.08415).
// quick_gelu: x sigmoid(1.702 x) (of the same paper). relu2: max(0, x)^2.
//
// Largest relative error of the values, measured against double on every instruction set: gelu 4.4e-7 down to
// x = -13 (4.1e-6 on a CPU without FMA); gelu_tanh 2e-7 plus 1.5e-7 times the exponent of exp(-2u), so 1.3e-5
// at x = -10; silu, quick_gelu and sigmoid 1.5e-7; tanh 2.3e-7. The derivatives are off by at most 2.1e-7,
// absolute.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace surprisal {

enum class Activation { gelu, gelu_tanh, quick_gelu, relu, relu2, sigmoid, silu, tanh };

// The names that config.json uses, several for one formula: gelu_new, gelu_fast, gelu_accurate,
// gelu_pytorch_tanh and gelu_python_tanh are all gelu_tanh. Absent: not known.
std::optional<Activation> find_activation(std::string_view name);
std::string activation_names();  // "gelu, gelu_new, ..." for messages

// y[i] = f(x[i]); y may be x. Both f32 of one shape.
void activation_forward(Activation kind, const Tensor& x, const Tensor& y);
// dx[i] = dy[i] f'(x[i]); dx may be dy.
void activation_backward(Activation kind, const Tensor& x, const Tensor& dy, const Tensor& dx);

}  // namespace surprisal
