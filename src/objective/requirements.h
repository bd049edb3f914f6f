// What objectives ask of a tokenizer, a sequence length and their options, with errors that name both sides.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "surprisal/tokenizer.h"

namespace surprisal {

// The special token's id. Throws Error (usage) where the tokenizer has none; `role` is "a mask token", `type`
// a kind of tokenizer that has it ("wordpiece").
std::int32_t require_special(std::string_view objective, std::string_view role,
                             std::optional<std::int32_t> id, std::string_view type,
                             const Tokenizer& tokenizer);

// Throws Error (usage): an objective `needs` something that the tokenizer is not.
[[noreturn]] void fail_tokenizer(std::string_view objective, std::string_view needs, std::string_view type,
                                 const Tokenizer& tokenizer);

// The tokens of blank infilling.
enum class BlankToken { mask, gmask, smask, start_of_piece, end_of_piece };

// The mask of that name: "[MASK]", "[sMASK]", "[gMASK]". Throws Error (usage) naming `option`.
BlankToken blank_mask(const std::string& option, const std::string& name);

// The special token's id, of those that `tokenizer add-specials --specials glm` adds. Throws Error (usage),
// with that command, where the tokenizer has none.
std::int32_t require_glm_special(std::string_view objective, std::string_view role,
                                 std::optional<std::int32_t> id, const Tokenizer& tokenizer);
// Likewise by its name.
std::int32_t require_blank_token(std::string_view objective, BlankToken token, const Tokenizer& tokenizer);

// Throws Error (usage) unless least <= length < 2^31.
void require_length(std::string_view objective, std::int64_t length, std::int64_t least);

// Throws Error (usage) unless 0 <= value <= 1. Options read from a file were checked before, those set by a
// program not.
void require_probability(const std::string& option, double value);

// Throws Error (usage), with the nearest choice, unless `value` is one of `choices`.
void require_choice(const std::string& option, const std::string& value,
                    std::span<const std::string_view> choices);
inline void require_choice(const std::string& option, const std::string& value,
                           std::initializer_list<std::string_view> choices) {
  require_choice(option, value, std::span(choices.begin(), choices.size()));
}

}  // namespace surprisal
