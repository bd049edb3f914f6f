#include "text/train/train_bpe.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/train/merge_learner.h"
#include "text/train/word_counts.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr const char* kEndOfText = "<|endoftext|>";
constexpr std::int64_t kSmallest = 1 + 256;

// The special token and the byte characters. UTF-8 sorts as code points do.
std::vector<std::string> first_tokens() {
  std::vector<std::string> tokens{kEndOfText};
  for (unsigned byte = 0; byte < 256; ++byte) {
    tokens.emplace_back(byte_level_character(static_cast<std::uint8_t>(byte)));
  }
  std::sort(tokens.begin() + 1, tokens.end());
  return tokens;
}

// The words' characters as the ids that first_tokens() gives them. Takes the words' memory as it goes.
TokenisedWords tokenise(std::vector<WordCount> words, const std::vector<std::string>& tokens) {
  std::array<std::uint32_t, 256> id_of_byte{};
  for (std::uint32_t id = 1; id < tokens.size(); ++id) {
    std::size_t at = 0;
    id_of_byte[*byte_level_byte(next_code_point(tokens[id], at))] = id;
  }
  TokenisedWords result;
  for (WordCount& word : words) {
    result.add_word(word.count);
    for (std::size_t at = 0; at < word.word.size();) {
      result.add_token(id_of_byte[*byte_level_byte(next_code_point(word.word, at))]);
    }
    word.word = {};
  }
  return result;
}

OrderedJson byte_level_json(bool add_prefix_space, bool trim_offsets) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", add_prefix_space},
          {"trim_offsets", trim_offsets},
          {"use_regex", true}};
}

OrderedJson model_json(const LearntMerges& learnt) {
  OrderedJson merges = OrderedJson::array();
  for (auto [left, right] : learnt.merges) {
    merges.push_back(OrderedJson::array({learnt.tokens[left], learnt.tokens[right]}));
  }
  OrderedJson model = {{"type", "BPE"},
                       {"dropout", nullptr},
                       {"unk_token", nullptr},
                       {"continuing_subword_prefix", nullptr},
                       {"end_of_word_suffix", nullptr},
                       {"fuse_unk", false},
                       {"byte_fallback", false},
                       {"ignore_merges", false}};
  model["vocab"] = vocabulary_json(learnt.tokens);
  model["merges"] = std::move(merges);
  return model;
}

std::string config_text() {
  return tokenizer_config_text({kEndOfText}, {{"add_prefix_space", false},
                                              {"bos_token", kEndOfText},
                                              {"eos_token", kEndOfText},
                                              {"unk_token", kEndOfText}});
}

void check_size(std::int64_t vocab_size) {
  if (vocab_size >= kSmallest) return;
  throw Error(ErrorKind::usage, {.what = "the vocabulary is too small for <|endoftext|> and the 256 bytes",
                                 .found = std::to_string(vocab_size),
                                 .expected = fmt::format("at least {}", kSmallest)});
}

}  // namespace

TrainedTokenizer train_bpe(const TokenizerTraining& training) {
  check_size(training.vocab_size);
  ByteLevelPreTokenizer pre_tokenizer({});
  CountedWords counted = count_words(training.files, training.corpus, nullptr, pre_tokenizer,
                                     phase_progress(training, "counting words"));
  std::vector<std::string> tokens = first_tokens();
  TokenisedWords tokenised = tokenise(std::move(counted.words), tokens);
  LearntMerges learnt =
      learn_merges(std::move(tokenised), std::move(tokens), static_cast<std::size_t>(training.vocab_size), "",
                   phase_progress(training, "merging"));
  TokenizerComponents components{.special_tokens = {kEndOfText},
                                 .normalizer = nullptr,
                                 .pre_tokenizer = byte_level_json(false, true),
                                 .post_processor = byte_level_json(true, false),
                                 .decoder = byte_level_json(true, true),
                                 .model = model_json(learnt)};
  return {.tokenizer_json = tokenizer_json_text(std::move(components)),
          .tokenizer_config_json = config_text(),
          .vocab_size = static_cast<std::int64_t>(learnt.tokens.size()),
          .corpus = counted.report};
}

}  // namespace surprisal
