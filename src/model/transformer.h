// The model in motion: forward and backward over a stream, in memory laid out before the first step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "surprisal/memory_use.h"
#include "surprisal/stream.h"

#include "core/arena.h"
#include "model/config.h"
#include "model/key_value_cache.h"
#include "model/parameter.h"

namespace surprisal {

// The largest stream that will come. T and S at most N unless given.
struct Capacity {
  std::int64_t tokens = 0;
  std::int64_t targets = 0;
  std::int64_t labels = 0;
};

enum class Mode {
  evaluate,  // forward only; one layer's activations are held
  train,     // gradients, and the activations that they need
};

// Per target (label, choice) of a stream, in the stream's order.
struct TermResult {
  std::vector<float> surprisal;         // -log p(right answer), nats
  std::vector<std::int32_t> predicted;  // the most probable id, class or option; ties to the smallest
  std::vector<float> value{};           // of labels of a regression: what the head says
};
struct StreamResult {
  TermResult token, label, choice{};
};

// d(loss)/d(surprisal) of every target, label and choice: lambda * weight / (sum of weights over the whole
// optimizer step). Of a target that a choice has: not read.
struct SurprisalGradient {
  std::span<const float> token, label, choice{};
  // Of targets and classes: gradients are those of the smoothed loss. REQUIRES 0 where there are choices.
  float label_smoothing = 0;
};

class Transformer {
 public:
  // Lays out and reserves all memory; weights are zero. `head_workspace`: bytes that the vocabulary head may
  // use beside its outputs. Scratch is for threads() as they are now: REQUIRES that they are not raised
  // later. Throws Error (memory).
  Transformer(const ModelConfig& config, Mode mode, Capacity capacity,
              std::size_t head_workspace = std::size_t{64} << 20);
  ~Transformer();

  // What the constructor would reserve, from the same code, without reserving it.
  static std::vector<MemoryUse> plan(const ModelConfig& config, Mode mode, Capacity capacity,
                                     std::size_t head_workspace = std::size_t{64} << 20);

  const ModelConfig& config() const;
  const ParameterTable& table() const;
  const TrainedParameters& trained() const;  // all of them, unless the configuration has an adaptation
  // Flat, layout of table(). What changes weights behind a pass asks for them here: what a prefix's MLP and
  // the norms of adapted rows come to is then found anew at the next.
  std::span<float> weights();
  std::span<const float> weights() const;
  std::span<float> gradients();          // flat, layout of trained().table; empty in Mode::evaluate
  Tensor weight(int parameter) const;    // of table()
  Tensor gradient(int parameter) const;  // of trained().table

  // Keys and values of the prefix as the weights are, [P, 2 L K], through its reparametrisation if it has
  // one.
  void write_prefix(std::span<float> values) const;

  // Draws every weight anew, as the family's publication says, from `seed`.
  void initialise(std::uint64_t seed);
  void initialise(std::uint64_t seed, int parameter);  // one of them

  // Forward without dropout. REQUIRES a checked stream within the capacity.
  void evaluate(const Stream& stream, StreamResult& result);

  // Forward, and adds d(loss)/d(parameter) to gradients(). Dropout is on where `dropout_seed` is given; its
  // numbers are keyed by it and by (sample, epoch, row within the sequence, place in the model). REQUIRES
  // Mode::train.
  void accumulate_gradients(const Stream& stream, const SurprisalGradient& scale,
                            const std::uint64_t* dropout_seed, StreamResult& result);

  // Forward of rows that go on from those that the cache holds: row i's keys and values are kept at its slot,
  // and stream.visible counts rows of the cache. The heads do nothing: see logits(). Equals evaluate() of the
  // whole, to rounding.
  void extend(const Stream& stream, const CachePlaces& places);

  // Logits over the vocabulary, [rows, V], at rows of the stream of the last evaluate() or extend() (for
  // sampling): log p up to a constant. REQUIRES no more rows than the capacity has targets.
  void logits(std::span<const std::int32_t> rows, std::span<float> logits);

  // The next accumulate_gradients() writes most of them instead of adding: a view taken before holds what it
  // held until gradients() or gradient() is called again.
  void zero_gradients();

  // The first parameter with such a number: "layer.3.norm.weight". Empty where all are finite.
  std::string find_nonfinite_weight() const;

  // For a stream whose loss or gradient is not finite: goes through it once more and says where the first
  // such number appears: "the weights: layer.3.norm.weight", "forward: layer 3, attention", "backward: the
  // gradient of head.norm.weight". Empty where all is finite. Gradients are void afterwards. REQUIRES
  // Mode::train.
  std::string find_nonfinite(const Stream& stream, const SurprisalGradient& scale,
                             const std::uint64_t* dropout_seed);

  // Floating-point operations that forward (and backward, in training) of this stream need: see flops.h.
  static double flops(const ModelConfig& config, const Stream& stream, bool training);
  double flops(const Stream& stream, bool training) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace surprisal
