// The kinds of documents, and what is read of the records of a .jsonl file. Which kinds those are is said by
// whoever reads them: objectives (ObjectiveTraits::reads).
//
//   text     data.field
//   pair     prompt and completion
//   choice   options and label, with a text in which one mask stands for the right option
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace surprisal {

enum class DocumentKind : std::uint16_t { text, pair, choice };
inline constexpr std::size_t kDocumentKinds = 3;

// "a text", "a pair", "a choice".
const char* name_of(DocumentKind kind);

struct RecordOptions {
  // Kinds that are read. Text files hold texts. A record is of the last of these kinds whose fields it has:
  // one with a text and a prompt and a completion is a pair where pairs are read.
  std::array<bool, kDocumentKinds> read{true, false, false};
  std::array<std::string, kDocumentKinds> readers{};  // "objective conditional reads pairs", for messages
  // Of choices. The text around the mask, made of fields of the record: "{text} It was [MASK]."; "{{" and
  // "}}" are braces. Empty: the text of data.field, in which the mask stands.
  std::string pattern{};
  // "LABEL = OPTION", one a string: the options of every record, and which of them a label means. One blank
  // behind the equals sign does not belong to the option. Empty: records bring options, and label is the
  // index of one, from 0. A record's own options go before these.
  std::vector<std::string> verbalizer{};

  bool reads(DocumentKind kind) const { return read[static_cast<std::size_t>(kind)]; }
  void add(DocumentKind kind) { read[static_cast<std::size_t>(kind)] = true; }
  const std::string& reader(DocumentKind kind) const { return readers[static_cast<std::size_t>(kind)]; }
};

}  // namespace surprisal
