// What surprisal/tokenizer_training.h promises.
#include "surprisal/tokenizer_training.h"

#include "text/train/train_tokenizer.h"

namespace surprisal {

Tokenizer train_tokenizer(const std::vector<std::string>& files, const TokenizerRecipe& recipe) {
  TokenizerTraining training;
  training.type = recipe.type;
  training.vocab_size = recipe.vocab_size;
  training.lowercase = recipe.lowercase;
  training.byte_fallback = recipe.byte_fallback;
  training.specials = recipe.specials;
  training.files = files;
  const TrainedTokenizer trained = train_tokenizer(training);
  return Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "trained tokenizer");
}

}  // namespace surprisal
