#include "text/corpus/pair_reader.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/corpus/chat_layout.h"
#include "text/corpus/choice_pattern.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr const char *kPrompt = "prompt", *kCompletion = "completion", *kMessages = "messages",
                     *kInstruction = "instruction", *kInput = "input", *kOutput = "output";
constexpr std::string_view kSeparator = "||";

[[noreturn]] void fail(std::string what, const std::string& where, std::string found = {},
                       std::string expected = {}, std::string fix = {}) {
  throw Error(ErrorKind::data, {.what = std::move(what),
                                .where = where,
                                .found = std::move(found),
                                .expected = std::move(expected),
                                .fix = std::move(fix)});
}

bool is_list(const Json& record, const char* field) {
  const auto member = record.find(field);
  return member != record.end() && member->is_array();
}

// Neither null nor empty.
bool has_content(const Json& record, const char* field) {
  const auto member = record.find(field);
  return member != record.end() && !member->empty() &&
         !(member->is_string() && member->get_ref<const std::string&>().empty());
}

void append_part(std::string_view part, Document& document) {
  document.sentences.push_back(static_cast<std::uint32_t>(document.text.size()));
  document.text += part;
}

// Text of a message, which is no list of images and texts and no call of a tool.
const std::string& content_of(const Json& message, const std::string& where) {
  for (const char* field : {"tool_calls", "function_call"}) {
    if (has_content(message, field))
      fail(fmt::format("the message has \"{}\", which no layout of chats here writes", field), where);
  }
  const auto content = message.find("content");
  if (content == message.end()) fail("the message has no field \"content\"", where, field_names(message));
  if (!content->is_string())
    fail("field \"content\" of the message is no text", where, content->type_name(), "a string");
  return content->get_ref<const std::string&>();
}

std::string role_of(const Json& message, const std::string& where) {
  if (!message.is_object())
    fail("a message is no object", where, message.type_name(),
         "such as {\"role\": \"user\", \"content\": \"...\"}");
  const auto role = message.find("role");
  if (role == message.end()) fail("the message has no field \"role\"", where, field_names(message));
  if (!role->is_string())
    fail("field \"role\" of the message is no text", where, role->type_name(), "a string");
  return role->get<std::string>();
}

// "user, tool, assistant": of all messages that have one.
std::string roles_of(const Json& messages) {
  std::string roles;
  for (const Json& message : messages) {
    if (roles.size() > 100) return roles + ", ...";
    const auto role = message.is_object() ? message.find("role") : message.end();
    if (!message.is_object() || role == message.end() || !role->is_string()) continue;
    roles += (roles.empty() ? "" : ", ") + role->get<std::string>();
  }
  return roles;
}

// Alpaca's prompt as its authors published it, with and without an input.
std::string alpaca_prompt(const std::string& instruction, const std::string& input) {
  constexpr const char* kWithInput =
      "Below is an instruction that describes a task, paired with an input that provides further context. "
      "Write a response that appropriately completes the request.\n\n"
      "### Instruction:\n{}\n\n### Input:\n{}\n\n### Response:\n";
  constexpr const char* kWithoutInput =
      "Below is an instruction that describes a task. "
      "Write a response that appropriately completes the request.\n\n"
      "### Instruction:\n{}\n\n### Response:\n";
  return input.empty() ? fmt::format(kWithoutInput, instruction)
                       : fmt::format(kWithInput, instruction, input);
}

// White space at both ends, as Python's strip() has it.
std::string_view stripped(std::string_view text) {
  const std::size_t begin = skip_space(text, 0), end = skip_space_back(text, text.size());
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

}  // namespace

PairReader::PairReader(const RecordOptions& options)
    : prompts_alone_(options.prompts_alone),
      last_turn_(options.pairs.turns == "last"),
      blank_of_records_(options.pairs.completion_blank == "always"),
      blank_of_lines_(options.pairs.completion_blank != "never") {}

PairReader::Shape PairReader::shape_of(const Json& record) const {
  auto has = [&](const char* field) { return record.contains(field); };
  if (has(kPrompt) && has(kCompletion)) return Shape::texts;
  if (has(kMessages)) return Shape::messages;
  if (has(kInstruction) && has(kOutput)) return Shape::alpaca;
  if (prompts_alone_ && has(kPrompt)) return Shape::texts;
  if (prompts_alone_ && has(kInstruction)) return Shape::alpaca;
  return Shape::none;
}

bool PairReader::is_pair(const Json& record) const {
  return shape_of(record) != Shape::none;
}

bool PairReader::has_pair_fields(const Json& record) const {
  for (const char* field : {kPrompt, kCompletion, kInstruction, kOutput}) {
    if (record.contains(field)) return true;
  }
  return is_pair(record);
}

