#include "infer/record_scorer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/evaluate.h"
#include "infer/objective_keys.h"
#include "infer/score.h"
#include "objective/records.h"
#include "objective/registry.h"

namespace surprisal {
namespace {

// With the names that the model has for its classes.
ObjectiveOptions objective_options(const std::string& rule, const ModelConfig& config,
                                   const ScoreOptions& options) {
  ObjectiveOptions objective = objective_of(config, options.objective);
  if (config.vocabulary_head()) return objective;
  name_classes({rule}, config.class_names, {}, {}, objective);
  return objective;
}

// What the heads of a model can do.
void check_heads(const ModelConfig& config, const Mixture& mixture) {
  const bool tokens = mixture.classifier() == Classifier::word,
             number = mixture.classifier() == Classifier::number;
  const bool fits = mixture.classifier() == Classifier::none
                        ? config.vocabulary_head()
                        : !config.vocabulary_head() && config.regression == number &&
                              tokens == (config.task == Task::token_classification) &&
                              config.classes == mixture.classes();
  if (fits) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("the model is not made for rule {}", mixture.specification()),
               .found = config.vocabulary_head()
                            ? "a language model"
                            : fmt::format("one for {}, of {} classes", default_rule(config), config.classes),
               .fix = config.vocabulary_head() ? "train the classifier: objective.train = \"classification\""
                                               : fmt::format("use --rule {}", default_rule(config))});
}

// The key that says how pieces are counted.
void check_block_positions(const ModelConfig& config, const Mixture& mixture) {
  const std::int64_t counted = mixture.extent().block_positions;
  if (counted <= std::max<std::int64_t>(config.block_positions, 1)) return;
  throw Error(
      ErrorKind::usage,
      {.what = fmt::format("rule {} counts block positions beyond the model's", mixture.specification()),
       .found = fmt::format("{}", counted),
       .expected = config.block_positions == 0 ? std::string("none")
                                               : fmt::format("at most {}", config.block_positions),
       .fix = config.block_positions == 0
                  ? fmt::format("set objective.{}.position to what the model was trained with: \"repeat\" or "
                                "\"continue\"",
                                mixture.specification())
                  : "lower the sequence length"});
}

}  // namespace

bool is_record_rule(const std::string& rule) {
  const ObjectiveEntry* entry = find_objective(rule);
  return entry && (rule == "cloze" || rule == "conditional" || entry->traits.classifier != Classifier::none);
}

RecordScorer::RecordScorer(const std::string& rule, const ModelConfig& config, const Tokenizer& tokenizer,
                           const ScoreOptions& options)
    : options_(options),
      objective_(objective_options(rule, config, options)),
      mixture_(rule, objective_, tokenizer, window_length(config, options)) {
  check_heads(config, mixture_);
  check_block_positions(config, mixture_);
}

RecordOptions RecordScorer::records(bool labels) const {
  RecordOptions records = records_of({&mixture_}, objective_);
  records.labels.to_predict = !labels;
  return records;
}

Capacity RecordScorer::capacity(const TokenCorpus& corpus) const {
  mixture_.check_corpus(corpus);
  const LargestSample largest = mixture_.largest_sample(corpus.of_kind(mixture_.kinds().front()));
  const std::int64_t rows = std::max({options_.pack_tokens, mixture_.sequence_length(), largest.rows});
  return {.tokens = rows, .targets = rows, .labels = mixture_.has_labels() ? rows : 1};
}

void RecordScorer::score(Transformer& model, const TokenCorpus& corpus, Score& score) const {
  const Evaluation evaluation =
      evaluate(model, corpus, mixture_, 0, static_cast<std::int32_t>(capacity(corpus).tokens),
               document_progress(options_, corpus));
  score.metrics = evaluation.metrics;
  if (mixture_.has_labels()) {
    score.nats = evaluation.label.sum;
    score.labels = static_cast<std::uint64_t>(std::llround(evaluation.label.weight));
    score.accuracy = evaluation.label_accuracy;
  } else if (mixture_.has_tokens()) {
    score.nats = evaluation.token.sum;
    score.tokens = static_cast<std::uint64_t>(std::llround(evaluation.token.weight));
  } else {
    score.nats = evaluation.choice.sum;
    score.accuracy = evaluation.choice_accuracy;
  }
}

}  // namespace surprisal
