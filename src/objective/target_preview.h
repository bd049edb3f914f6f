// What a run is about to learn of pairs, for people to look at before the first step: how many targets there
// are, and which tokens of two samples they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// One line each; nothing where the mixture reads no pairs. `corpus` is the whole.
std::vector<std::string> preview_targets(const TokenCorpus& corpus, const Mixture& mixture,
                                         const Tokenizer& tokenizer, std::uint64_t seed);

// The sequence of a sample as one line of text, its targets between ">>>" and "<<<". Of a long stretch the
// middle is left out.
std::string marked_text(const Stream& sample, const Tokenizer& tokenizer);

}  // namespace surprisal
