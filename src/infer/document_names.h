// Where the sequences of streams came from, for messages.
#pragma once

#include <span>
#include <string>

#include "surprisal/stream.h"

#include "text/corpus/token_corpus.h"

namespace surprisal {

// "a.txt:12, a.txt:40 and 3 more".
std::string document_names(std::span<const Stream> streams, const TokenCorpus& corpus);

}  // namespace surprisal
