#include <array>
#include <utility>

#include "ops/activation.h"

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

}  // namespace surprisal
