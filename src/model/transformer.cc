#include "model/transformer.h"

#include <algorithm>
#include <cassert>
#include <map>

#include "core/parallel.h"
#include "core/random.h"
#include "model/flops.h"
#include "model/heads.h"
#include "model/layout.h"
#include "model/linear_layer.h"
#include "model/nonfinite.h"
#include "model/pass.h"
#include "model/prefix.h"
#include "model/tensors.h"
#include "ops/gemm.h"

namespace surprisal {

namespace {

void zero(std::span<float> values) {
  parallel_ranges(static_cast<std::int64_t>(values.size()), 1 << 18,
                  [&](std::int64_t begin, std::int64_t end, int) {
                    std::fill(values.begin() + begin, values.begin() + end, 0.0f);
                  });
}

void zero(const Tensor& tensor) {
  zero({tensor.f32(), static_cast<std::size_t>(tensor.elements())});
}

// Gradients that a backward pass can write as well as add to. They are nearly all of a model, and zeroing
// them first would be a pass over that memory for nothing.
std::vector<Tensor> matrices_of(const ModelTensors& tensors) {
  std::vector<Tensor> matrices{tensors.head_weight};
  for (const LayerTensors& layer : tensors.layers) {
    for (const Affine* linear : {&layer.qkv, &layer.attention_output, &layer.up, &layer.down}) {
      matrices.push_back(linear->weight);
    }
  }
  std::erase_if(matrices, [](const Tensor& matrix) { return !matrix.data; });  // frozen
  std::sort(matrices.begin(), matrices.end(),
            [](const Tensor& a, const Tensor& b) { return a.f32() < b.f32(); });
  return matrices;
}

void zero_between(const Tensor& flat, const std::vector<Tensor>& matrices) {
  float* begin = flat.f32();
  for (const Tensor& matrix : matrices) {
    zero({begin, matrix.f32()});
    begin = matrix.f32() + matrix.elements();
  }
  zero({begin, flat.f32() + flat.elements()});
}

// A parameter of which some rows alone are trained has a gradient there alone.
std::vector<std::span<float>> frozen_rows(const Adaptation& adaptation, const ParameterTable& table,
                                          const Tensor& flat) {
  std::map<std::string, std::vector<Interval>> trained;
  for (const TrainedRows& rows : adaptation.trained) {
    trained[rows.parameter].push_back(
        {static_cast<std::int32_t>(rows.row_begin), static_cast<std::int32_t>(rows.row_end)});
  }
  std::vector<std::span<float>> frozen;
  for (auto& [name, ranges] : trained) {
    const Tensor gradient = parameter_view(table, flat, table.find(name));
    const std::int64_t width = gradient.elements() / gradient.shape[0];
    std::ranges::sort(ranges, {}, &Interval::begin);
    ranges.push_back({static_cast<std::int32_t>(gradient.shape[0]), 0});
    std::int64_t end = 0;
    for (const Interval& range : ranges) {
      frozen.push_back({gradient.f32() + end * width, static_cast<std::size_t>((range.begin - end) * width)});
      end = range.end;
    }
  }
  return frozen;
}

}  // namespace

struct Transformer::State {
  State(const ModelConfig& model_config, Mode run_mode, Capacity largest, std::size_t head_workspace)
      : config(model_config),
        table(make_parameter_table(config)),
        trained(trained_parameters(config, table)),
        mode(run_mode),
        capacity(largest) {
    prepare_gemm();  // while there is memory
    lay_out(config, table, mode, capacity, head_workspace, arenas);
    arenas.reserve();
    layout = lay_out(config, table, mode, capacity, head_workspace, arenas);
    weights = bind_tensors(config, table, layout.weights);
    if (mode == Mode::evaluate) return;
    gradients = bind_tensors(config, trained.table, layout.gradients);
    matrix_gradients = matrices_of(gradients);
    frozen = frozen_rows(config.adaptation, trained.table, layout.gradients);
    lowest = lowest_trained(config, trained.table);
  }

  ModelConfig config;
  ParameterTable table;
  TrainedParameters trained;
  Mode mode;
  Capacity capacity;
  ModelArenas arenas;
  ModelLayout layout;
  ModelTensors weights, gradients;
  Pass pass{config, weights, gradients, layout};
  HeadRows target_rows, label_rows;
  std::vector<Tensor> matrix_gradients;
  std::vector<std::span<float>> frozen;  // gradients of rows that are not trained, of parameters that are
  bool matrices_stale = false;           // zero by name: the next backward pass writes them
  bool adapted_stale = true;             // what the adaptation makes of the weights is to be made anew
  Lowest lowest;
  FlopCount flops{config};

