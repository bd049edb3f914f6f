#include "infer/limits.h"

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {

void require_language_model(const ModelConfig& config) {
  if (config.vocabulary_head()) return;
  throw Error(ErrorKind::usage, {.what = "the model is a classifier: it has no vocabulary head",
                                 .fix = "surprisal score tells what it says of labelled texts"});
}

void check_vocabulary(const ModelConfig& config, const Tokenizer& tokenizer) {
  if (tokenizer.vocabulary_size() <= config.vocab_size) return;
  throw Error(ErrorKind::data, {.what = "the tokenizer has more tokens than the model has embeddings",
                                .found = fmt::format("{}", tokenizer.vocabulary_size()),
                                .expected = fmt::format("at most {}", config.vocab_size),
                                .fix = "use the tokenizer that the model was trained with"});
}

}  // namespace surprisal
