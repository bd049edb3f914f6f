// The commit protocol: a directory is there whole or not at all, whenever the machine stops.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace surprisal {

// Calls write(temporary) with an empty directory beside `target`, then writes its manifest, syncs everything
// (files by whoever wrote them), renames it to `target` and syncs the parent. A directory that is there
// already is replaced once the new one is complete. Where anything throws, the temporary directory is removed
// and nothing has changed, unless it was the very last sync: then the new one is there, and may not outlast
// the machine.
void commit_directory(const std::filesystem::path& target,
                      const std::function<void(const std::filesystem::path&)>& write);

// Removes a committed directory so that no moment shows half of it under its name.
void remove_committed(const std::filesystem::path& directory);

// Removes what commits, removals and replacements of files that were cut short left in `parent`; a directory
// that was put aside for one that never came gets its name back. Only for who holds its lock, and where none
// of them is at work.
void remove_leftovers(const std::filesystem::path& parent);

// Bytes that a user without privileges can still write to the file system of `path`; the largest number where
// that cannot be told.
std::uint64_t free_space(const std::filesystem::path& path);

}  // namespace surprisal
