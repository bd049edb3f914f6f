// Raw text files to documents and sentences.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/options.h"

namespace surprisal {

// [data]: what is read and how it is cut. Shared by every verb that reads text.
struct CorpusOptions {
  // What ends a document in .txt: blank_line, line (every line is one), file (the whole file is one). A blank
  // line holds nothing but white space.
  std::string document = "blank_line";
  // What ends a sentence: line (newlines alone), both (newlines, and the rules of sentences.h within a line),
  // split (the lines of a paragraph are joined first, then the rules).
  std::string sentence = "both";
  void visit(OptionVisitor& visitor);
};

// A document: its lines joined by LF exactly as they are written, without the last line's end; with sentence
// = "split" joined as join_lines in sentences.h does it. `sentences` holds the byte offsets at which its
// sentences begin: the first is 0, ascending; a sentence runs to the next one, so together they are the whole
// text. White space between two sentences belongs to the later one, so that no pre-token of GPT-2's pattern
// is cut by it.
struct Document {
  std::string text;
  std::vector<std::uint32_t> sentences;
  std::size_t file = 0;    // index into the list of files
  std::uint64_t line = 0;  // 1-based line where it begins
};

// Reads .txt and .jsonl (a "text" field, taken as it is; a record is a document), each also .gz, in order,
// and calls `sink` for every document that is not blank, in bounded memory (a file streams; a document is
// held whole). CRLF is read as LF, a byte order mark is dropped. Throws Error: io (missing, directory),
// data (an empty file, damaged or truncated gzip, invalid UTF-8 with the byte's offset, malformed JSONL with
// the line, a file of another kind, a document of 4 GiB or more). Names, kinds and existence of all files are
// checked before the first is read.
void read_corpus(const std::vector<std::string>& files, const CorpusOptions& options,
                 const std::function<void(Document&&)>& sink);

}  // namespace surprisal
