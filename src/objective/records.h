// What objectives read of records: which kinds, and how choices are made of them.
#pragma once

#include <vector>

#include "objective/mixture.h"
#include "objective/options.h"
#include "text/corpus/record_options.h"

namespace surprisal {

// Of all these mixtures. `options` are those that they were made with.
RecordOptions records_of(const std::vector<const Mixture*>& mixtures, const ObjectiveOptions& options);

}  // namespace surprisal
