// Derivatives without another framework and without cancellation: df/dx_i = Im f(x + i h e_i) / h, exact to
// rounding for h far below the rounding of x.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace surprisal {

// `function`: std::complex<double> of std::span<const std::complex<double>>.
template <class Function>
std::vector<double> complex_step(const Function& function, const std::vector<double>& x) {
  constexpr double kStep = 1e-20;
  std::vector<std::complex<double>> point(x.begin(), x.end());
  std::vector<double> gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    point[i] = {x[i], kStep};
    gradient[i] = function(std::span<const std::complex<double>>(point)).imag() / kStep;
    point[i] = x[i];
  }
  return gradient;
}

}  // namespace surprisal
