#include "train/options.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"

namespace surprisal {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 30;
constexpr std::int64_t kMostSteps = std::int64_t{1} << 40;

[[noreturn]] void refuse(std::string what, std::string found, std::string expected, std::string fix = {}) {
  throw Error(ErrorKind::usage, {.what = std::move(what),
                                 .found = std::move(found),
                                 .expected = std::move(expected),
                                 .fix = std::move(fix)});
}

void check(const Configuration& configuration) {
  const TrainOptions& train = configuration.train;
  if (train.tokens_per_step % train.micro_batch_tokens != 0) {
    refuse("train.tokens_per_step is no multiple of train.micro_batch_tokens",
           fmt::format("{} and {}", train.tokens_per_step, train.micro_batch_tokens), "a multiple");
  }
  if (configuration.data.sequence_length > train.micro_batch_tokens) {
    refuse("data.sequence_length is longer than a micro-batch",
           fmt::format("{} and {}", configuration.data.sequence_length, train.micro_batch_tokens),
           "at most train.micro_batch_tokens", "lower the one or raise the other");
  }
  if (train.warmup_steps > 0 && train.warmup_ratio > 0) {
    refuse("warmup is given twice", "train.warmup_steps and train.warmup_ratio", "one of them");
  }
  const AdapterOptions& adapter = configuration.adapter;
  const bool adapted = adapter.any() || !adapter.path.empty();
  if (adapted && configuration.model.path.empty()) {
    refuse("an adapter is put to a checkpoint, and none is given", "adapter without model.path", "both");
  }
  if (adapted && train.save_dtype != "float32") {
    refuse("adapters are written in f32", "train.save_dtype = \"" + train.save_dtype + "\"", "\"float32\"");
  }
  if (configuration.model.path.empty() && configuration.model.family.empty()) {
    refuse("no model is given", "neither model.family nor model.path", "one of them",
           "model.family = \"bert\" or \"gpt2\" with its sizes trains a new one");
  }
}

// Nothing that is asked for goes without effect.
void check_adapter_key(const AdapterOptions& adapter, const std::string& key) {
  constexpr std::string_view kTable = "adapter.";
  if (!key.starts_with(kTable)) return;
  const std::string name = key.substr(kTable.size());
  if (name == "path" || (name == "type" && adapter.path.empty())) return;
  if (!adapter.path.empty()) {
    refuse(fmt::format("{} is given beside adapter.path", key), "both", "one",
           "an adapter brings its own configuration; leave the key out");
  }
  if (!adapter.has_meaning(name)) {
    refuse(fmt::format("{} has no meaning for adapter.type = \"{}\"", key, adapter.type), key,
           "keys of that type", "leave it out, or set adapter.type to lora or prefix");
  }
}

}  // namespace

void RunOptions::visit(OptionVisitor& visitor) {
  visitor.field("directory", directory, {}, "where the run keeps its checkpoints and metrics",
                {.required = true, .path = true});
  visitor.field("seed", seed, {0, std::int64_t{1} << 53}, "of initialisation, order, masks and dropout");
}

void DataOptions::visit(OptionVisitor& visitor) {
  visitor.field("train", train,
                "text to train on: files (.txt or .jsonl, each also .gz or .zst), directories, patterns",
                {.required = true, .path = true});
  visitor.field("validation", validation, "held-out text, likewise; none: no evaluation", {.path = true});
  visitor.field("sequence_length", sequence_length, {4, kMostTokens},
                "most rows of one sequence, special tokens included");
  visitor.field("cache_directory", cache_directory, {},
                "for tokenised text; empty: .surprisal-cache beside run.directory", {.path = true});
  corpus.visit(visitor);
}

void TokenizerOptions::visit(OptionVisitor& visitor) {
  visitor.field(
      "path", path, {},
      "a directory with tokenizer.json, vocab.txt, vocab.json and merges.txt, or a SentencePiece model; or "
      "one of those files",
      {.required = true, .path = true});
}

