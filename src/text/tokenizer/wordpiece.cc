#include "text/tokenizer/wordpiece.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {
namespace {

std::size_t count_characters(std::string_view text) {
  auto begins = [](char byte) { return (byte & 0xC0) != 0x80; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Hugging Face's list, in its order.
void clean_up(std::string& text) {
  static constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto [from, to] : kReplacements) replace_all(text, from, to);
}

}  // namespace

WordPiece::WordPiece(const Json& json, const std::string& where)
    : vocabulary_(require(json, "vocab", where), where + ", vocab"),
      max_characters_(static_cast<std::size_t>(
          get_int(json, "max_input_chars_per_word", where, 0, std::numeric_limits<std::int64_t>::max()))) {
  std::string unknown = get_string(json, "unk_token", where);
  std::optional<std::int32_t> id = vocabulary_.id(unknown);
  if (!id) {
    throw Error(ErrorKind::data,
                {.what = fmt::format("unk_token {} is not in the vocabulary", unknown), .where = where});
  }
  unknown_ = *id;
  std::string prefix = get_string(json, "continuing_subword_prefix", where);
  for (std::int32_t token = 0; token < vocabulary_.size(); ++token) {
    std::string_view spelling = vocabulary_.spelling(token);
    // A word may itself be spelt "##ing".
    initial_.add(spelling, token);
    if (spelling.starts_with(prefix)) continuing_.add(spelling.substr(prefix.size()), token);
  }
}

void WordPiece::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  std::size_t first = tokens.size();
  bool fits = word.size() <= max_characters_ || count_characters(word) <= max_characters_;
  for (std::size_t at = 0; fits && at < word.size();) {
    std::optional<ByteTrie::Match> match = (at == 0 ? initial_ : continuing_).longest_prefix(word.substr(at));
    fits = match.has_value();
    if (!fits) break;
    tokens.push_back({match->value, static_cast<std::uint32_t>(at)});
    at += match->size;
  }
  if (fits) return;
  tokens.resize(first);
  tokens.push_back({unknown_, 0});
}

std::unique_ptr<TokenModel> WordPiece::create(const Json& json, const std::string& where) {
  return std::make_unique<WordPiece>(json, where);
}

void WordPieceDecoder::decode(std::vector<std::string>& pieces) const {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string& piece = pieces[i];
    if (i > 0) {
      if (piece.starts_with(prefix_)) {
        piece.erase(0, prefix_.size());
      } else {
        piece.insert(0, 1, ' ');
      }
    }
    if (cleanup_) clean_up(piece);
  }
}

std::unique_ptr<Decoder> WordPieceDecoder::create(const Json& json, const std::string& where) {
  return std::make_unique<WordPieceDecoder>(get_string(json, "prefix", where),
                                            get_bool(json, "cleanup", where));
}

}  // namespace surprisal
