#include "train/checkpoint_writer.h"

#include <algorithm>
#include <system_error>
#include <tuple>
#include <utility>

#include "core/parallel.h"

namespace surprisal {
namespace {

std::span<float> values(const Tensor& tensor) {
  return {tensor.f32(), tensor.data ? static_cast<std::size_t>(tensor.shape.elements()) : 0};
}

using Copies = std::tuple<Tensor, Tensor, Tensor, Tensor>;  // weights, two moments, a prefix

Copies take_copies(const ModelConfig& config, const ParameterTable& trained, Arena& arena) {
  const Prefix& prefix = config.adaptation.prefix;
  const Tensor weights = arena.take({trained.size}), first = arena.take({trained.size}),
               second = arena.take({trained.size});
  return {weights, first, second,
          prefix.inner > 0 ? arena.take({prefix.length, config.prefix_width()}) : Tensor()};
}

void copy(std::span<const float> from, std::span<float> to) {
  constexpr std::int64_t kBlock = 1 << 18;
  parallel_ranges(std::ssize(from), kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    std::copy(from.begin() + begin, from.begin() + end, to.begin() + begin);
  });
}

}  // namespace

CheckpointWriter::CheckpointWriter(const RunDirectory& directory, const Transformer& model,
                                   Optimizer& optimizer, const Tokenizer& tokenizer,
                                   const TrainOptions& options, const CheckpointAdapter& adapter)
    : directory_(directory),
      model_(model),
      optimizer_(optimizer),
      tokenizer_(tokenizer),
      dtype_(save_dtype(options)),
      adapter_(adapter),
      background_(options.save_in_background) {
  // What is trained of a model that is adapted lies scattered in it, so it is gathered in any case.
  if (!options.save_in_background && !model.config().adaptation.any()) return;
  for (int pass = 0; pass < 2; ++pass) {
    Copies copies = take_copies(model.config(), model.trained().table, arena_);
    std::tie(weights_, first_moment_, second_moment_, prefix_) = copies;
    if (pass == 0) arena_.reserve();
  }
}

CheckpointWriter::~CheckpointWriter() {
  if (thread_.joinable()) thread_.join();
}

std::size_t CheckpointWriter::plan(const ModelConfig& config) {
  Arena arena("checkpoint");
  take_copies(config, trained_parameters(config, make_parameter_table(config)).table, arena);
  return arena.peak_bytes();
}

std::uint64_t CheckpointWriter::bytes_on_disk(const ParameterTable& table, const Tokenizer& tokenizer,
                                              Dtype dtype) {
  constexpr std::uint64_t kTensorHeader = 136;  // at most, of the JSON of a safetensors file
  constexpr std::uint64_t kRest = 1 << 14;      // configuration, state and manifest
  // Weights and two moments; a file of rounded weights has the exact ones beside it.
  const std::uint64_t each = 3 * sizeof(float) + (dtype == Dtype::bf16 ? 2 : 0);
  std::uint64_t elements = 0;  // of which table.count are trained
  for (const Parameter& parameter : table.parameters) {
    elements += static_cast<std::uint64_t>(parameter.shape.elements());
  }
  return each * elements + 4 * kTensorHeader * table.parameters.size() + tokenizer.tokenizer_json().size() +
         tokenizer.tokenizer_config_json().size() + kRest;
}

void CheckpointWriter::copy_state() {
  const TrainedParameters& trained = model_.trained();
  if (model_.config().adaptation.any()) {
    for (std::size_t index = 0; index < trained.index.size(); ++index) {
      const Tensor weight = model_.weight(trained.index[index]);
      const std::int64_t offset = trained.table.parameters[index].offset;
      copy(values(weight), values(weights_).subspan(static_cast<std::size_t>(offset)));
    }
  } else {
    copy(model_.weights(), values(weights_));
  }
  if (prefix_.data) model_.write_prefix(values(prefix_));
  copy(optimizer_.first_moment(), values(first_moment_));
  copy(optimizer_.second_moment(), values(second_moment_));
}

void CheckpointWriter::write(const RunState& state, const Retention& retention,
                             const CheckpointTensors& tensors) {
  Outcome outcome{.step = state.step, .path = directory_.checkpoint(state.step)};
  try {
    directory_.require_room(bytes_on_disk(model_.trained().table, tokenizer_, dtype_));
    directory_.commit(state.step, [&](const std::filesystem::path& directory) {
      write_checkpoint(directory, model_.config(), model_.trained().table, tensors, tokenizer_, dtype_,
                       adapter_, state);
    });
    outcome.committed = true;
    directory_.publish(state.step, retention);
  } catch (...) {
    outcome.failure = std::current_exception();
  }
  outcome_ = std::move(outcome);
  done_.store(true);
}

void CheckpointWriter::save(const RunState& state, const Retention& retention) {
  if (thread_.joinable()) thread_.join();
  done_.store(false);
  if (!weights_.data) {
    return write(state, retention, {model_.weights(), optimizer_.first_moment(), optimizer_.second_moment()});
  }
  copy_state();
  const auto write_copy = [this, state, retention] {
    write(state, retention,
          {values(weights_), values(first_moment_), values(second_moment_), values(prefix_)});
  };
  if (!background_) return write_copy();
  try {
    thread_ = std::thread(write_copy);
  } catch (const std::system_error&) {  // there is none to be had: a save that takes its time beats none
    write_copy();
  }
}

std::optional<CheckpointWriter::Outcome> CheckpointWriter::poll() {
  return done_.load() ? finish() : std::nullopt;
}

std::optional<CheckpointWriter::Outcome> CheckpointWriter::finish() {
  if (thread_.joinable()) thread_.join();
  done_.store(false);
  return std::exchange(outcome_, std::nullopt);
}

}  // namespace surprisal