void TrainOptions::visit(OptionVisitor& visitor) {
  visitor.field("max_steps", max_steps, {0, kMostSteps}, "optimizer steps; 0: as num_train_epochs says");
  visitor.field("num_train_epochs", num_train_epochs, {0, 1e6, true}, "passes over the training text");
  visitor.field("tokens_per_step", tokens_per_step, {1, kMostTokens}, "stream rows of one optimizer step");
  visitor.field("micro_batch_tokens", micro_batch_tokens, {1, kMostTokens},
                "stream rows that go through the model at once; sets the memory that a run needs");
  visitor.field("learning_rate", learning_rate, {0, 100}, "peak learning rate");
  visitor.field(
      "lr_scheduler_type", lr_scheduler_type,
      {"linear", "cosine", "constant", "polynomial", "inverse_sqrt", "warmup_stable_decay"},
      "how the learning rate falls after warmup; warmup_stable_decay holds it and then falls as 1 - sqrt");
  visitor.field("warmup_steps", warmup_steps, {0, kMostSteps},
                "steps over which the learning rate rises from 0");
  visitor.field("warmup_ratio", warmup_ratio, {0, 1}, "the same as a share of all steps");
  visitor.field("lr_min_ratio", lr_min_ratio, {0, 1},
                "where linear, cosine, polynomial and warmup_stable_decay end, as a share of learning_rate");
  visitor.field("lr_decay_ratio", lr_decay_ratio, {0, 1, true},
                "share of all steps over which warmup_stable_decay falls");
  visitor.field("lr_power", lr_power, {0, 100, true}, "exponent of polynomial; 1 is a line");
  visitor.field("weight_decay", weight_decay, {0, 100},
                "decoupled; biases and norms are left out, and heads for which a step has nothing");
  visitor.field("adam_beta1", adam_beta1, {0, 1, false, true}, "decay of the gradient's mean");
  visitor.field("adam_beta2", adam_beta2, {0, 1, false, true}, "decay of the squared gradient's mean");
  visitor.field("adam_epsilon", adam_epsilon, {0, 1, true}, "added to the denominator");
  visitor.field("adam_bias_correction", adam_bias_correction, "off: as BERT's original optimizer");
  visitor.field("max_grad_norm", max_grad_norm, {0, 1e9},
                "gradients are scaled down to this global norm; 0: never");
  visitor.field("label_smoothing_factor", label_smoothing_factor, {0, 1, false, true},
                "share of a target's weight that goes to all tokens or classes alike; what is reported stays "
                "the surprisal");
  visitor.field(
      "loss_mean", loss_mean, {"step", "micro_batch"},
      "what the mean of a term's surprisals is over; micro_batch: each alone, and these are averaged");
  visitor.field("eval_steps", eval_steps, {0, kMostSteps},
                "evaluate every so many steps; 0: at the start and the end");
  visitor.field("save_steps", save_steps, {0, kMostSteps},
                "save every so many steps; 0: the last step and improvements");
  visitor.field("save_total_limit", save_total_limit, {0, 1 << 20}, "newest checkpoints kept; 0: all");
  visitor.field("save_best_limit", save_best_limit, {1, 1 << 20},
                "how many of the best checkpoints are kept beside those; best points to the first");
  visitor.field("save_keep_steps", save_keep_steps, {0, kMostSteps},
                "checkpoints at multiples of this are never removed; 0: none");
  visitor.field("save_in_background", save_in_background,
                "write checkpoints beside the next steps, from a copy of the state that costs memory");
  visitor.field("save_dtype", save_dtype, {"float32", "bfloat16"},
                "of the weights in model.safetensors; with bfloat16 the exact ones lie in state/ as well");
  visitor.field("metric_for_best_model", metric_for_best_model, {},
                "what best and early stopping go by: eval_loss, or any other eval_ field of metrics.jsonl");
  visitor.field("early_stopping_patience", early_stopping_patience, {0, kMostSteps},
                "evaluations in a row without improvement after which the run ends; 0: never");
  visitor.field("early_stopping_threshold", early_stopping_threshold, {0, 1e9},
                "what counts as improvement for it");
  visitor.field(
      "skip_nonfinite", skip_nonfinite, {0, kMostSteps},
      "steps in a row whose loss or gradient is not finite that are skipped; one more stops the run");
  visitor.field("limit", limit, {0, kMostSteps},
                "use only so many documents of each kind of each text, for a try; 0: all");
  visitor.field("overfit_one_batch", overfit_one_batch,
                "train on the first step's samples again and again, for a try");
  visitor.field("logging_steps", logging_steps, {1, kMostSteps},
                "steps between lines where stderr is no terminal");
  visitor.field("num_samples", num_samples, {0, 100}, "texts that a decoder writes at each evaluation");
  visitor.field("head_workspace_mib", head_workspace_mib, {1, 1 << 20},
                "memory that the vocabulary loss may use for logits, MiB");
  visitor.field("threads", threads, {0, 4096},
                "0: OMP_NUM_THREADS, else every core that this process may run on");
}

