// The fields of a protocol buffer, one after the other, without a schema. A message within a message is bytes
// to it, so nothing recurs, however deep a file pretends to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace surprisal {

struct WireField {
  enum class Kind : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Kind kind = Kind::varint;
  std::uint64_t value = 0;  // of the three kinds of numbers
  std::string_view bytes;
};

class WireReader {
 public:
  // `where` names the message in errors.
  WireReader(std::string_view message, std::string where) : message_(message), where_(std::move(where)) {}

  // The next field; none at the end. Throws Error (data) on a field that is cut off or of no known kind.
  std::optional<WireField> next();

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t size);
  [[noreturn]] void refuse(const std::string& what) const;

  std::string_view message_;
  std::size_t at_ = 0;
  std::string where_;
};

}  // namespace surprisal
