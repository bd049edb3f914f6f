#include "train/identity.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/options.h"

namespace surprisal {
namespace {

template <std::size_t size>
bool is_one_of(std::string_view key, const std::array<std::string_view, size>& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// How long a run goes on, where and when it saves and what it shows: nothing that a step computes.
bool is_free(std::string_view key) {
  constexpr std::array<std::string_view, 11> kFree = {"train.max_steps",
                                                      "train.num_train_epochs",
                                                      "train.eval_steps",
                                                      "train.logging_steps",
                                                      "train.num_samples",
                                                      "train.threads",
                                                      "train.head_workspace_mib",
                                                      "train.skip_nonfinite",
                                                      "objective.evaluate",
                                                      "train.early_stopping_patience",
                                                      "train.early_stopping_threshold"};
  return key.starts_with("train.save_") || is_one_of(key, kFree);
}

bool must_stay(std::string_view key) {
  constexpr std::array<std::string_view, 12> kFixed = {"run.seed",
                                                       "data.train",
                                                       "data.sequence_length",
                                                       "data.document",
                                                       "data.sentence",
                                                       "data.field",
                                                       "data.invalid_utf8",
                                                       "tokenizer",
                                                       "train.tokens_per_step",
                                                       "train.micro_batch_tokens",
                                                       "train.limit",
                                                       "train.overfit_one_batch"};
  return key.starts_with("objective.") || key.starts_with("model.") || key.starts_with("adapter.") ||
         is_one_of(key, kFixed);
}

}  // namespace

Identity identity_of(const Configuration& configuration, const Tokenizer& tokenizer,
                     const TokenCorpus& training, const TokenCorpus* validation) {
  Identity identity;
  Configuration copy = configuration;
  for (const FieldHelp& field : describe_options([&](OptionVisitor& visitor) { copy.visit(visitor); })) {
    const bool decides = field.key.starts_with("objective.") || field.key.starts_with("model.") ||
                         field.key.starts_with("adapter.") || field.key.starts_with("train.") ||
                         must_stay(field.key);
    if (decides && !is_free(field.key)) identity[field.key] = field.default_value;
  }
  identity["objective.train"] = configuration.objective.train;
  // What a tokenizer and the cutting do to the texts is in their hashes; these keys say which of them it was.
  identity["tokenizer"] = tokenizer.fingerprint();
  identity["data.train"] = training.fingerprint();
  identity["data.validation"] = validation ? validation->fingerprint() : "none";
  return identity;
}

std::vector<std::string> compare_identity(const Identity& saved, const Identity& now,
                                          const std::string& where) {
  std::vector<std::string> notes, keys;
  ErrorParts parts{.where = where, .fix = "start a new run in another run.directory"};
  for (const auto& [key, value] : now) {
    auto before = saved.find(key);
    if (before == saved.end() || before->second == value) continue;
    if (must_stay(key)) {
      keys.push_back(key);
      parts.found += fmt::format("{}{}", parts.found.empty() ? "" : ", ", value);
      parts.expected += fmt::format("{}{}", parts.expected.empty() ? "" : ", ", before->second);
    } else {
      notes.push_back(fmt::format("{} is now {}; the run was saved with {}", key, value, before->second));
    }
  }
  if (keys.empty()) return notes;
  parts.what = fmt::format("{} {} not what the run began with", fmt::join(keys, ", "),
                           keys.size() == 1 ? "is" : "are");
  throw Error(ErrorKind::usage, std::move(parts));
}

}  // namespace surprisal
