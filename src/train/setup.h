// What a configuration names, read and checked against each other before anything large is allocated.
#pragma once

#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "model/config.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"
#include "train/options.h"

namespace surprisal {

// The configuration with names for the classes that a classifier tells apart, where it gives none: those of
// the checkpoint, else those of the labels of data.train; and with new heads, where the adapter that it goes
// on with brings them. Throws Error as reading these does.
Configuration with_class_names(Configuration configuration);

struct RunSetup {
  // Throws Error: usage where tokenizer, objective and model do not fit, data and io from reading them.
  explicit RunSetup(const Configuration& configuration);

  Tokenizer tokenizer;
  Mixture mixture;
  std::vector<Mixture> evaluate;  // objective.evaluate
  ModelConfig config;             // with what the adapter puts to it
  AdapterOptions adapter;         // those of adapter.path, where it is given
  // Other programs give a family's rows one kind of sight; a model trained under another would load there and
  // compute something else. Empty where there is nothing to say.
  std::string warning;
};

// Whether a text can be written as the samples of an objective go: from its beginning, with nothing before
// it.
bool writes_text(const ObjectiveTraits& traits);
bool writes_text(const Mixture& mixture);  // of any part

// A text of the run, as far as train.limit goes: from the cache, or making that. Throws Error (data) where it
// has nothing for the objective.
TokenCorpus open_run_text(const Configuration& configuration, const RunSetup& setup,
                          const std::vector<std::string>& files, const TokenCorpus::Progress& progress);

}  // namespace surprisal
