// What was read of a corpus, in words.
#pragma once

#include <string>

#include "surprisal/corpus_report.h"

namespace surprisal {

// "2 files, 10 documents, 40 sentences, 812 tokens, 4.13 bytes a token".
std::string to_text(const CorpusReport& report);
// "left out: 3 lines that are not UTF-8, 1 blank record; replaced by U+FFFD: 2 sequences that are no UTF-8";
// empty where there is nothing to say.
std::string skips_text(const CorpusReport& report);

}  // namespace surprisal
