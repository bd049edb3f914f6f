#include "tests/infer/tiny_language.h"

#include <array>
#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "model/family.h"
#include "tests/core/temporary_directory.h"
#include "text/train/train_tokenizer.h"

namespace surprisal {
namespace {

constexpr std::array kSubjects{"the cat", "a dog", "my friend", "the old king", "a small bird", "the river"};
constexpr std::array kVerbs{"sees", "follows", "likes", "finds", "calls"};
constexpr std::array kPlaces{"in the garden", "at night", "near the sea", "every morning", "with joy"};

template <std::size_t size>
std::string one_of(const std::array<const char*, size>& words, Random& random) {
  return words[random.below(static_cast<std::uint32_t>(size))];
}

std::string sentence(Random& random) {
  return one_of(kSubjects, random) + " " + one_of(kVerbs, random) + " " + one_of(kSubjects, random) + " " +
         one_of(kPlaces, random) + ".";
}

Tokenizer trained(const char* type, std::int64_t vocab_size) {
  TemporaryDirectory directory;
  std::filesystem::path file = directory / "text.txt";
  std::ofstream(file) << tiny_text(60);
  TrainedTokenizer result =
      train_tokenizer({.type = type, .vocab_size = vocab_size, .files = {file.string()}, .progress = {}});
  return Tokenizer::from_json(result.tokenizer_json, result.tokenizer_config_json, type);
}

}  // namespace

std::string tiny_text(int documents, std::uint64_t seed) {
  std::string text;
  for (int document = 0; document < documents; ++document) {
    Random random({seed, static_cast<std::uint64_t>(document), 0, Purpose::initialisation});
    for (std::uint32_t left = 3 + random.below(4); left > 0; --left) text += sentence(random) + "\n";
    if (document + 1 < documents) text += "\n";
  }
  return text;
}

const Tokenizer& tiny_bpe() {
  static const Tokenizer tokenizer = trained("bpe", 280);
  return tokenizer;
}

const Tokenizer& tiny_wordpiece() {
  static const Tokenizer tokenizer = trained("wordpiece", 90);
  return tokenizer;
}

TokenCorpus tiny_corpus(const Tokenizer& tokenizer, int documents, std::uint64_t seed) {
  TemporaryDirectory directory;
  std::filesystem::path file = directory / "text.txt";
  std::ofstream(file) << tiny_text(documents, seed);
  return TokenCorpus::open({file.string()}, {}, tokenizer, {});
}

ModelConfig tiny_config(const char* family, std::int64_t vocabulary, std::int64_t positions) {
  ModelOptions options;
  options.family = family;
  options.hidden_size = 12;
  options.num_hidden_layers = 2;
  options.num_attention_heads = 3;
  if (options.family == "llama" || options.family == "qwen2") options.num_key_value_heads = 1;
  options.max_position_embeddings = positions;
  options.initializer_range = 0.4;
  options.hidden_dropout_prob = options.attention_probs_dropout_prob = 0;
  return find_family(family, "").from_options(options, vocabulary, positions);
}

std::unique_ptr<Transformer> tiny_model(const ModelConfig& config, Mode mode, std::int64_t tokens,
                                        std::uint64_t seed) {
  auto model = std::make_unique<Transformer>(config, mode,
                                             Capacity{.tokens = tokens, .targets = tokens, .labels = tokens});
  model->initialise(seed);
  return model;
}

}  // namespace surprisal
