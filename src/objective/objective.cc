#include "objective/objective.h"

#include <cassert>

namespace surprisal {

void Objective::join(const SampleKey&, Stream&) const {
  assert(!"only an objective whose traits say joins_labels is asked to join");
}

void Objective::check_corpus(const TokenCorpus&) const {}

}  // namespace surprisal
