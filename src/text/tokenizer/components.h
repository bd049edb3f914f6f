// The parts that a tokenizer.json puts together, one interface a kind. A component is immutable, so its
// members may be called from several threads at once. To add one: its class, its row in
// the table of component_table.cc, and a tokenizer with it in tools/goldens/tokenizers.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/tokenizer/aligned_text.h"
#include "text/tokenizer/vocabulary.h"

namespace surprisal {

// Rewrites text before it is cut: "BertNormalizer".
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void normalize(AlignedText& text) const = 0;
};

// Cuts every word into words that no token crosses, and may rewrite them: "ByteLevel", "BertPreTokenizer".
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void pre_tokenize(Words& words) const = 0;
  // The same, but may leave the byte-level characters to be written (Words::bytes): most words are known from
  // their bytes alone.
  virtual void pre_tokenize_to_bytes(Words& words) const { pre_tokenize(words); }
  // Whether what it does depends on where in the original text words come from.
  virtual bool needs_origins() const { return false; }
};

// A token of a word: its id and the byte of the word at which it begins.
struct WordToken {
  std::int32_t id = 0;
  std::uint32_t begin = 0;
};

// Cuts a word into tokens of its vocabulary: "BPE", "WordPiece".
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Adds the tokens of `word`, which is not empty.
  virtual void tokenize(std::string_view word, std::vector<WordToken>& tokens) const = 0;
  // The same for a word whose bytes stand for byte-level characters (byte_level.h); tokens begin at its
  // bytes.
  virtual void tokenize_bytes(std::string_view word, std::vector<WordToken>& tokens) const;
  virtual const Vocabulary& vocabulary() const = 0;
  // Whether the id is taken, but no text has it.
  virtual bool is_reserved(std::int32_t) const { return false; }
};

// What a post-processor puts around one sequence and around a pair: "TemplateProcessing", "BertProcessing".
struct SequenceTemplates {
  std::vector<TemplatePiece> single = {{.sequence = 0}};
  std::vector<TemplatePiece> pair = {{.sequence = 0}, {.sequence = 1, .segment = 1}};
};

// Turns the spellings of tokens into pieces of text, which are then joined: "WordPiece", "ByteLevel".
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void decode(std::vector<std::string>& pieces) const = 0;
};

}  // namespace surprisal
