#include "infer/score_choices.h"

#include <algorithm>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/evaluate.h"
#include "infer/score.h"
#include "objective/records.h"

namespace surprisal {
namespace {

ObjectiveOptions read_objective(const std::vector<Override>& keys) {
  ObjectiveOptions options;
  read_options("", keys, [&](OptionVisitor& visitor) {
    visitor.table("objective", "", [&](OptionVisitor& table) { options.visit_tables(table); });
  });
  return options;
}

void check_block_positions(const ModelConfig& config, const Mixture& mixture) {
  const std::int64_t counted = mixture.extent().block_positions;
  if (counted <= std::max<std::int64_t>(config.block_positions, 1)) return;
  throw Error(ErrorKind::usage,
              {.what = "rule cloze counts block positions beyond the model's",
               .found = fmt::format("{}", counted),
               .expected = config.block_positions == 0 ? std::string("none")
                                                       : fmt::format("at most {}", config.block_positions),
               .fix = config.block_positions == 0
                          ? "set objective.cloze.position to what the model was trained with: \"repeat\" or "
                            "\"continue\""
                          : "lower the sequence length"});
}

}  // namespace

ChoiceScorer::ChoiceScorer(const ModelConfig& config, const Tokenizer& tokenizer, const ScoreOptions& options)
    : options_(options),
      objective_(read_objective(options.objective)),
      mixture_("cloze", objective_, tokenizer, window_length(config, options)) {
  check_block_positions(config, mixture_);
}

RecordOptions ChoiceScorer::records() const {
  return records_of({&mixture_}, objective_);
}

std::int64_t ChoiceScorer::capacity(const TokenCorpus& corpus) const {
  mixture_.check_corpus(corpus);
  const LargestSample largest = mixture_.largest_sample(corpus.of_kind(DocumentKind::choice));
  return std::max({options_.pack_tokens, mixture_.sequence_length(), largest.rows});
}

void ChoiceScorer::score(Transformer& model, const TokenCorpus& corpus, Score& score) const {
  const Evaluation evaluation =
      evaluate(model, corpus, mixture_, 0, static_cast<std::int32_t>(capacity(corpus)),
               document_progress(options_, corpus));
  score.nats = evaluation.choice.sum;
  score.accuracy = evaluation.choice_accuracy;
}

}  // namespace surprisal
