// Samples of a text given on the command line: what explain and loss have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "surprisal/stream.h"
#include "surprisal/tokenizer.h"

#include "objective/mixture.h"
#include "objective/options.h"
#include "text/corpus/corpus.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

struct SampleArguments {
  std::string objective, text;
  std::int64_t sequence_length = 128, seed = 1, epoch = 0, samples = 0;
  ObjectiveOptions options;
  CorpusOptions corpus;

  // --sequence-length, --seed, --epoch, --samples.
  void add_to(CLI::App& verb);
  // Takes --objective.TABLE.KEY and --data.KEY from what the command line left over.
  void read_overrides(const std::vector<std::string>& rest);
};

// The same overrides, for text without an objective.
void read_corpus_overrides(const std::vector<std::string>& rest, CorpusOptions& corpus);

// Samples of a text in the order of the file: the first `count`, going on into the next epoch where that is
// more than one has; count 0: those of one epoch.
std::vector<Stream> read_samples(const SampleArguments& arguments, const Mixture& mixture,
                                 const TokenCorpus& corpus);

}  // namespace surprisal
