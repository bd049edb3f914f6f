// The definition of right for activation.h.
#pragma once

#include <cmath>

#include "ops/activation.h"
#include "ops/reference_number.h"

namespace surprisal::reference {

template <class Number>
Number gelu(Number x) {
  constexpr double kSqrtHalf = 0.70710678118654752440;
  return x * Number(0.5) * (Number(1) + erf(x * Number(kSqrtHalf)));
}

template <class Number>
Number gelu_tanh(Number x) {
  using std::tanh;
  constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
  return x * Number(0.5) * (Number(1) + tanh(Number(kSqrtTwoOverPi) * (x + Number(0.044715) * x * x * x)));
}

template <class Number>
Number silu(Number x) {
  using std::exp;
  return x / (Number(1) + exp(-x));
}

template <class Number>
Number sigmoid(Number x) {
  using std::exp;
  return Number(1) / (Number(1) + exp(-x));
}

template <class Number>
Number quick_gelu(Number x) {
  return x * sigmoid(Number(1.702) * x);
}

// The derivative of relu at 0 is taken as 0.
template <class Number>
Number relu(Number x) {
  return real_part(x) <= 0 ? Number(0) : x;
}

template <class Number>
Number activation(Activation kind, Number x) {
  using std::tanh;
  switch (kind) {
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::quick_gelu:
      return quick_gelu(x);
    case Activation::relu:
      return relu(x);
    case Activation::relu2:
      return relu(x) * relu(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::silu:
      return silu(x);
    case Activation::tanh:
      return tanh(x);
  }
  return x;
}

}  // namespace surprisal::reference
