// Text given on the command line: what explain, loss and score have in common.
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
  double progress = 1;
  ObjectiveOptions options;
  CorpusOptions corpus;

  // --sequence-length, --seed, --epoch, --progress, --samples.
  void add_to(CLI::App& verb);
  // Takes --objective.TABLE.KEY and --data.KEY from what the command line left over.
  void read_overrides(const std::vector<std::string>& rest);
};

// The same overrides, for text without an objective.
void read_corpus_overrides(const std::vector<std::string>& rest, CorpusOptions& corpus);

inline constexpr const char* kTextHelp =
    ".txt or .jsonl, each also .gz or .zst; a directory; a pattern such as 'data/*.jsonl.zst'";

// The objective of `arguments`. Classes of labelled texts that have no names there take those of `known`, or
// of the text.
Mixture make_mixture(SampleArguments& arguments, const Tokenizer& tokenizer,
                     const std::vector<std::string>& known = {});

// Reads and tokenises, showing progress; says on stderr what was left out or replaced, if anything was.
TokenCorpus open_text(const std::string& path, const CorpusOptions& corpus, const Tokenizer& tokenizer);
// The text of `arguments` with every kind of record that the mixture reads.
TokenCorpus open_text(const SampleArguments& arguments, const Mixture& mixture, const Tokenizer& tokenizer);

// Samples of a text in the order of the file: the first `count`, going on into the next epoch where that is
// more than one has; count 0: those of one epoch.
std::vector<Stream> read_samples(const SampleArguments& arguments, const Mixture& mixture,
                                 const TokenCorpus& corpus);

}  // namespace surprisal
