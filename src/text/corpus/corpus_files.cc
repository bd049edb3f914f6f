#include "text/corpus/corpus_files.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fnmatch.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLevels = 64;  // of directories: beyond that links lead in a circle

bool take_ending(std::string_view& path, std::string_view ending) {
  if (path.size() < ending.size()) return false;
  std::string_view tail = path.substr(path.size() - ending.size());
  for (std::size_t i = 0; i < ending.size(); ++i) {
    char c = tail[i] >= 'A' && tail[i] <= 'Z' ? static_cast<char>(tail[i] - 'A' + 'a') : tail[i];
    if (c != ending[i]) return false;
  }
  path.remove_suffix(ending.size());
  return true;
}

[[noreturn]] void fail_io(const std::string& what, const fs::path& path) {
  throw Error(ErrorKind::io, {.what = what, .where = path.string()});
}

fs::file_status status_of(const fs::path& path) {
  std::error_code cause;
  fs::file_status status = fs::status(path, cause);
  if (fs::exists(status) || status.type() == fs::file_type::not_found) return status;
  fail_io("cannot read: " + cause.message(), path);
}

CorpusFileList::Stamp stamp_of(const std::string& path) {
  std::error_code cause;
  CorpusFileList::Stamp stamp{fs::file_size(path, cause), {}};
  if (!cause) stamp.written = fs::last_write_time(path, cause);
  if (cause) fail_io("cannot read: " + cause.message(), path);
  return stamp;
}

// Names of the entries of a directory that are not hidden.
std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code cause;
  fs::directory_iterator entry(directory.empty() ? "." : directory, cause), end;
  for (; !cause && entry != end; entry.increment(cause)) {
    std::string name = entry->path().filename();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  if (cause) fail_io("cannot read the directory: " + cause.message(), directory);
  return names;
}

void check_level(const fs::path& path, int level) {
  if (level > kMostLevels) fail_io("directories are nested too deep; do links lead in a circle?", path);
}

bool is_pattern(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

// What a pattern matches below `base`, `rest` being its components that are left.
void match(const fs::path& base, std::span<const std::string> rest, int level, std::vector<fs::path>& found) {
  check_level(base, level);
  if (rest.empty()) {
    found.push_back(base);
    return;
  }
  const std::string& component = rest.front();
  if (!is_pattern(component)) {
    fs::path next = base / component;
    if (fs::exists(status_of(next))) match(next, rest.subspan(1), level, found);
    return;
  }
  if (!fs::is_directory(status_of(base.empty() ? "." : base))) return;
  bool any_depth = component == "**";
  if (any_depth) match(base, rest.subspan(1), level, found);
  if (any_depth && rest.size() == 1) return;  // the directory stands for all below it
  for (const std::string& name : names_in(base)) {
    fs::path next = base / name;
    if (any_depth) {
      if (fs::is_directory(status_of(next))) match(next, rest, level + 1, found);
    } else if (fnmatch(component.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      match(next, rest.subspan(1), level + 1, found);
    }
  }
}

class Lister {
 public:
  void add(const std::string& written) {
    if (written == "-") {
      throw Error(ErrorKind::usage,
                  {.what = "a corpus cannot come from standard input: it is read twice, first to see whether "
                           "it was tokenised before",
                   .where = "-",
                   .fix = "write it to a file"});
    }
    fs::file_status status = status_of(written);
    if (fs::is_directory(status)) {
      add_all({written}, written, "the directory holds no text file");
    } else if (fs::exists(status) || !is_pattern(written)) {
      add_file(written, status, false);
    } else {
      add_pattern(written);
    }
  }

  CorpusFileList take() { return std::move(list_); }

 private:
  void add_pattern(const std::string& written) {
    std::vector<std::string> components;
    for (const fs::path& component : fs::path(written)) components.push_back(component);
    std::vector<fs::path> found;
    match({}, components, 0, found);
    if (found.empty()) fail_io("no file matches", written);
    add_all(found, written, "no text file matches");
  }

  void add_all(const std::vector<fs::path>& roots, const std::string& written, const char* problem) {
    found_.clear();
    std::uint64_t others = list_.other_files;
    for (const fs::path& root : roots) walk(root, 0);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    for (const std::string& path : found_) add_file(path, status_of(path), true);
    if (!found_.empty()) return;
    others = list_.other_files - others;
    throw Error(ErrorKind::data, {.what = problem,
                                  .where = written,
                                  .found = others == 0 ? "" : fmt::format("{} of other kinds", others),
                                  .expected = kCorpusFileEndings});
  }

  void walk(const fs::path& path, int level) {
    check_level(path, level);
    if (fs::is_directory(status_of(path))) {
      for (const std::string& name : names_in(path)) walk(path / name, level + 1);
    } else if (find_corpus_file_kind(path)) {
      found_.push_back(path);
    } else {
      ++list_.other_files;
    }
  }

  void add_file(const std::string& path, fs::file_status status, bool listed) {
    if (!fs::exists(status)) fail_io("cannot open: no such file", path);
    if (!fs::is_regular_file(status)) {
      throw Error(ErrorKind::io,
                  {.what = "not a regular file: a corpus is read twice, first to see whether it "
                           "was tokenised before",
                   .where = path,
                   .fix = "write it to a file"});
    }
    if (!find_corpus_file_kind(path)) {
      throw Error(ErrorKind::data, {.what = "not a kind of text file that is known by its name",
                                    .where = path,
                                    .expected = kCorpusFileEndings});
    }
    auto [known, added] = listed_.emplace(fs::path(path).lexically_normal(), listed);
    if (!added && (listed || known->second)) {
      throw Error(ErrorKind::usage, {.what = "the file is given twice, by a directory or pattern and again",
                                     .where = path,
                                     .fix = "give it once"});
    }
    if (!added) ++list_.repeated_files;
    CorpusFileList::Stamp stamp = stamp_of(path);
    if (stamp.size == 0) throw Error(ErrorKind::data, {.what = "the file is empty", .where = path});
    list_.files.push_back(path);
    list_.stamps.push_back(stamp);
    list_.bytes += stamp.size;
  }

  CorpusFileList list_;
  std::vector<std::string> found_;      // by the directory or pattern at hand
  std::map<std::string, bool> listed_;  // whether a directory or pattern gave it
};

}  // namespace

std::optional<CorpusFileKind> find_corpus_file_kind(const std::string& path) {
  CorpusFileKind kind;
  std::string_view rest = path;
  if (take_ending(rest, ".gz")) {
    kind.compression = Compression::gzip;
  } else if (take_ending(rest, ".zst")) {
    kind.compression = Compression::zstd;
  }
  if (take_ending(rest, ".txt")) return kind;
  kind.records = true;
  if (take_ending(rest, ".jsonl")) return kind;
  return {};
}

void CorpusFileList::check_unchanged() const {
  for (std::size_t index = 0; index < files.size(); ++index) {
    if (stamp_of(files[index]) == stamps[index]) continue;
    throw Error(ErrorKind::data, {.what = "the file changed while it was read",
                                  .where = files[index],
                                  .fix = "try again once nothing writes to it"});
  }
}

CorpusFileList list_corpus_files(const std::vector<std::string>& written) {
  if (written.empty()) throw Error(ErrorKind::usage, {.what = "no text file is given"});
  Lister lister;
  for (const std::string& path : written) lister.add(path);
  return lister.take();
}

}  // namespace surprisal
