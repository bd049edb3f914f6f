// What the reference versions of the ops ask of a number type beyond arithmetic: float, double, or
// std::complex<double>, in which a derivative is exact to rounding without cancellation (the complex step:
// Squire and Trapp, SIAM Review 40(1), 1998). Functions of complex numbers compare by the real part only.
#pragma once

#include <cmath>
#include <complex>

namespace surprisal::reference {

inline float real_part(float x) {
  return x;
}
inline double real_part(double x) {
  return x;
}
inline double real_part(std::complex<double> x) {
  return x.real();
}

inline float erf(float x) {
  return std::erf(x);
}
inline double erf(double x) {
  return std::erf(x);
}
// erf(a + ib) = erf(a) + ib erf'(a) + O(b^2). Right for the complex step alone, where b^2 is nothing
// beside 1.
inline std::complex<double> erf(std::complex<double> x) {
  constexpr double kTwoOverSqrtPi = 1.12837916709551257390;
  return {std::erf(x.real()), x.imag() * kTwoOverSqrtPi * std::exp(-x.real() * x.real())};
}

}  // namespace surprisal::reference
