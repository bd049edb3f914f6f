#include "objective/requirements.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

// "one with unk [UNK], mask [MASK]".
std::string describe(const Tokenizer& tokenizer) {
  const SpecialTokens& special = tokenizer.special();
  const std::pair<const char*, std::optional<std::int32_t>> roles[] = {
      {"pad", special.pad},   {"unk", special.unk}, {"cls", special.cls}, {"sep", special.sep},
      {"mask", special.mask}, {"bos", special.bos}, {"eos", special.eos}};
  std::string text;
  for (const auto& [role, id] : roles) {
    if (id) text += fmt::format("{}{} {}", text.empty() ? "one with " : ", ", role, tokenizer.token(*id));
  }
  return text.empty() ? "one without special tokens" : text;
}

}  // namespace

void fail_tokenizer(std::string_view objective, std::string_view needs, std::string_view type,
                    const Tokenizer& tokenizer) {
  throw Error(ErrorKind::usage,
              {.what = fmt::format("objective {} needs a tokenizer with {}", objective, needs),
               .found = describe(tokenizer),
               .fix = fmt::format("`surprisal tokenizer train --type {}` makes one that has it", type)});
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

}  // namespace surprisal
