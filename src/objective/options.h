// [objective] and its tables, one an objective.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/options.h"
#include "objective/blank_options.h"

namespace surprisal {

// A probability that changes in a line from the first step to the last has a field for the last.
inline constexpr double kUnchanged = -1;

struct MlmOptions {
  double probability = 0.15;              // of a token to be predicted
  double final_probability = kUnchanged;  // ... at the last step
  double mask = 0.8;                      // of a predicted token to be replaced by the mask token
  double final_mask = kUnchanged;
  double random = 0.1;  // ... by a random token; the rest is kept
  double final_random = kUnchanged;
  std::string unit = "token";  // what is drawn and predicted as one: token, word, span (of words)
  std::string count =
      "fixed";  // fixed: max(1, round(probability * length)); bernoulli: each unit alone, at least one
  double span_probability = 0.2;     // p of the geometric distribution of a span's length in words
  std::int64_t span_max_words = 10;  // where that is cut off
  void visit(OptionVisitor& visitor);
};

struct NspOptions {
  double random_next = 0.5;     // probability of a random B where a true one exists
  double short_sequence = 0.1;  // probability of a shorter target length for a document's pass
  void visit(OptionVisitor& visitor);
};

struct SopOptions {
  double swap = 0.5;            // probability of the two segments to change places
  double short_sequence = 0.1;  // as in NspOptions
  void visit(OptionVisitor& visitor);
};

struct ConditionalOptions {
  std::string layout = "auto";                  // decoder, glm; auto: glm where the tokenizer has its tokens
  std::string chat = "auto";                    // layout of messages; auto: by the tokenizer's special tokens
  std::string turns = "all";                    // of the assistant that are targets: all, last
  std::string tokenise = "separately";          // prompt and completion: separately, jointly
  std::string too_long = "auto";                // keep_start, keep_end (of the prompt), drop, error
  std::string begin_of_text = "auto";           // before, between, none; auto: before, of lines between
  std::string completion_blank = "auto";        // put before a completion: always, never; auto: of lines
  bool prefix_lm = false;                       // rows of the prompt see one another
  std::string mask = "[MASK]";                  // of layout glm: what stands for the completion
  std::string position = "as_blank_infilling";  // of layout glm: of the completion's rows
  void visit(OptionVisitor& visitor);
};

struct ClozeOptions {
  std::string pattern{};                  // the text around the mask, made of fields of a record
  std::vector<std::string> verbalizer{};  // "LABEL = OPTION": the options, and what a label means
  std::string form = "auto";              // whether options are single tokens of one row, or sequences
  double length_penalty = 0;              // an option's surprisal is divided by its length to this power
  std::string position = "as_blank_infilling";  // of a piece's rows
  bool end_of_text = false;                     // behind the text, where options are pieces
  void visit(OptionVisitor& visitor);
};

// Of the three objectives over labelled texts.
struct LabelledOptions {
  std::vector<std::string>
      labels{};  // names of the classes, by their numbers; empty: the model's, or the data's
  std::string words_field = "tokens";
  std::string pair_field{};  // of a second text; empty: there is none
  std::string label_field = "label";
  std::string layout = "auto";  // encoder, decoder; auto: by the tokenizer's CLS token
  void visit_labels(OptionVisitor& visitor);
  void visit_words(OptionVisitor& visitor);
  void visit_second(OptionVisitor& visitor);
  void visit_common(OptionVisitor& visitor);
};

struct ObjectiveOptions {
  std::string train{};                  // the specification
  std::vector<std::string> evaluate{};  // others, of which the held-out text's losses are reported too
  MlmOptions mlm{};
  NspOptions nsp{};
  SopOptions sop{};
  BlankInfillingOptions blank_infilling{};
  ConditionalOptions conditional{};
  ClozeOptions cloze{};
  LabelledOptions classification{}, regression{}, token_classification{.label_field = "tags"};
  void visit(OptionVisitor& visitor);         // [objective] with its tables
  void visit_tables(OptionVisitor& visitor);  // the tables alone
};

}  // namespace surprisal
