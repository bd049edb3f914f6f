#include "text/train/train_tokenizer.h"

#include <string>
#include <string_view>

#include "surprisal/error.h"
#include "surprisal/tokenizer.h"

#include "text/train/train_bpe.h"
#include "text/train/train_unigram.h"
#include "text/train/train_wordpiece.h"

namespace surprisal {

std::function<void(std::uint64_t, std::uint64_t)> phase_progress(const TokenizerTraining& training,
                                                                 const char* phase) {
  if (!training.progress) return {};
  return
      [&training, phase](std::uint64_t done, std::uint64_t total) { training.progress(phase, done, total); };
}

namespace {

struct Trainer {
  std::string_view type;
  TrainedTokenizer (*train)(const TokenizerTraining& training);
  std::int64_t glm_specials;  // that add_glm_specials adds to it
};

constexpr Trainer kTrainers[] = {
    {"bpe", &train_bpe, 9}, {"wordpiece", &train_wordpiece, 5}, {"unigram", &train_unigram, 8}};

const Trainer& find_trainer(const std::string& type) {
  for (const Trainer& trainer : kTrainers) {
    if (trainer.type == type) return trainer;
  }
  throw Error(ErrorKind::usage,
              {.what = "no such type of tokenizer", .found = type, .expected = "bpe, wordpiece or unigram"});
}

void check(const TokenizerTraining& training) {
  if (training.vocab_size > kMaxVocabularySize) {
    throw Error(ErrorKind::usage, {.what = "the vocabulary is too large",
                                   .found = std::to_string(training.vocab_size),
                                   .expected = "at most " + std::to_string(kMaxVocabularySize)});
  }
  if (training.type != "wordpiece" && training.lowercase) {
    throw Error(ErrorKind::usage, {.what = training.type == "bpe" ? "a byte-level BPE keeps case"
                                                                  : "a Unigram model keeps case",
                                   .fix = "leave --lowercase out, or train a wordpiece"});
  }
  if (training.type != "unigram" && training.byte_fallback) {
    throw Error(ErrorKind::usage, {.what = "only a Unigram model falls back to bytes",
                                   .found = training.type,
                                   .fix = "leave --byte-fallback out, or train a unigram"});
  }
  if (!training.specials.empty() && training.specials != "glm") {
    throw Error(ErrorKind::usage,
                {.what = "no such special tokens", .found = training.specials, .expected = "glm"});
  }
}

}  // namespace

TrainedTokenizer train_tokenizer(const TokenizerTraining& training) {
  const Trainer& trainer = find_trainer(training.type);
  check(training);
  if (training.specials.empty()) return trainer.train(training);
  TokenizerTraining plain = training;
  plain.vocab_size -= trainer.glm_specials;
  TrainedTokenizer trained = trainer.train(plain);
  Tokenizer added = add_glm_specials(
      Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "trained tokenizer"));
  trained.tokenizer_json = added.tokenizer_json();
  trained.tokenizer_config_json = added.tokenizer_config_json();
  trained.vocab_size = added.vocabulary_size();
  return trained;
}

}  // namespace surprisal
