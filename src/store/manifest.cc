#include "store/manifest.h"

#include <limits>
#include <system_error>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/content_hash.h"
#include "core/file.h"
#include "core/json.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kHashDigits = 32;

// A plain path within the directory: no "..", not absolute.
bool stays_inside(const fs::path& file) {
  return !file.empty() && file.is_relative() && file.lexically_normal() == file && *file.begin() != "..";
}

bool is_hash(const std::string& text) {
  return text.size() == kHashDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

ManifestEntry entry_from_json(const Json& json, const std::string& where) {
  ManifestEntry entry{.file = get_string(json, "file", where),
                      .size = static_cast<std::uint64_t>(
                          get_int(json, "size", where, 0, std::numeric_limits<std::int64_t>::max())),
                      .hash = get_string(json, "xxh3_128", where)};
  if (!stays_inside(entry.file) || !is_hash(entry.hash)) {
    throw Error(ErrorKind::data, {.what = "impossible entry of a manifest",
                                  .where = where,
                                  .found = json.dump(-1, ' ', true),
                                  .expected = "a file of the directory and 32 hexadecimal digits"});
  }
  return entry;
}

void verify_entry(const fs::path& directory, const ManifestEntry& entry) {
  const fs::path file = directory / entry.file;
  const std::uint64_t size = size_of_file(file);
  if (size != entry.size) {
    throw Error(ErrorKind::data, {.what = "a file is not as long as when it was saved",
                                  .where = file.string(),
                                  .found = fmt::format("{} bytes", size),
                                  .expected = fmt::format("{} bytes", entry.size)});
  }
  if (std::string hash = hash_file(file).hex(); hash != entry.hash) {
    throw Error(ErrorKind::data, {.what = "a file's content is not what was saved",
                                  .where = file.string(),
                                  .found = "XXH3 " + hash,
                                  .expected = entry.hash});
  }
}

}  // namespace

void write_manifest(const fs::path& directory) {
  OrderedJson files = OrderedJson::array();
  std::error_code none;
  for (const fs::path& path : list_tree(directory)) {
    if (!fs::is_regular_file(path, none) || path == directory / kManifestFile) continue;
    files.push_back({{"file", path.lexically_relative(directory).generic_string()},
                     {"size", size_of_file(path)},
                     {"xxh3_128", hash_file(path).hex()}});
  }
  const OrderedJson manifest{{"format", kFormat}, {"files", std::move(files)}};
  write_file(directory / kManifestFile, manifest.dump(2) + "\n");
}

std::vector<ManifestEntry> read_manifest(const fs::path& directory) {
  const fs::path path = directory / kManifestFile;
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  get_int(json, "format", where, kFormat, kFormat);
  const Json& files = require(json, "files", where);
  if (!files.is_array()) {
    throw Error(
        ErrorKind::data,
        {.what = "not a list of files", .where = where, .found = files.type_name(), .expected = "an array"});
  }
  std::vector<ManifestEntry> entries;
  for (const Json& file : files) entries.push_back(entry_from_json(file, where));
  return entries;
}

void verify_manifest(const fs::path& directory) {
  for (const ManifestEntry& entry : read_manifest(directory)) verify_entry(directory, entry);
}

}  // namespace surprisal
