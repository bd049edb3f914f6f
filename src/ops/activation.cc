#include "ops/activation.h"

#include <array>
#include <cassert>
#include <utility>

#include "ops/activation_cpu.h"

namespace surprisal {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 14> kNames = {{
    {"gelu", Activation::gelu},
    {"gelu_accurate", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_python", Activation::gelu},
    {"gelu_python_tanh", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"quick_gelu", Activation::quick_gelu},
    {"relu", Activation::relu},
    {"relu2", Activation::relu2},
    {"sigmoid", Activation::sigmoid},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
}};

[[maybe_unused]] bool same_f32(const Tensor& a, const Tensor& b) {
  return a.dtype == Dtype::f32 && b.dtype == Dtype::f32 && a.shape == b.shape;
}

}  // namespace

std::optional<Activation> find_activation(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string activation_names() {
  std::string names;
  for (const auto& [known, kind] : kNames) {
    if (!names.empty()) names += ", ";
    names += known;
  }
  return names;
}

void activation_forward(Activation kind, const Tensor& x, const Tensor& y) {
  assert(same_f32(x, y));
  activation_forward_cpu(kind, x.elements(), x.f32(), y.f32());
}

void activation_backward(Activation kind, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  assert(same_f32(x, dy) && same_f32(x, dx));
  activation_backward_cpu(kind, x.elements(), x.f32(), dy.f32(), dx.f32());
}

}  // namespace surprisal
