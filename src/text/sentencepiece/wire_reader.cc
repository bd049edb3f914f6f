#include "text/sentencepiece/wire_reader.h"

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {

std::optional<WireField> WireReader::next() {
  if (at_ == message_.size()) return std::nullopt;
  std::uint64_t key = varint();
  WireField field{.number = static_cast<std::uint32_t>(key >> 3),
                  .kind = static_cast<WireField::Kind>(key & 7),
                  .value = 0,
                  .bytes = {}};
  if (key >> 3 == 0 || key >> 3 >= 1u << 29) refuse(fmt::format("field {}", key >> 3));
  switch (field.kind) {
    case WireField::Kind::varint:
      field.value = varint();
      return field;
    case WireField::Kind::fixed64:
      field.value = fixed(8);
      return field;
    case WireField::Kind::fixed32:
      field.value = fixed(4);
      return field;
    case WireField::Kind::bytes: {
      std::uint64_t size = varint();
      if (size > message_.size() - at_) {
        refuse(fmt::format("a field of {} bytes where {} are left", size, message_.size() - at_));
      }
      field.bytes = message_.substr(at_, static_cast<std::size_t>(size));
      at_ += static_cast<std::size_t>(size);
      return field;
    }
  }
  refuse(fmt::format("a field of kind {}", key & 7));
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at_ == message_.size()) refuse("the file ends within a number");
    std::uint64_t byte = static_cast<unsigned char>(message_[at_++]);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number of more than 64 bits");
}

std::uint64_t WireReader::fixed(std::size_t size) {
  if (message_.size() - at_ < size) refuse("the file ends within a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(message_[at_++])} << 8 * i;
  }
  return value;
}

void WireReader::refuse(const std::string& what) const {
  throw Error(ErrorKind::data,
              {.what = fmt::format("no SentencePiece model, or a damaged one: {} at byte {}", what, at_),
               .where = where_});
}

}  // namespace surprisal
