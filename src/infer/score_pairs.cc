#include "infer/score_pairs.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/evaluate.h"
#include "infer/score.h"
#include "objective/records.h"

namespace surprisal {

void check_block_positions(const ModelConfig& config, const Mixture& mixture, const char* key) {
  const std::int64_t counted = mixture.extent().block_positions;
  if (counted <= std::max<std::int64_t>(config.block_positions, 1)) return;
  throw Error(
      ErrorKind::usage,
      {.what = fmt::format("rule {} counts block positions beyond the model's", mixture.specification()),
       .found = fmt::format("{}", counted),
       .expected = config.block_positions == 0 ? std::string("none")
                                               : fmt::format("at most {}", config.block_positions),
       .fix = config.block_positions == 0
                  ? fmt::format("set {} to what the model was trained with: \"repeat\" or \"continue\"", key)
                  : "lower the sequence length"});
}

PairScorer::PairScorer(const ModelConfig& config, const Tokenizer& tokenizer, const ScoreOptions& options)
    : options_(options),
      objective_(read_objective_keys(options.objective)),
      mixture_("conditional", objective_, tokenizer, window_length(config, options)) {
  check_block_positions(config, mixture_, "objective.conditional.position");
}

RecordOptions PairScorer::records() const {
  return records_of({&mixture_}, objective_);
}

void PairScorer::score(Transformer& model, const TokenCorpus& corpus, Score& score) const {
  const Evaluation evaluation = evaluate(model, corpus, mixture_, 0,
                                         static_cast<std::int32_t>(score_capacity(model.config(), options_)),
                                         document_progress(options_, corpus));
  score.nats = evaluation.token.sum;
  score.tokens = static_cast<std::uint64_t>(std::llround(evaluation.token.weight));
}

}  // namespace surprisal
