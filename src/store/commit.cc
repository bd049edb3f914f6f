#include "store/commit.h"

#include <limits>
#include <string_view>
#include <system_error>
#include <vector>

#include "surprisal/error.h"

#include "core/file.h"
#include "store/manifest.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp-", kTrash = ".trash-";

fs::path beside(const fs::path& path, std::string_view prefix) {
  return path.parent_path() / (std::string(prefix) + path.filename().string());
}

void sync_tree(const fs::path& directory) {
  std::error_code none;
  for (const fs::path& path : list_tree(directory)) {
    if (fs::is_directory(path, none)) sync_directory(path);
  }
  sync_directory(directory);
}

// Where directories cannot be exchanged, one that was to be replaced may have lost its name meanwhile.
void clear(const fs::path& temporary, const std::string& target) {
  std::error_code none;
  const fs::path named = temporary.parent_path() / target;
  const bool aside = fs::is_directory(fs::symlink_status(temporary, none)) && !fs::exists(named, none);
  if (aside) {
    fs::rename(temporary, named, none);
  } else {
    fs::remove_all(temporary, none);
  }
}

}  // namespace

void commit_directory(const fs::path& target, const std::function<void(const fs::path&)>& write) {
  const fs::path temporary = beside(target, kTemporary);
  std::error_code none;
  fs::remove_all(temporary, none);
  try {
    make_directories(temporary);
    write(temporary);
    write_manifest(temporary);
    sync_tree(temporary);
    exchange_directories(temporary, target);
    sync_directory(target.parent_path());
  } catch (...) {
    fs::remove_all(temporary, none);
    throw;
  }
  fs::remove_all(temporary, none);  // what was there before, if anything
}

void remove_committed(const fs::path& directory) {
  const fs::path trash = beside(directory, kTrash);
  std::error_code none;
  fs::remove_all(trash, none);
  exchange_directories(directory, trash);
  fs::remove_all(trash, none);
}

void remove_leftovers(const fs::path& parent) {
  std::error_code none;
  std::vector<fs::path> left, temporaries;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kTemporary) || name.starts_with(kTrash)) left.push_back(entry.path());
    if (!target_of_temporary(name).empty()) temporaries.push_back(entry.path());
  }
  for (const fs::path& path : temporaries) clear(path, target_of_temporary(path.filename().string()));
  for (const fs::path& path : left) fs::remove_all(path, none);
}

std::uint64_t free_space(const fs::path& path) {
  std::error_code cause;
  const fs::space_info space = fs::space(path, cause);
  return cause ? std::numeric_limits<std::uint64_t>::max() : space.available;
}

}  // namespace surprisal
