#include "infer/score_choices.h"

#include <algorithm>

#include "infer/evaluate.h"
#include "infer/score.h"
#include "infer/score_pairs.h"
#include "objective/records.h"

namespace surprisal {

ChoiceScorer::ChoiceScorer(const ModelConfig& config, const Tokenizer& tokenizer, const ScoreOptions& options)
    : options_(options),
      objective_(read_objective_keys(options.objective)),
      mixture_("cloze", objective_, tokenizer, window_length(config, options)) {
  check_block_positions(config, mixture_, "objective.cloze.position");
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
