#include "objective/requirements.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "text/tokenizer/special_tokens.h"

namespace surprisal {
namespace {

// "one with unk [UNK], mask [MASK]".
std::string describe(const Tokenizer& tokenizer) {
  std::string text;
  for (const auto& [role, id] : roles_of(tokenizer.special())) {
    text += fmt::format("{}{} {}", text.empty() ? "one with " : ", ", role, tokenizer.token(id));
  }
  return text.empty() ? "one without special tokens" : text;
}

[[noreturn]] void fail(std::string_view objective, std::string_view needs, const Tokenizer& tokenizer,
                       std::string fix) {
  throw Error(ErrorKind::usage,
              {.what = fmt::format("objective {} needs a tokenizer with {}", objective, needs),
               .found = describe(tokenizer),
               .fix = std::move(fix)});
}

struct NamedToken {
  const char* name;  // as GLM's own tokenizers spell it
  std::optional<std::int32_t> SpecialTokens::*id;
};

NamedToken named(BlankToken token) {
  switch (token) {
    case BlankToken::mask:
      return {"[MASK]", &SpecialTokens::mask};
    case BlankToken::gmask:
      return {"[gMASK]", &SpecialTokens::gmask};
    case BlankToken::smask:
      return {"[sMASK]", &SpecialTokens::smask};
    case BlankToken::start_of_piece:
      return {"<|startofpiece|>", &SpecialTokens::sop};
    case BlankToken::end_of_piece:
      return {"<|endofpiece|>", &SpecialTokens::eop};
  }
  return {};
}

}  // namespace

void fail_tokenizer(std::string_view objective, std::string_view needs, std::string_view type,
                    const Tokenizer& tokenizer) {
  fail(objective, needs, tokenizer,
       fmt::format("`surprisal tokenizer train --type {}` makes one that has it", type));
}

BlankToken blank_mask(const std::string& option, const std::string& name) {
  require_choice(option, name, {"[MASK]", "[sMASK]", "[gMASK]"});
  if (name == "[sMASK]") return BlankToken::smask;
  return name == "[gMASK]" ? BlankToken::gmask : BlankToken::mask;
}

std::int32_t require_glm_special(std::string_view objective, std::string_view role,
                                 std::optional<std::int32_t> id, const Tokenizer& tokenizer) {
  if (id) return *id;
  fail(objective, role, tokenizer, fmt::format("`{}` adds it to yours", glm_specials_command()));
}

std::int32_t require_blank_token(std::string_view objective, BlankToken token, const Tokenizer& tokenizer) {
  const NamedToken special = named(token);
  return require_glm_special(objective, special.name, tokenizer.special().*special.id, tokenizer);
}

std::int32_t require_special(std::string_view objective, std::string_view role,
                             std::optional<std::int32_t> id, std::string_view type,
                             const Tokenizer& tokenizer) {
  if (!id) fail_tokenizer(objective, role, type, tokenizer);
  return *id;
}

void require_length(std::string_view objective, std::int64_t length, std::int64_t least) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (length >= least && length <= kMost) return;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("sequence length is impossible for objective {}", objective),
               .found = fmt::format("{}", length),
               .expected = fmt::format("at least {} and at most {}", least, kMost)});
}

void require_probability(const std::string& option, double value) {
  if (value >= 0 && value <= 1) return;
  throw Error(ErrorKind::usage, {.what = option + " is out of range",
                                 .found = fmt::format("{}", value),
                                 .expected = "a number in [0, 1]"});
}

void require_choice(const std::string& option, const std::string& value,
                    std::span<const std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  const std::string near = nearest_name(value, {choices.begin(), choices.end()});
  throw Error(ErrorKind::usage, {.what = option + " is unknown",
                                 .found = value,
                                 .expected = fmt::format("{}", fmt::join(choices, " or ")),
                                 .fix = near.empty() ? "" : fmt::format("did you mean {}?", near)});
}

}  // namespace surprisal
