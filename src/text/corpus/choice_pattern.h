// How the text and the options of a choice are made of a record: RecordOptions::pattern and verbalizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"

namespace surprisal {

// The field of this very name, or by way of the dots in it; null where there is none.
Json* find_field(Json& record, const std::string& field);
// The text of that field. Throws Error (data) where there is none.
std::string& text_field(Json& record, const std::string& field, const std::string& where);
// "text, id, ...": the names of a record's fields; "none".
std::string field_names(const Json& record);

class ChoicePattern {
 public:
  // `field` is the whole text where `pattern` is empty. Throws Error (usage): a brace without its other, a
  // pattern without a field.
  ChoicePattern(const std::string& pattern, const std::string& field);

  // Throws Error (data) where the record lacks one of the fields.
  std::string fill(Json& record, const std::string& where) const;

 private:
  struct Piece {
    bool field = false;
    std::string text;  // as it stands, or the name of a field
  };
  void parse(const std::string& pattern);

  std::vector<Piece> pieces_;
};

class Verbalizer {
 public:
  // Throws Error (usage): a line without '=', a label or an option that is empty or given twice.
  explicit Verbalizer(const std::vector<std::string>& lines);

  bool empty() const { return labels_.empty(); }
  const std::vector<std::string>& options() const { return options_; }
  // Index of the option that the label means: text, a whole number, true or false. Throws Error (data).
  std::uint16_t index(const Json& label, const std::string& where) const;

 private:
  std::vector<std::string> labels_, options_;
};

}  // namespace surprisal
