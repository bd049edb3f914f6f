// Raw text files to documents and sentences.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/options.h"
#include "text/corpus/corpus_report.h"
#include "text/corpus/record_options.h"

namespace surprisal {

// [data]: what is read and how it is cut. Shared by every verb that reads text.
struct CorpusOptions {
  // What ends a document in .txt: blank_line, line (every line is one), file (the whole file is one). A blank
  // line holds nothing but white space.
  std::string document = "blank_line";
  // What ends a sentence: line (newlines alone), both (newlines, and the rules of sentences.h within a line),
  // split (the lines of a paragraph are joined first, then the rules).
  std::string sentence = "both";
  // The field of a .jsonl record that holds the text; "a.b" is field b of the object in field a, unless there
  // is a field of that very name.
  std::string field = "text";
  // What becomes of bytes that are no UTF-8, and of half a surrogate pair in JSON: error, replace (by U+FFFD,
  // one for each maximal part, as Python does), skip (the line or record is left out). All are counted.
  std::string invalid_utf8 = "error";
  // Not of [data]: filled in by whoever reads more than texts.
  RecordOptions records{};
  void visit(OptionVisitor& visitor);
};

// A document: its lines joined by LF exactly as they are written, without the last line's end; with sentence
// = "split" joined as join_lines in sentences.h does it. `sentences` holds the byte offsets at which its
// sentences begin: the first is 0, ascending; a sentence runs to the next one, so together they are the whole
// text. White space between two sentences belongs to the later one, so that no pre-token of GPT-2's pattern
// is cut by it.
//
// The text of a pair is its prompt and its completion, or those of a chat's turns; that of a choice the text
// with the mask and then every option; that of a labelled text one text or two, or words with a blank between
// them; `sentences` holds where each of these begins, and they may be empty.
enum class ChatRole : std::uint8_t { system, user, assistant };
struct ChatTurn {
  ChatRole role = ChatRole::user;
  bool scored = false;
  friend bool operator==(const ChatTurn&, const ChatTurn&) = default;
};

struct Document {
  std::string text;
  std::vector<std::uint32_t> sentences;
  std::size_t file = 0;    // index into the files that are read
  std::uint64_t line = 0;  // 1-based line where it begins
  DocumentKind kind = DocumentKind::text;
  std::uint16_t label = 0;        // of a choice: index of the right option
  std::uint8_t marks = 0;         // of a pair: see PairMark
  std::vector<ChatTurn> turns{};  // of a chat: one for each of `sentences`
  // Of a labelled text: its class, or the bits of its number as a float; or a class or kNoLabel for each
  // word. Where the classes have no names yet, an index into `class_names`, those of this document.
  std::vector<std::uint32_t> labels{};
  std::vector<std::string> class_names{};
};

// Reads .txt and .jsonl (a record is a document), each also .gz and .zst, in order, and calls `sink` for
// every document that is not blank, in bounded memory (a file streams; a document is held whole). `written`
// are files, directories and patterns, see list_corpus_files. CRLF is read as LF, a byte order mark is
// dropped, and U+0000 is a character like others. Returns what was read, without counts of tokens. Throws
// Error as list_corpus_files does, and data: damaged or truncated compression, invalid UTF-8 with the byte's
// offset, malformed JSONL with the line, a record of no kind that is read, a line or document of more than
// 256 MiB. All files are looked at before the first is read.
CorpusReport read_corpus(const std::vector<std::string>& written, const CorpusOptions& options,
                         const std::function<void(Document&&)>& sink);

}  // namespace surprisal
