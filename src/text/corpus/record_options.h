// The kinds of documents, and what is read of the records of a .jsonl file. Which kinds those are is said by
// whoever reads them: objectives (ObjectiveTraits::reads).
//
//   text     data.field
//   pair     prompt and completion; messages; instruction, input and output; or a line "context||completion"
//   choice   options and label, with a text in which one mask stands for the right option
//   labelled a text, or two, with a class or a number; or words with a class each
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace surprisal {

enum class DocumentKind : std::uint8_t { text, pair, choice, labelled };
inline constexpr std::size_t kDocumentKinds = 4;
inline constexpr DocumentKind kEveryKind[kDocumentKinds] = {DocumentKind::text, DocumentKind::pair,
                                                            DocumentKind::choice, DocumentKind::labelled};

// What is known of a pair besides its parts, as bits.
struct PairMark {
  static constexpr std::uint8_t chat = 1;  // a layout of chats wrote what stands around and between the parts
  static constexpr std::uint8_t line = 2;  // it is a line "context||completion"
  // Tokenised together with its completion, a prompt has other tokens than alone.
  static constexpr std::uint8_t prompt_differs = 4;
  static constexpr std::uint8_t special_completion = 8;  // a target is a special token that the text spells
};

// How pairs are read and tokenised: fields of [objective.conditional], where their help is.
struct PairOptions {
  std::string chat = "auto";              // the layout of messages
  std::string turns = "all";              // of the assistant that are scored: all, last
  std::string tokenise = "separately";    // prompt and completion: separately, jointly
  std::string completion_blank = "auto";  // before a completion: auto (of lines alone), always, never
};

// What a label is of.
enum class LabelOf : std::uint8_t { text, number, word };  // a text's class or number, a word's class

// Of a word that is not scored, and of what labels do not fit: none.
inline constexpr std::uint32_t kNoLabel = 0xFFFFFFFF;

// How labelled texts are read: fields of [objective.classification] and its like, where their help is.
struct LabelOptions {
  LabelOf of = LabelOf::text;
  std::string label_field = "label";
  std::string pair_field{};          // of a second text; empty: there is none
  std::string words_field{};         // of LabelOf::word
  std::vector<std::string> names{};  // of the classes. Empty: they are asked for, see find_class_names
  bool to_predict = false;           // labels are: those that records have are not read
};

// "a text", "a pair", "a choice", "a labelled text".
const char* name_of(DocumentKind kind);

struct RecordOptions {
  // Kinds that are read. Text files hold texts. A record is of the last of these kinds whose fields it has:
  // one with a text and a prompt and a completion is a pair where pairs are read.
  std::array<bool, kDocumentKinds> read{true};
  std::array<std::string, kDocumentKinds> readers{};  // "objective conditional reads pairs", for messages
  PairOptions pairs{};
  // Of a pair its prompt alone is wanted, which is to be answered: there need be no completion.
  bool prompts_alone = false;
  // Of choices. The text around the mask, made of fields of the record: "{text} It was [MASK]."; "{{" and
  // "}}" are braces. Empty: the text of data.field, in which the mask stands.
  std::string pattern{};
  // "LABEL = OPTION", one a string: the options of every record, and which of them a label means. One blank
  // behind the equals sign does not belong to the option. Empty: records bring options, and label is the
  // index of one, from 0. A record's own options go before these.
  std::vector<std::string> verbalizer{};
  LabelOptions labels{};

  bool reads(DocumentKind kind) const { return read[static_cast<std::size_t>(kind)]; }
  void add(DocumentKind kind) { read[static_cast<std::size_t>(kind)] = true; }
  const std::string& reader(DocumentKind kind) const { return readers[static_cast<std::size_t>(kind)]; }
};

}  // namespace surprisal
