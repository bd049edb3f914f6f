// The configuration of a run: every table of the TOML file, declared once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapt/options.h"
#include "core/options.h"
#include "model/config.h"
#include "objective/options.h"
#include "text/corpus/corpus.h"

namespace surprisal {

struct RunOptions {
  std::string directory;
  std::int64_t seed = 1;
  void visit(OptionVisitor& visitor);
};

struct DataOptions {
  std::vector<std::string> train, validation;
  std::int64_t sequence_length = 128;
  std::string cache_directory;  // empty: .surprisal-cache beside the run directory
  CorpusOptions corpus;
  void visit(OptionVisitor& visitor);
};

struct TokenizerOptions {
  std::string path;
  void visit(OptionVisitor& visitor);
};

struct TrainOptions {
  std::int64_t max_steps = 0;  // 0: num_train_epochs
  double num_train_epochs = 3;
  std::int64_t tokens_per_step = 4096;
  std::int64_t micro_batch_tokens = 2048;
  double learning_rate = 5e-4;
  std::string lr_scheduler_type = "linear";
  std::int64_t warmup_steps = 0;
  double warmup_ratio = 0;
  double lr_min_ratio = 0;
  double lr_decay_ratio = 0.2;
  double lr_power = 1;
  double weight_decay = 0.01;
  double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;
  bool adam_bias_correction = true;
  double max_grad_norm = 1.0;
  double label_smoothing_factor = 0;
  std::string loss_mean = "step";
  std::int64_t eval_steps = 0;
  std::int64_t save_steps = 0;
  std::int64_t save_total_limit = 2;
  std::int64_t save_best_limit = 1;
  std::int64_t save_keep_steps = 0;
  bool save_in_background = true;
  std::string save_dtype = "float32";
  std::string metric_for_best_model = "eval_loss";
  std::int64_t early_stopping_patience = 0;
  double early_stopping_threshold = 0;
  std::int64_t skip_nonfinite = 0;
  std::int64_t limit = 0;
  bool overfit_one_batch = false;
  std::int64_t logging_steps = 10;
  std::int64_t num_samples = 1;
  std::int64_t head_workspace_mib = 64;
  std::int64_t threads = 0;
  void visit(OptionVisitor& visitor);
};

struct Configuration {
  RunOptions run;
  DataOptions data;
  TokenizerOptions tokenizer;
  ObjectiveOptions objective;
  ModelOptions model;
  AdapterOptions adapter;
  TrainOptions train;

  void visit(OptionVisitor& visitor);
  // Reads the file and the overrides, and checks what one field alone cannot tell: batches that are no
  // multiple, both ways of giving warmup ... Throws Error (usage or io).
  static Configuration read(const std::string& file, const std::vector<Override>& overrides);
  // The same of TOML text; `where` names it in errors.
  static Configuration read_text(std::string_view toml, const std::string& where,
                                 const std::vector<Override>& overrides);
  std::string to_toml() const;

 private:
  void visit_tables(OptionVisitor& visitor, const VisitFunction& visit_model,
                    const VisitFunction& visit_adapter);
};

}  // namespace surprisal
