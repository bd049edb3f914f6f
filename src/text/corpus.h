// Raw text files to documents and sentences.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace surprisal {

// [data]: what is read and how it is cut. Shared by every verb that reads text.
struct CorpusOptions {
  std::string document = "blank_line";  // what ends a document in .txt
  std::string sentence = "both";        // what ends a sentence
  void visit(OptionVisitor& visitor);
};

// A document's text and where its sentences begin (byte offsets, the first is 0, ascending; a sentence runs to the next
// one, so together they are the whole text, blanks between sentences belonging to the one before... see split_sentences).
struct Document {
  std::string text;
  std::vector<std::uint32_t> sentences;
  std::size_t file = 0;        // index into the list of files
  std::uint64_t line = 0;      // 1-based line where it begins
};

// Reads .txt and .jsonl (a "text" field; a record is a document), each also .gz, in order, and calls `sink` for every
// document that is not blank, in bounded memory (a file streams; a document is held whole). CRLF is read as LF, a byte
// order mark is dropped. Throws Error: io (missing, directory, truncated gzip), data (invalid UTF-8 with the byte's
// offset, malformed JSONL with the line, a file of another kind), and io for an empty file.
void read_corpus(const std::vector<std::string>& files, const CorpusOptions& options,
                 const std::function<void(Document&&)>& sink);

}  // namespace surprisal
