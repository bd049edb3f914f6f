// The activations and their derivatives on one vector. NaN comes through everywhere; an infinite x gives what
// the formula gives, which is NaN where it says 0 * infinity. Compiled once per instruction set.
#include "hwy/highway.h"

#if defined(SURPRISAL_OPS_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SURPRISAL_OPS_ACTIVATION_INL_H_
#undef SURPRISAL_OPS_ACTIVATION_INL_H_
#else
#define SURPRISAL_OPS_ACTIVATION_INL_H_
#endif

#include "hwy/contrib/math/math-inl.h"
#include "ops/activation.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {

HWY_INLINE FloatVector constant(float value) {
  return hn::Set(FloatTag(), value);
}

// Unlike hn::Min and hn::Max, NaN stays NaN on every instruction set.
HWY_INLINE FloatVector at_most(FloatVector x, float limit) {
  return hn::IfThenElse(hn::Gt(x, constant(limit)), constant(limit), x);
}
HWY_INLINE FloatVector at_least(FloatVector x, float limit) {
  return hn::IfThenElse(hn::Lt(x, constant(limit)), constant(limit), x);
}

// a above which exp(-a^2 / 2) is 0 in f32.
inline constexpr float kNormalTail = 15.0f;

// exp(-a^2 / 2) for a in [0, kNormalTail]. a^2 is rounded by up to a^2 / 2^24, which the exponential would
// turn into a relative error of that size; the rounding error is known exactly (by FMA) and given back to
// first order.
HWY_INLINE FloatVector exp_of_minus_half_square(FloatVector a) {
  const FloatVector square = hn::Mul(a, a);
  const FloatVector power = hn::Exp(FloatTag(), hn::Mul(square, constant(-0.5f)));
#if HWY_NATIVE_FMA
  const FloatVector lost = hn::MulSub(a, a, square);
  return hn::NegMulAdd(hn::Mul(lost, constant(0.5f)), power, power);
#else
  return power;
#endif
}

// exp(a^2 / 2) times the upper tail of the standard normal distribution, that is erfcx(a / sqrt 2) / 2, on
// [0, kNormalTail]. Rational minimax approximation, relative error below 6.6e-9, fitted with 60 digits by
// reweighted least squares (Lawson). All coefficients are positive, so nothing cancels.
HWY_INLINE FloatVector scaled_normal_tail(FloatVector a) {
  FloatVector p = constant(0.00415341527343f);
  p = hn::MulAdd(p, a, constant(0.0408830376744f));
  p = hn::MulAdd(p, a, constant(0.183975674062f));
  p = hn::MulAdd(p, a, constant(0.439293505035f));
  p = hn::MulAdd(p, a, constant(0.5f));
  FloatVector q = constant(0.0104109566287f);
  q = hn::MulAdd(q, a, constant(0.102484689079f));
  q = hn::MulAdd(q, a, constant(0.471425640495f));
  q = hn::MulAdd(q, a, constant(1.20557745619f));
  q = hn::MulAdd(q, a, constant(1.6764720118f));
  q = hn::MulAdd(q, a, constant(1.0f));
  return hn::Div(p, q);
}

// Phi(x) = (1 + erf(x / sqrt 2)) / 2 and phi(x) = exp(-x^2 / 2) / sqrt(2 pi). Phi is built from its smaller
// tail, so its relative error stays at rounding for negative x too, where 1 + erf cancels.
struct Normal {
  FloatVector cumulative, density;

  explicit HWY_INLINE Normal(FloatVector x) {
    const FloatVector a = at_most(hn::Abs(x), kNormalTail);
    const FloatVector power = exp_of_minus_half_square(a);
    const FloatVector tail = hn::Mul(power, scaled_normal_tail(a));
    cumulative = hn::IfThenElse(hn::Lt(x, constant(0.0f)), tail, hn::Sub(constant(1.0f), tail));
    density = hn::Mul(power, constant(0.398942280401f));
  }
};

struct Gelu {
  static HWY_INLINE FloatVector value(FloatVector x) { return hn::Mul(x, Normal(x).cumulative); }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    const Normal normal(x);
    return hn::MulAdd(x, normal.density, normal.cumulative);
  }
};

// 1 / (1 + exp(-v)) and its derivative, from exp(-|v|), which cannot overflow; nothing cancels.
struct Sigmoid {
  FloatVector value, derivative;