void Configuration::visit(OptionVisitor& visitor) {
  visit_tables(
      visitor, [&](OptionVisitor& v) { model.visit(v); }, [&](OptionVisitor& v) { adapter.visit(v); });
}

void Configuration::visit_tables(OptionVisitor& visitor, const VisitFunction& visit_model,
                                 const VisitFunction& visit_adapter) {
  visitor.table("run", "the run", [&](OptionVisitor& v) { run.visit(v); });
  visitor.table("data", "text and how it is cut", [&](OptionVisitor& v) { data.visit(v); });
  visitor.table("tokenizer", "text to ids", [&](OptionVisitor& v) { tokenizer.visit(v); });
  visitor.table("objective", "what is predicted and what may be seen",
                [&](OptionVisitor& v) { objective.visit(v); });
  visitor.table("model", "a new model, or the checkpoint to start from", visit_model);
  visitor.table("adapter", "what is trained beside a frozen checkpoint: LoRA or a prefix", visit_adapter);
  visitor.table("train", "steps, batches and the optimizer", [&](OptionVisitor& v) { train.visit(v); });
}

Configuration Configuration::read(const std::string& file, const std::vector<Override>& overrides) {
  return read_text(file.empty() ? "" : read_file(file), file, overrides);
}

Configuration Configuration::read_text(std::string_view toml, const std::string& where,
                                       const std::vector<Override>& overrides) {
  Configuration configuration;
  std::vector<std::string> given = read_options_text(
      toml, where, overrides, [&](OptionVisitor& visitor) { configuration.visit(visitor); });
  check(configuration);
  for (const std::string& key : given) {
    if (!configuration.model.path.empty() && key.starts_with("model.") && key != "model.path" &&
        key != "model.new_heads") {
      refuse(fmt::format("{} is given beside model.path", key), "both", "one",
             "a checkpoint brings its own configuration; leave the key out");
    }
    check_adapter_key(configuration.adapter, key);
  }
  return configuration;
}

std::string Configuration::to_toml() const {
  Configuration copy = *this;
  // A checkpoint excludes every other key of [model]: what is written must be readable.
  VisitFunction path_alone = [&](OptionVisitor& v) {
    v.field("path", copy.model.path, {}, "", {.path = true});
    v.field("new_heads", copy.model.new_heads, "");
  };
  VisitFunction all = [&](OptionVisitor& v) { copy.model.visit(v); };
  // So does an adapter, and one without branches or prefix has nothing to say.
  VisitFunction adapter_path = [&](OptionVisitor& v) {
    v.field("path", copy.adapter.path, {}, "", {.path = true});
  };
  VisitFunction adapter_all = [&](OptionVisitor& v) { copy.adapter.visit_given(v); };
  return write_options([&](OptionVisitor& visitor) {
    copy.visit_tables(visitor, model.path.empty() ? all : path_alone,
                      adapter.path.empty() ? adapter_all : adapter_path);
  });
}

}  // namespace surprisal