void PairReader::read(Json& record, const std::string& where, Document& document) const {
  auto has = [&](const char* field) { return record.contains(field); };
  document.kind = DocumentKind::pair;
  if ((has(kPrompt) && has(kCompletion)) + has(kMessages) + (has(kInstruction) && has(kOutput)) > 1) {
    fail("the record is a pair in two ways", where, field_names(record), std::string("one of ") + kPairFields,
         "leave the others out");
  }
  Shape shape = shape_of(record);
  if (shape == Shape::none) shape = has(kPrompt) || has(kCompletion) ? Shape::texts : Shape::alpaca;
  if (shape == Shape::alpaca) return read_alpaca(record, where, document);
  if (shape == Shape::messages) return read_messages(record[kMessages], nullptr, kMessages, where, document);
  if (!is_list(record, kPrompt)) return read_texts(record, where, document);
  if (prompts_alone_) return read_messages(record[kPrompt], nullptr, kPrompt, where, document);
  if (!is_list(record, kCompletion)) {
    fail("field \"completion\" of the record is no list of messages, as its prompt is", where,
         has(kCompletion) ? record[kCompletion].type_name() : "none", "an array");
  }
  read_messages(record[kPrompt], &record[kCompletion], kPrompt, where, document);
}

void PairReader::read_texts(Json& record, const std::string& where, Document& document) const {
  append_part(text_field(record, kPrompt, where), document);
  add_completion(prompts_alone_ ? std::string() : text_field(record, kCompletion, where), false, where,
                 document);
}

void PairReader::add_completion(std::string_view completion, bool line, const std::string& where,
                                Document& document) const {
  if (prompts_alone_) return append_part("", document);
  if (is_blank(completion)) fail("the pair's completion has no text", where);
  append_part("", document);
  if (line ? blank_of_lines_ : blank_of_records_) document.text += ' ';
  document.text += completion;
}

void PairReader::read_alpaca(Json& record, const std::string& where, Document& document) const {
  for (const char* field : {"history", "system"}) {
    if (has_content(record, field)) {
      fail(fmt::format("the record has \"{}\" beside \"instruction\", for which Alpaca's prompt has no place",
                       field),
           where, "", "", "give such records as \"messages\"");
    }
  }
  const std::string& instruction = text_field(record, kInstruction, where);
  const bool input = record.contains(kInput) && !record[kInput].is_null();
  append_part(alpaca_prompt(instruction, input ? text_field(record, kInput, where) : std::string()),
              document);
  add_completion(prompts_alone_ ? std::string() : text_field(record, kOutput, where), false, where, document);
}

void PairReader::add_turns(const Json& messages, const std::string& field, const std::string& where,
                           Document& document) const {
  if (!messages.is_array())
    fail(fmt::format("field \"{}\" of the record is no list", field), where, messages.type_name(),
         "an array of messages");
  if (messages.empty()) fail(fmt::format("field \"{}\" of the record has no message", field), where);
  for (std::size_t index = 0; index < messages.size(); ++index) {
    const std::string place = fmt::format("{}, {}[{}]", where, field, index);
    const std::string name = role_of(messages[index], place);
    const std::optional<ChatRole> role = find_chat_role(name);
    if (!role) {
      fail(fmt::format("no layout of chats has the role \"{}\"", name), place, roles_of(messages),
           "system, user and assistant");
    }
    append_part(content_of(messages[index], place), document);
    document.turns.push_back({.role = *role});
  }
}

// A record of training has the answer too: it is what is to be written.
void PairReader::leave_answer_out(const std::string& where, Document& document) const {
  if (document.turns.back().role != ChatRole::assistant) return;
  document.text.resize(document.sentences.back());
  document.turns.pop_back();
  document.sentences.pop_back();
  if (document.turns.empty()) fail("the messages have no turn that could be answered", where, "assistant");
}

// What is scored are turns of the assistant: of `completion` where there is one, or else of all.
void PairReader::read_messages(const Json& prompt, const Json* completion, const char* field,
                               const std::string& where, Document& document) const {
  document.marks |= PairMark::chat;
  add_turns(prompt, field, where, document);
  if (prompts_alone_) return leave_answer_out(where, document);
  const std::size_t first = completion ? document.turns.size() : 0;
  if (completion) add_turns(*completion, kCompletion, where, document);
  bool any = false;
  for (std::size_t turn = document.turns.size(); turn-- > first && !(any && last_turn_);) {
    if (document.turns[turn].role != ChatRole::assistant) continue;
    any = document.turns[turn].scored = true;
    const std::size_t end =
        turn + 1 < document.turns.size() ? document.sentences[turn + 1] : document.text.size();
    const std::size_t begin = document.sentences[turn];
    if (is_blank(std::string_view(document.text).substr(begin, end - begin)))
      fail("a turn of the assistant has no text", fmt::format("{}, message {}", where, turn));
  }
  if (any) return;
  std::string roles = roles_of(prompt);
  if (completion) roles = roles_of(*completion);
  fail("the messages have no turn of the assistant, which would be the completion", where, roles);
}

void PairReader::read_line(std::string_view line, const std::string& where, Document& document) const {
  document.kind = DocumentKind::pair;
  const std::string_view text = stripped(line);
  const std::size_t at = text.find(kSeparator);
  if (at == std::string_view::npos && prompts_alone_) {
    append_part(text, document);
    return append_part("", document);
  }
  if (at == std::string_view::npos)
    fail("the line has no \"||\" between context and completion", where, "", "context||completion");
  document.marks |= PairMark::line;
  const std::string_view completion = text.substr(at + kSeparator.size());
  if (completion.find(kSeparator) != std::string_view::npos) {
    fail("the line has \"||\" twice", where, "", "context||completion",
         "give such pairs as records, {\"prompt\": ..., \"completion\": ...}");
  }
  append_part(text.substr(0, at), document);
  add_completion(completion, true, where, document);
}

}  // namespace surprisal
