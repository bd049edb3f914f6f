// What objectives read of records: which kinds, and how choices are made of them.
#pragma once

#include <string>
#include <vector>

#include "surprisal/override.h"

#include "objective/mixture.h"
#include "objective/options.h"
#include "text/corpus/corpus.h"
#include "text/corpus/record_options.h"

namespace surprisal {

// Of all these mixtures. `options` are those that they were made with.
RecordOptions records_of(const std::vector<const Mixture*>& mixtures, const ObjectiveOptions& options);

// Gives the classes of labelled texts their names in `options`, where a specification has a classifier and
// they have none: `known`, those of a model that is one; without them those of the labels that `files` have,
// read as `corpus` says. Throws Error as find_class_names() does, and usage where specifications name two.
void name_classes(const std::vector<std::string>& specifications, const std::vector<std::string>& known,
                  const std::vector<std::string>& files, CorpusOptions corpus, ObjectiveOptions& options);

// Of pairs alone.
RecordOptions pair_records(const ObjectiveOptions& options);

// The tables of [objective] from keys with their values: {"objective.cloze.pattern", "{text} It was
// [MASK]."}. Throws Error (usage): a key that there is not, or a value that it cannot have.
ObjectiveOptions read_objective_keys(const std::vector<Override>& keys);

}  // namespace surprisal
