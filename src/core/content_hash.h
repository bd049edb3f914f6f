// XXH3-128 of content that comes in pieces: what caches are named by and checkpoints are
// verified with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace surprisal {

struct ContentHash {
  std::uint64_t high = 0, low = 0;
  std::string hex() const;  // 32 digits
  friend bool operator==(const ContentHash&, const ContentHash&) = default;
};

class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(ContentHasher&&) = delete;

  void add(std::string_view bytes);
  template <class Element, std::size_t Extent>
  void add(std::span<Element, Extent> elements) {
    add({reinterpret_cast<const char*>(elements.data()), elements.size_bytes()});
  }
  ContentHash finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of the file as it lies on disk, compressed or not. Throws Error (io).
// `hashed`, if given, is told of every piece that was read, in bytes; what it throws ends the reading.
ContentHash hash_file(const std::filesystem::path& path,
                      const std::function<void(std::uint64_t count)>& hashed = {});

}  // namespace surprisal
