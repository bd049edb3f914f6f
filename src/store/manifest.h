// MANIFEST.json: what a finished directory holds, written last, so that whoever reads it later can tell a
// whole checkpoint from one that a crash, a full disk or a failing one left behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace surprisal {

inline constexpr const char* kManifestFile = "MANIFEST.json";

struct ManifestEntry {
  std::string file;  // relative to the directory, '/' between its parts
  std::uint64_t size = 0;
  std::string hash;  // XXH3-128, 32 hexadecimal digits
  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

// Lists every regular file below `directory` with its size and hash, sorted by name, and syncs the manifest.
// Throws Error (io).
void write_manifest(const std::filesystem::path& directory);

// Throws Error: io (missing), data (malformed: also a name that leaves the directory).
std::vector<ManifestEntry> read_manifest(const std::filesystem::path& directory);

// Reads every file of the manifest again. Throws Error naming the first that is missing (io), of another size
// or of other content (data), or what read_manifest throws. Files that the manifest does not list are none of
// its business.
void verify_manifest(const std::filesystem::path& directory);

}  // namespace surprisal
