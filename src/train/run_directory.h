// What a run leaves on disk: config.toml, environment.json, metrics.jsonl, samples.jsonl, step-00001000/ ...,
// the links latest and best, and summary.json at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace surprisal {

// Which checkpoints stay once a new one is there.
struct Retention {
  std::int64_t limit = 0;            // the newest so many; 0: all
  std::int64_t keep_steps = 0;       // and those whose step is a multiple of this, unless 0
  std::vector<std::int64_t> best{};  // and these, of which the first is linked to as best
};

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path checkpoint(std::int64_t step) const;
  bool holds_run() const;  // config.toml or a checkpoint is there
  // Throws Error (usage) where it holds a run and `resume` was not asked for. Changes nothing.
  void check(bool resume) const;
  // Checks, and creates the directory for a new run; metrics and samples of an earlier one that left no
  // checkpoint are removed, and what a killed one left half-written. Throws Error (io) where it cannot be
  // written.
  void open(bool resume);

  // The newest checkpoint, whole or not, if there is one.
  std::optional<std::filesystem::path> latest() const;

  // The newest checkpoint that is whole (manifest.h). Each newer one that is not gets another name,
  // damaged-step-
  // ..., and a line in `damaged`. Throws Error (data) where there are checkpoints but none is whole.
  std::optional<std::filesystem::path> newest_whole(std::vector<std::string>& damaged) const;

  // Checkpoints of so many bytes that the disk still takes.
  std::uint64_t room_for(std::uint64_t checkpoint_bytes) const;
  // Throws Error (io) where it takes none.
  void require_room(std::uint64_t checkpoint_bytes) const;

  // Writes the checkpoint of a step by the protocol of store/commit.h.
  void commit(std::int64_t step, const std::function<void(const std::filesystem::path&)>& write) const;
  // Points `latest` at the step's checkpoint and `best` at the best one that is there, and removes those that
  // are not to stay.
  void publish(std::int64_t step, const Retention& retention) const;

  void write(const char* file, const std::string& content) const;
  // Drops the lines of metrics.jsonl and samples.jsonl that a run went on to write after `step`.
  void cut_back(std::int64_t step) const;

 private:
  std::filesystem::path place_aside(const std::filesystem::path& damaged) const;
  std::int64_t best_step() const;  // that the link best names; -1 where there is none
  void rotate(const Retention& retention) const;
  std::filesystem::path path_;
};

std::string checkpoint_name(std::int64_t step);  // "step-00001000"

}  // namespace surprisal
