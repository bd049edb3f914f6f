// The classes of labelled texts, from the files themselves.
#pragma once

#include <string>
#include <vector>

#include "text/corpus/corpus.h"

namespace surprisal {

// The labels that the records have, each once: whole numbers by their value, else names in the order of their
// bytes. REQUIRES options whose labels have no names yet. Throws Error as read_corpus does, and data where
// there is one class alone, or more than 4096.
std::vector<std::string> find_class_names(const std::vector<std::string>& files,
                                          const CorpusOptions& options);

}  // namespace surprisal