  explicit HWY_INLINE Sigmoid(FloatVector v) {
    // hn::Exp turns NaN into 0.
    const FloatVector power = hn::IfThenElse(hn::IsNaN(v), v, hn::Exp(FloatTag(), hn::Neg(hn::Abs(v))));
    const FloatVector upper = hn::Div(constant(1.0f), hn::Add(constant(1.0f), power));
    const FloatVector lower = hn::Mul(power, upper);
    value = hn::IfThenElse(hn::Lt(v, constant(0.0f)), lower, upper);
    derivative = hn::Mul(lower, upper);
  }
};

// x / (1 + exp(-v)). From -v = 100 on the exponential is infinite and the quotient 0.
HWY_INLINE FloatVector gated_by_sigmoid(FloatVector x, FloatVector v) {
  const FloatVector power = hn::Exp(FloatTag(), at_most(hn::Neg(v), 100.0f));
  return hn::Div(x, hn::Add(constant(1.0f), power));
}

// (1 + tanh u) / 2 = 1 / (1 + exp(-2u)), hence gelu_tanh(x) = x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)).
struct GeluTanh {
  static constexpr float kScale = 1.59576912161f;  // 2 sqrt(2 / pi)
  static constexpr float kCubic = 0.044715f * 1.59576912161f;

  static HWY_INLINE FloatVector argument(FloatVector x) {
    return hn::Mul(x, hn::MulAdd(hn::Mul(x, x), constant(kCubic), constant(kScale)));
  }
  static HWY_INLINE FloatVector value(FloatVector x) { return gated_by_sigmoid(x, argument(x)); }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    // From |x| = 12 on the derivative is 0 or 1 in f32; beyond, x^3 would overflow.
    const FloatVector near = at_least(at_most(x, 12.0f), -12.0f);
    const FloatVector slope = hn::MulAdd(hn::Mul(near, near), constant(3 * kCubic), constant(kScale));
    const Sigmoid sigmoid(argument(near));
    return hn::MulAdd(hn::Mul(near, slope), sigmoid.derivative, sigmoid.value);
  }
};

struct Relu {
  static HWY_INLINE FloatVector value(FloatVector x) { return at_least(x, 0.0f); }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    return hn::IfThenElse(hn::Le(x, constant(0.0f)), constant(0.0f), constant(1.0f));
  }
};

struct Relu2 {
  static HWY_INLINE FloatVector value(FloatVector x) {
    const FloatVector positive = at_least(x, 0.0f);
    return hn::Mul(positive, positive);
  }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    const FloatVector positive = at_least(x, 0.0f);
    return hn::Add(positive, positive);
  }
};

struct QuickGelu {
  static constexpr float kScale = 1.702f;

  static HWY_INLINE FloatVector value(FloatVector x) {
    return gated_by_sigmoid(x, hn::Mul(x, constant(kScale)));
  }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    const Sigmoid sigmoid(hn::Mul(x, constant(kScale)));
    return hn::MulAdd(x, hn::Mul(sigmoid.derivative, constant(kScale)), sigmoid.value);
  }
};

struct SigmoidOf {
  static HWY_INLINE FloatVector value(FloatVector x) { return Sigmoid(x).value; }
  static HWY_INLINE FloatVector derivative(FloatVector x) { return Sigmoid(x).derivative; }
};

struct Silu {
  static HWY_INLINE FloatVector value(FloatVector x) { return gated_by_sigmoid(x, x); }
  static HWY_INLINE FloatVector derivative(FloatVector x) {
    const Sigmoid sigmoid(x);
    return hn::MulAdd(x, sigmoid.derivative, sigmoid.value);
  }
};

struct Tanh {
  static HWY_INLINE FloatVector value(FloatVector x) { return hn::Tanh(FloatTag(), x); }
  static HWY_INLINE FloatVector derivative(FloatVector x) {  // 1 - tanh^2 x = 4 sigmoid'(2x)
    return hn::Mul(constant(4.0f), Sigmoid(hn::Add(x, x)).derivative);
  }
};

// Calls use(function of `kind`).
template <class Use>
HWY_INLINE void with_activation(Activation kind, const Use& use) {
  switch (kind) {
    case Activation::gelu:
      return use(Gelu());
    case Activation::gelu_tanh:
      return use(GeluTanh());
    case Activation::quick_gelu:
      return use(QuickGelu());
    case Activation::relu:
      return use(Relu());
    case Activation::relu2:
      return use(Relu2());
    case Activation::sigmoid:
      return use(SigmoidOf());
    case Activation::silu:
      return use(Silu());
    case Activation::tanh:
      return use(Tanh());
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#endif
