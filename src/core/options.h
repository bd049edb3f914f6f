// Options declared once. A struct of options lists its fields in visit(); reading TOML, overriding from the
// command line, writing the resolved configuration and printing help are all visitors over that one list.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "surprisal/override.h"

namespace surprisal {

struct IntRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

struct NumberRange {
  double min = -std::numeric_limits<double>::max();
  double max = std::numeric_limits<double>::max();
  bool open_min = false;  // min itself is outside
  bool open_max = false;
};

using Choices = std::vector<std::string>;  // what a string may be; empty: anything

// What a field is besides its value. `required` fields have no default: finish() of the reader names those
// not given.
struct FieldTraits {
  bool required = false;
  bool path = false;      // a path, or list of paths: made absolute when the configuration is resolved
  bool internal = false;  // settable, but left out of help
};

class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  // Fields visited by `body` belong to the table `name` (nested tables nest: objective.mlm).
  virtual void table(std::string_view name, std::string_view help,
                     const std::function<void(OptionVisitor&)>& body) = 0;
  virtual void field(std::string_view key, bool& value, std::string_view help, FieldTraits traits = {}) = 0;
  virtual void field(std::string_view key, std::int64_t& value, IntRange range, std::string_view help,
                     FieldTraits traits = {}) = 0;
  virtual void field(std::string_view key, double& value, NumberRange range, std::string_view help,
                     FieldTraits traits = {}) = 0;
  virtual void field(std::string_view key, std::string& value, const Choices& choices, std::string_view help,
                     FieldTraits traits = {}) = 0;
  virtual void field(std::string_view key, std::vector<std::string>& value, std::string_view help,
                     FieldTraits traits = {}) = 0;
};

using VisitFunction = std::function<void(OptionVisitor&)>;

// Reads `file` (may be empty: no file) and then `overrides` into the fields that `visit` lists, checks types,
// ranges and choices, and returns the dotted keys that were given (file or override). Relative paths are
// relative to the working directory and made absolute. Throws Error (io) where the file cannot be read, Error
// (usage) for everything else, with file:line:column, and for an unknown key or choice the nearest known
// name.
std::vector<std::string> read_options(const std::string& file, const std::vector<Override>& overrides,
                                      const VisitFunction& visit);
// The same from TOML text; `where` names it in errors.
std::vector<std::string> read_options_text(std::string_view toml, const std::string& where,
                                           const std::vector<Override>& overrides,
                                           const VisitFunction& visit);

// The values as TOML, every field, tables in order; numbers so that reading them back gives the same bits.
std::string write_options(const VisitFunction& visit);

// One entry a field, for help, completion and the documentation.
struct FieldHelp {
  std::string key;   // "train.learning_rate"
  std::string type;  // "number", "integer", "true|false", "string", "list", or the choices joined by '|'
  std::string default_value;  // as TOML; empty for a required field
  std::string range;          // "[0, 1]", "" where there is none
  std::string help;
};
std::vector<FieldHelp> describe_options(const VisitFunction& visit);

// The candidate nearest to `name` by edit distance, or "" if none is near enough to be a slip of the fingers.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace surprisal
