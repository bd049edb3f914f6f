#include "infer/merge_adapter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "surprisal/error.h"
#include "surprisal/tokenizer.h"

#include "adapt/merge.h"
#include "model/family.h"
#include "model/transformer.h"
#include "store/adapted_model.h"
#include "store/commit.h"
#include "store/model_directory.h"
#include "store/tensor_files.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostRows = 256;  // of the probe

// As its family's rows see one another everywhere else.
Stream stream_of(const std::vector<std::int32_t>& ids, bool decoder) {
  Stream stream;
  const auto size = static_cast<std::int32_t>(ids.size());
  stream.token = ids;
  stream.position.resize(ids.size());
  std::iota(stream.position.begin(), stream.position.end(), 0);
  stream.block_position.assign(ids.size(), 0);
  stream.segment.assign(ids.size(), 0);
  for (std::int32_t row = 0; row < size; ++row) stream.visible.push_back({0, decoder ? row + 1 : size});
  stream.sequence = {{.begin = 0, .end = size}};
  return stream;
}

std::vector<float> logits_of(Transformer& model, const std::vector<std::int32_t>& ids) {
  const ModelConfig& config = model.config();
  const bool decoder = find_family(config.family, "model").decoder;
  Stream stream = stream_of(ids, decoder);
  StreamResult result;
  if (!config.vocabulary_head()) {  // of a classifier: up to a constant
    for (std::int32_t cls = 0; cls < config.classes; ++cls) {
      stream.label.push_back({decoder ? stream.size() - 1 : 0, cls, 1});
    }
    model.evaluate(stream, result);
    return config.regression ? result.label.value : result.label.surprisal;
  }
  model.evaluate(stream, result);
  std::vector<float> logits(ids.size() * static_cast<std::size_t>(model.config().vocab_size));
  model.logits(stream.position, logits);
  return logits;
}

Transformer make_model(const ModelConfig& config, std::size_t rows) {
  const auto tokens = static_cast<std::int64_t>(rows);
  return Transformer(
      config, Mode::evaluate,
      {.tokens = tokens, .targets = tokens, .labels = std::max<std::int64_t>(config.classes, 1)});
}

std::vector<std::int32_t> probe_ids(const AdapterMerge& merge, const Tokenizer& tokenizer,
                                    const ModelConfig& config) {
  std::vector<std::int32_t> ids = tokenizer.encode_with_special(merge.probe);
  const std::int64_t most = std::min(kMostRows, config.stream_positions());
  if (std::ssize(ids) > most) ids.resize(static_cast<std::size_t>(most));
  if (ids.empty())
    throw Error(ErrorKind::usage, {.what = "the probe text has no token", .found = merge.probe});
  return ids;
}

// The dtype that all tensors of the base have.
Dtype base_dtype(const fs::path& model) {
  const TensorFiles files(find_weights(model).value());
  const auto all = [&](const char* dtype) {
    return std::ranges::all_of(files.tensors(),
                               [&](const StoredTensor* tensor) { return tensor->dtype == dtype; });
  };
  return all("BF16") ? Dtype::bf16 : all("F16") ? Dtype::f16 : Dtype::f32;
}

void check_out(const AdapterMerge& merge) {
  std::error_code ignored;
  for (const fs::path& input : {merge.model, merge.adapter}) {
    if (!fs::equivalent(merge.out, input, ignored)) continue;
    throw Error(ErrorKind::usage, {.what = "the merged model would replace what it is made of",
                                   .where = merge.out.string(),
                                   .fix = "name another directory"});
  }
}

}  // namespace

MergedAdapter merge_adapter(const AdapterMerge& merge) {
  check_out(merge);
  const AdaptedModel source(merge.model, merge.adapter);
  if (source.adapter().prefix()) {
    throw Error(ErrorKind::usage, {.what = "a prefix is no change of weights, and cannot be merged",
                                   .where = merge.adapter.string(),
                                   .fix = "use it with --adapter"});
  }
  const Tokenizer tokenizer = Tokenizer::load(merge.model);
  const std::vector<std::int32_t> ids = probe_ids(merge, tokenizer, source.config());
  const Dtype dtype = base_dtype(merge.model);
  MergedAdapter merged{.modules = std::ssize(source.config().adaptation.branches),
                       .dtype = dtype == Dtype::bf16  ? "bfloat16"
                                : dtype == Dtype::f16 ? "float16"
                                                      : "float32",
                       .probe_tokens = std::ssize(ids)};
  std::vector<float> before;
  ModelConfig base = source.config();
  base.adaptation = {};
  {
    Transformer model = make_model(source.config(), ids.size());
    source.load(model);
    before = logits_of(model, ids);
    merge_branches(model);
    commit_directory(merge.out, [&](const fs::path& directory) {
      save_model(directory, base, make_parameter_table(base), model.weights(), &tokenizer, dtype);
    });
  }
  // What was written, not what was meant.
  Transformer written = make_model(read_model_config(merge.out), ids.size());
  load_weights(merge.out, written);
  const std::vector<float> after = logits_of(written, ids);
  for (std::size_t i = 0; i < before.size(); ++i) {
    merged.largest_change = std::max(merged.largest_change, std::abs(double{after[i]} - before[i]));
    merged.largest_logit = std::max(merged.largest_logit, std::abs(double{before[i]}));
  }
  return merged;
}

}  // namespace surprisal
