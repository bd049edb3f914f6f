#include "text/tokenizer/byte_level.h"

#include <array>

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/scanner.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

constexpr char32_t kLastCharacter = 0x143;  // the 68th that stands for no byte of its own

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Every byte's character in UTF-8; all have one or two bytes.
struct Characters {
  std::array<std::array<char, 2>, 256> text{};
  std::array<std::uint8_t, 256> size{};
  std::array<std::int16_t, kLastCharacter + 1> byte{};

  constexpr Characters() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      char32_t c = stands_for_itself(b) ? b : next++;
      byte[c] = static_cast<std::int16_t>(b);
      size[b] = c < 0x80 ? 1 : 2;
      text[b] = c < 0x80 ? std::array{static_cast<char>(c), '\0'}
                         : std::array{static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    }
  }
};
constexpr Characters kCharacters;

// Adds a word in byte-level characters.
void spell_out(const AlignedText& text, ByteSpan word, Words& words) {
  AlignedText& content = words.content;
  auto begin = static_cast<std::uint32_t>(content.text.size());
  for (std::uint32_t i = word.begin; i < word.end; ++i) {
    content.append(byte_level_character(static_cast<std::uint8_t>(text.text[i])), text.origin[i]);
  }
  words.spans.push_back({begin, static_cast<std::uint32_t>(content.text.size())});
}

// Puts a blank before every word that begins with none.
void add_prefix_spaces(Words& words) {
  Words result{words.content.successor(), {}};
  for (ByteSpan span : words.spans) {
    auto begin = static_cast<std::uint32_t>(result.content.text.size());
    if (words.content.text[span.begin] != ' ') result.content.append(" ", words.content.origin[span.begin]);
    result.content.append(words.content, span);
    result.spans.push_back({begin, static_cast<std::uint32_t>(result.content.text.size())});
  }
  words = std::move(result);
}

}  // namespace

std::string_view byte_level_character(std::uint8_t byte) {
  return {kCharacters.text[byte].data(), kCharacters.size[byte]};
}

std::string byte_level_spelling(std::string_view bytes) {
  std::string spelling;
  spelling.reserve(2 * bytes.size());
  for (char byte : bytes) spelling += byte_level_character(static_cast<std::uint8_t>(byte));
  return spelling;
}

std::optional<std::uint8_t> byte_level_byte(char32_t c) {
  if (c > kLastCharacter || kCharacters.byte[c] < 0) return std::nullopt;
  return static_cast<std::uint8_t>(kCharacters.byte[c]);
}

void ByteLevelPreTokenizer::pre_tokenize(Words& words) const {
  pre_tokenize_to_bytes(words);
  Words result{words.content.successor(), {}};
  for (ByteSpan span : words.spans) spell_out(words.content, span, result);
  words = std::move(result);
}

void ByteLevelPreTokenizer::pre_tokenize_to_bytes(Words& words) const {
  if (options_.add_prefix_space) add_prefix_spaces(words);
  words.bytes = true;
  if (!options_.use_regex) return;
  std::vector<ByteSpan> cut;
  cut.reserve(words.content.text.size() / 4 + 1);
  for (ByteSpan span : words.spans) scan_gpt2(words.word(span), span.begin, cut);
  words.spans = std::move(cut);
}

void TokenModel::tokenize_bytes(std::string_view word, std::vector<WordToken>& tokens) const {
  std::string spelling;
  std::vector<std::uint32_t> byte;  // of every byte of the spelling
  for (std::uint32_t i = 0; i < word.size(); ++i) {
    spelling += byte_level_character(static_cast<std::uint8_t>(word[i]));
    byte.resize(spelling.size(), i);
  }
  std::size_t first = tokens.size();
  tokenize(spelling, tokens);
  for (std::size_t i = first; i < tokens.size(); ++i) tokens[i].begin = byte[tokens[i].begin];
}

std::unique_ptr<PreTokenizer> ByteLevelPreTokenizer::create(const Json& json, const std::string& where) {
  return std::make_unique<ByteLevelPreTokenizer>(
      Options{.add_prefix_space = get_bool(json, "add_prefix_space", where),
              .use_regex = get_bool_or(json, "use_regex", where, true)});
}

void ByteLevelDecoder::decode(std::vector<std::string>& pieces) const {
  std::string bytes;
  for (const std::string& piece : pieces) {
    std::size_t before = bytes.size();
    for (std::size_t at = 0; at < piece.size();) {
      std::optional<std::uint8_t> byte = byte_level_byte(next_code_point(piece, at));
      if (!byte) {
        // A spelling with any other character (an added token's) stands for itself.
        bytes.replace(before, std::string::npos, piece);
        break;
      }
      bytes += static_cast<char>(*byte);
    }
  }
  pieces.assign(1, utf8_lossy(bytes));
}

std::unique_ptr<Decoder> ByteLevelDecoder::create(const Json&, const std::string&) {
  return std::make_unique<ByteLevelDecoder>();
}

}  // namespace surprisal
