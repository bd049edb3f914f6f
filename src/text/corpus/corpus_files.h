// Which files a corpus is made of: files, directories and patterns as they are written to those that are
// read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/byte_source.h"

namespace surprisal {

inline constexpr const char* kCorpusFileEndings = ".txt or .jsonl, each also .gz or .zst";

struct CorpusFileKind {
  bool records = false;  // JSONL
  Compression compression = Compression::none;
};

// By the name's end, in any case: .txt or .jsonl, each also .gz or .zst.
std::optional<CorpusFileKind> find_corpus_file_kind(const std::string& path);

struct CorpusFileList {
  struct Stamp {
    std::uint64_t size = 0;
    std::filesystem::file_time_type written{};
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  std::vector<std::string> files;  // as they are read; not empty
  std::vector<Stamp> stamps;       // of each, when it was listed
  std::uint64_t bytes = 0;         // of all, on disk
  std::uint64_t other_files = 0;   // left out: of a directory or pattern, but of no known ending

  std::uint64_t repeated_files = 0;  // given by name once more

  // Throws Error (data) where a file is no longer what it was when it was listed.
  void check_unchanged() const;
};

// A file stands for itself, whatever characters its name holds. A directory stands for all files below it
// that have a known ending and a name without a dot at its front, links followed. A pattern stands for what
// it matches, directories as above: `*`, `?` and `[...]` within a name, `**` for any number of directories,
// none of them matching a dot at a name's front. What a directory or pattern gives is sorted by path, byte by
// byte.
//
// Throws Error, before any file is read: usage (nothing given, "-", a file twice by way of a directory or
// pattern), io (missing, unreadable, a pattern that matches nothing, a pipe or device), data (an empty file,
// a file of no known ending, a directory or pattern without a text file).
CorpusFileList list_corpus_files(const std::vector<std::string>& written);

}  // namespace surprisal
