// A pair of a record or a line, in any of the shapes in which people keep them:
//
//   {"prompt": x, "completion": y}                         x and y texts, or both lists of messages
//   {"messages": [{"role": r, "content": c}, ...]}         r: system, user or assistant
//   {"instruction": i, "input": n, "output": y}            Alpaca's; the input may be missing or empty
//   context||completion                                    a line of a text file, as of E2E
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "text/corpus/corpus.h"

namespace surprisal {

// "fields "prompt" and "completion", ...": for messages.
inline constexpr const char* kPairFields =
    "fields \"prompt\" and \"completion\", \"messages\", or \"instruction\" and \"output\"";

class PairReader {
 public:
  // Throws Error (usage) where an option has a value that it cannot have.
  explicit PairReader(const RecordOptions& options);

  // Whether the record has all fields of a pair, or some.
  bool is_pair(const Json& record) const;
  bool has_pair_fields(const Json& record) const;

  // Fills in kind, text, parts, turns and marks. Throws Error (data): a field that is missing or of a wrong
  // type, a record that is a pair in two ways, a completion without text, a role that no layout has, messages
  // of which none is the assistant's.
  void read(Json& record, const std::string& where, Document& document) const;
  // Throws Error (data): a line without "||", or with two.
  void read_line(std::string_view line, const std::string& where, Document& document) const;

 private:
  enum class Shape { none, texts, messages, alpaca };
  Shape shape_of(const Json& record) const;
  void read_texts(Json& record, const std::string& where, Document& document) const;
  void read_alpaca(Json& record, const std::string& where, Document& document) const;
  void read_messages(const Json& prompt, const Json* completion, const char* field, const std::string& where,
                     Document& document) const;
  void leave_answer_out(const std::string& where, Document& document) const;
  void add_turns(const Json& messages, const std::string& field, const std::string& where,
                 Document& document) const;
  void add_completion(std::string_view completion, bool line, const std::string& where,
                      Document& document) const;

  bool prompts_alone_, last_turn_;
  bool blank_of_records_, blank_of_lines_;  // before a completion
};

}  // namespace surprisal