  void check([[maybe_unused]] const Stream& stream) const {
    [[maybe_unused]] auto size = [](const auto& array) { return static_cast<std::int64_t>(array.size()); };
    assert(stream.size() <= capacity.tokens && size(stream.target) <= capacity.targets &&
           size(stream.label) <= capacity.labels);
  }
  void prepare_adaptation() {
    if (!adapted_stale) return;
    prefix_forward(pass);
    find_adapted_norms(pass);
    adapted_stale = false;
  }
  void forward_layers() {
    drop_prefix(pass);
    embed(pass);
    for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) forward_layer(pass, layer);
  }
  void zero_gradients() {
    zero_between(layout.gradients, matrix_gradients);
    matrices_stale = true;
  }
  // Before anybody looks at them.
  void settle_gradients() {
    if (matrices_stale) {
      for (const Tensor& matrix : matrix_gradients) zero(matrix);
      matrices_stale = false;
    }
    for (std::span<float> rows : frozen) std::ranges::fill(rows, 0.0f);
  }
  void begin_backward() {
    zero({layout.workspace.gradient.f32(), static_cast<std::size_t>(pass.tokens() * config.hidden_size)});
    pass.write_matrices = matrices_stale ? Write::over : Write::add;
    // Without targets nothing is written; to a tied weight the embedding's own gradient comes, which adds.
    if (matrices_stale && pass.stream->target.empty() && gradients.head_weight.data) {
      zero(gradients.head_weight);
    }
    matrices_stale = false;
    clear_prefix_gradients(pass);
  }
  // Of what the heads left in the gradient of the last layer's output.
  void backward_layers() {
    for (std::int64_t layer = config.num_hidden_layers; layer-- > lowest.layer;) {
      pass.to_input = layer > lowest.layer || lowest.input;
      backward_layer(pass, layer);
    }
    prefix_backward(pass);
    if (lowest.embedding) embed_backward(pass);
  }
};

namespace {

// Room for every target that N rows can have, unless the caller knows better.
Capacity complete(Capacity capacity) {
  if (capacity.targets <= 0) capacity.targets = capacity.tokens;
  if (capacity.labels <= 0) capacity.labels = 1;
  return capacity;
}

// Each block of a parameter has numbers of its own, so that blocks can be drawn side by side.
void draw(const Parameter& parameter, std::uint64_t index, std::uint64_t seed, float* out) {
  constexpr std::int64_t kBlock = 4096;
  const std::int64_t rows = parameter.shape[0];
  const std::int64_t last = (rows - parameter.last_rows) * (parameter.shape.elements() / rows);
  parallel_ranges(parameter.shape.elements(), kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    Random random(
        {seed, index << 32 | static_cast<std::uint64_t>(begin / kBlock), 0, Purpose::initialisation});
    for (std::int64_t element = begin; element < end; ++element) {
      switch (parameter.initial) {
        case Initial::zero:
          out[element] = 0;
          break;
        case Initial::one:
          out[element] = 1;
          break;
        case Initial::uniform:
          out[element] = static_cast<float>((2 * random.uniform() - 1) * parameter.range);
          break;
        case Initial::normal:
          out[element] =
              static_cast<float>(random.normal() * (element < last ? parameter.range : parameter.last_range));
          break;
      }
    }
  });
}

}  // namespace

Transformer::Transformer(const ModelConfig& config, Mode mode, Capacity capacity, std::size_t head_workspace)
    : state_(std::make_unique<State>(config, mode, complete(capacity), head_workspace)) {}

Transformer::~Transformer() = default;

std::vector<MemoryUse> Transformer::plan(const ModelConfig& config, Mode mode, Capacity capacity,
                                         std::size_t head_workspace) {
  ModelArenas arenas;
  lay_out(config, make_parameter_table(config), mode, complete(capacity), head_workspace, arenas);
  return arenas.uses();
}

const ModelConfig& Transformer::config() const {
  return state_->config;
}

const ParameterTable& Transformer::table() const {
  return state_->table;
}

const TrainedParameters& Transformer::trained() const {
  return state_->trained;
}

std::span<float> Transformer::weights() {
  state_->adapted_stale = true;
  return {state_->layout.weights.f32(), static_cast<std::size_t>(state_->table.size)};
}

