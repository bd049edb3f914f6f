// Text to token ids and back, as the Hugging Face `tokenizers` library does it for the same tokenizer.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

// The special tokens that objectives and models ask for by their role. Absent where the tokenizer has none.
struct SpecialTokens {
  std::optional<std::int32_t> pad, unk, cls, sep, mask, bos, eos;
  // GLM's: masks of spans to the end and of sentences, begin and end of a piece; `mask` is that of short
  // spans.
  std::optional<std::int32_t> gmask{}, smask{}, sop{}, eop{};
};

// One place of the post-processor's template: a special token, or one of the sequences that it is put around.
struct TemplatePiece {
  int sequence = -1;  // 0: sequence A, 1: sequence B, -1: the special token `id`
  std::int32_t id = 0;
  std::int32_t segment = 0;  // token type id
  friend bool operator==(const TemplatePiece&, const TemplatePiece&) = default;
};

class TokenizerPipeline;  // the components of one tokenizer.json

// Immutable after loading, so every const member may be called from several threads at once.
class Tokenizer {
 public:
  // From the two files' contents (the second may be empty); `where` names them in errors.
  static Tokenizer from_json(std::string tokenizer_json, std::string tokenizer_config_json,
                             const std::string& where);

  // Reads a directory that holds tokenizer.json, or else vocab.txt (BERT), or vocab.json and merges.txt
  // (GPT-2, RoBERTa), which become the tokenizer.json that transformers makes of them; or one of these files,
  // with what it needs beside it. Or else a SentencePiece model (tokenizer.model, spiece.model ...), whose
  // ids are those of the sentencepiece library. Roles come from tokenizer_config.json; without it, or if it
  // names no token, from the usual spellings ([CLS], <|endoftext|>, <s> ...). docs/tokenizers.md has every
  // layout and component. Truncation and padding that a file asks for are not applied. Throws Error (io:
  // missing file; data: malformed, or a component, option or class that is not known, by name).
  static Tokenizer load(const std::filesystem::path& path);

  // Appends the ids of `text` (valid UTF-8) without what the post-processor adds. If `starts` is given,
  // appends for every id the byte offset in `text` at which the token begins. Throws Error (data) on text
  // that is not UTF-8 or has 2 GiB.
  void encode(std::string_view text, std::vector<std::int32_t>& ids,
              std::vector<std::uint32_t>* starts = nullptr) const;

  // The same, but the spelling of a special token is text like any other, as with `split_special_tokens` of
  // transformers: for text that must not act as markup.
  void encode_as_text(std::string_view text, std::vector<std::int32_t>& ids,
                      std::vector<std::uint32_t>* starts = nullptr) const;

  // The ids of `text` with what the post-processor adds around a single sequence.
  std::vector<std::int32_t> encode_with_special(std::string_view text) const;

  // Text of `ids`. Special tokens are kept; clean-up is what the decoder component says. Throws Error (data)
  // on an id outside the vocabulary. Bytes that are no UTF-8 become U+FFFD, as in Hugging Face.
  std::string decode(std::span<const std::int32_t> ids) const;

  // Number of embedding rows that a model needs: the largest id plus one.
  std::int32_t vocabulary_size() const;
  std::optional<std::int32_t> id(std::string_view token) const;
  // The vocabulary's own spelling of an id ("Ġthe", "##ing"); empty for an id that no token has.
  std::string_view token(std::int32_t id) const;
  // Whether an added token marked special has this id, or an image (icetk): such ids are never masked.
  bool is_special(std::int32_t id) const;
  const SpecialTokens& special() const { return special_; }

  // XXH3 of everything that decides ids, as 16 hexadecimal digits.
  std::string fingerprint() const;

  // What the post-processor puts around one sequence and around a pair. Without a post-processor that adds
  // anything: {A} and {A, B}.
  std::span<const TemplatePiece> single_template() const;
  std::span<const TemplatePiece> pair_template() const;

  // The files as a Hugging Face directory holds them.
  const std::string& tokenizer_json() const { return tokenizer_json_; }
  const std::string& tokenizer_config_json() const { return tokenizer_config_json_; }
  void save(const std::filesystem::path& directory) const;

 private:
  std::shared_ptr<const TokenizerPipeline> pipeline_;
  SpecialTokens special_;
  std::string tokenizer_json_, tokenizer_config_json_;
};

// The tokenizer with GLM's special tokens: those that it lacks get the ids behind its vocabulary, in the
// order
// <|startofpiece|> <|endofpiece|> [CLS] [MASK] [SEP] [UNK] [gMASK] [sMASK] [dBLOCK], which with GPT-2's
// vocabulary are the ids of GLM-10B; before them <|endoftext|> where there is neither an end of text nor a
// padding token. Its post-processor writes [CLS] text <|endoftext|>. White space before a new mask token goes
// with it.
Tokenizer add_glm_specials(const Tokenizer& tokenizer);
// The command that does so, for errors that ask for these tokens.
std::string glm_specials_command();

}  // namespace surprisal
