#include "text/train/train_wordpiece.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/bert_normalizer.h"
#include "text/tokenizer/bert_pre_tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"
#include "text/train/merge_learner.h"
#include "text/train/word_counts.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr const char* kContinuation = "##";
constexpr std::size_t kMaxWordCharacters = 100;
constexpr std::int64_t kAlphabetEntries = 1000;

std::vector<std::string> special_tokens() {
  return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
}
constexpr std::int64_t kSpecialTokens = 5;

struct Character {
  char32_t value = 0;
  std::uint64_t count = 0;
  bool continues = false;  // occurs within words, not only at their beginning
  std::int64_t entries() const { return continues ? 2 : 1; }
};

// The characters of the words, the commonest first, equally common ones by code point.
std::vector<Character> count_characters(const std::vector<WordCount>& words) {
  std::unordered_map<char32_t, Character> found;
  for (const WordCount& word : words) {
    for (std::size_t at = 0; at < word.word.size();) {
      bool continues = at > 0;
      char32_t c = next_code_point(word.word, at);
      Character& character = found[c];
      character.value = c;
      character.count += word.count;
      character.continues |= continues;
    }
  }
  std::vector<Character> characters;
  for (const auto& [value, character] : found) characters.push_back(character);
  std::sort(characters.begin(), characters.end(), [](const Character& a, const Character& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  });
  return characters;
}

std::int64_t count_entries(const std::vector<Character>& characters) {
  std::int64_t entries = 0;
  for (const Character& character : characters) entries += character.entries();
  return entries;
}

// The commonest characters that fit into `budget` entries, by code point.
std::vector<Character> choose_alphabet(const std::vector<Character>& characters, std::int64_t budget) {
  std::vector<Character> alphabet;
  for (const Character& character : characters) {
    if (character.entries() > budget) continue;
    budget -= character.entries();
    alphabet.push_back(character);
  }
  std::sort(alphabet.begin(), alphabet.end(),
            [](const Character& a, const Character& b) { return a.value < b.value; });
  return alphabet;
}

// The ids of the alphabet's two forms.
struct Alphabet {
  std::vector<std::string> tokens;  // special tokens, then the alphabet
  std::unordered_map<char32_t, std::uint32_t> first, continuing;

  explicit Alphabet(const std::vector<Character>& characters) : tokens(special_tokens()) {
    for (const Character& character : characters) add("", character.value, first);
    for (const Character& character : characters) {
      if (character.continues) add(kContinuation, character.value, continuing);
    }
  }
  void add(std::string spelling, char32_t c, std::unordered_map<char32_t, std::uint32_t>& ids) {
    append_utf8(c, spelling);
    ids[c] = static_cast<std::uint32_t>(tokens.size());
    tokens.push_back(std::move(spelling));
  }
  // Appends the ids of a word's characters; false where one has none, or where there are too many.
  bool tokenise(std::string_view word, std::vector<std::uint32_t>& ids) const {
    for (std::size_t at = 0; at < word.size();) {
      const auto& table = at == 0 ? first : continuing;
      auto found = table.find(next_code_point(word, at));
      if (found == table.end() || ids.size() == kMaxWordCharacters) return false;
      ids.push_back(found->second);
    }
    return true;
  }
};

TokenisedWords tokenise(const std::vector<WordCount>& words, const Alphabet& alphabet) {
  TokenisedWords result;
  std::vector<std::uint32_t> ids;
  for (const WordCount& word : words) {
    ids.clear();
    if (!alphabet.tokenise(word.word, ids)) continue;
    result.add_word(word.count);
    for (std::uint32_t id : ids) result.add_token(id);
  }
  return result;
}

void check_size(std::int64_t vocab_size, std::int64_t entries) {
  std::int64_t smallest = kSpecialTokens + std::min(entries, kAlphabetEntries);
  if (vocab_size >= smallest) return;
  throw Error(ErrorKind::usage,
              {.what = "the vocabulary is too small for the special tokens and the characters of the text",
               .found = std::to_string(vocab_size),
               .expected = fmt::format("at least {}", smallest)});
}