std::span<const float> Transformer::weights() const {
  return {state_->layout.weights.f32(), static_cast<std::size_t>(state_->table.size)};
}

std::span<float> Transformer::gradients() {
  if (state_->mode == Mode::evaluate) return {};
  state_->settle_gradients();
  return {state_->layout.gradients.f32(), static_cast<std::size_t>(state_->trained.table.size)};
}

Tensor Transformer::weight(int parameter) const {
  return parameter_view(state_->table, state_->layout.weights, parameter);
}

Tensor Transformer::gradient(int parameter) const {
  state_->settle_gradients();
  return parameter_view(state_->trained.table, state_->layout.gradients, parameter);
}

void Transformer::write_prefix(std::span<float> values) const {
  state_->prepare_adaptation();
  std::copy_n(prefix_of_weights(state_->pass).f32(), values.size(), values.begin());
}

void Transformer::initialise(std::uint64_t seed) {
  for (std::size_t index = 0; index < state_->table.parameters.size(); ++index) {
    initialise(seed, static_cast<int>(index));
  }
}

void Transformer::initialise(std::uint64_t seed, int parameter) {
  const auto index = static_cast<std::size_t>(parameter);
  state_->adapted_stale = true;
  draw(state_->table.parameters[index], index, seed, weight(parameter).f32());
}

void Transformer::evaluate(const Stream& stream, StreamResult& result) {
  State& state = *state_;
  state.check(stream);
  state.pass.begin(stream, nullptr);
  state.prepare_adaptation();
  state.forward_layers();
  vocabulary_head(state.pass, state.target_rows, nullptr, true, result);
  sentence_head(state.pass, state.label_rows, nullptr, true, result.label);
}

void Transformer::accumulate_gradients(const Stream& stream, const SurprisalGradient& scale,
                                       const std::uint64_t* dropout_seed, StreamResult& result) {
  State& state = *state_;
  assert(state.mode == Mode::train);
  state.check(stream);
  state.pass.begin(stream, dropout_seed);
  state.prepare_adaptation();
  state.forward_layers();
  state.begin_backward();
  vocabulary_head(state.pass, state.target_rows, &scale, false, result);
  sentence_head(state.pass, state.label_rows, &scale, false, result.label);
  state.backward_layers();
}

void Transformer::extend(const Stream& stream, const CachePlaces& places) {
  State& state = *state_;
  state.check(stream);
  state.pass.begin(stream, nullptr, places);
  state.prepare_adaptation();
  state.forward_layers();
}

void Transformer::logits(std::span<const std::int32_t> rows, std::span<float> logits) {
  assert(std::ssize(rows) <= state_->capacity.targets);
  row_logits(state_->pass, rows, logits);
}

void Transformer::zero_gradients() {
  if (state_->mode == Mode::train) state_->zero_gradients();
}

std::string Transformer::find_nonfinite_weight() const {
  const std::vector<std::string> names = nonfinite_parameters(state_->table, state_->layout.weights);
  return names.empty() ? "" : names.front();
}

std::string Transformer::find_nonfinite(const Stream& stream, const SurprisalGradient& scale,
                                        const std::uint64_t* dropout_seed) {
  State& state = *state_;
  assert(state.mode == Mode::train);
  const std::string weight = find_nonfinite_weight();
  if (!weight.empty()) return "the weights: " + weight;
  zero_gradients();
  StreamResult result;
  accumulate_gradients(stream, scale, dropout_seed, result);
  for (std::int64_t layer = 0; layer < state.config.num_hidden_layers; ++layer) {
    if (auto found = nonfinite_activation(state.pass, layer)) return "forward: " + *found;
  }
  for (const auto& [head, term] :
       {std::pair{"vocabulary head", &result.token}, {"sentence head", &result.label}}) {
    if (surprisal::find_nonfinite(term->surprisal.data(), std::ssize(term->surprisal))) {
      return std::string("forward: ") + head;
    }
  }
  state.settle_gradients();
  // Backward runs from the heads down the table, so the last of them went wrong first.
  const std::vector<std::string> names = nonfinite_parameters(state.trained.table, state.layout.gradients);
  return names.empty() ? "" : "backward: the gradient of " + names.back();
}

double Transformer::flops(const ModelConfig& config, const Stream& stream, bool training) {
  const FlopCount count(config);
  return training ? count.forward_backward(stream) : count.forward(stream);
}

double Transformer::flops(const Stream& stream, bool training) const {
  return training ? state_->flops.forward_backward(stream) : state_->flops.forward(stream);
}

}  // namespace surprisal
