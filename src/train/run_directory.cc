#include "train/run_directory.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "store/commit.h"
#include "store/manifest.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCheckpoint = "step-";
constexpr std::string_view kDamaged = "damaged-";

std::optional<std::int64_t> step_of(const fs::path& path) {
  std::string name = path.filename().string();
  if (!name.starts_with(kCheckpoint)) return std::nullopt;
  std::int64_t step = 0;
  const char *begin = name.data() + kCheckpoint.size(), *end = name.data() + name.size();
  auto [stop, error] = std::from_chars(begin, end, step);
  if (error != std::errc() || stop != end) return std::nullopt;
  return step;
}

// Checkpoints by ascending step.
std::vector<fs::path> checkpoints(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    if (entry.is_directory() && !entry.is_symlink() && step_of(entry.path())) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(),
            [](const fs::path& a, const fs::path& b) { return *step_of(a) < *step_of(b); });
  return found;
}

// The step of a line of metrics or samples, 0 where it names none; absent where it is no such line.
std::optional<std::int64_t> step_of_line(const std::string& line) {
  try {
    return get_int_or(parse_json(line, ""), "step", "", 0, std::numeric_limits<std::int64_t>::max(), 0);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// What another run wrote after `step` goes; a line that was cut off in the middle goes too.
std::string lines_up_to(const std::string& text, std::int64_t step) {
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    std::string line = text.substr(begin, end - begin);
    if (std::optional<std::int64_t> written = step_of_line(line); written && *written <= step) {
      kept += line + "\n";
    }
    begin = end + 1;
  }
  return kept;
}

// A little more than is needed, since a file system keeps blocks for itself.
std::uint64_t with_margin(std::uint64_t bytes) {
  return bytes + bytes / 10;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
  return fmt::format("{}{:08}", kCheckpoint, step);
}

fs::path RunDirectory::checkpoint(std::int64_t step) const {
  return path_ / checkpoint_name(step);
}

bool RunDirectory::holds_run() const {
  return fs::exists(path_ / "config.toml") || !checkpoints(path_).empty();
}

void RunDirectory::check(bool resume) const {
  if (holds_run() && !resume) {
    throw Error(ErrorKind::usage, {.what = "the run directory holds another run",
                                   .where = path_.string(),
                                   .fix = "go on with it by --resume, or choose another run.directory"});
  }
}

void RunDirectory::open(bool resume) {
  check(resume);
  make_directories(path_);
  remove_leftovers(path_);
  if (!latest()) {
    for (const char* file : {"metrics.jsonl", "samples.jsonl", "summary.json"}) {
      std::error_code none;
      fs::remove(path_ / file, none);
    }
  }
}

std::optional<fs::path> RunDirectory::latest() const {
  std::vector<fs::path> found = checkpoints(path_);
  if (found.empty()) return std::nullopt;
  return found.back();
}

// Where a damaged checkpoint is kept, beside those of the same step that were set aside before.
fs::path RunDirectory::place_aside(const fs::path& damaged) const {
  const std::string name = std::string(kDamaged) + damaged.filename().string();
  fs::path aside = path_ / name;
  for (int number = 2; fs::exists(aside); ++number) aside = path_ / fmt::format("{}-{}", name, number);
  return aside;
}

std::optional<fs::path> RunDirectory::newest_whole(std::vector<std::string>& damaged) const {
  std::vector<fs::path> found = checkpoints(path_);
  std::vector<fs::path> broken;
  std::optional<fs::path> whole;
  for (; !found.empty() && !whole; found.pop_back()) {
    try {
      verify_manifest(found.back());
      whole = found.back();
    } catch (const Error& error) {
      damaged.push_back(error.what());
      broken.push_back(found.back());
    }
  }
  if (!whole && !broken.empty()) {
    throw Error(ErrorKind::data, {.what = "no checkpoint of the run is whole",
                                  .where = path_.string(),
                                  .found = damaged.front(),
                                  .fix = "start a new run in another run.directory"});
  }
  for (const fs::path& path : broken) exchange_directories(path, place_aside(path));
  return whole;
}

std::uint64_t RunDirectory::room_for(std::uint64_t checkpoint_bytes) const {
  return free_space(path_) / with_margin(checkpoint_bytes);
}

void RunDirectory::require_room(std::uint64_t checkpoint_bytes) const {
  const std::uint64_t needed = with_margin(checkpoint_bytes), free = free_space(path_);
  if (free >= needed) return;
  throw Error(ErrorKind::io, {.what = "there is no space for a checkpoint",
                              .where = path_.string(),
                              .found = fmt::format("{} MiB free", free >> 20),
                              .expected = fmt::format("{} MiB", (needed >> 20) + 1),
                              .fix = "free some, or choose another run.directory"});
}

void RunDirectory::commit(std::int64_t step, const std::function<void(const fs::path&)>& write) const {
  commit_directory(checkpoint(step), write);
}

void RunDirectory::publish(std::int64_t step, const Retention& retention) const {
  replace_symlink(path_ / "latest", checkpoint_name(step));
  // A save may have failed, and with it the best one.
  auto best = std::find_if(retention.best.begin(), retention.best.end(),
                           [&](std::int64_t other) { return fs::exists(checkpoint(other)); });
  if (best != retention.best.end()) replace_symlink(path_ / "best", checkpoint_name(*best));
  rotate(retention);
  remove_leftovers(path_);  // what could not be removed when it was due
}

std::int64_t RunDirectory::best_step() const {
  std::error_code none;
  return step_of(fs::read_symlink(path_ / "best", none)).value_or(-1);
}

void RunDirectory::rotate(const Retention& retention) const {
  if (retention.limit <= 0) return;
  std::vector<fs::path> old = checkpoints(path_);
  old.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, std::ssize(old) - retention.limit)));
  for (const fs::path& checkpoint : old) {
    const std::int64_t step = *step_of(checkpoint);
    const bool kept = retention.keep_steps > 0 && step % retention.keep_steps == 0;
    const bool best = step == best_step() ||
                      std::find(retention.best.begin(), retention.best.end(), step) != retention.best.end();
    if (!kept && !best) remove_committed(checkpoint);
  }
}

void RunDirectory::write(const char* file, const std::string& content) const {
  write_file_atomically(path_ / file, content);
}

void RunDirectory::cut_back(std::int64_t step) const {
  for (const char* file : {"metrics.jsonl", "samples.jsonl"}) {
    if (fs::exists(path_ / file)) write(file, lines_up_to(read_file(path_ / file), step));
  }
}

}  // namespace surprisal
