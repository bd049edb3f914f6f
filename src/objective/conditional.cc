#include "objective/conditional.h"

#include "objective/conditional_decoder.h"
#include "objective/conditional_infilling.h"
#include "objective/requirements.h"
#include "text/corpus/chat_layout.h"

namespace surprisal {
namespace {

// Options that a program set; those of a file were checked before.
void check_choices(const ConditionalOptions& options) {
  require_choice("objective.conditional.layout", options.layout, {"auto", "decoder", "glm"});
  require_choice("objective.conditional.turns", options.turns, {"all", "last"});
  require_choice("objective.conditional.tokenise", options.tokenise, {"separately", "jointly"});
  require_choice("objective.conditional.completion_blank", options.completion_blank,
                 {"auto", "always", "never"});
}

// GLM's of 2021 and 2022 have start-of-piece, and so has GLM-4's, which is made for chats, and a decoder.
bool is_infilling(const ConditionalOptions& options, const Tokenizer& tokenizer) {
  if (options.layout != "auto") return options.layout == "glm";
  return tokenizer.special().sop && !has_chat_tokens(tokenizer);
}

}  // namespace

BeginOfText begin_of_text(const ObjectiveOptions& options) {
  const std::string& name = options.conditional.begin_of_text;
  require_choice("objective.conditional.begin_of_text", name, {"auto", "before", "between", "none"});
  if (name == "before") return BeginOfText::before;
  if (name == "between") return BeginOfText::between;
  return name == "none" ? BeginOfText::none : BeginOfText::by_shape;
}

std::shared_ptr<const Objective> make_conditional(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                  std::int64_t sequence_length) {
  check_choices(options.conditional);
  if (options.conditional.chat != "auto") ChatLayout(options.conditional.chat, tokenizer);
  if (is_infilling(options.conditional, tokenizer))
    return std::make_shared<ConditionalInfilling>(options, tokenizer, sequence_length);
  return std::make_shared<ConditionalDecoder>(options, tokenizer, sequence_length);
}

}  // namespace surprisal
