// Where a number that is not finite first appeared, for messages about runs that diverge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/pass.h"

namespace surprisal {

// The first of `count` values that is not finite.
std::optional<std::int64_t> find_nonfinite(const float* values, std::int64_t count);

// After forward_layer(pass, layer): the first of its activations, in the order of the computation, that is
// not finite: "layer 3, attention".
std::optional<std::string> nonfinite_activation(const Pass& pass, std::int64_t layer);

// Names of the parameters whose values in `flat` (layout of the table) are not all finite, in the table's
// order.
std::vector<std::string> nonfinite_parameters(const ParameterTable& table, const Tensor& flat);

}  // namespace surprisal
