#include "text/corpus/chat_layout.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "text/unicode/utf8.h"

namespace surprisal {

// A turn is open, role, open_end, before, its text, close, after. Empty tokens are not there.
struct ChatForm {
  std::string_view name;
  std::array<std::string_view, 2> begin;  // tokens before the first turn
  std::string_view open;                  // token before the name of the role
  std::array<std::string_view, 3> role;   // of system, user, assistant: its name, or its token
  bool role_is_token;
  std::string_view open_end;      // token behind the name
  std::string_view before;        // text between that and the turn's own
  bool before_is_written;         // by the assistant: no part of the prompt
  std::string_view close, after;  // token at the end of a turn, and text behind it; no token: the next role's
  std::string_view system;        // text of the system turn of a chat that has none
  bool trimmed;                   // white space around a turn's text is left out
  bool skips_empty;               // turns without text are left out
};

namespace {

constexpr std::array<std::string_view, 3> kRoles{"system", "user", "assistant"};

constexpr ChatForm chatml(std::string_view name, std::string_view system) {
  return {.name = name,
          .begin = {},
          .open = "<|im_start|>",
          .role = kRoles,
          .role_is_token = false,
          .open_end = "",
          .before = "\n",
          .before_is_written = false,
          .close = "<|im_end|>",
          .after = "\n",
          .system = system,
          .trimmed = false,
          .skips_empty = false};
}

constexpr std::array kForms{
    chatml("chatml", ""),
    chatml("qwen2", "You are a helpful assistant."),
    chatml("qwen2.5", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
    ChatForm{.name = "llama3",
             .begin = {"<|begin_of_text|>"},
             .open = "<|start_header_id|>",
             .role = kRoles,
             .role_is_token = false,
             .open_end = "<|end_header_id|>",
             .before = "\n\n",
             .before_is_written = false,
             .close = "<|eot_id|>",
             .after = "",
             .system = "",
             .trimmed = true,
             .skips_empty = false},
    ChatForm{.name = "glm4",
             .begin = {"[gMASK]", "<sop>"},
             .open = "",
             .role = {"<|system|>", "<|user|>", "<|assistant|>"},
             .role_is_token = true,
             .open_end = "",
             .before = "\n",
             .before_is_written = true,
             .close = "",
             .after = "",
             .system = "",
             .trimmed = false,
             .skips_empty = true},
};

std::vector<std::string_view> tokens_of(const ChatForm& form) {
  std::vector<std::string_view> tokens(form.begin.begin(), form.begin.end());
  tokens.insert(tokens.end(), {form.open, form.open_end, form.close});
  if (form.role_is_token) tokens.insert(tokens.end(), form.role.begin(), form.role.end());
  std::erase(tokens, std::string_view());
  return tokens;
}

std::vector<std::string_view> missing(const ChatForm& form, const Tokenizer& tokenizer) {
  std::vector<std::string_view> tokens = tokens_of(form);
  std::erase_if(tokens, [&](std::string_view token) {
    const std::optional<std::int32_t> id = tokenizer.id(token);
    return id && tokenizer.is_special(*id);
  });
  return tokens;
}

constexpr const char* kKey = "objective.conditional.chat";

const ChatForm& named(const std::string& name, const Tokenizer& tokenizer) {
  const auto form = std::ranges::find(kForms, name, &ChatForm::name);
  const std::vector<std::string> choices = chat_layout_choices();
  if (form == kForms.end()) {
    const std::string near = nearest_name(name, choices);
    throw Error(ErrorKind::usage, {.what = std::string(kKey) + " is unknown",
                                   .found = name,
                                   .expected = fmt::format("{}", fmt::join(choices, " or ")),
                                   .fix = near.empty() ? "" : fmt::format("did you mean {}?", near)});
  }
  const std::vector<std::string_view> lacking = missing(*form, tokenizer);
  if (lacking.empty()) return *form;
  throw Error(ErrorKind::usage,
              {.what = fmt::format("the tokenizer lacks special tokens of the chat layout {}", name),
               .where = kKey,
               .found = fmt::format("no {}", fmt::join(lacking, ", no ")),
               .fix = "choose the layout that the model was made with, or add the tokens to its tokenizer"});
}

const ChatForm& of_tokens(const Tokenizer& tokenizer) {
  std::vector<const ChatForm*> fitting;
  std::vector<std::string_view> names;
  for (const ChatForm& form : kForms) {
    if (!missing(form, tokenizer).empty()) continue;
    fitting.push_back(&form);
    names.push_back(form.name);
  }
  if (fitting.size() == 1) return *fitting.front();
  std::vector<std::string> choices = chat_layout_choices();
  choices.erase(choices.begin());
  if (fitting.empty()) {
    throw Error(ErrorKind::usage,
                {.what = "the tokenizer has the special tokens of no chat layout",
                 .where = kKey,
                 .expected = fmt::format("those of {}", fmt::join(choices, " or ")),
                 .fix = "use a tokenizer of a chat model, or give prompts and completions as texts"});
  }
  throw Error(ErrorKind::usage, {.what = "the tokenizer has the special tokens of several chat layouts",
                                 .where = kKey,
                                 .found = fmt::format("{}", fmt::join(names, ", ")),
                                 .fix = "name the one that the model was made with"});
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = skip_space(text, 0), end = skip_space_back(text, text.size());
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

}  // namespace

std::optional<ChatRole> find_chat_role(std::string_view name) {
  const auto role = std::ranges::find(kRoles, name);
  if (role == kRoles.end()) return {};
  return static_cast<ChatRole>(role - kRoles.begin());
}

std::vector<std::string> chat_layout_choices() {
  std::vector<std::string> names{"auto"};
  for (const ChatForm& form : kForms) names.emplace_back(form.name);
  return names;
}

bool has_chat_tokens(const Tokenizer& tokenizer) {
  return std::ranges::any_of(kForms, [&](const ChatForm& form) { return missing(form, tokenizer).empty(); });
}

ChatLayout::ChatLayout(const std::string& name, const Tokenizer& tokenizer)
    : form_(name == "auto" ? &of_tokens(tokenizer) : &named(name, tokenizer)), tokenizer_(tokenizer) {
  if (!form_->close.empty()) {
    ends_ = {*tokenizer.id(form_->close)};
  } else {
    ends_ = {*tokenizer.id(form_->role[1])};
  }
}

std::string_view ChatLayout::name() const {
  return form_->name;
}

struct ChatLayout::Writer {
  const ChatForm& form;
  const Tokenizer& tokenizer;
  std::vector<ChatPiece> pieces{};
  bool open_ended = false;  // the turn before was scored, and the next token is its end

  void token(std::string_view spelling, bool scored = false) {
    if (spelling.empty()) return;
    pieces.push_back({.token = tokenizer.id(spelling), .scored = scored || std::exchange(open_ended, false)});
  }
  void text(std::string_view text, bool scored = false) {
    if (!text.empty()) pieces.push_back({.text = std::string(text), .scored = scored});
  }
  void header(ChatRole role, bool scored) {
    token(form.open);
    const std::string_view name = form.role[static_cast<std::size_t>(role)];
    form.role_is_token ? token(name) : text(name);
    token(form.open_end);
    text(form.before, scored && form.before_is_written);
  }
  void turn(ChatTurn turn, std::string_view content) {
    if (form.trimmed) content = trimmed(content);
    if (content.empty() && form.skips_empty) return;
    header(turn.role, turn.scored);
    text(content, turn.scored);
    token(form.close, turn.scored);
    if (form.close.empty()) open_ended = turn.scored;
    text(form.after);
  }
};

std::vector<ChatPiece> ChatLayout::render(const Document& chat, bool answer) const {
  Writer writer{*form_, tokenizer_};
  for (std::string_view token : form_->begin) writer.token(token);
  if (!form_->system.empty() && chat.turns.front().role != ChatRole::system)
    writer.turn({.role = ChatRole::system}, form_->system);
  for (std::size_t turn = 0; turn < chat.turns.size(); ++turn) {
    const std::size_t begin = chat.sentences[turn];
    const std::size_t end = turn + 1 < chat.turns.size() ? chat.sentences[turn + 1] : chat.text.size();
    writer.turn(chat.turns[turn], std::string_view(chat.text).substr(begin, end - begin));
  }
  if (answer) {
    writer.header(ChatRole::assistant, false);
    if (form_->before_is_written) writer.pieces.pop_back();
    return std::move(writer.pieces);
  }
  if (writer.open_ended) writer.token(form_->role[1]);
  while (!writer.pieces.empty() && !writer.pieces.back().scored) writer.pieces.pop_back();
  return std::move(writer.pieces);
}

}  // namespace surprisal
