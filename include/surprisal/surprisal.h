// Every public header.
#pragma once

#include "surprisal/corpus_report.h"
#include "surprisal/error.h"
#include "surprisal/evaluation.h"
#include "surprisal/generate.h"
#include "surprisal/loss.h"
#include "surprisal/memory_use.h"
#include "surprisal/model.h"
#include "surprisal/override.h"
#include "surprisal/score.h"
#include "surprisal/stream.h"
#include "surprisal/tokenizer.h"
#include "surprisal/tokenizer_training.h"
#include "surprisal/train.h"
