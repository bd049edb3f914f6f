#include "core/content_hash.h"

#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "core/file.h"

namespace surprisal {

struct ContentHasher::State {
  // XXH3's state wants an alignment of 64, which its own allocator gives.
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(state_->xxh);
}

ContentHasher::~ContentHasher() = default;

void ContentHasher::add(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

ContentHash ContentHasher::finish() const {
  XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  return {hash.high64, hash.low64};
}

std::string ContentHash::hex() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

ContentHash hash_file(const std::filesystem::path& path,
                      const std::function<void(std::uint64_t count)>& hashed) {
  ContentHasher hasher;
  FileReader file(path);
  std::vector<char> buffer(1 << 20);
  while (std::size_t count = file.read(buffer)) {
    hasher.add({buffer.data(), count});
    if (hashed) hashed(count);
  }
  return hasher.finish();
}

}  // namespace surprisal
