#define PCRE2_CODE_UNIT_WIDTH 8

#include "core/regex.h"

#include <cstdint>

#include <fmt/format.h>
#include <pcre2.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

// Steps of one match, and KiB of its heap. What people tokenize with needs a few steps a match; a pattern
// that needs millions is an attack or a mistake.
constexpr std::uint32_t kMatchLimit = 10'000'000;
constexpr std::uint32_t kHeapLimitKiB = 64 * 1024;

template <auto function>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    function(pointer);
  }
};
using CodePointer = std::unique_ptr<pcre2_code, Free<pcre2_code_free>>;
using ContextPointer = std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>>;
using MatchPointer = std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>>;

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

}  // namespace

struct Regex::Code {
  Code(CodePointer compiled, ContextPointer limits) : code(std::move(compiled)), context(std::move(limits)) {}
  CodePointer code;
  ContextPointer context;
};

Regex::Regex(const std::string& pattern, const std::string& where) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  CodePointer code(
      pcre2_compile(units(pattern), pattern.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr));
  if (!code) {
    throw Error(ErrorKind::data, {.what = fmt::format("regular expression {}: {} at byte {}", pattern,
                                                      message_of(error), offset),
                                  .where = where});
  }
  // Where there is no JIT for this machine, matching goes on without.
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  ContextPointer context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMatchLimit);
  pcre2_set_heap_limit(context.get(), kHeapLimitKiB);
  code_ = std::make_unique<const Code>(std::move(code), std::move(context));
}

Regex::~Regex() = default;

struct RegexMatches::State {
  MatchPointer data;
  std::string_view subject;
  std::size_t at = 0;
};

RegexMatches::RegexMatches(const Regex& regex)
    : regex_(regex),
      state_(new State{
          MatchPointer(pcre2_match_data_create_from_pattern(regex.code_->code.get(), nullptr)), {}, 0}) {}

RegexMatches::~RegexMatches() = default;

void RegexMatches::restart(std::string_view subject) {
  state_->subject = subject;
  state_->at = 0;
}

std::optional<ByteSpan> RegexMatches::next() {
  State& state = *state_;
  if (state.at > state.subject.size()) return std::nullopt;
  const Regex::Code& code = *regex_.code_;
  auto match = [&](std::uint32_t options) {
    return pcre2_match(code.code.get(), units(state.subject), state.subject.size(), state.at,
                       options | PCRE2_NO_UTF_CHECK, state.data.get(), code.context.get());
  };
  int found = match(0);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match(PCRE2_NO_JIT);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) {
    throw Error(ErrorKind::data,
                {.what = fmt::format("cannot match a regular expression: {}", message_of(found))});
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(state.data.get());
  ByteSpan span{static_cast<std::uint32_t>(bounds[0]), static_cast<std::uint32_t>(bounds[1])};
  state.at = span.end;
  // Behind an empty match goes on at the next code point.
  if (span.begin == span.end) {
    do ++state.at;
    while (state.at < state.subject.size() && (state.subject[state.at] & 0xC0) == 0x80);
  }
  return span;
}

}  // namespace surprisal
