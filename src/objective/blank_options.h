// [objective.blank_infilling] and its presets.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"

namespace surprisal {

struct BlankInfillingOptions {
  // Sets every other field as it is read, so that keys beside it override it. A program calls with_preset().
  std::string preset{};
  std::string level = "token";         // token, sentence or document, or a mix with shares of the text
  std::string level_per = "sequence";  // micro_batch: a stream's samples have one level
  double mask_ratio = 0.15;            // of a sequence's tokens, at levels token and sentence
  double poisson_lambda = 3;           // of a span's length at level token
  std::int64_t max_span = 39;          // where that distribution is cut off
  std::int64_t gap = 1;                // fewest tokens between two spans at level token
  double single_span = 0;              // probability of a single span at level token
  bool shuffle = true;                 // pieces in any order, all alike; else from left to right
  double document_min_ratio = 0.5;     // least share of the sequence that is blank at level document
  double document_max_ratio = 1;
  double suffix = 0.5;  // probability of that blank to be the sequence's end, and not within it
  std::string token_mask = "[MASK]", sentence_mask = "[sMASK]", document_mask = "[gMASK]";
  bool end_of_piece = true;
  bool suffix_end_of_piece = false;
  std::string position = "two_dimensional";
  std::string document_position = "as_position";  // at level document
  double noise = 0;                               // probability of a piece's input to be noise_token
  std::string noise_token = "[dBLOCK]";
  std::int64_t text_length = 0;  // most rows of text; 0: data.sequence_length
  std::int64_t parts = 1;        // levels token and sentence: text is cut into so many times shorter windows
  double short_sequence = 0;     // probability of a shorter window length for a document's pass
  bool special_tokens = true;    // those that the tokenizer puts around a text
  bool whole_sentences = true;   // a window ends with a sentence where that leaves at least half of it
  bool compatible = false;       // rows beyond the window are cut off

  void visit(OptionVisitor& visitor);
  // Throws Error (usage), with the nearest name, for an unknown preset.
  static BlankInfillingOptions with_preset(const std::string& name);
};

}  // namespace surprisal
