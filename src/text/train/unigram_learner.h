// The training of a Unigram model proper (Kudo: Subword regularization; ACL 2018), as SentencePiece does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "text/train/unigram_lattice.h"
#include "text/train/word_counts.h"

namespace surprisal {

// At most `size` pieces, the most probable ones first. Every one of `alphabet` is among them; words have no
// other characters.
//
// Begins with the alphabet and the substrings that cover most of the text, at most a million. Then, until 1.1
// times `size` are left: twice expectation-maximisation (expected counts by forward-backward, those below 0.5
// dropped, a digamma prior that favours few pieces), then the quarter goes whose loss costs the text least
// probability. The same words give the same pieces for any number of threads.
std::vector<ScoredPiece> learn_unigram(
    const std::vector<WordCount>& words, const std::vector<std::string>& alphabet, std::size_t size,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace surprisal
