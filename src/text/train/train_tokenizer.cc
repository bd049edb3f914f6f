#include "text/train/train_tokenizer.h"

#include <string>

#include "surprisal/error.h"

#include "text/train/train_bpe.h"
#include "text/train/train_wordpiece.h"

namespace surprisal {

std::function<void(std::uint64_t, std::uint64_t)> phase_progress(const TokenizerTraining& training,
                                                                 const char* phase) {
  if (!training.progress) return {};
  return
      [&training, phase](std::uint64_t done, std::uint64_t total) { training.progress(phase, done, total); };
}

TrainedTokenizer train_tokenizer(const TokenizerTraining& training) {
  if (training.type != "bpe" && training.type != "wordpiece") {
    throw Error(
        ErrorKind::usage,
        {.what = "no such type of tokenizer", .found = training.type, .expected = "bpe or wordpiece"});
  }
  if (training.vocab_size > kMaxVocabularySize) {
    throw Error(ErrorKind::usage, {.what = "the vocabulary is too large",
                                   .found = std::to_string(training.vocab_size),
                                   .expected = "at most " + std::to_string(kMaxVocabularySize)});
  }
  if (training.type == "bpe" && training.lowercase) {
    throw Error(ErrorKind::usage, {.what = "a byte-level BPE keeps case",
                                   .fix = "leave --lowercase out, or train a wordpiece"});
  }
  return training.type == "bpe" ? train_bpe(training) : train_wordpiece(training);
}

}  // namespace surprisal
