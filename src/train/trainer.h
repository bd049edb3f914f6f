// The main job, as the program calls it: the contract is that of surprisal/train.h.
#pragma once

#include "surprisal/train.h"

#include "infer/evaluate.h"
#include "model/transformer.h"
#include "text/corpus/corpus_report.h"
#include "train/options.h"

namespace surprisal {

RunSummary train(const Configuration& configuration, bool resume, TrainObserver& observer,
                 Requests* requests = nullptr);

}  // namespace surprisal
