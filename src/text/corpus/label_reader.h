// A labelled text of a record:
//
//   {"text": x, "label": l}                  l: a class by its name or number, or a number to be predicted
//   {"text": x, "second": y, "label": l}     where a field for a second text is named
//   {"tokens": [w, ...], "tags": [l, ...]}   a class for every word; -100, as any number below 0: not scored
#pragma once

#include <string>

#include "core/json.h"
#include "text/corpus/corpus.h"

namespace surprisal {

class LabelReader {
 public:
  // `field`: of the first text.
  LabelReader(const LabelOptions& options, const std::string& field);

  // Whether the record has all fields that are read, or some.
  bool is_labelled(Json& record) const;
  bool has_fields(Json& record) const;
  // "fields "text" and "label"": for messages.
  std::string fields() const;

  // Fills in text, parts and labels. Throws Error (data): a field that is missing or of a wrong type, a label
  // that is no class, or no number, words without as many labels.
  void read(Json& record, const std::string& where, Document& document) const;

 private:
  std::string first_field() const { return options_.of == LabelOf::word ? options_.words_field : field_; }
  void read_words(Json& record, const std::string& where, Document& document) const;
  std::uint32_t label(const Json& value, const std::string& where, Document& document) const;
  std::uint32_t class_of(const Json& value, const std::string& where, Document& document) const;

  LabelOptions options_;
  std::string field_;
  bool names_are_numbers_ = false;  // some of them
};

}  // namespace surprisal
