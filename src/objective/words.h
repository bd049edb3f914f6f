// Which tokens begin a word.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/tokenizer.h"

namespace surprisal {

// With WordPiece, a token that has not the prefix of continuations ("##"). With byte-level BPE, and where a
// character stands for blanks (Metaspace: Unigram, SentencePiece), the tokens' text is put together again,
// and a token begins a word, as GPT-2's pattern and BERT's cut text,
// - where letters, digits or other characters meet one of another of these kinds;
// - before and behind every character that is_cjk() knows: Chinese and Japanese are written without blanks;
// - where white space begins. One blank (U+0020) before a character belongs to its word.
// A token that begins within a character begins no word, combining marks count as letters, and added tokens
// are words of their own with WordPiece.
class WordFinder {
 public:
  // Throws Error (usage), naming `option`, for a tokenizer that is none of these.
  WordFinder(const std::string& option, const Tokenizer& tokenizer);

  // Whether each of `tokens`, which follow one another in a text, begins a word; the first does.
  std::vector<bool> find(std::span<const std::int32_t> tokens) const;

 private:
  std::vector<std::string> text_;  // by id, where it is not WordPiece
  std::vector<bool> continues_;    // by id, of WordPiece
};

}  // namespace surprisal
