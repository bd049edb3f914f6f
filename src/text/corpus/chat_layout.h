// How a chat becomes one text: special tokens around the turns, and the names of the roles. The layouts are
// those that models were published with, each written once, in a table.
//
//   chatml    <|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n
//   qwen2     the same, after a system turn "You are a helpful assistant." where a chat begins with none
//   qwen2.5   the same, with Qwen2.5's system turn
//   llama3    <|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>...
//   glm4      [gMASK]<sop><|user|>\nHello<|assistant|>\nHi<|user|>: the token of the next role ends a turn
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/corpus/corpus.h"

namespace surprisal {

// Nothing where no layout has such a role.
std::optional<ChatRole> find_chat_role(std::string_view name);

// "auto" and the names of the layouts, as options have them.
std::vector<std::string> chat_layout_choices();

// Whether it has the special tokens of any.
bool has_chat_tokens(const Tokenizer& tokenizer);

// A special token of the layout, or text.
struct ChatPiece {
  std::optional<std::int32_t> token{};
  std::string text{};
  bool scored = false;
};

struct ChatForm;  // a row of the table

class ChatLayout {
 public:
  // `name`: one of the choices; "auto": the one whose special tokens the tokenizer has. Throws Error (usage):
  // no such layout, one whose tokens the tokenizer lacks (naming them), or none or several for "auto".
  ChatLayout(const std::string& name, const Tokenizer& tokenizer);

  std::string_view name() const;
  // The turns of `chat`, which end, unless `answer`, with the end of the last scored one; with `answer`, with
  // what stands before an answer of the assistant. Of a scored turn its text and its end are scored.
  std::vector<ChatPiece> render(const Document& chat, bool answer) const;
  // Tokens that end a turn of the assistant.
  const std::vector<std::int32_t>& ends() const { return ends_; }

 private:
  struct Writer;
  const ChatForm* form_;
  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ends_;
};

}  // namespace surprisal
