// The table of a SentencePiece normalizer (precompiled_charsmap): strings of characters and what they become.
// Four bytes with the size of a double array (Aoe 1989, in the units of Darts-clone) whose values are places
// in the text behind it, where every replacement ends with a null byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

class Charsmap {
 public:
  Charsmap() = default;  // without entries
  // Checks all of it, so that a lookup cannot go astray. Throws Error (data): a size that is not the file's,
  // a unit that leads out of the array or back to one above it, a replacement that is none.
  Charsmap(std::string_view bytes, const std::string& where);

  struct Match {
    std::size_t size = 0;  // bytes that it stands for
    std::string_view replacement;
  };
  // The longest entry that `text` begins with, as SentencePiece looks things up; and the shortest, as Hugging
  // Face does. An entry that would end within a character does not count. REQUIRES valid UTF-8.
  std::optional<Match> longest_prefix(std::string_view text) const;
  std::optional<Match> shortest_prefix(std::string_view text) const;
  bool empty() const { return units_.empty(); }

 private:
  // The node behind `byte` of the node at `base`: the place of its own children, and its value if it has one.
  struct Step {
    std::uint32_t base = 0;
    std::optional<std::uint32_t> value;
  };
  std::optional<Step> step(std::uint32_t base, unsigned char byte) const;
  void check_nodes(const std::string& where) const;
  void check_value(std::uint32_t value, const std::string& where) const;
  std::string_view replacement(std::uint32_t value) const;
  template <class Found>
  void for_each_prefix(std::string_view text, Found found) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace surprisal
