// A value put over a key of a configuration.
#pragma once

#include <string>

namespace surprisal {

// {"train.learning_rate", "3e-4"}. The text is a TOML value; a text that is not one and meets a string field
// is that string itself: {"tokenizer.path", "tokenizers/bpe"}.
struct Override {
  std::string key;
  std::string text;
};

}  // namespace surprisal
