// The tokens of a pair, and which of them are scored.
//
// Text between two special tokens of a layout is one run; that of a pair without a layout is one run too:
// its prompt and its completion. Separately, a run is tokenised piece by piece, cut where what is scored
// begins and ends. Jointly, it is tokenised whole, and a token is scored where its text begins in scored
// text: one that lies across the boundary belongs to the prompt.
//
// The spelling of a special token is one in the texts of pairs, as in other texts, and is text in a chat.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "surprisal/error.h"
#include "surprisal/tokenizer.h"

#include "text/corpus/chat_layout.h"
#include "text/corpus/token_file.h"

namespace surprisal {

class PairEncoder {
 public:
  // The tokenizer must outlive it. Throws Error (usage) where a layout of chats is named that cannot be.
  PairEncoder(const RecordOptions& options, const Tokenizer& tokenizer);

  // Fills in tokens, sentences and marks. Throws Error: data, where a completion has no token; usage, where
  // it is a chat and no layout was found. `where` names the pair.
  void encode(const Document& pair, const std::string& where, EncodedDocument& encoded) const;
  // Of a pair that was read as a prompt alone: what stands before the answer; of a chat up to its first
  // token.
  std::vector<std::int32_t> encode_prompt(const Document& pair, const std::string& where) const;

  // The layout of chats. Throws Error (usage) where there is none.
  const ChatLayout& layout(const std::string& where) const;

 private:
  void encode_chat(const Document& pair, const std::string& where, EncodedDocument& encoded) const;
  void encode_texts(const Document& pair, const std::string& where, EncodedDocument& encoded) const;

  const Tokenizer& tokenizer_;
  bool jointly_;
  std::optional<Error> no_layout_;  // why there is none, where it was not named and there may be no chat
  std::optional<ChatLayout> layout_;
};

}  // namespace surprisal
