#include "train/run_directory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCheckpoint = "step-";
constexpr std::string_view kTemporary = ".tmp-";

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

std::string link_target(const fs::path& link) {
  std::error_code none;
  return fs::read_symlink(link, none).filename().string();
}

void remove_temporary(const fs::path& directory) {
  std::error_code none;
  std::vector<fs::path> left;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    if (entry.path().filename().string().starts_with(kTemporary)) left.push_back(entry.path());
  }
  for (const fs::path& path : left) fs::remove_all(path, none);
}

// What another run wrote after `step` goes; a line that was cut off in the middle goes too.
std::string lines_up_to(const std::string& text, std::int64_t step) {
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    std::string line = text.substr(begin, end - begin);
    Json value = Json::parse(line, nullptr, false);
    if (value.is_object() && value.value("step", std::int64_t{0}) <= step) kept += line + "\n";
    begin = end + 1;
  }
  return kept;
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
  return fmt::format("{}{:08}", kCheckpoint, step);
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
  remove_temporary(path_);
  if (!latest()) {
    for (const char* file : {"metrics.jsonl", "samples.jsonl", "summary.json"}) {
      std::error_code none;
      fs::remove(path_ / file, none);
    }
  }
}

std::optional<fs::path> RunDirectory::latest() const {
  std::string linked = link_target(path_ / "latest");
  if (!linked.empty() && fs::is_directory(path_ / linked)) return path_ / linked;
  std::vector<fs::path> found = checkpoints(path_);  // a run stopped between the rename and the link
  if (found.empty()) return std::nullopt;
  return found.back();
}

fs::path RunDirectory::commit(std::int64_t step, bool best, std::int64_t limit,
                              const std::function<void(const fs::path&)>& write) {
  std::string name = checkpoint_name(step);
  fs::path temporary = path_ / (std::string(kTemporary) + name), target = path_ / name;
  std::error_code none;
  fs::remove_all(temporary, none);
  try {
    make_directories(temporary);
    write(temporary);
    sync_directory(temporary);
  } catch (...) {
    fs::remove_all(temporary, none);
    throw;
  }
  fs::remove_all(target, none);  // the same step again, after going back to an earlier one
  std::error_code error;
  fs::rename(temporary, target, error);
  if (error) {
    throw Error(ErrorKind::io, {.what = "cannot rename the finished checkpoint: " + error.message(),
                                .where = target.string()});
  }
  sync_directory(path_);
  replace_symlink(path_ / "latest", name);
  if (best) replace_symlink(path_ / "best", name);
  rotate(limit);
  return target;
}

void RunDirectory::rotate(std::int64_t limit) const {
  if (limit <= 0) return;
  std::vector<fs::path> found = checkpoints(path_);
  std::string latest_name = link_target(path_ / "latest"), best_name = link_target(path_ / "best");
  std::int64_t excess = static_cast<std::int64_t>(found.size()) - limit;
  for (const fs::path& checkpoint : found) {
    if (excess <= 0) return;
    std::string name = checkpoint.filename().string();
    if (name == latest_name || name == best_name) continue;
    std::error_code none;
    fs::remove_all(checkpoint, none);
    --excess;
  }
}

void RunDirectory::append(const char* file, const OrderedJson& line) const {
  std::ofstream out(path_ / file, std::ios::app);
  out << to_line(line) << '\n' << std::flush;
  if (!out) throw Error(ErrorKind::io, {.what = "cannot write", .where = (path_ / file).string()});
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
