// What a checkpoint remembers of its configuration, and what a resumed run may change of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/corpus/token_corpus.h"
#include "train/options.h"

namespace surprisal {

using Identity = std::map<std::string, std::string>;

// Every key that decides what a run computes, with its value as TOML; texts by the hash of their tokens.
Identity identity_of(const Configuration& configuration, const Tokenizer& tokenizer,
                     const TokenCorpus& training, const TokenCorpus* validation);

// Throws Error (usage) that names all keys that differ and may not: objective, model, data, batch, seed.
// Returns a line for each other one that differs: the learning rate, the held-out text ...
std::vector<std::string> compare_identity(const Identity& saved, const Identity& now,
                                          const std::string& where);

}  // namespace surprisal
