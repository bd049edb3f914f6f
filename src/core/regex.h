// Regular expressions: PCRE2 with Unicode properties, JIT where the machine has one, and limits on time and
// memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace surprisal {

// Bytes [begin, end).
struct ByteSpan {
  std::uint32_t begin = 0, end = 0;
  friend bool operator==(const ByteSpan&, const ByteSpan&) = default;
};

// Immutable, so several threads may match with one Regex, each with a RegexMatches of its own.
class Regex {
 public:
  // `where` names the source of `pattern` in errors. Throws Error (data) with the offset of the mistake.
  Regex(const std::string& pattern, const std::string& where);
  ~Regex();

 private:
  friend class RegexMatches;
  struct Code;
  std::unique_ptr<const Code> code_;
};

// The matches of a regex in one subject after the other, left to right, without overlap.
class RegexMatches {
 public:
  explicit RegexMatches(const Regex& regex);
  ~RegexMatches();

  // Starts anew on `subject`, which must be valid UTF-8 of less than 4 GiB and outlive the matching.
  void restart(std::string_view subject);
  // Throws Error (data) where matching would take more than the limits.
  std::optional<ByteSpan> next();

 private:
  struct State;
  const Regex& regex_;
  std::unique_ptr<State> state_;
};

}  // namespace surprisal
