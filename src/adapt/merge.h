// An adapter's branches, added into the weights that they stand beside.
#pragma once

#include "model/transformer.h"

namespace surprisal {

// W += scale B A for every branch, and where it has magnitudes every row of the sum becomes as long as they
// say. The branches' own tensors stay as they are: what is merged is the model without its adaptation, whose
// parameters come first in the table. REQUIRES no prefix.
void merge_branches(Transformer& model);

}  // namespace surprisal