// Learns with a larger alphabet as long as pairs run out before the vocabulary is full and characters are
// left.
std::vector<std::string> learn_vocabulary(const TokenizerTraining& training,
                                          const std::vector<WordCount>& words) {
  std::vector<Character> characters = count_characters(words);
  check_size(training.vocab_size, count_entries(characters));
  std::int64_t room = training.vocab_size - kSpecialTokens;
  std::int64_t budget = std::min(room, std::max(kAlphabetEntries, room / 2));
  while (true) {
    std::vector<Character> chosen = choose_alphabet(characters, budget);
    Alphabet alphabet(chosen);
    std::vector<std::string> tokens = learn_merges(tokenise(words, alphabet), alphabet.tokens,
                                                   static_cast<std::size_t>(training.vocab_size),
                                                   kContinuation, phase_progress(training, "merging"))
                                          .tokens;
    std::int64_t missing = training.vocab_size - static_cast<std::int64_t>(tokens.size());
    if (missing == 0 || chosen.size() == characters.size()) return tokens;
    budget += missing;
  }
}

OrderedJson special_piece(const char* token, int segment) {
  return {{"SpecialToken", {{"id", token}, {"type_id", segment}}}};
}

OrderedJson sequence_piece(const char* name, int segment) {
  return {{"Sequence", {{"id", name}, {"type_id", segment}}}};
}

OrderedJson template_token(const char* token, int id) {
  return {{"id", token}, {"ids", OrderedJson::array({id})}, {"tokens", OrderedJson::array({token})}};
}

// [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with segment 1 from B on.
OrderedJson post_processor_json() {
  OrderedJson single =
      OrderedJson::array({special_piece("[CLS]", 0), sequence_piece("A", 0), special_piece("[SEP]", 0)});
  OrderedJson pair = single;
  pair.push_back(sequence_piece("B", 1));
  pair.push_back(special_piece("[SEP]", 1));
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", {{"[CLS]", template_token("[CLS]", 2)}, {"[SEP]", template_token("[SEP]", 3)}}}};
}

OrderedJson normalizer_json(bool lowercase) {
  return {{"type", "BertNormalizer"},
          {"clean_text", true},
          {"handle_chinese_chars", true},
          {"strip_accents", nullptr},  // as lowercase
          {"lowercase", lowercase}};
}

OrderedJson model_json(const std::vector<std::string>& tokens) {
  OrderedJson model = {{"type", "WordPiece"},
                       {"unk_token", "[UNK]"},
                       {"continuing_subword_prefix", kContinuation},
                       {"max_input_chars_per_word", kMaxWordCharacters}};
  model["vocab"] = vocabulary_json(tokens);
  return model;
}

std::string config_text(bool lowercase) {
  OrderedJson inputs = OrderedJson::array({"input_ids", "token_type_ids", "attention_mask"});
  return tokenizer_config_text(special_tokens(), {{"cls_token", "[CLS]"},
                                                  {"do_lower_case", lowercase},
                                                  {"mask_token", "[MASK]"},
                                                  {"model_input_names", std::move(inputs)},
                                                  {"pad_token", "[PAD]"},
                                                  {"sep_token", "[SEP]"},
                                                  {"unk_token", "[UNK]"}});
}

}  // namespace

TrainedTokenizer train_wordpiece(const TokenizerTraining& training) {
  BertNormalizer normalizer({.strip_accents = training.lowercase, .lowercase = training.lowercase});
  CountedWords counted = count_words(training.files, training.corpus, &normalizer, BertPreTokenizer(),
                                     phase_progress(training, "counting words"));
  std::vector<std::string> tokens = learn_vocabulary(training, counted.words);
  TokenizerComponents components{
      .special_tokens = special_tokens(),
      .normalizer = normalizer_json(training.lowercase),
      .pre_tokenizer = {{"type", "BertPreTokenizer"}},
      .post_processor = post_processor_json(),
      .decoder = {{"type", "WordPiece"}, {"prefix", kContinuation}, {"cleanup", true}},
      .model = model_json(tokens)};
  return {.tokenizer_json = tokenizer_json_text(std::move(components)),
          .tokenizer_config_json = config_text(training.lowercase),
          .vocab_size = static_cast<std::int64_t>(tokens.size()),
          .corpus = counted.report};
}

}  // namespace surprisal
