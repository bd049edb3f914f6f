#include "text/train/train_unigram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/metaspace.h"
#include "text/tokenizer/sequences.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/tokenizer/unicode_normalizer.h"
#include "text/train/script_runs.h"
#include "text/train/unigram_learner.h"
#include "text/train/word_counts.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr const char *kUnknown = "<unk>", *kBegin = "<s>", *kEnd = "</s>";
constexpr const char* kBlank = "\xE2\x96\x81";  // U+2581
constexpr double kCoverage = 0.9995;            // SentencePiece's default

std::vector<std::string> special_tokens() {
  return {kUnknown, kBegin, kEnd};
}

std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(fmt::format("<0x{:02X}>", byte));
  return tokens;
}

// The commonest characters that make up kCoverage of the text.
std::vector<std::string> choose_alphabet(const std::vector<WordCount>& words) {
  std::unordered_map<char32_t, std::uint64_t> counts;
  std::uint64_t all = 0;
  for (const WordCount& word : words) {
    for (std::size_t at = 0; at < word.word.size();) {
      counts[next_code_point(word.word, at)] += word.count;
      all += word.count;
    }
  }
  std::vector<std::pair<char32_t, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::string> alphabet;
  std::uint64_t covered = 0;
  for (auto [character, count] : sorted) {
    if (static_cast<double>(covered) >= kCoverage * static_cast<double>(all)) break;
    covered += count;
    append_utf8(character, alphabet.emplace_back());
  }
  return alphabet;
}

// The words without the characters that have no token, cut where those stood.
std::vector<WordCount> known_parts(std::vector<WordCount> words, const std::vector<std::string>& alphabet) {
  std::unordered_set<std::string_view> known(alphabet.begin(), alphabet.end());
  std::vector<WordCount> parts;
  for (WordCount& word : words) {
    std::string_view text = word.word;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t character = at;
      next_code_point(text, at);
      if (known.contains(text.substr(character, at - character))) continue;
      if (begin < character)
        parts.push_back({std::string(text.substr(begin, character - begin)), word.count});
      begin = at;
    }
    if (begin == 0) {
      parts.push_back(std::move(word));
    } else if (begin < text.size()) {
      parts.push_back({std::string(text.substr(begin)), word.count});
    }
  }
  return parts;
}

OrderedJson metaspace_json() {
  return {{"type", "Metaspace"}, {"replacement", kBlank}, {"prepend_scheme", "first"}, {"split", true}};
}

OrderedJson decoder_json(bool byte_fallback) {
  if (!byte_fallback) return metaspace_json();
  return {{"type", "Sequence"},
          {"decoders", OrderedJson::array({{{"type", "ByteFallback"}}, metaspace_json()})}};
}

// Nine decimals: Hugging Face reads numbers of up to 15 digits as they are, longer ones to the last bit or
// two, and then cuts otherwise where two ways have equal sums.
double rounded(double score) {
  constexpr double kUnit = 1e9;
  return std::round(score * kUnit) / kUnit;
}

OrderedJson model_json(const std::vector<ScoredPiece>& pieces, bool byte_fallback) {
  OrderedJson vocabulary = OrderedJson::array();
  auto add = [&](const std::string& piece, double score) {
    vocabulary.push_back(OrderedJson::array({piece, score}));
  };
  for (const std::string& token : special_tokens()) add(token, 0);
  if (byte_fallback) {
    for (const std::string& token : byte_tokens()) add(token, 0);
  }
  for (const ScoredPiece& piece : pieces) add(piece.text, rounded(piece.score));
  return {
      {"type", "Unigram"}, {"unk_id", 0}, {"vocab", std::move(vocabulary)}, {"byte_fallback", byte_fallback}};
}

void check_size(std::int64_t vocab_size, std::size_t fixed, std::size_t alphabet) {
  auto smallest = static_cast<std::int64_t>(fixed + alphabet);
  if (vocab_size >= smallest) return;
  throw Error(ErrorKind::usage,
              {.what = "the vocabulary is too small for the special tokens and the characters of the text",
               .found = std::to_string(vocab_size),
               .expected = fmt::format("at least {}", smallest)});
}

CountedWords count(const TokenizerTraining& training) {
  UnicodeNormalizer normalizer(NormalizationForm::nfkc);
  std::vector<std::unique_ptr<PreTokenizer>> cuts;
  cuts.push_back(std::make_unique<MetaspacePreTokenizer>(MetaspaceOptions()));
  cuts.push_back(std::make_unique<ScriptRuns>());
  return count_words(training.files, training.corpus, &normalizer, PreTokenizerSequence(std::move(cuts)),
                     phase_progress(training, "counting words"));
}

}  // namespace

TrainedTokenizer train_unigram(const TokenizerTraining& training) {
  CountedWords counted = count(training);
  std::vector<std::string> alphabet = choose_alphabet(counted.words);
  // A piece cannot have the spelling of a special token or a byte: none crosses from < to a letter.
  std::size_t fixed = special_tokens().size() + (training.byte_fallback ? 256 : 0);
  check_size(training.vocab_size, fixed, alphabet.size());
  std::vector<ScoredPiece> pieces = learn_unigram(known_parts(std::move(counted.words), alphabet), alphabet,
                                                  static_cast<std::size_t>(training.vocab_size) - fixed,
                                                  phase_progress(training, "choosing pieces"));
  TokenizerComponents components{.special_tokens = special_tokens(),
                                 .normalizer = {{"type", "NFKC"}},
                                 .pre_tokenizer = metaspace_json(),
                                 .post_processor = nullptr,
                                 .decoder = decoder_json(training.byte_fallback),
                                 .model = model_json(pieces, training.byte_fallback)};
  return {.tokenizer_json = tokenizer_json_text(std::move(components)),
          .tokenizer_config_json = tokenizer_config_text(
              special_tokens(), {{"bos_token", kBegin}, {"eos_token", kEnd}, {"unk_token", kUnknown}}),
          .vocab_size = static_cast<std::int64_t>(fixed + pieces.size()),
          .corpus = counted.report};
}

}  // namespace surprisal
