// Changes header and data apart, and writes the length that the header then has: with the format's own
// mutations nearly every input would end at its first eight bytes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

constexpr std::size_t kLengthBytes = 8;

std::string mutated(std::string text, std::size_t most) {
  const std::size_t size = std::min(text.size(), most);
  text.resize(std::max<std::size_t>(most, 1));
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
  return text;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  // One in sixteen as it is, so that lengths are wrong too.
  if (size < kLengthBytes || max_size <= 2 * kLengthBytes || seed % 16 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  std::uint64_t length = 0;
  std::memcpy(&length, data, kLengthBytes);
  length = std::min<std::uint64_t>(length, size - kLengthBytes);
  const char* begin = reinterpret_cast<const char*>(data) + kLengthBytes;
  std::string header(begin, length), rest(begin + length, size - kLengthBytes - length);
  const std::size_t room = max_size - kLengthBytes;
  if (seed % 4 == 1) {
    rest = mutated(rest, room - std::min(room - 1, header.size()));
  } else {
    header = mutated(header, room - std::min(room - 1, rest.size()));
  }
  const std::uint64_t now = header.size();
  std::string file(reinterpret_cast<const char*>(&now), kLengthBytes);
  file += header + rest;
  file.resize(std::min(file.size(), max_size));
  std::memcpy(data, file.data(), file.size());
  return file.size();
}
