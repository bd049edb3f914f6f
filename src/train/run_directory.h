// What a run leaves on disk: config.toml, environment.json, metrics.jsonl, samples.jsonl, step-00001000/ ...,
// the links latest and best, and summary.json at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/json.h"

namespace surprisal {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  bool holds_run() const;  // config.toml or a checkpoint is there
  // Throws Error (usage) where it holds a run and `resume` was not asked for. Changes nothing.
  void check(bool resume) const;
  // Checks, and creates the directory for a new run; metrics and samples of an earlier one that left no
  // checkpoint are removed. Throws Error (io) where it cannot be written.
  void open(bool resume);

  // The checkpoint to go on from, if there is one.
  std::optional<std::filesystem::path> latest() const;

  // Calls write(directory) with a temporary directory, syncs it, renames it to step-<step>, points `latest`
  // (and, where `best`, `best`) at it, and removes the oldest checkpoints until `limit` are left (0: none),
  // never one that a link points to. Nothing changes where `write` throws.
  std::filesystem::path commit(std::int64_t step, bool best, std::int64_t limit,
                               const std::function<void(const std::filesystem::path&)>& write);

  void append(const char* file, const OrderedJson& line) const;
  void write(const char* file, const std::string& content) const;
  // Drops the lines of metrics.jsonl and samples.jsonl that a run went on to write after `step`.
  void cut_back(std::int64_t step) const;

 private:
  void rotate(std::int64_t limit) const;
  std::filesystem::path path_;
};

std::string checkpoint_name(std::int64_t step);  // "step-00001000"

}  // namespace surprisal
