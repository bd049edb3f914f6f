#include "text/tokenizer/post_processors.h"

#include <limits>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {
namespace {

// A special token of a template may stand for several ids.
void append_special(const Json& piece, const Json& special_tokens, std::int32_t segment,
                    const std::string& where, std::vector<TemplatePiece>& pieces) {
  std::string name = get_string(piece, "id", where);
  std::string place = where + ", special_tokens";
  const Json& ids = require(require(special_tokens, name.c_str(), place), "ids", place);
  if (!ids.is_array())
    throw Error(ErrorKind::data, {.what = fmt::format("ids of {} is no array", name), .where = place});
  for (const Json& id : ids) {
    pieces.push_back({.id = get_id({{"id", id}}, "id", place), .segment = segment});
  }
}

std::vector<TemplatePiece> read_template(const Json& json, const char* key, bool pair,
                                         const std::string& where) {
  const Json& list = require(json, key, where);
  std::string place = fmt::format("{}, {}", where, key);
  if (!list.is_array()) throw Error(ErrorKind::data, {.what = "the template is no array", .where = place});
  std::vector<TemplatePiece> pieces;
  for (const Json& entry : list) {
    bool special = entry.is_object() && entry.contains("SpecialToken");
    const Json& piece = require(entry, special ? "SpecialToken" : "Sequence", place);
    auto segment = static_cast<std::int32_t>(
        get_int(piece, "type_id", place, 0, std::numeric_limits<std::int32_t>::max()));
    if (special) {
      append_special(piece, require(json, "special_tokens", where), segment, where, pieces);
      continue;
    }
    std::string sequence = get_string(piece, "id", place);
    if (sequence != "A" && !(pair && sequence == "B")) {
      throw Error(
          ErrorKind::data,
          {.what = "unknown sequence", .where = place, .found = sequence, .expected = pair ? "A or B" : "A"});
    }
    pieces.push_back({.sequence = sequence == "A" ? 0 : 1, .segment = segment});
  }
  return pieces;
}

// ["[SEP]", 102]
std::int32_t token_id(const Json& json, const char* key, const std::string& where) {
  const Json& pair = require(json, key, where);
  if (!pair.is_array() || pair.size() != 2) {
    throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", key),
                                  .where = where,
                                  .found = pair.dump(),
                                  .expected = "[token, id]"});
  }
  return get_id({{"id", pair[1]}}, "id", where + ", " + key);
}

}  // namespace

SequenceTemplates template_processing(const Json& json, const std::string& where) {
  return {read_template(json, "single", false, where), read_template(json, "pair", true, where)};
}

SequenceTemplates bert_processing(const Json& json, const std::string& where) {
  TemplatePiece cls{.id = token_id(json, "cls", where)}, sep{.id = token_id(json, "sep", where)};
  TemplatePiece second_sep{.id = sep.id, .segment = 1};
  return {{cls, {.sequence = 0}, sep},
          {cls, {.sequence = 0}, sep, {.sequence = 1, .segment = 1}, second_sep}};
}

SequenceTemplates roberta_processing(const Json& json, const std::string& where) {
  TemplatePiece cls{.id = token_id(json, "cls", where)}, sep{.id = token_id(json, "sep", where)};
  return {{cls, {.sequence = 0}, sep}, {cls, {.sequence = 0}, sep, sep, {.sequence = 1}, sep}};
}

SequenceTemplates byte_level_processing(const Json&, const std::string&) {
  return {};
}

SequenceTemplates combine_templates(const std::vector<SequenceTemplates>& members, const std::string& where) {
  const SequenceTemplates plain;
  const SequenceTemplates* adding = nullptr;
  for (const SequenceTemplates& member : members) {
    if (member.single == plain.single && member.pair == plain.pair) continue;
    if (adding) {
      throw Error(ErrorKind::data,
                  {.what = "a sequence with several post-processors that add tokens is not supported",
                   .where = where});
    }
    adding = &member;
  }
  return adding ? *adding : plain;
}

}  // namespace surprisal
